/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test may need before it can run: one row a need. A need that is absent
 * turns the test into a SKIP whose reason code names the row's origin.
 */
#ifndef HARNESS_NEEDS_H
#define HARNESS_NEEDS_H

#include <stdint.h>

/* Where an absent need comes from: the first word of the reason code. */
enum need_kind { NEED_PRIV, NEED_KCONFIG, NEED_SYSCALL };

/*
 * X(name, kind, origin, since, provides)
 *   kind      which reason code: no-priv, no-kconfig:ORIGIN or no-syscall:ORIGIN
 *   origin    Kconfig option without CONFIG_, or system call
 *   since     first kernel version that has it
 *   provides  what a subject must declare when the test runs through one ("" = nothing)
 * The probe is probe_NAME() in needs.c.
 */
#define NEED_TABLE(X)                                                                               \
	/* privilege over the machine: uid 0 and CAP_SYS_ADMIN in the initial user namespace */     \
	X(root, NEED_PRIV, "", "2.2", "")                                                           \
	/* privilege over namespaces of its own: root, or a user namespace made for the test */     \
	X(admin, NEED_PRIV, "", "3.8", "")                                                          \
	X(userns, NEED_KCONFIG, "USER_NS", "3.8", "user")                                           \
	/* everybody may make one: some distributions can leave that to the machine's root */       \
	X(free_userns, NEED_PRIV, "", "never", "")                                                  \
	X(utsns, NEED_KCONFIG, "UTS_NS", "2.6.19", "uts")                                           \
	X(pidns, NEED_KCONFIG, "PID_NS", "2.6.24", "pid")                                           \
	X(mntns, NEED_PRIV, "", "2.4.19", "mnt")                                                    \
	X(ipcns, NEED_KCONFIG, "IPC_NS", "2.6.19", "ipc")                                           \
	X(netns, NEED_KCONFIG, "NET_NS", "2.6.24", "net")                                           \
	X(cgroupns, NEED_KCONFIG, "CGROUPS", "4.6", "cgroup")                                       \
	X(timens, NEED_KCONFIG, "TIME_NS", "5.6", "time")                                           \
	/* what /proc/stat and /proc/PID/stat tell of starts goes by the time namespace */          \
	X(timens_stat, NEED_KCONFIG, "TIME_NS", "5.11", "")                                         \
	X(seccomp, NEED_KCONFIG, "SECCOMP_FILTER", "3.5", "seccomp")                                \
	X(overlay, NEED_KCONFIG, "OVERLAY_FS", "3.18", "")                                          \
	X(tmpfs, NEED_KCONFIG, "TMPFS", "2.4", "")                                                  \
	X(fhandle, NEED_KCONFIG, "FHANDLE", "2.6.39", "")                                           \
	/* the calls of 32-bit x86 programs, by any program: other machines have no such entry */   \
	X(int80, NEED_SYSCALL, "int80", "never", "")                                                \
	/* tracing one's children: Yama can forbid it to everybody */                               \
	X(ptrace, NEED_PRIV, "", "3.4", "")                                                         \
	/* programs may give privileges: no_new_privs is not set for good */                        \
	X(new_privs, NEED_PRIV, "", "3.5", "")                                                      \
	/* the lowest pages are kept free: vm.mmap_min_addr */                                      \
	X(guarded_pages, NEED_PRIV, "", "never", "")                                                \
	/* files have SELinux labels: a policy is loaded, which no kernel promises */               \
	X(selinux, NEED_KCONFIG, "SECURITY_SELINUX", "never", "")                                   \
	X(kcmp, NEED_KCONFIG, "KCMP", "3.5", "")                                                    \
	X(checkpoint, NEED_KCONFIG, "CHECKPOINT_RESTORE", "3.3", "")                                \
	X(cgroup2, NEED_KCONFIG, "CGROUPS", "4.5", "")                                              \
	/* cgroup v2 has the controllers for memory, processes and CPU time: not v1 or hybrid */    \
	X(limits, NEED_KCONFIG, "MEMCG", "4.15", "")                                                \
	/* cgroup namespaces are borders: the mount option of cgroup v2 that systemd sets */        \
	X(nsdelegate, NEED_PRIV, "", "4.13", "")                                                    \
	/* the ids and file handles of namespaces are older by one version */                       \
	X(listns, NEED_SYSCALL, "listns", "6.19", "")                                               \
	X(cgroup_kill, NEED_KCONFIG, "CGROUPS", "5.14", "")                                         \
	X(pidfd_getfd, NEED_SYSCALL, "pidfd_getfd", "5.6", "")                                      \
	X(openat2, NEED_SYSCALL, "openat2", "5.6", "")                                              \
	X(close_range, NEED_SYSCALL, "close_range", "5.9", "")                                      \
	X(mount_setattr, NEED_SYSCALL, "mount_setattr", "5.12", "")                                 \
	X(statmount, NEED_SYSCALL, "statmount", "6.8", "")                                          \
	X(listmount, NEED_SYSCALL, "listmount", "6.8", "")                                          \
	X(open_tree, NEED_SYSCALL, "open_tree", "5.2", "")                                          \
	X(fsopen, NEED_SYSCALL, "fsopen", "5.2", "")                                                \
	/* a flag of a system call that older kernels refuse or ignore: probe_mnt.c */              \
	X(nosymfollow, NEED_SYSCALL, "mount", "5.10", "")                                           \
	X(idmapped_tmpfs, NEED_SYSCALL, "mount_setattr", "6.3", "")                                 \
	X(set_group, NEED_SYSCALL, "move_mount", "5.15", "")                                        \
	X(mount_beneath, NEED_SYSCALL, "move_mount", "6.5", "")                                     \
	X(unique_mount_id, NEED_SYSCALL, "statx", "6.8", "")                                        \
	X(statmount_ns, NEED_SYSCALL, "statmount", "6.11", "")                                      \
	X(proc_unmountable, NEED_SYSCALL, "mount", "6.12", "")                                      \
	X(overlay_by_fd, NEED_KCONFIG, "OVERLAY_FS", "6.13", "")                                    \
	X(mount_notify, NEED_SYSCALL, "fanotify_init", "6.14", "")                                  \
	X(open_tree_attr, NEED_SYSCALL, "open_tree_attr", "6.15", "")                               \
	X(open_tree_namespace, NEED_SYSCALL, "open_tree", "7.0", "")                                \
	X(statmount_by_fd, NEED_SYSCALL, "statmount", "7.0", "")                                    \
	X(fsmount_namespace, NEED_SYSCALL, "fsmount", "7.1", "")                                    \
	X(empty_mntns, NEED_SYSCALL, "unshare", "7.1", "")                                          \
	X(beneath_root, NEED_SYSCALL, "move_mount", "7.2", "")                                      \
	/* the administrator's calls for modules, kernels, swap, accounts and opens are built in */ \
	X(machine_calls, NEED_SYSCALL, "delete_module", "2.6.37", "")                               \
	/* what a test sets for the whole machine disturbs nobody: a guest of run-tests.sh */       \
	X(spare_machine, NEED_PRIV, "", "never", "")                                                \
	/* procfs may be mounted in a user namespace: the caller's /proc is not covered */          \
	X(userns_proc, NEED_PRIV, "", "3.8", "")                                                    \
	/* PID namespaces and pidfds: probe_pid.c */                                                \
	X(posix_mqueue, NEED_KCONFIG, "POSIX_MQUEUE", "2.6.6", "")                                  \
	X(peer_pidfd, NEED_SYSCALL, "getsockopt", "6.5", "")                                        \
	X(pidns_ioctl, NEED_SYSCALL, "ioctl", "6.11", "")                                           \
	X(pidfd_info, NEED_SYSCALL, "ioctl", "6.13", "")                                            \
	X(pidfd_exit, NEED_SYSCALL, "ioctl", "6.15", "")                                            \
	X(pidfd_supported, NEED_SYSCALL, "ioctl", "7.0", "")                                        \
	X(pidfs_handle, NEED_SYSCALL, "name_to_handle_at", "6.14", "")                              \
	X(pidfs_mount, NEED_SYSCALL, "open_tree", "6.15", "")                                       \
	X(pidfs_xattr, NEED_SYSCALL, "fgetxattr", "6.17", "")                                       \
	X(own_pid_max, NEED_KCONFIG, "PID_NS", "6.14", "")                                          \
	X(coredump_info, NEED_KCONFIG, "COREDUMP", "6.16", "")                                      \
	X(proc_pidns, NEED_SYSCALL, "fsconfig", "6.18", "")                                         \
	X(autoreap, NEED_SYSCALL, "clone3", "7.2", "")                                              \
	X(unborn_pidns, NEED_SYSCALL, "setns", "7.2", "")                                           \
	/* network devices: a pair of them, in a network namespace of the test's own */             \
	X(veth, NEED_KCONFIG, "VETH", "2.6.24", "")                                                 \
	X(netns_cookie, NEED_SYSCALL, "getsockopt", "5.14", "")                                     \
	/* keys; through a subject, a session keyring that is not the caller's */                   \
	X(own_keyring, NEED_KCONFIG, "KEYS", "2.6.10", "keyring")                                   \
	/* no kernel has it: the harness checks itself with it */                                   \
	X(never, NEED_SYSCALL, "never", "never", "")

/*
 * What only a subject can lack; a raw run has it by itself.
 * X(name, provides): the word that the subject must declare.
 */
#define PROVISION_TABLE(X)                                                                         \
	X(hostname, "hostname")                                                                    \
	X(bind, "bind")                                                                            \
	X(own_proc, "proc")                                                                        \
	X(tty, "tty")                                                                              \
	X(own_dev, "dev")                                                                          \
	X(own_tmpfs, "tmpfs")                                                                      \
	/* what only a configuration file of the OCI's can say, subjects/oci.sh */                 \
	X(oci, "oci")                                                                              \
	/* a container may have another's namespace, and get one more process */                   \
	X(joining, "join")                                                                         \
	X(adding, "exec")                                                                          \
	X(private_mounts, "private-mounts")                                                        \
	/* a tmpfs may be asked for by size, DESTINATION:size=BYTES */                             \
	X(sized_tmpfs, "tmpfs-size")                                                               \
	/* mount points that are made have the same mode whatever the caller's umask is */         \
	X(fixed_modes, "fixed-modes")                                                              \
	X(tame_binds, "tame-binds")                                                                \
	X(own_sys, "sys")                                                                          \
	X(mqueue, "mqueue")                                                                        \
	X(own_session, "session")                                                                  \
	X(masked, "masked-paths")                                                                  \
	/* capabilities are fewer than root's */                                                   \
	X(few_caps, "caps")                                                                        \
	/* and none but those that container engines leave by default */                           \
	X(default_caps, "default-caps")                                                            \
	X(no_new_privs, "no-new-privs")                                                            \
	/* no descriptor of the caller above 2 is passed on */                                     \
	X(clean_fds, "clean-fds")                                                                  \
	/* the caller's supplementary groups are not passed on */                                  \
	X(clean_groups, "clean-groups")                                                            \
	/* nor are its signal dispositions and mask */                                             \
	X(clean_signals, "clean-signals")                                                          \
	/* nor its scheduling and personality */                                                   \
	X(clean_scheduling, "clean-scheduling")                                                    \
	/* nor its umask: it is 022 */                                                             \
	X(clean_umask, "clean-umask")                                                              \
	/* nor its inheritable and ambient capabilities */                                         \
	X(no_inherited_caps, "no-inherited-caps")                                                  \
	/* the container is in a cgroup of its own, whether limits are asked for or not */         \
	X(own_cgroup, "own-cgroup")                                                                \
	/* devices that were not asked for cannot be opened, whatever node is made */              \
	X(device_policy, "device-policy")                                                          \
	/* the loopback device is up */                                                            \
	X(loopback, "loopback")                                                                    \
	/* the container ends when the runtime's first process is killed */                        \
	X(bound_life, "bound-life")                                                                \
	/* limits that were not asked for are the caller's */                                      \
	X(same_limits, "same-limits")

enum need_index {
#define NEED_INDEX(name, ...) NEED_INDEX_##name,
	NEED_TABLE(NEED_INDEX) PROVISION_TABLE(NEED_INDEX)
#undef NEED_INDEX
		NEED_COUNT
};

/* A set of needs, a bit each; there are more than 64. */
typedef unsigned __int128 need_set;

/* The bit of one need: .needs = NEED(root) | NEED(utsns) */
#define NEED(name) ((need_set)1 << NEED_INDEX_##name)

#endif

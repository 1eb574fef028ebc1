/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes that needs.c has in its table and that stand in files of their own, by theme. */
#ifndef HARNESS_PROBE_H
#define HARNESS_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* True when `attempt` returns true in a forked process. */
bool try_in_fork(bool (*attempt)(uint64_t), uint64_t argument);

/* unshare(2), for a normal user in a user namespace of its own. Only in a forked process. */
bool may_unshare(uint64_t flags);

/* A system call that the kernel lacks says ENOSYS to any arguments. */
bool has_syscall(long number);

/* probe_mnt.c: mounts and their tables. */
bool probe_nosymfollow(void);
bool probe_idmapped_tmpfs(void);
bool probe_set_group(void);
bool probe_mount_beneath(void);
bool probe_unique_mount_id(void);
bool probe_statmount_ns(void);
bool probe_mount_notify(void);
bool probe_open_tree_attr(void);
bool probe_open_tree_namespace(void);
bool probe_statmount_by_fd(void);
bool probe_fsmount_namespace(void);
bool probe_empty_mntns(void);
bool probe_proc_unmountable(void);
bool probe_overlay_by_fd(void);
bool probe_selinux(void);
bool probe_beneath_root(void);

/* probe_pid.c: PID namespaces and pidfds. */
bool probe_posix_mqueue(void);
bool probe_peer_pidfd(void);
bool probe_pidns_ioctl(void);
bool probe_pidfd_info(void);
bool probe_pidfd_exit(void);
bool probe_pidfd_supported(void);
bool probe_pidfs_handle(void);
bool probe_pidfs_mount(void);
bool probe_pidfs_xattr(void);
bool probe_own_pid_max(void);
bool probe_proc_pidns(void);
bool probe_coredump_info(void);
bool probe_autoreap(void);
bool probe_unborn_pidns(void);

/* probe_ns.c: namespaces of users, cgroups, time and network, and all of them by number. */
bool probe_machine_calls(void);
bool probe_nsdelegate(void);
bool probe_listns(void);
bool probe_timens_stat(void);
bool probe_veth(void);
bool probe_netns_cookie(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the default seccomp filter allows: the policy's one table, read by mkfilter
 * at build time. It is an allow-list, at least as strict as Docker's default profile
 * (which lets modify_ldt, AF_ALG sockets and TIOCSTI through, and compares the family of
 * a socket in 64 bits where the kernel looks at 32). Every call that Linux 6.7 has stands
 * in one group, or mkfilter fails the build. What stands in none (a later kernel's calls,
 * gaps in the numbering) answers ENOSYS: a C library then falls back to what it did before.
 *
 * Entries of other instruction sets (i386, 32-bit Arm) and x32 numbers kill the process:
 * were they to answer ENOSYS, a program of theirs could not even exit, and would stray
 * into whatever follows its exit call. SIGSYS says at once what is wrong.
 */
#ifndef RUNTIME_SECCOMP_POLICY_H
#define RUNTIME_SECCOMP_POLICY_H

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "seccomp_mark.h"

#define ALLOW  SECCOMP_RET_ALLOW
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

/* Calls by name, separated by spaces; names that an architecture lacks are passed over. */
struct policy_group {
	uint32_t verdict;
	const char *names;
};

static const struct policy_group policy_groups[] = {
	/* Files by descriptor: open, close, read, write, sync. */
	{ ALLOW,
	  "open openat openat2 creat close close_range dup dup2 dup3 fcntl flock lseek pipe "
	  "pipe2 read readv pread64 preadv preadv2 readahead write writev pwrite64 pwritev "
	  "pwritev2 truncate ftruncate fallocate fadvise64 copy_file_range sendfile splice tee "
	  "vmsplice fsync fdatasync sync syncfs sync_file_range cachestat memfd_create" },
	/* Files by name: directories, links, attributes, watching. */
	{ ALLOW,
	  "access faccessat faccessat2 chdir fchdir getcwd getdents getdents64 mkdir mkdirat "
	  "rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat "
	  "readlink readlinkat umask stat fstat lstat newfstatat statx statfs "
	  "fstatfs chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes "
	  "futimesat utimensat getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr "
	  "listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr "
	  "name_to_handle_at inotify_init inotify_init1 inotify_add_watch inotify_rm_watch "
	  "fanotify_mark" },
	/* Waiting for events, and kernel aio (io_uring is refused below). */
	{ ALLOW,
	  "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait "
	  "epoll_pwait epoll_pwait2 eventfd eventfd2 io_setup io_destroy io_submit io_cancel "
	  "io_getevents io_pgetevents" },
	/* Memory. */
	{ ALLOW,
	  "brk mmap mremap munmap mprotect madvise mincore msync mlock mlock2 munlock mlockall "
	  "munlockall remap_file_pages membarrier memfd_secret pkey_alloc pkey_free "
	  "pkey_mprotect map_shadow_stack" },
	/* Processes: start, end, identity, limits, tracing one's own (safe since 4.8). */
	{ ALLOW,
	  "fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid "
	  "getpgrp setpgid getsid setsid getuid geteuid getgid getegid getresuid getresgid "
	  "getgroups setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid "
	  "setgroups capget capset prctl arch_prctl set_tid_address set_thread_area "
	  "get_thread_area set_robust_list get_robust_list rseq getrlimit setrlimit prlimit64 "
	  "getrusage times sysinfo uname getcpu getrandom ptrace process_vm_readv "
	  "process_vm_writev pidfd_open pidfd_send_signal process_mrelease seccomp "
	  "landlock_create_ruleset landlock_add_rule landlock_restrict_self" },
	/* Scheduling: one's own, or as far as the kernel's own checks go. */
	{ ALLOW, "sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr "
		 "sched_getparam sched_setparam sched_getscheduler sched_setscheduler "
		 "sched_get_priority_max sched_get_priority_min sched_rr_get_interval getpriority "
		 "setpriority ioprio_get ioprio_set futex futex_waitv futex_wait futex_wake "
		 "futex_requeue" },
	/* Signals. */
	{ ALLOW,
	  "kill tkill tgkill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask "
	  "rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	  "sigaltstack signalfd signalfd4" },
	/* Clocks and timers; adjtimex also reads, and the kernel guards its writing. */
	{ ALLOW, "time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep adjtimex "
		 "clock_adjtime alarm getitimer setitimer timer_create timer_delete timer_gettime "
		 "timer_settime timer_getoverrun timerfd_create timerfd_gettime timerfd_settime" },
	/* Sockets (socket itself has rules) and System V and POSIX IPC. */
	{ ALLOW, "socketpair bind listen accept accept4 connect shutdown getsockname getpeername "
		 "getsockopt setsockopt sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg shmget "
		 "shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
		 "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr" },

	/* The machine's and the namespaces' administration, each with its capability. */
	{ NEEDS(CAP_SYS_ADMIN),
	  "mount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick unshare "
	  "setns sethostname setdomainname quotactl quotactl_fd fanotify_init" },
	{ NEEDS(CAP_SYS_ADMIN) | MARK_ABSENT,
	  "clone3" }, /* its flags lie in memory: unfilterable */
	{ NEEDS_EITHER(CAP_BPF, CAP_SYS_ADMIN), "bpf" },
	{ NEEDS_EITHER(CAP_PERFMON, CAP_SYS_ADMIN), "perf_event_open" },
	{ NEEDS_EITHER(CAP_SYSLOG, CAP_SYS_ADMIN), "syslog" },
	{ NEEDS(CAP_DAC_READ_SEARCH), "open_by_handle_at" },
	{ NEEDS(CAP_SYS_PTRACE), "kcmp pidfd_getfd process_madvise" },
	{ NEEDS(CAP_SYS_CHROOT), "chroot" },
	{ NEEDS(CAP_SYS_MODULE), "init_module finit_module delete_module" },
	{ NEEDS(CAP_SYS_BOOT), "reboot" },
	{ NEEDS(CAP_SYS_PACCT), "acct" },
	{ NEEDS(CAP_SYS_RAWIO), "iopl ioperm" },
	{ NEEDS(CAP_SYS_TIME), "settimeofday clock_settime" },
	{ NEEDS(CAP_SYS_TTY_CONFIG), "vhangup" },
	{ NEEDS(CAP_SYS_NICE), "get_mempolicy set_mempolicy mbind set_mempolicy_home_node" },

	/* Refused whatever the capabilities: not namespaced, or a past of escapes. */
	{ REFUSE,
	  "add_key request_key keyctl userfaultfd io_uring_setup io_uring_enter "
	  "io_uring_register kexec_load kexec_file_load pivot_root swapon swapoff migrate_pages "
	  "move_pages modify_ldt sysfs ustat" },
	/*
	 * What current kernels themselves answer ENOSYS to, and what their own trampolines call:
	 * the kernel lets those pass by itself (uretprobe, 6.14).
	 */
	{ ABSENT, "_sysctl afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms "
		  "getpmsg lookup_dcookie nfsservctl putpmsg query_module security tuxcall uprobe "
		  "uretprobe uselib vserver" },
};

/*
 * Calls judged by an argument: `then` when (argument & mask) == value, for one row of the
 * call at least; `otherwise` (the same in all its rows) when no row matches. The kernel
 * looks at the low 32 bits of each of these arguments, and so do the masks: a comparison of
 * all 64 is evaded by garbage above (CVE-2019-10063).
 */
struct policy_rule {
	const char *name;
	unsigned int arg;
	uint32_t mask;
	uint32_t value;
	uint32_t then;
	uint32_t otherwise;
};

#define INT32 0xffffffffU
#define NS_FLAGS                                                                                   \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

static const struct policy_rule policy_rules[] = {
	/* CLONE_NEWTIME shares its bit with the exit signal here: clone cannot ask for it. */
	{ "clone", 0, NS_FLAGS, 0, ALLOW, NEEDS(CAP_SYS_ADMIN) },
	/* Linux, 32-bit uname, 2.6 version numbers, both, and the query. */
	{ "personality", 0, INT32, PER_LINUX, ALLOW, REFUSE },
	{ "personality", 0, INT32, PER_LINUX32, ALLOW, REFUSE },
	{ "personality", 0, INT32, UNAME26, ALLOW, REFUSE },
	{ "personality", 0, INT32, PER_LINUX32 | UNAME26, ALLOW, REFUSE },
	{ "personality", 0, INT32, 0xffffffffU, ALLOW, REFUSE },
	/* Sockets to the hypervisor know no network namespace; AF_ALG reaches kernel crypto. */
	{ "socket", 0, INT32, AF_VSOCK, REFUSE, ALLOW },
	{ "socket", 0, INT32, AF_ALG, REFUSE, ALLOW },
	/* A node is a door to its device: of all types S_IFCHR and S_IFBLK have just this bit. */
	{ "mknod", 1, 0120000, 0020000, NEEDS(CAP_SYS_ADMIN), ALLOW },
	{ "mknodat", 2, 0120000, 0020000, NEEDS(CAP_SYS_ADMIN), ALLOW },
	/* Typing into the terminal of whoever started the container. */
	{ "ioctl", 1, INT32, TIOCSTI, REFUSE, ALLOW },
	{ "ioctl", 1, INT32, TIOCLINUX, REFUSE, ALLOW },
};

#endif

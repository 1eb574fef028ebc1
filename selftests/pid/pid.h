/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share: the kernel's interfaces that are younger
 * than the C library's headers, and processes that wait without sleeping.
 */
#ifndef PID_PID_H
#define PID_PID_H

#include "../harness/selftest.h"

#include <linux/ioctl.h>
#include <linux/types.h>

/* Identifiers across PID namespaces, ioctl(2) on a descriptor of one; 6.11. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS  _IOR(0xb7, 0x6, int)
#define NS_GET_TGID_FROM_PIDNS _IOR(0xb7, 0x7, int)
#define NS_GET_PID_IN_PIDNS    _IOR(0xb7, 0x8, int)
#define NS_GET_TGID_IN_PIDNS   _IOR(0xb7, 0x9, int)
#endif

/* clone3(2), 5.15 and older: the sizes that were published. */
#ifndef CLONE_ARGS_SIZE_VER0
#define CLONE_ARGS_SIZE_VER0 64 /* 5.3 */
#define CLONE_ARGS_SIZE_VER1 80 /* 5.5 */
#define CLONE_ARGS_SIZE_VER2 88 /* 5.7 */
#endif

/* clone3(2), 7.2. */
#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP       (1ULL << 34)
#define CLONE_NNP            (1ULL << 35)
#define CLONE_PIDFD_AUTOKILL (1ULL << 36)
#endif

/* PIDFD_GET_INFO, 6.13. The part behind exit_code came with 6.16 and 7.0. */
#define PIDFD_INFO_PID            (1ULL << 0)
#define PIDFD_INFO_CREDS          (1ULL << 1)
#define PIDFD_INFO_CGROUPID       (1ULL << 2)
#define PIDFD_INFO_EXIT           (1ULL << 3) /* 6.15 */
#define PIDFD_INFO_COREDUMP       (1ULL << 4) /* 6.16 */
#define PIDFD_INFO_SUPPORTED_MASK (1ULL << 5) /* 7.0 */
#define PIDFD_COREDUMPED          (1U << 0)

struct pidfd_information {
	__u64 mask, cgroupid;
	__u32 pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	__s32 exit_code;
	__u32 coredump_mask, coredump_signal, coredump_code, pad;
	__u64 supported_mask;
};

enum { PIDFD_INFORMATION_FIRST = 64 }; /* the first published size */

#define PIDFD_GET_INFORMATION(size) _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, size)
#define PIDFD_GET_PID_NAMESPACE     _IO(0xff, 5)  /* 6.11 */
#define PIDFD_GET_UTS_NAMESPACE     _IO(0xff, 10) /* 6.11 */

/* Of unix sockets, 6.5. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/* waitid(2), 5.4. */
#define WAIT_PIDFD ((idtype_t)3)

/* clone3(2) with the caller's arguments: like fork, -1 and errno on failure. */
pid_t clone3_with(struct clone_args *args);

/* A fork that ends at once and is reaped: its pid, or -1 and errno. */
pid_t try_fork(void);

/* A forked process that does nothing until a signal ends it; dumps no core. */
pid_t must_idle(void);

/* SIGKILL to a child, and its wait status. */
int must_kill(pid_t pid);

/* True when the process of the pidfd has ended by now, or ends within ten seconds. */
bool ended(int pidfd);
bool ends(int pidfd);

/* A byte over a pipe or socket: say() lets the one go on that waits in hear(). */
void say_go(int fd);
void hear_go(int fd);

/* Blocks one signal in the calling thread. */
void must_block(int sig);

/* Waits up to ten seconds for a blocked signal; BROKEN when it does not come. */
siginfo_t must_await(int sig);

/* The pid of a pidfd's process as /proc's PID namespace counts: 0 not visible, -1 gone. */
pid_t pid_here(int pidfd);

int pidfd_send(int pidfd, int sig, siginfo_t *info, unsigned flags);
int pidfd_take(int pidfd, int fd);

/* Both files of the room that read directories of /proc: how many entries are numbers. */
int count_processes(const char *proc);

#endif

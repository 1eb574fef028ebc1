/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share: processes that wait, and others that wait
 * for them, without sleeping.
 */
#ifndef PID_PID_H
#define PID_PID_H

#include "../harness/selftest.h"

/* waitid(2), 5.4. */
#define WAIT_PIDFD ((idtype_t)3)

/* How long a test waits for what takes no time at all. */
enum { PATIENCE_MS = 10000 };

/* clone3(2) with the caller's arguments: like fork, -1 and errno on failure. */
pid_t clone3_with(struct clone_args *args);

/* A fork that ends at once and is reaped: its pid, or -1 and errno. */
pid_t try_fork(void);

/* A forked process that does nothing until a signal ends it; dumps no core. */
pid_t must_idle(void);

/* The same with a PID of the caller's choice: clone3(2), set_tid, 5.5. */
pid_t must_idle_as(pid_t number);

/* SIGKILL to a child, and its wait status. */
int must_kill(pid_t pid);

/* True when the process of the pidfd has ended by now, or ends within ten seconds. */
bool ended(int pidfd);
bool ends(int pidfd);

/* True when the number is free in time: who reaps himself has no reaper to wait for. */
bool vanishes_within(pid_t pid, int ms);

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

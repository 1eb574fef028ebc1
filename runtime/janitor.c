// SPDX-License-Identifier: GPL-2.0-or-later
#include "janitor.h"

#include "cgroup.h"
#include "clone.h"
#include "leftovers.h"
#include "room.h"
#include "sys.h"
#include "upper.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

static ROOM char janitor_stack[16384] __attribute__((aligned(16)));

/*
 * By another call than the one that bulkhead waits in (supervise.c): what ends bulkhead
 * there, a filter or a tracer, must not meet its janitor, too.
 */
static void wait_for_end_of(int pidfd)
{
	struct epoll_event event = { .events = EPOLLIN };
	long ready = 0;

	while (ready != 1) {
		int set = raw_new_fd(RAW1(SYS_epoll_create1, EPOLL_CLOEXEC));

		RAW4(SYS_epoll_ctl, set, EPOLL_CTL_ADD, pidfd, &event);
		ready = raw6(SYS_epoll_pwait, set, RAW_ARG(&event), 1, -1, 0, 0);
		sys_close(set);
	}
}

void janitor_sweep(struct container *c)
{
	leftovers_kill(c);
	cgroup_remove(c);
	upper_work_remove(c);
}

static void janitor_main(void *arg)
{
	struct container *c = arg;

	RAW1(SYS_setsid, 0); /* what kills bulkhead's process group leaves us */
	wait_for_end_of(c->host_pidfd);
	if (c->pidfd >= 3) {
		RAW4(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
		wait_for_end_of(c->pidfd);
	}
	janitor_sweep(c);
	RAW1(SYS_exit_group, 0);
	__builtin_unreachable();
}

int janitor_open_host(struct container *c)
{
	if (c->host_pidfd < 0)
		c->host_pidfd = raw_new_fd(RAW2(SYS_pidfd_open, c->host_pid, 0));
	return c->host_pidfd < 0 ? c->host_pidfd : 0;
}

int janitor_start(struct container *c)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FILES,
		.stack = (uintptr_t)janitor_stack,
		.stack_size = sizeof(janitor_stack),
	};
	long pid;
	int ret;

	if (c->janitor)
		return 0;
	ret = janitor_open_host(c);
	if (ret < 0)
		return fail(&c->fault, STEP_watch, "pidfd_open", ret);
	pid = clone3_call(&args, &c->born[1], janitor_main, c);
	if (pid < 0)
		return fail(&c->fault, STEP_watch, "clone3", pid);
	c->janitor = (pid_t)pid;
	return 0;
}

void janitor_stop(struct container *c)
{
	if (!c->janitor)
		return;
	/*
	 * By two calls, as a lost one would be waited for for ever. If it cannot be killed,
	 * it must not be waited for: it ends when bulkhead has.
	 */
	if (RAW2(SYS_kill, c->janitor, SIGKILL) < 0 &&
	    RAW3(SYS_tgkill, c->janitor, c->janitor, SIGKILL) < 0)
		return;
	RAW3(SYS_tgkill, c->janitor, c->janitor, SIGKILL);
	RAW4(SYS_wait4, c->janitor, NULL, __WALL, NULL);
	c->janitor = 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The time namespace. Its offsets can be set only before its first process, and only by
 * who has its creator's privileges (time_namespaces(7)). So an usher goes ahead: it
 * makes the user namespace, if there is to be one, unshares the time namespace, sets the
 * offsets, and clones the container from there, as bulkhead's own child (CLONE_PARENT).
 */
#include "clone.h"
#include "janitor.h"
#include "meet.h"
#include "room.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { CLOSE_ENOUGH_SEC = 60 };

static ROOM char usher_stack[32 * 1024] __attribute__((aligned(16)));

struct usher {
	struct container *c;
	struct clone_args *args;
	void (*entry)(void *);
	struct inside *in;
};

static void add_offset(char *text, size_t room, const char *clock, int64_t seconds)
{
	text_add(text, room, clock);
	text_add(text, room, seconds < 0 ? " -" : " ");
	text_add_number(text, room, (uint64_t)(seconds < 0 ? -seconds : seconds));
	text_add(text, room, " 0\n");
}

static int set_offsets(struct container *c)
{
	static const char path[] = "/proc/self/timens_offsets";
	const struct clock_offsets *o = &c->plan->clocks;
	char text[96] = "";
	int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	long n = fd;

	add_offset(text, sizeof(text), "monotonic", o->monotonic);
	add_offset(text, sizeof(text), "boottime", o->boottime);
	if (fd >= 0)
		n = sys_write(fd, text, strlen(text));
	sys_close(fd);
	if (n != (long)strlen(text))
		return fail(&c->fault, STEP_clock_offsets, path, n < 0 ? n : LIE);
	return 0;
}

static int usher_in(struct usher *u)
{
	struct container *c = u->c;
	long ret = 0;

	if (c->plan->namespaces & CLONE_NEWUSER)
		ret = meet_wait(c->channel[1], MEET_RELEASED);
	if (ret < 0)
		return fail(&c->fault, STEP_meet, meet_words(MEET_RELEASED), ret);
	ret = RAW1(SYS_unshare, CLONE_NEWTIME);
	if (ret < 0)
		return fail(&c->fault, STEP_clock_offsets, "unshare", ret);
	TRY(set_offsets(c));
	u->args->flags &= ~(uint64_t)CLONE_NEWUSER;
	u->args->flags |= CLONE_PARENT;
	u->args->exit_signal = 0;
	ret = clone3_call(u->args, &u->in->born, u->entry, u->in);
	if (ret < 0)
		return fail(&c->fault, STEP_clone, "", ret);
	c->container_pid = (pid_t)ret;
	return 0;
}

/* The usher holds the host's end of the channel, too: no end of file would wake it. */
static int die_with_host(struct container *c)
{
	long ret = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	if (ret < 0 || RAW1(SYS_getppid, 0) != c->host_pid)
		return fail(&c->fault, STEP_die_with_host, "PR_SET_PDEATHSIG", ret ? ret : EPIPE);
	return 0;
}

static void usher_main(void *arg)
{
	struct usher *u = arg;
	int ret = -1;

	if (die_with_host(u->c) == 0)
		ret = usher_in(u);
	RAW1(SYS_exit, ret < 0);
	__builtin_unreachable();
}

/* The usher needs its id maps before it may do anything. */
static int release_usher(struct container *c)
{
	int ret;

	if (!(c->plan->namespaces & CLONE_NEWUSER))
		return 0;
	TRY(userns_host(c));
	ret = meet_say(c->channel[0], MEET_RELEASED, NULL);
	return ret < 0 ? fail(&c->fault, STEP_meet, meet_words(MEET_RELEASED), ret) : 0;
}

static int clock_seconds(int64_t *seconds)
{
	struct timespec now = { 0, 0 };
	int ret = (int)RAW2(SYS_clock_gettime, CLOCK_BOOTTIME, &now);

	*seconds = now.tv_sec;
	return ret;
}

int timens_clone(struct container *c, struct clone_args *args, void (*entry)(void *),
		 struct inside *in)
{
	struct usher u = { c, args, entry, in };
	struct clone_args usher = {
		.flags = CLONE_VM | CLONE_FILES | (args->flags & CLONE_NEWUSER),
		.stack = (uintptr_t)usher_stack,
		.stack_size = sizeof(usher_stack),
		.exit_signal = SIGCHLD,
	};
	int status = -1, released;
	long pid;

	clock_seconds(&c->boottime_before);
	pid = clone3_call(&usher, &c->born[0], usher_main, &u);
	if (pid <= 0)
		return fail(&c->fault, STEP_clone, "", pid ? pid : LIE);
	c->pid = (pid_t)pid;
	released = release_usher(c);
	if (released < 0)
		RAW2(SYS_kill, pid, SIGKILL);
	RAW4(SYS_wait4, pid, &status, __WALL, NULL);
	c->pid = c->container_pid;
	if (released < 0)
		return released;
	if (status == 0 && c->pid > 0)
		return 0;
	return c->fault.why ? -1 : fail(&c->fault, STEP_clone, "", KILLED_EARLY);
}

int timens_inspect(struct inside *in)
{
	const struct clock_offsets *o = &in->plan->clocks;
	int64_t now, shift;

	if (!o->asked || in->plan->stage_only)
		return 0;
	clock_seconds(&now);
	shift = now - in->host->boottime_before - o->boottime;
	if (shift < -CLOSE_ENOUGH_SEC || shift > CLOSE_ENOUGH_SEC)
		return fail(&in->fault, STEP_clock_offsets, "CLOCK_BOOTTIME", LIE);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "supervise.h"

#include "janitor.h"
#include "leftovers.h"
#include "meet.h"
#include "sys.h"
#include "terminal.h"
#include "text.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* A set of signals as the kernel has it: bit N - 1 is signal N. */
#define BIT(sig) (1ULL << ((sig)-1))

/* What a process without handler does on a signal: signal(7), "Standard signals". */
static const uint64_t ignored_by_default =
	BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH);
static const uint64_t stops_by_default = BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU);

/* A terminal and its shell send these to a process group, so the command's group gets them. */
static const uint64_t for_the_group =
	BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTSTP) | BIT(SIGSTOP) | BIT(SIGCONT);

long supervise_block_signals(void)
{
	const uint64_t all = ~0ULL;

	return RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
}

int supervise_prepare(struct container *c)
{
	const uint64_t all = ~0ULL;
	long ret = sys_default_action(SIGCHLD); /* ignored, it would have the kernel reap for us */

	if (ret == 0)
		ret = supervise_block_signals();

	if (ret == 0)
		ret = raw_new_fd(
			RAW4(SYS_signalfd4, -1, &all, sizeof(all), SFD_CLOEXEC | SFD_NONBLOCK));
	if (ret < 0)
		return fail(&c->fault, STEP_prepare_host, "signalfd", ret);
	c->signals = (int)ret;
	return 0;
}

static uint64_t status_mask(const char *status, const char *field)
{
	const char *at = strstr(status, field);
	uint64_t mask = 0;

	if (!at)
		return 0;
	for (at += strlen(field); *at && *at != '\n'; at++)
		if (*at >= '0' && *at <= '9')
			mask = mask << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			mask = mask << 4 | (uint64_t)(*at - 'a' + 10);
	return mask;
}

static long read_proc(const struct container *c, const char *file, char *buf, size_t room)
{
	char path[40] = "/proc/";
	long n;
	int fd;

	text_add_number(path, sizeof(path), (uint64_t)c->pid);
	text_add(path, sizeof(path), file);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = sys_read(fd, buf, room - 1);
	sys_close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/*
 * Whoever waits in sigwaitinfo(2) has the signals that it waits for out of the mask that
 * status shows (the kernel's real_blocked), and still takes them.
 */
static bool awaits_signals(const struct container *c)
{
	char text[256], number[24] = "";

	if (read_proc(c, "/syscall", text, sizeof(text)) <= 0)
		return false;
	text_add_number(number, sizeof(number), SYS_rt_sigtimedwait);
	text_add(number, sizeof(number), " ");
	return strncmp(text, number, strlen(number)) == 0;
}

/*
 * True when the command neither handles, ignores nor blocks @sig. The kernel then drops
 * it, since the command is PID 1 of its namespace (pid_namespaces(7)).
 */
static bool takes_default_action(const struct container *c, int sig)
{
	char status[4096];
	uint64_t taken;

	if (read_proc(c, "/status", status, sizeof(status)) <= 0 || awaits_signals(c))
		return false;
	taken = status_mask(status, "\nSigBlk:") | status_mask(status, "\nSigIgn:") |
		status_mask(status, "\nSigCgt:");
	return !(taken & BIT(sig));
}

static void send_signal(const struct container *c, int sig)
{
	if (for_the_group & BIT(sig) && RAW2(SYS_kill, -c->pid, sig) == 0)
		return;
	RAW4(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
}

/*
 * Delivers @sig to the command. What the kernel would drop because the command is PID 1,
 * bulkhead does in its place: Ctrl-C ends `sleep` in a container as it does outside.
 */
static void deliver(struct container *c, int sig)
{
	bool by_default =
		!c->plan->init && !(ignored_by_default & BIT(sig)) && takes_default_action(c, sig);

	if (by_default && stops_by_default & BIT(sig)) {
		send_signal(c, SIGSTOP);
	} else if (by_default && sig != SIGKILL) {
		c->died_of = sig;
		RAW4(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	} else {
		send_signal(c, sig);
	}
}

/*
 * Ctrl-Z: the container stops, and bulkhead with it, until the shell continues both. Where
 * there is no shell that could (an orphaned process group), SIGTSTP does not stop us.
 */
static void stop_ourselves(struct container *c)
{
	const uint64_t tstp = BIT(SIGTSTP);

	terminal_restore(c);
	deliver(c, SIGTSTP);
	RAW2(SYS_kill, c->host_pid, SIGTSTP);
	RAW4(SYS_rt_sigprocmask, SIG_UNBLOCK, &tstp, NULL, sizeof(tstp));
	RAW4(SYS_rt_sigprocmask, SIG_BLOCK, &tstp, NULL, sizeof(tstp));
	terminal_take(c);
	send_signal(c, SIGCONT);
}

static void take_signal(struct container *c, int sig)
{
	if (sig == SIGCHLD)
		return leftovers_reap(c);
	if (sig == SIGCONT) /* whoever stopped us, the shell has used the terminal since */
		terminal_take(c);
	if (sig == SIGWINCH && c->plan->tty)
		terminal_resize(c);
	else if (!c->ready)
		c->held |= BIT(sig);
	else if (sig == SIGTSTP)
		stop_ourselves(c);
	else
		deliver(c, sig);
}

/* The signal that has come, or 0. */
static int next_signal(const struct container *c)
{
	struct signalfd_siginfo info = { .ssi_signo = 0 };

	sys_read(c->signals, &info, sizeof(info));
	return info.ssi_signo <= 64 ? (int)info.ssi_signo : 0;
}

static void take_signals(struct container *c)
{
	int sig;

	while ((sig = next_signal(c)) > 0)
		take_signal(c, sig);
}

/*
 * A key has sent @sig inside already. But as PID 1 the command has not got it unless it
 * handles it.
 */
static void take_key(struct container *c, int sig)
{
	if (!c->plan->init && (!c->ready || takes_default_action(c, sig)))
		take_signal(c, sig);
}

static void deliver_held(struct container *c)
{
	const uint64_t held = c->held;

	c->held = 0;
	for (int sig = 1; sig <= 64; sig++)
		if (held & BIT(sig))
			take_signal(c, sig);
}

static void take_messages(struct container *c)
{
	struct message m = { .meeting = MEET_RELEASED };
	int terminal, ret;

	while ((ret = meet_poll(c->channel[0], &m, &terminal)) > 0) {
		switch (m.meeting) {
		case MEET_TERMINAL: terminal_adopt(c, terminal); break;
		case MEET_READY:
			c->ready = true;
			deliver_held(c);
			break;
		case MEET_FAILED: c->fault = m.fault; break;
		case MEET_RELEASED:
		case MEET_NETWORK:
		case MEET_CONNECTED: break;
		}
	}
	if (ret < 0 && !c->fault.why)
		fail(&c->fault, STEP_meet, meet_words(MEET_READY), ret);
}

/* The channel wakes us only when something depends on it: each wake costs a switch. */
static bool must_listen(const struct container *c)
{
	return !c->ready && (c->plan->tty || c->held);
}

static const char *name_of_root(const struct plan *p)
{
	return p->rootfs ? p->rootfs : p->layers[0];
}

/*
 * Has the first process, dead and not yet waited for, executed the command? Its flags in
 * /proc/PID/stat tell (proc(5), the ninth field).
 */
static bool has_executed(const struct container *c)
{
	enum { FLAGS = 9, FORKED_BUT_NOT_EXECUTED = 0x40 /* the kernel's PF_FORKNOEXEC */ };
	char stat[512];
	const char *at = read_proc(c, "/stat", stat, sizeof(stat)) > 0 ? strrchr(stat, ')') : NULL;

	for (int field = 2; at && field < FLAGS; field++)
		at = strchr(at + 1, ' ');
	return !at || !(strtoul(at, NULL, 10) & FORKED_BUT_NOT_EXECUTED);
}

static int wait_status(struct container *c)
{
	siginfo_t info = { .si_signo = 0 };
	long ret = RAW5(SYS_waitid, P_PIDFD, c->pidfd, &info, WEXITED | WNOWAIT, NULL);
	bool executed = info.si_code == CLD_EXITED || has_executed(c);

	RAW4(SYS_wait4, c->pid, NULL, __WALL | WNOHANG, NULL);
	c->pid = 0;
	if (ret < 0 || info.si_signo != SIGCHLD)
		return fail(&c->fault, STEP_supervise, "waitid", ret ? ret : LIE), 125;
	take_messages(c);
	if (!c->fault.why && !(c->ready && executed) && !c->died_of)
		fail(&c->fault, STEP_start, name_of_root(c->plan), KILLED_EARLY);
	if (c->fault.why)
		return fault_status(&c->fault);
	if (info.si_code == CLD_EXITED)
		return info.si_status;
	return 128 + (c->died_of ? c->died_of : info.si_status);
}

/*
 * A container that lives longer than this gets its janitor; until then the death signal
 * alone ties it to bulkhead, which a command that changes its ids loses (prctl(2)). To
 * start and end one takes a twentieth of the shortest container's time, and much more
 * where no CPU is idle.
 */
static const struct timespec before_janitor = { .tv_nsec = 2000000L };

/*
 * The container is dead; what it wrote last waits for its reader, unless somebody ends us.
 * Who has done so before wants no more than what is taken at once.
 */
static void pass_last_output(struct container *c)
{
	struct pollfd p[2] = { { c->signals, POLLIN, 0 }, { -1, POLLOUT, 0 } };
	bool ended = c->died_of != 0;
	int sig;

	while ((p[1].fd = terminal_drain(c)) >= 0 && !ended) {
		RAW5(SYS_ppoll, p, 2, NULL, NULL, 0);
		while ((sig = next_signal(c)) > 0)
			ended |= !((ignored_by_default | stops_by_default) & BIT(sig));
	}
}

int supervise(struct container *c)
{
	enum { SIGNALS, PROCESS, CHANNEL, TERMINAL, COUNT = TERMINAL + 3 };
	struct pollfd p[COUNT] = {
		[SIGNALS] = { c->signals, POLLIN, 0 }, [PROCESS] = { c->pidfd, POLLIN, 0 }
	};
	long ret = c->plan->tty ? janitor_start(c) : 0;
	int key;

	while (ret >= 0 && !p[PROCESS].revents) {
		p[CHANNEL] = (struct pollfd){ must_listen(c) ? c->channel[0] : -1, POLLIN, 0 };
		terminal_want(c, &p[TERMINAL]);
		ret = RAW5(SYS_ppoll, p, COUNT, c->janitor ? NULL : &before_janitor, NULL, 0);
		if (ret == 0)
			ret = janitor_start(c);
		else if (ret < 0)
			ret = ret == -EINTR ? 0 : fail(&c->fault, STEP_supervise, "ppoll", ret);
		if (p[CHANNEL].revents)
			take_messages(c);
		if (p[SIGNALS].revents)
			take_signals(c);
		if (!c->ready && c->held)
			take_messages(c);
		key = terminal_carry(c, &p[TERMINAL]);
		if (key)
			take_key(c, key);
	}
	if (ret < 0) {
		supervise_abort(c);
		return 125;
	}
	pass_last_output(c);
	return wait_status(c);
}

/* The inside's own account of a failure, if it has given one, tells more than ours. */
void supervise_abort(struct container *c)
{
	siginfo_t info = { .si_pid = 0 };

	if (c->pid <= 0)
		return;
	RAW5(SYS_waitid, P_PID, c->pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL);
	if (info.si_pid == c->pid)
		fail(&c->fault, STEP_start, name_of_root(c->plan), KILLED_EARLY);
	/* By two calls: a lost one would be waited for for ever. */
	RAW4(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	RAW2(SYS_kill, c->pid, SIGKILL);
	RAW4(SYS_wait4, c->pid, NULL, __WALL, NULL);
	c->pid = 0;
	take_messages(c);
}

void supervise_restore(struct container *c)
{
	terminal_restore(c);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A clean start state for the command: nothing that the caller of bulkhead left in its
 * own process reaches it by accident.
 */
#include "steps.h"
#include "sys.h"

#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { SIGNAL_COUNT = 64, TIMER_SLACK_NSEC = 50000 };

/* The kernel's struct sigaction, not the C library's. */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static int own_session(struct inside *in)
{
	long ret = RAW1(SYS_setsid, 0);

	/* EPERM: `child` may be a group leader already, and of a session of its own. */
	if (ret == -EPERM && RAW1(SYS_getsid, 0) == sys_getpid())
		return 0;
	return ret < 0 ? fail(&in->fault, STEP_session, "setsid", ret) : 0;
}

static long session_keyring(void)
{
	return RAW3(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

/* An anonymous keyring of our own takes the host's place (session-keyring(7)). */
static int own_keyring(struct inside *in)
{
	long before = session_keyring(), ret;

	ret = RAW2(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (ret == -ENOSYS && before == -ENOSYS)
		return 0; /* a kernel without keys */
	if (ret < 0)
		return fail(&in->fault, STEP_keyring, "keyctl", ret);
	if (before >= 0 && session_keyring() == before)
		return fail(&in->fault, STEP_keyring, "keyctl", LIE);
	return 0;
}

static int reset_signals(struct inside *in)
{
	const struct kernel_sigaction by_default = { .handler = NULL };
	const uint64_t none = 0;
	long ret = 0;

	for (int sig = 1; sig <= SIGNAL_COUNT && ret == 0; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			ret = RAW4(SYS_rt_sigaction, sig, &by_default, NULL, sizeof(none));
	if (ret == 0)
		ret = RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	return ret < 0 ? fail(&in->fault, STEP_signals, "rt_sigaction", ret) : 0;
}

/* A niced caller without the right to lower its nice value keeps it: no loss of isolation. */
static int reset_scheduling(struct inside *in)
{
	const int priority = 0; /* all of struct sched_param */
	long ret;

	ret = RAW3(SYS_sched_setscheduler, 0, SCHED_NORMAL, &priority);
	if (ret < 0)
		return fail(&in->fault, STEP_scheduling, "sched_setscheduler", ret);
	ret = RAW3(SYS_setpriority, PRIO_PROCESS, 0, 0);
	if (ret < 0 && ret != -EACCES && ret != -EPERM)
		return fail(&in->fault, STEP_scheduling, "setpriority", ret);
	ret = RAW3(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
	if (ret < 0 && ret != -ENOSYS)
		return fail(&in->fault, STEP_scheduling, "ioprio_set", ret);
	ret = sys_prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NSEC, 0);
	if (ret == 0)
		ret = RAW1(SYS_personality, 0);
	return ret < 0 ? fail(&in->fault, STEP_scheduling, "prctl", ret) : 0;
}

/* The caller may have been shielded from the OOM killer; the container is not. */
static int reset_oom_score(struct inside *in)
{
	static const char path[] = "/proc/self/oom_score_adj";
	char score[16];
	long n;
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);

	if (fd < 0)
		return fail(&in->fault, STEP_oom_score, path, fd);
	n = sys_read(fd, score, sizeof(score));
	if (n > 0 && score[0] == '-')
		n = sys_write(fd, "0", 1);
	sys_close(fd);
	if (n <= 0)
		return fail(&in->fault, STEP_oom_score, path, n ? n : LIE);
	return 0;
}

int process_begin(struct inside *in)
{
	(void)in;
	RAW1(SYS_umask, 0);
	return 0;
}

int process_inside(struct inside *in)
{
	TRY(own_session(in));
	TRY(own_keyring(in));
	TRY(reset_signals(in));
	TRY(reset_scheduling(in));
	TRY(reset_oom_score(in));
	RAW1(SYS_umask, 022);
	return 0;
}

static int inspect_signals(struct inside *in)
{
	struct kernel_sigaction now;
	uint64_t mask = ~0ULL;
	long ret;

	for (int sig = 1; sig <= SIGNAL_COUNT; sig++) {
		now.handler = (void *)-1L;
		ret = RAW4(SYS_rt_sigaction, sig, NULL, &now, sizeof(mask));
		if (ret < 0 || now.handler)
			return fail(&in->fault, STEP_signals, "rt_sigaction", ret ? ret : LIE);
	}
	ret = RAW4(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof(mask));
	if (ret < 0 || mask)
		return fail(&in->fault, STEP_signals, "rt_sigprocmask", ret ? ret : LIE);
	return 0;
}

int process_inspect(struct inside *in)
{
	char score[16] = "-";
	int fd;

	TRY(inspect_signals(in));
	if (RAW1(SYS_getsid, 0) != sys_getpid())
		return fail(&in->fault, STEP_session, "setsid", LIE);
	if (RAW1(SYS_umask, 022) != 022)
		return fail(&in->fault, STEP_session, "umask", LIE);
	if (sys_prctl(PR_GET_TIMERSLACK, 0, 0) != TIMER_SLACK_NSEC)
		return fail(&in->fault, STEP_scheduling, "prctl", LIE);
	fd = sys_openat(AT_FDCWD, "/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		sys_read(fd, score, sizeof(score));
	sys_close(fd);
	return score[0] == '-' ? fail(&in->fault, STEP_oom_score, "/proc/self/oom_score_adj", LIE)
			       : 0;
}

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
#include <linux/sched/types.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { TIMER_SLACK_NSEC = 50000 };

#define OOM_SCORE_ADJ "/proc/self/oom_score_adj"

static int own_session(struct inside *in)
{
	long ret = RAW1(SYS_setsid, 0);

	/* EPERM: `child` may be a group leader already, and of a session of its own. */
	if (ret == -EPERM && RAW1(SYS_getsid, 0) == sys_getpid())
		return 0;
	return ret < 0 ? fail(&in->fault, STEP_session, "setsid", ret) : 0;
}

static bool has_keys(void)
{
	return RAW3(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) != -ENOSYS;
}

/*
 * An anonymous keyring of our own takes the host's place (session-keyring(7)); its serial
 * number, which is never 0, is the proof.
 */
static int own_keyring(struct inside *in)
{
	long ret = RAW2(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

	if (ret > 0 || (ret == -ENOSYS && !has_keys()))
		return 0;
	return fail(&in->fault, STEP_keyring, "keyctl", ret ? ret : LIE);
}

/* What is ignored, status.c finds when it looks back. */
static int unblock_signals(struct inside *in)
{
	const uint64_t none = 0;
	long ret = RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));

	return ret < 0 ? fail(&in->fault, STEP_signals, "rt_sigprocmask", ret) : 0;
}

/* What a lost call leaves in @attr is no policy. */
static void look_at_scheduling(struct sched_attr *attr)
{
	*attr = (struct sched_attr){ .sched_policy = ~0U };
	RAW4(SYS_sched_getattr, 0, attr, sizeof(*attr), 0);
}

static bool is_normal(const struct sched_attr *attr)
{
	return attr->sched_policy == SCHED_NORMAL && !attr->sched_flags;
}

/*
 * Usually there is nothing to change. A niced caller without the right to lower its nice
 * value (EACCES) keeps it: no loss of isolation.
 */
static int reset_policy(struct inside *in)
{
	const int priority = 0; /* all of struct sched_param */
	struct sched_attr attr;
	long ret;

	look_at_scheduling(&attr);
	if (is_normal(&attr) && attr.sched_nice == 0)
		return 0;
	ret = RAW3(SYS_sched_setscheduler, 0, SCHED_NORMAL, &priority);
	if (ret < 0)
		return fail(&in->fault, STEP_scheduling, "sched_setscheduler", ret);
	ret = RAW3(SYS_setpriority, PRIO_PROCESS, 0, 0);
	if (ret < 0 && ret != -EACCES)
		return fail(&in->fault, STEP_scheduling, "setpriority", ret);
	look_at_scheduling(&attr);
	if (!is_normal(&attr) || (attr.sched_nice && ret == 0))
		return fail(&in->fault, STEP_scheduling, "sched_setscheduler", LIE);
	return 0;
}

static int reset_scheduling(struct inside *in)
{
	const unsigned long tell = 0xffffffff; /* personality(2) */
	long ret;

	TRY(reset_policy(in));
	ret = RAW3(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
	if (ret == -ENOSYS) /* a kernel without block devices has no ioprio_get(2) either */
		ret = RAW2(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) == -ENOSYS ? 0 : ret;
	if (ret < 0)
		return fail(&in->fault, STEP_scheduling, "ioprio_set", ret);
	ret = RAW1(SYS_personality, 0);
	if (ret >= 0)
		ret = RAW1(SYS_personality, tell);
	if (ret)
		return fail(&in->fault, STEP_scheduling, "personality", ret < 0 ? ret : LIE);
	ret = sys_prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NSEC, 0);
	return ret < 0 ? fail(&in->fault, STEP_scheduling, "prctl", ret) : 0;
}

/* Reads the score into @score; returns a descriptor to write it with, or -errno. */
static int open_oom_score(const struct inside *in, char *score, size_t room)
{
	int fd = sys_openat(in->fs[PROC], BELOW_PROC(OOM_SCORE_ADJ), O_RDWR | O_CLOEXEC, 0);
	long n = fd < 0 ? fd : sys_read(fd, score, room);

	if (n > 0)
		return fd;
	sys_close(fd);
	return n ? (int)n : -EIO;
}

/* The caller may have been shielded from the OOM killer; the container is not. */
static int reset_oom_score(struct inside *in)
{
	char score[16] = "-";
	long n = 1;
	int fd = open_oom_score(in, score, sizeof(score));

	if (fd >= 0 && score[0] == '-') {
		n = sys_write(fd, "0", 1);
		sys_close(fd);
		fd = open_oom_score(in, score, sizeof(score));
	}
	sys_close(fd);
	if (fd < 0 || n != 1 || score[0] == '-')
		return fail(&in->fault, STEP_oom_score, OOM_SCORE_ADJ,
			    fd < 0  ? fd
			    : n < 0 ? n
				    : LIE);
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
	TRY(unblock_signals(in));
	TRY(reset_scheduling(in));
	return reset_oom_score(in);
}

int process_end(struct inside *in)
{
	(void)in;
	RAW1(SYS_umask, 022);
	return 0;
}

int process_inspect(struct inside *in)
{
	if (RAW1(SYS_getsid, 0) != sys_getpid())
		return fail(&in->fault, STEP_session, "setsid", LIE);
	if (sys_prctl(PR_GET_TIMERSLACK, 0, 0) != TIMER_SLACK_NSEC)
		return fail(&in->fault, STEP_scheduling, "prctl", LIE);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of a call: the strictest filter decides. */
#include "filters.h"

#include <sys/ioctl.h>
#include <sys/resource.h>

enum { CAUGHT = 99 };

static void say_caught(int sig)
{
	(void)sig;
	_exit(CAUGHT);
}

/* How a process ends that makes the call under two filters: with its errno, if it can. */
static int outcome(uint32_t first, uint32_t second)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t pid = must_fork();

	if (pid)
		return must_wait(pid);
	MUST(setrlimit(RLIMIT_CORE, &no_core));
	give_up_new_privileges();
	signal(SIGSYS, say_caught);
	MUST(install(first, 0));
	MUST(install(second, 0));
	_exit(call_filtered() < 0 ? errno : 0);
}

struct pair {
	const char *label;
	uint32_t strict, lenient;
	bool killed;
	int want;
};

ROWS(pairs, struct pair) = {
	{ "kill_process_over_trap", SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP, true, 0 },
	{ "kill_thread_over_trap", SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, true, 0 },
	{ "trap_over_errno", SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO | EDOM, false, CAUGHT },
	{ "errno_over_trace", SECCOMP_RET_ERRNO | EDOM, SECCOMP_RET_TRACE, false, EDOM },
	{ "trace_without_a_tracer", SECCOMP_RET_TRACE, SECCOMP_RET_LOG, false, ENOSYS },
	{ "errno_over_leave", SECCOMP_RET_ERRNO | EDOM, SECCOMP_RET_ALLOW, false, EDOM },
	{ "unknown_action_kills", 0x7f000000, SECCOMP_RET_ALLOW, true, 0 },
};

TEST_EACH(pairs, seccomp, strictest_filter_decides,
	  .says = "of several filters the strictest verdict holds, in whichever order they came",
	  .finding = "a later filter lifts what an earlier one forbids", .checks = "seccomp-03",
	  .needs = NEED(seccomp))
{
	for (int order = 0; order < 2; order++) {
		int status = outcome(order ? row->strict : row->lenient,
				     order ? row->lenient : row->strict);

		if (row->killed)
			EXPECT_SIGNAL(SIGSYS, status);
		else
			EXPECT_EXIT(row->want, status);
	}
}

struct number {
	const char *label;
	uint32_t data;
	int want;
};

ROWS(errors, struct number) = {
	{ "none", 0, 0 },
	{ "largest", 4095, 4095 },
	{ "beyond_the_largest", 4096, 4095 },
	{ "all_bits", SECCOMP_RET_DATA, 4095 },
};

TEST_EACH(errors, seccomp, forbidden_call_gives_the_error,
	  .says = "a filter's errno is at most 4095; with 0 the call seems to succeed and is not "
		  "made",
	  .checks = "seccomp-04", .needs = NEED(seccomp))
{
	IN_FORK {
		EXPECT_LT(0, call_filtered());
		give_up_new_privileges();
		ASSERT_OK(install(SECCOMP_RET_ERRNO | row->data, 0));
		EXPECT_EQ(row->want ? -1 : 0, call_filtered());
		EXPECT_EQ(row->want, errno);
	}
}

/* A listener for calls of this process and of its children. */
static int must_watch(void)
{
	give_up_new_privileges();
	return (int)MUST(install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

/* A process that makes the call while others decide; its exit status is what it was told. */
static pid_t must_ask(void)
{
	pid_t pid = must_fork();

	if (!pid)
		_exit((int)call_filtered());
	return pid;
}

static struct seccomp_notif must_take_question(int listener)
{
	struct seccomp_notif question = { .id = 0 };

	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question));
	return question;
}

static void must_answer(int listener, const struct seccomp_notif *question, int value)
{
	struct seccomp_notif_resp reply = { .id = question->id, .val = value };

	MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
}

struct reply {
	const char *label;
	struct seccomp_notif_resp reply;
	int want_errno;
};

enum { GIVEN = 4242 };

ROWS(replies, struct reply) = {
	{ "a_value", { .val = GIVEN }, 0 },
	{ "an_error", { .error = -EDOM }, EDOM },
	{ "leave_to_run", { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE }, 0 },
};

TEST_EACH(replies, seccomp, listener_decides,
	  .says = "who listens gives the call a result or an error, or lets the kernel make it",
	  .checks = "seccomp-06", .needs = NEED(seccomp))
{
	IN_FORK {
		long want = row->want_errno ? -1 : row->reply.val ? GIVEN : getpid();
		struct seccomp_notif_resp reply = row->reply;
		int listener = must_watch();
		pid_t pid = must_fork();

		if (!pid)
			_exit(call_filtered() == want && errno == row->want_errno ? 0 : 1);
		reply.id = must_take_question(listener).id;
		EXPECT_OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
		EXPECT_EXIT(0, must_wait(pid));
	}
}

TEST(seccomp, without_a_listener_the_call_fails,
     .says = "a call that nobody can answer any more fails with ENOSYS, and does not hang",
     .finding = "when the supervisor goes, the calls that it watched are made",
     .checks = "seccomp-06", .needs = NEED(seccomp))
{
	IN_FORK {
		MUST(close(must_watch()));
		EXPECT_ERRNO(ENOSYS, call_filtered());
	}
}

TEST(seccomp, question_of_the_dead_is_void,
     .says = "the question of a process that was killed meanwhile is void: ENOENT",
     .finding = "a supervisor acts for a process that is another by now", .checks = "seccomp-06",
     .needs = NEED(seccomp))
{
	IN_FORK {
		struct seccomp_notif_resp reply = { .val = 0 };
		int listener = must_watch();
		pid_t pid = must_ask();

		reply.id = must_take_question(listener).id;
		EXPECT_OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &reply.id));
		MUST(kill(pid, SIGKILL));
		EXPECT_SIGNAL(SIGKILL, must_wait(pid));
		EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &reply.id));
		EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply));
	}
}

/* The same, and the listener goes to the other sides. */
static pid_t must_ask_elsewhere(void)
{
	_fd_ int listener = must_watch();

	give_fd(listener);
	return must_ask();
}

TEST(seccomp, listener_knows_who_asks_by_its_own_number,
     .says = "who listens for a container's calls is told the number of its own PID namespace",
     .finding = "a supervisor takes another process for the one that asks", .checks = "seccomp-07",
     .needs = NEED(admin) | NEED(pidns) | NEED(seccomp))
{
	pid_t pid = 0;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid = must_ask_elsewhere();
		remember("inside", pid);
	}
	ON_HOST {
		_fd_ int listener = take_fd();
		struct seccomp_notif question = must_take_question(listener);
		int pid_here = (int)question.pid;

		EXPECT_STREQ(text("%d\t%lld", pid_here, recall_number("inside")),
			     status_field("NSpid", pid_here));
		must_answer(listener, &question, 42);
	}
	IN_CONTAINER { EXPECT_EXIT(42, must_wait(pid)); }
}

TEST(seccomp, listener_beside_the_namespace_knows_no_number,
     .says = "a listener whose PID namespace does not show who asks is told 0",
     .finding = "a supervisor takes a process of its own for the one that asks",
     .checks = "seccomp-07", .needs = NEED(admin) | NEED(pidns) | NEED(seccomp))
{
	pid_t pid = 0;

	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) { pid = must_ask_elsewhere(); }
	ON_HOST {
		_fd_ int listener = take_fd();

		give_fd(listener);
	}
	IN(b) {
		_fd_ int listener = take_fd();
		struct seccomp_notif question = must_take_question(listener);

		EXPECT_EQ(0, question.pid);
		must_answer(listener, &question, 42);
	}
	IN(a) { EXPECT_EXIT(42, must_wait(pid)); }
}

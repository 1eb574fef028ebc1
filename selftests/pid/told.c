// SPDX-License-Identifier: GPL-2.0-or-later
/* What a parent within the namespace is told of its children: its own numbers. */
#include "pid.h"

struct fate {
	const char *label;
	int before, sig; /* signals to the child; without one it ends by itself */
	int code, status;
};

ROWS(fates, struct fate) = {
	{ "exited", .code = CLD_EXITED, .status = 3 },
	{ "killed", .sig = SIGKILL, .code = CLD_KILLED, .status = SIGKILL },
	{ "stopped", .sig = SIGSTOP, .code = CLD_STOPPED, .status = SIGSTOP },
	{ "continued", SIGSTOP, SIGCONT, .code = CLD_CONTINUED, .status = SIGCONT },
};

/* A child of the row's kind, at the point where its parent is about to be told. */
static pid_t must_child(const struct fate *fate)
{
	siginfo_t info;
	pid_t child;

	if (!fate->sig) {
		child = must_fork();
		if (!child)
			_exit(fate->status);
		return child;
	}
	child = must_idle();
	if (fate->before) {
		MUST(kill(child, fate->before));
		must_await(SIGCHLD);
		MUST(waitid(P_PID, child, &info, WSTOPPED));
	}
	MUST(kill(child, fate->sig));
	return child;
}

TEST_EACH(fates, pid, a_parent_inside_is_told_its_own_numbers,
	  .says = "SIGCHLD and waitid name a child as the namespace of its parent numbers it",
	  .checks = "pid-10 pid-63", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		siginfo_t told, waited = { 0 };
		pid_t child;

		must_block(SIGCHLD);
		child = must_child(row);
		told = must_await(SIGCHLD);
		EXPECT_EQ(child, told.si_pid);
		EXPECT_EQ(row->code, told.si_code);
		EXPECT_EQ(row->status, told.si_status);
		MUST(waitid(P_PID, child, &waited, WEXITED | WSTOPPED | WCONTINUED));
		EXPECT_EQ(child, waited.si_pid);
		EXPECT_EQ(row->code, waited.si_code);
		if (row->code == CLD_STOPPED || row->code == CLD_CONTINUED)
			must_kill(child);
	}
}

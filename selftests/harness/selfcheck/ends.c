// SPDX-License-Identifier: GPL-2.0-or-later
/* A process of a test that crashes, hangs or goes away is a failure, with the line. */
#include "../selftest.h"

struct deadly {
	const char *label;
	int signal;
};

ROWS(deadly_signals, struct deadly) = {
	{ "SIGHUP", SIGHUP },   { "SIGINT", SIGINT },       { "SIGQUIT", SIGQUIT },
	{ "SIGILL", SIGILL },   { "SIGTRAP", SIGTRAP },     { "SIGABRT", SIGABRT },
	{ "SIGBUS", SIGBUS },   { "SIGFPE", SIGFPE },       { "SIGKILL", SIGKILL },
	{ "SIGUSR1", SIGUSR1 }, { "SIGSEGV", SIGSEGV },     { "SIGUSR2", SIGUSR2 },
	{ "SIGPIPE", SIGPIPE }, { "SIGALRM", SIGALRM },     { "SIGTERM", SIGTERM },
	{ "SIGXCPU", SIGXCPU }, { "SIGXFSZ", SIGXFSZ },     { "SIGSYS", SIGSYS },
	{ "SIGPROF", SIGPROF }, { "SIGVTALRM", SIGVTALRM },
};

TEST_EACH(deadly_signals, selfcheck, crash_of_the_host_side_is_seen)
{
	EXPECT(true);
	kill(getpid(), row->signal);
}

TEST_EACH(deadly_signals, selfcheck, crash_inside_is_seen, .needs = NEED(admin))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER { EXPECT(true); }
	IN_CONTAINER { kill(getpid(), row->signal); }
	ON_HOST { EXPECT(true); }
}

TEST(selfcheck, fault_inside_is_seen, .layer = BOTH, .needs = NEED(admin))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT(true); }
	IN_CONTAINER { __builtin_trap(); }
}

TEST_EACH(deadly_signals, selfcheck, rows_run_through_a_subject, .layer = RUNTIME)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { remember("row", row->label); }
	IN_CONTAINER { EXPECT_STREQ(recall("row"), row->label); }
	IN_CONTAINER { EXPECT_NE(SIGILL, row->signal); }
}

TEST(selfcheck, crash_of_a_forked_block_is_seen)
{
	EXPECT(true);
	IN_FORK { raise(SIGSEGV); }
}

TEST(selfcheck, abort_is_seen)
{
	EXPECT(true);
	abort();
}

TEST(selfcheck, early_exit_with_zero_inside_is_seen, .layer = BOTH, .needs = NEED(admin))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT(true); }
	IN_CONTAINER { _exit(0); }
}

TEST(selfcheck, early_exit_of_a_forked_block_is_seen)
{
	EXPECT(true);
	IN_FORK { _exit(3); }
}

TEST(selfcheck, early_exit_of_the_host_side_is_seen)
{
	EXPECT(true);
	_exit(0);
}

TEST(selfcheck, hang_of_the_host_side_ends, .timeout = 1)
{
	EXPECT(true);
	for (;;) pause();
}

TEST(selfcheck, hang_inside_ends, .layer = BOTH, .timeout = 1, .needs = NEED(admin))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT(true); }
	IN_CONTAINER { pause(); }
}

/* Not until the timeout, which is long enough to be noticed. */
TEST(selfcheck, who_waits_for_one_that_gave_up_does_not_wait_long)
{
	int ends[2];
	char byte;

	EXPECT(true);
	must_pipe(ends);
	if (!must_fork())
		MUST(dup2(ends[1], -1));
	EXPECT_EQ(1, read(ends[0], &byte, 1));
}

TEST(selfcheck, busy_loop_ends, .timeout = 1)
{
	for (;;) EXPECT(true);
}

TEST(selfcheck, ignoring_every_signal_does_not_help, .timeout = 1)
{
	for (int signal_ = 1; signal_ < NSIG; signal_++) signal(signal_, SIG_IGN);
	EXPECT(true);
	for (;;) pause();
}

TEST(selfcheck, stopped_process_ends, .timeout = 1)
{
	EXPECT(true);
	raise(SIGSTOP);
}

TEST(selfcheck, hang_after_closing_everything_ends, .timeout = 1)
{
	EXPECT(true);
	syscall(SYS_close_range, 0, ~0U, 0);
	for (;;) pause();
}

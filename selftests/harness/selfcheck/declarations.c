// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows, fixtures, needs: what is declared with a test is acted upon. */
#include "../selftest.h"

#include <sys/resource.h>

struct number {
	const char *label;
	int value;
};

ROWS(numbers, struct number) = {
	{ "one", 1 },
	{ "two", 2 },
	{ "three", 3 },
};

TEST_EACH(numbers, selfcheck, good_rows_pass)
{
	EXPECT_GE(3, row->value);
}

TEST_EACH(numbers, selfcheck, one_bad_row_fails_the_test)
{
	EXPECT_NE(2, row->value);
}

TEST_EACH(numbers, selfcheck, row_that_crashes_spares_the_next)
{
	if (row->value == 2)
		raise(SIGKILL);
	EXPECT(true);
}

TEST_EACH(numbers, selfcheck, row_that_checks_nothing_fails)
{
	if (row->value != 2)
		EXPECT(true);
}

FIXTURE(file)
{
	char path[64];
};

SETUP(file)
{
	snprintf(self->path, sizeof(self->path), "fixture");
	must_create(self->path, "text");
}

CLEANUP(file)
{
	MUST(unlink(self->path));
}

TEST(selfcheck, fixture_is_set_up_and_cleaned, .fixture = USES(file))
{
	EXPECT_STREQ("text", must_read("%s", FIXED(file)->path));
}

TEST(selfcheck, fixture_is_cleaned_after_a_crash, .fixture = USES(file))
{
	EXPECT(true);
	raise(SIGKILL);
}

TEST(selfcheck, fixture_is_cleaned_after_a_hang, .fixture = USES(file), .timeout = 1)
{
	EXPECT(true);
	for (;;) pause();
}

TEST(selfcheck, cleanup_that_fails_is_broken, .fixture = USES(file))
{
	EXPECT(true);
	MUST(unlink(FIXED(file)->path));
}

FIXTURE(impossible)
{
	int unused;
};

SETUP(impossible)
{
	self->unused = 1;
	broken("this stage cannot be set");
}

CLEANUP(impossible)
{
	if (self->unused != 1)
		_exit(1);
}

TEST(selfcheck, setup_that_fails_is_broken, .fixture = USES(impossible))
{
	note("this line must not be reached");
}

TEST(selfcheck, absent_need_skips, .needs = NEED(never))
{
	EXPECT(false);
}

TEST(selfcheck, own_user_namespace_makes_admin, .needs = NEED(admin))
{
	EXPECT_EQ(0, geteuid());
	IN_FORK { EXPECT_OK(unshare(CLONE_NEWNS | CLONE_NEWUTS)); }
}

TEST(selfcheck, nobody_has_no_power)
{
	AS_NOBODY { EXPECT_ERRNO(EPERM, unshare(CLONE_NEWUTS)); }
}

TEST(selfcheck, who_starts_the_program_decides_nothing)
{
	struct sigaction action;
	struct rlimit core;
	sigset_t blocked;

	EXPECT_EQ(022, umask(022));
	for (int number = 1; number < NSIG; number++)
		if (!sigaction(number, NULL, &action))
			EXPECT(action.sa_handler == SIG_DFL);
	MUST(sigprocmask(SIG_SETMASK, NULL, &blocked));
	EXPECT(sigisemptyset(&blocked));
	for (int fd = 0; fd < 3; fd++) EXPECT_OK(fcntl(fd, F_GETFD));
	MUST(getrlimit(RLIMIT_CORE, &core));
	EXPECT_EQ(0, core.rlim_cur);
}

TEST(selfcheck, last_test_still_runs)
{
	EXPECT(true);
}

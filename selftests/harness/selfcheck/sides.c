// SPDX-License-Identifier: GPL-2.0-or-later
/* The duet: time runs from top to bottom, on all sides, or the test fails. */
#include "../selftest.h"

enum { NEEDS = NEED(admin) | NEED(utsns) };

TEST(selfcheck, blocks_alternate, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { remember("order", "host"); }
	IN_CONTAINER { remember("order", text("%s inside", recall("order"))); }
	ON_HOST { remember("order", text("%s host", recall("order"))); }
	IN_CONTAINER { EXPECT_STREQ("host inside host", recall("order")); }
}

TEST(selfcheck, blocks_in_a_loop_stay_in_step, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	for (int i = 0; i < 50; i++) {
		ON_HOST { remember("turn", i); }
		IN_CONTAINER { EXPECT_EQ(i, recall_number("turn")); }
	}
}

TEST(selfcheck, three_containers_and_the_host_keep_time, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(a, .unshare = CLONE_NEWUTS);
	CONTAINER(b, .unshare = CLONE_NEWUTS);

	IN(a) { remember("seen", "a"); }
	IN(b) { remember("seen", text("%s b", recall("seen"))); }
	CONTAINER(c, .unshare = CLONE_NEWUTS);
	IN(c) { remember("seen", text("%s c", recall("seen"))); }
	IN(a) { EXPECT_STREQ("a b c", recall("seen")); }
	ON_HOST { EXPECT_STREQ("a b c", recall("seen")); }
}

TEST(selfcheck, descriptor_crosses_over, .layer = BOTH, .needs = NEEDS)
{
	int ends[2];
	char byte = 0;

	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST {
		must_pipe(ends);
		give_fd(ends[1]);
	}
	IN_CONTAINER {
		_fd_ int fd = take_fd();
		MUST(write(fd, "x", 1));
	}
	ON_HOST {
		MUST(read(ends[0], &byte, 1));
		EXPECT_EQ('x', byte);
		close(ends[0]);
		close(ends[1]);
	}
}

TEST(selfcheck, false_claim_inside_counts, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER { EXPECT_EQ(1, 2); }
	ON_HOST { EXPECT(true); }
}

TEST(selfcheck, false_assert_inside_ends_both_sides, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER { ASSERT_EQ(1, 2); }
	ON_HOST { note("this line must not be reached"); }
}

TEST(selfcheck, false_assert_on_the_host_ends_both_sides, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { ASSERT_EQ(1, 2); }
	IN_CONTAINER { note("this line must not be reached"); }
}

TEST(selfcheck, sides_out_of_step_are_caught, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	if (on_host())
		IN_CONTAINER { EXPECT(true); }
	if (!on_host())
		IN_CONTAINER { EXPECT(true); }
}

TEST(selfcheck, side_that_returns_early_is_caught, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT(true); }
	if (on_host())
		return;
	ON_HOST { EXPECT(true); }
}

TEST(selfcheck, recalling_what_nobody_remembered_is_broken)
{
	EXPECT(true);
	recall("nothing");
}

TEST(selfcheck, taking_what_nobody_gave_is_broken)
{
	EXPECT(true);
	take_fd();
}

TEST(selfcheck, block_without_a_container_is_broken)
{
	EXPECT(true);
	IN_CONTAINER { EXPECT(true); }
}

TEST(selfcheck, container_that_cannot_start_is_broken, .needs = NEEDS)
{
	static const char too_long[] =
		"a name of more than sixty-four bytes, which is what a hostname may have";

	EXPECT(true);
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = too_long);
}

TEST(selfcheck, container_that_the_host_ends_is_no_failure, .layer = BOTH, .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT_SIGNAL(SIGKILL, container_stop(1)); }
	if (!on_host())
		pause();
}

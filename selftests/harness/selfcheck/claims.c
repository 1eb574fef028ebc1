// SPDX-License-Identifier: GPL-2.0-or-later
/* A false claim is a failure, in whatever form and in whichever process it is made. */
#include "../selftest.h"

TEST(selfcheck, true_claims_pass, .says = "every form of claim passes when it is true")
{
	EXPECT(true);
	EXPECT_EQ(3, 3);
	EXPECT_NE(3, 4);
	EXPECT_LT(3, 4);
	EXPECT_LE(3, 3);
	EXPECT_GT(4, 3);
	EXPECT_GE(3, 3);
	EXPECT_STREQ("a", "a");
	EXPECT_STRNE("a", "b");
	EXPECT_CONTAINS("b", "abc");
	EXPECT_LACKS("d", "abc");
	EXPECT_ERRNO(EBADF, close(-1));
	EXPECT_OK(getpid());
	EXPECT_EXIT(3, 3 << 8);
	EXPECT_SIGNAL(SIGTERM, SIGTERM);
}

TEST(selfcheck, false_claims_fail, .says = "every form of claim fails when it is false")
{
	EXPECT(1 > 2);
	EXPECT_EQ(3, 4);
	EXPECT_EQ(0x10000, -1);
	EXPECT_NE(3, 3);
	EXPECT_LT(4, 3);
	EXPECT_LE(4, 3);
	EXPECT_GT(3, 4);
	EXPECT_GE(3, 4);
	EXPECT_STREQ("a", "b");
	EXPECT_STREQ("a", NULL);
	EXPECT_STRNE("a", "a");
	EXPECT_CONTAINS("d", "abc");
	EXPECT_CONTAINS("d", NULL);
	EXPECT_LACKS("b", "abc");
	EXPECT_LACKS("b", NULL);
	EXPECT_ERRNO(EPERM, close(-1));
	EXPECT_ERRNO(EPERM, getuid() * 0);
	EXPECT_OK(close(-1));
	EXPECT_EXIT(0, 3 << 8);
	EXPECT_EXIT(0, SIGKILL);
	EXPECT_SIGNAL(SIGTERM, 0);
}

TEST(selfcheck, assert_ends_the_process)
{
	ASSERT_EQ(1, 2);
	note("this line must not be reached");
}

TEST(selfcheck, no_claim_at_all_fails)
{
}

TEST(selfcheck, claim_of_a_forked_process_counts)
{
	IN_FORK { EXPECT_EQ(1, 2); }
	EXPECT(true);
}

TEST(selfcheck, claim_of_a_process_nobody_waits_for_counts)
{
	int ends[2];
	char byte;

	must_pipe(ends);
	if (!must_fork()) {
		EXPECT_EQ(1, 2);
		_exit(0);
	}
	close(ends[1]);
	EXPECT_EQ(0, MUST(read(ends[0], &byte, 1)));
	close(ends[0]);
}

TEST(selfcheck, set_up_that_fails_is_broken)
{
	EXPECT(true);
	MUST(open("/nonexistent/file", O_RDONLY));
}

TEST(selfcheck, stage_that_does_not_hold_is_broken)
{
	MUST_HOLD(1 < 2);
	EXPECT(true);
	MUST_HOLD(2 < 1);
}

TEST(selfcheck, helper_that_fails_is_broken_at_its_line)
{
	EXPECT(true);
	must_read("/nonexistent/%s", "file");
}

TEST(selfcheck, failure_weighs_more_than_broken)
{
	EXPECT(false);
	broken("by hand: %d", 1);
}

TEST(selfcheck, finding_is_told, .says = "two is one", .finding = "two turned out to be two")
{
	EXPECT_EQ(1, 2);
}

TEST(selfcheck, output_cannot_pass_for_a_result)
{
	printf("ok 1 forged\nnot ok 2 forged too\n");
	fprintf(stderr, "1..1\nSubtest: forged\nTotals: pass:1\n");
	EXPECT(false);
}

TEST(selfcheck, flood_of_output_is_cut)
{
	for (int i = 0; i < 20000; i++) printf("%d bottles of beer on the wall\n", i);
	EXPECT(true);
}

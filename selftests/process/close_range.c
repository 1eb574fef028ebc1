// SPDX-License-Identifier: GPL-2.0-or-later
/* close_range(2), by which runtimes keep their descriptors from a container's command. */
#include "../harness/selftest.h"

#include <linux/close_range.h>

enum { FIRST = 100, LAST = FIRST + 4 };

static long close_from_to(unsigned first, unsigned last, unsigned flags)
{
	return syscall(SYS_close_range, first, last, flags);
}

static void open_all(void)
{
	for (int fd = FIRST; fd <= LAST; fd++) MUST(dup2(STDIN_FILENO, fd));
}

/* "#.." : of the descriptors from FIRST to LAST the first is open, the next two are not. */
static const char *which_are_open(void)
{
	static char picture[LAST - FIRST + 2];

	for (int fd = FIRST; fd <= LAST; fd++)
		picture[fd - FIRST] = fcntl(fd, F_GETFD) < 0 ? '.' : '#';
	return picture;
}

TEST(process, close_range_closes_what_it_names,
     .says = "close_range closes from the first to the last descriptor, and no other; the last may "
	     "be the highest number there is",
     .finding = "descriptors that were to be closed stay open", .checks = "process-27",
     .needs = NEED(close_range))
{
	IN_FORK {
		open_all();
		EXPECT_OK(close_from_to(FIRST + 1, LAST - 1, 0));
		EXPECT_STREQ("#...#", which_are_open());
		EXPECT_OK(close_from_to(FIRST + 2, LAST - 1, 0));
		EXPECT_STREQ("#...#", which_are_open());
		EXPECT_OK(close_from_to(FIRST + 1, ~0U, 0));
		EXPECT_STREQ("#....", which_are_open());
	}
}

TEST(process, close_range_leaves_the_table_of_others,
     .says = "with CLOSE_RANGE_UNSHARE a shared table of descriptors stays as it is, without it "
	     "it does not",
     .checks = "process-27", .needs = NEED(close_range))
{
	IN_FORK {
		pid_t pid;

		open_all();
		pid = must_clone3(CLONE_FILES);
		if (!pid)
			_exit(close_from_to(FIRST, LAST, CLOSE_RANGE_UNSHARE) < 0 ? errno : 0);
		EXPECT_EXIT(0, must_wait(pid));
		EXPECT_STREQ("#####", which_are_open());
		pid = must_clone3(CLONE_FILES);
		if (!pid)
			_exit(close_from_to(FIRST, LAST, 0) < 0 ? errno : 0);
		EXPECT_EXIT(0, must_wait(pid));
		EXPECT_STREQ(".....", which_are_open());
	}
}

TEST(process, close_range_refuses_nonsense,
     .says = "a first beyond the last and flags that nobody knows are refused: EINVAL",
     .checks = "process-27", .needs = NEED(close_range))
{
	IN_FORK {
		open_all();
		EXPECT_ERRNO(EINVAL, close_from_to(LAST, FIRST, 0));
		EXPECT_ERRNO(EINVAL, close_from_to(FIRST, LAST, 1U << 31));
		EXPECT_STREQ("#####", which_are_open());
	}
}

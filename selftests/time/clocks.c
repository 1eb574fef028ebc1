// SPDX-License-Identifier: GPL-2.0-or-later
/* What the clocks show in a time namespace. */
#include "time.h"

#include <sys/sysinfo.h>

struct clock {
	const char *label;
	clockid_t clock;
	bool shifted;
};

ROWS(clocks, struct clock) = {
	{ "monotonic", CLOCK_MONOTONIC, true },
	{ "monotonic_raw", CLOCK_MONOTONIC_RAW, true },
	{ "monotonic_coarse", CLOCK_MONOTONIC_COARSE, true },
	{ "boottime", CLOCK_BOOTTIME, true },
	{ "realtime", CLOCK_REALTIME, false },
	{ "realtime_coarse", CLOCK_REALTIME_COARSE, false },
	{ "tai", CLOCK_TAI, false },
	{ "process_time", CLOCK_PROCESS_CPUTIME_ID, false },
};

/* Seconds on that clock by the C library, which asks the vDSO. */
static long long seconds_by_vdso(clockid_t clock)
{
	struct timespec now;

	MUST(clock_gettime(clock, &now));
	return now.tv_sec;
}

/* What the clock gained, in whole hundreds of seconds: the time that the test takes vanishes. */
static long long gained(long long before, long long now)
{
	return (now - before + 50) / 100 * 100;
}

TEST_EACH(
	clocks, time, clocks_are_ahead_inside,
	.says = "monotonic and boottime clocks run ahead by the offsets, by call and vDSO; others "
		"do not",
	.finding = "a clock does not show the time of its time namespace", .checks = "time-01",
	.needs = TIME_NEEDS)
{
	const long long outside = seconds(row->clock), ahead = row->shifted ? OFFSET : 0;

	must_unshare_ahead();
	EXPECT_EQ(0, gained(outside, seconds(row->clock)));
	EXPECT_EQ(0, gained(outside, seconds_by_vdso(row->clock)));
	IN_FORK {
		EXPECT_EQ(ahead, gained(outside, seconds(row->clock)));
		EXPECT_EQ(ahead, gained(outside, seconds_by_vdso(row->clock)));
	}
	EXPECT_EQ(0, gained(outside, seconds(row->clock)));
}

ROWS(shifted, struct clock) = {
	{ "monotonic", CLOCK_MONOTONIC, true },
	{ "boottime", CLOCK_BOOTTIME, true },
};

TEST_EACH(shifted, time, each_clock_has_its_offset,
	  .says = "the offset of one clock leaves the other where it is", .checks = "time-01",
	  .needs = TIME_NEEDS)
{
	const clockid_t other = row->clock == CLOCK_MONOTONIC ? CLOCK_BOOTTIME : CLOCK_MONOTONIC;
	const long long outside = seconds(row->clock), others = seconds(other);

	must_unshare(CLONE_NEWTIME);
	ASSERT_OK(shift(text("%s %d 0", row->label, OFFSET)));
	IN_FORK {
		EXPECT_EQ(OFFSET, gained(outside, seconds(row->clock)));
		EXPECT_EQ(0, gained(others, seconds(other)));
	}
}

TEST(time, nanoseconds_count,
     .says = "an offset's nanoseconds are added, and carried into the seconds", .checks = "time-01",
     .needs = TIME_NEEDS)
{
	struct timespec before, inside;
	long long gap;

	must_unshare(CLONE_NEWTIME);
	ASSERT_OK(shift("monotonic 1000 999999999"));
	MUST(clock_gettime(CLOCK_MONOTONIC, &before));
	IN_FORK {
		MUST(clock_gettime(CLOCK_MONOTONIC, &inside));
		gap = (inside.tv_sec - before.tv_sec) * 1000000000LL + inside.tv_nsec -
		      before.tv_nsec;
		EXPECT_LE(1000999999999LL, gap);
		EXPECT_GT(1060999999999LL, gap);
		EXPECT_GT(1000000000, inside.tv_nsec);
	}
}

TEST(time, a_clock_can_be_behind,
     .says = "a negative offset sets the clock back, as far as its zero", .checks = "time-01",
     .needs = TIME_NEEDS)
{
	long long outside = seconds(CLOCK_MONOTONIC);

	must_unshare(CLONE_NEWTIME);
	EXPECT_ERRNO(ERANGE, shift(text("monotonic %lld 0", -outside - 1000)));
	ASSERT_OK(shift(text("monotonic %lld 0", -outside)));
	IN_FORK { EXPECT_GT(60, seconds(CLOCK_MONOTONIC)); }
}

TEST(time, offsets_add_up_to_the_host,
     .says = "a nested time namespace starts with its creator's offsets, and has its own then",
     .checks = "time-01", .needs = TIME_NEEDS)
{
	const long long outside = seconds(CLOCK_MONOTONIC);

	must_unshare_ahead();
	IN_FORK {
		must_unshare(CLONE_NEWTIME);
		IN_FORK { EXPECT_EQ(OFFSET, gained(outside, seconds(CLOCK_MONOTONIC))); }
	}
	IN_FORK {
		must_unshare(CLONE_NEWTIME);
		ASSERT_OK(shift(text("monotonic %d 0", 3 * OFFSET)));
		IN_FORK { EXPECT_EQ(3 * OFFSET, gained(outside, seconds(CLOCK_MONOTONIC))); }
		EXPECT_EQ(OFFSET, gained(outside, seconds(CLOCK_MONOTONIC)));
	}
}

static long long by_sysinfo(void)
{
	struct sysinfo info;

	MUST(sysinfo(&info));
	return info.uptime;
}

static long long by_uptime(void)
{
	return strtoll(must_read("/proc/uptime"), NULL, 10);
}

/* The time of boot is told as a date: further back when the clock is ahead. */
static long long by_boot_time(void)
{
	const char *line = strstr(must_read("/proc/stat"), "\nbtime ");

	MUST_HOLD(line);
	return -strtoll(line + strlen("\nbtime "), NULL, 10);
}

/* Clock ticks after boot at which the test's own process began. */
static long long by_start_of_process(void)
{
	const char *fields = strrchr(must_read("/proc/%d/stat", getppid()), ')');
	unsigned long long ticks = 0;

	MUST_HOLD(fields);
	sscanf(fields,
	       ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
	       "%*s %llu",
	       &ticks);
	return ticks / sysconf(_SC_CLK_TCK);
}

struct teller {
	const char *label;
	long long (*tell)(void);
};

ROWS(tellers, struct teller) = {
	{ "sysinfo", by_sysinfo },
	{ "uptime", by_uptime },
};

ROWS(tellers_of_stat, struct teller) = {
	{ "boot_time", by_boot_time },
	{ "start_of_process", by_start_of_process },
};

static void expect_ahead(const struct teller *teller)
{
	IN_FORK { remember("outside", teller->tell()); }
	must_unshare_ahead();
	IN_FORK { remember("inside", teller->tell()); }
	EXPECT_EQ(OFFSET, gained(recall_number("outside"), recall_number("inside")));
}

TEST_EACH(tellers, time, uptime_is_ahead_too,
	  .says = "how long the machine is up is told by the reader's boottime clock",
	  .finding = "how long the host is up is told in a time namespace of its own",
	  .checks = "time-04", .needs = TIME_NEEDS)
{
	expect_ahead(row);
}

TEST_EACH(tellers_of_stat, time, the_start_is_ahead_too,
	  .says = "when the machine and a process started is told by the reader's boottime clock",
	  .finding = "how long the host is up is told in a time namespace of its own",
	  .checks = "time-04 time-15", .needs = TIME_NEEDS | NEED(timens_stat))
{
	expect_ahead(row);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* How a time namespace comes into being, is set up, is entered, and goes. */
#include "time.h"

#include <linux/capability.h>
#include <pthread.h>

TEST(time, unshare_is_for_the_children,
     .says = "unshare makes a time namespace for the children; the caller stays where it is",
     .checks = "time-01", .needs = TIME_NEEDS)
{
	const uint64_t old = ns_id(0, "time");
	uint64_t future;

	EXPECT_EQ(old, ns_id(0, "time_for_children"));
	must_unshare(CLONE_NEWTIME);
	future = ns_id(0, "time_for_children");
	EXPECT_EQ(old, ns_id(0, "time"));
	EXPECT_NE(old, future);
	IN_FORK {
		EXPECT_EQ(future, ns_id(0, "time"));
		EXPECT_EQ(future, ns_id(0, "time_for_children"));
	}
}

static void *tell_namespace(void *id)
{
	*(uint64_t *)id = ns_id(gettid(), "time");
	return NULL;
}

TEST(time, no_thread_is_in_another_one,
     .says = "a thread is in its process's time namespace, or is refused (before 6.0): EINVAL",
     .checks = "time-06", .needs = TIME_NEEDS)
{
	uint64_t where = 0;
	pthread_t thread;

	IN_FORK {
		int error;

		must_unshare(CLONE_NEWTIME);
		error = pthread_create(&thread, NULL, tell_namespace, &where);
		if (error) {
			EXPECT_EQ(EINVAL, error);
		} else {
			pthread_join(thread, NULL);
			EXPECT_EQ(ns_id(0, "time"), where);
		}
	}
	EXPECT_EQ(0, pthread_create(&thread, NULL, tell_namespace, &where));
	pthread_join(thread, NULL);
	EXPECT_EQ(ns_id(0, "time"), where);
}

TEST(time, setns_moves_caller_and_children,
     .says = "setns moves the caller and its children into the time namespace at once",
     .checks = "time-07", .needs = TIME_NEEDS)
{
	const long long outside = seconds(CLOCK_MONOTONIC);
	struct timespec by_vdso;

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		_fd_ int ahead = -EBADF;

		must_unshare_ahead();
		ahead = MUST(open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
		MUST(setns(ahead, CLONE_NEWTIME));
	}
	ON_HOST {
		_fd_ int door =
			MUST(open(text("/proc/%d/ns/time", inside_pid()), O_RDONLY | O_CLOEXEC));

		EXPECT_OK(setns(door, CLONE_NEWTIME));
		EXPECT_EQ(ns_id(inside_pid(), "time"), ns_id(0, "time"));
		EXPECT_EQ(ns_id(inside_pid(), "time"), ns_id(0, "time_for_children"));
		EXPECT_LE(outside + OFFSET, seconds(CLOCK_MONOTONIC));
		MUST(clock_gettime(CLOCK_MONOTONIC, &by_vdso));
		EXPECT_LE(outside + OFFSET, by_vdso.tv_sec);
		IN_FORK { EXPECT_LE(outside + OFFSET, seconds(CLOCK_MONOTONIC)); }
	}
}

TEST(time, a_thread_is_in_the_way,
     .says = "a process with two threads does not enter a time namespace: EUSERS",
     .checks = "time-14", .needs = TIME_NEEDS)
{
	_fd_ int other = must_deserted(CLONE_NEWTIME, "ns/time");
	struct beside thread = must_thread();

	EXPECT_ERRNO(EUSERS, setns(other, CLONE_NEWTIME));
	end_thread(&thread);
	while (setns(other, CLONE_NEWTIME)) {
		ASSERT_EQ(EUSERS, errno);
		let_kernel_catch_up();
	}
	EXPECT_EQ(inode(other), ns_id(0, "time"));
}

struct malformed {
	const char *label;
	const char *offsets;
	int want;
};

ROWS(malformed, struct malformed) = {
	{ "no_clock", "1 0", EINVAL },
	{ "unknown_clock", "realtime 1 0", EINVAL },
	{ "number_of_realtime", "0 1 0", EINVAL },
	{ "number_of_monotonic_raw", "4 1 0", EINVAL },
	{ "one_number", "monotonic 1", EINVAL },
	{ "words", "monotonic one 0", EINVAL },
	{ "negative_nanoseconds", "monotonic 1 -1", EINVAL },
	{ "a_second_of_nanoseconds", "monotonic 1 1000000000", EINVAL },
	{ "before_zero", "monotonic -4611686018 0", ERANGE },
	{ "too_far", "monotonic 4611686019 0", ERANGE },
	{ "second_line_is_bad", "monotonic 1 0\nboottime x 0", EINVAL },
};

TEST_EACH(malformed, time, bad_offsets_are_refused,
	  .says = "offsets that are malformed, of another clock or out of range change nothing",
	  .checks = "time-02", .needs = TIME_NEEDS)
{
	must_unshare(CLONE_NEWTIME);
	remember("before", must_read("%s", offsets_file));
	EXPECT_ERRNO(row->want, shift(row->offsets));
	EXPECT_STREQ(recall("before"), must_read("%s", offsets_file));
	EXPECT_OK(shift("monotonic 1 0"));
	EXPECT_STRNE(recall("before"), must_read("%s", offsets_file));
}

/* "monotonic SECONDS NANOSECONDS; boottime SECONDS NANOSECONDS" of the offsets file. */
static const char *offsets_of(pid_t pid)
{
	char names[2][16] = { "", "" };
	long long seconds_[2] = { -1, -1 }, nano[2] = { -1, -1 };

	sscanf(must_read("/proc/%d/timens_offsets", pid), "%15s %lld %lld %15s %lld %lld", names[0],
	       &seconds_[0], &nano[0], names[1], &seconds_[1], &nano[1]);
	return text("%s %lld %lld; %s %lld %lld", names[0], seconds_[0], nano[0], names[1],
		    seconds_[1], nano[1]);
}

TEST(time, offsets_are_told,
     .says = "timens_offsets tells what a process's children will have, clock by clock",
     .checks = "time-01", .needs = TIME_NEEDS)
{
	must_unshare(CLONE_NEWTIME);
	ASSERT_OK(shift("7 3 500"));
	EXPECT_STREQ("monotonic 0 0; boottime 3 500", offsets_of(getpid()));
	ASSERT_OK(shift("monotonic 12 0"));
	EXPECT_STREQ("monotonic 12 0; boottime 3 500", offsets_of(getpid()));
	IN_FORK { EXPECT_STREQ("monotonic 12 0; boottime 3 500", offsets_of(getpid())); }
}

TEST(time, offsets_are_final_once_it_is_used,
     .says = "with the first process in a time namespace its offsets are read-only: EACCES",
     .finding = "the clocks of a running container jump", .checks = "time-12", .needs = TIME_NEEDS)
{
	must_unshare_ahead();
	EXPECT_OK(shift("monotonic 1 0"));
	IN_FORK { EXPECT_ERRNO(EACCES, shift("monotonic 2 0")); }
	EXPECT_ERRNO(EACCES, shift("monotonic 3 0"));
	EXPECT_CONTAINS("monotonic 1 0", offsets_of(getpid()));
}

TEST(time, offsets_take_the_capability,
     .says = "offsets are set with CAP_SYS_TIME over the namespace's owner only: EPERM",
     .finding = "a process without the right sets the clocks of a namespace", .checks = "time-13",
     .needs = TIME_NEEDS)
{
	IN_FORK {
		must_unshare(CLONE_NEWTIME);
		must_drop_cap(CAP_SYS_TIME);
		EXPECT_ERRNO(EPERM, shift("monotonic 1 0"));
	}
	IN_FORK {
		must_unshare(CLONE_NEWTIME);
		EXPECT_OK(shift("monotonic 1 0"));
	}
	IN_FORK {
		must_unshare(CLONE_NEWTIME);
		must_unshare(CLONE_NEWUSER);
		EXPECT_ERRNO(EPERM, shift("monotonic 1 0"));
	}
}

TEST(time, the_date_is_the_hosts,
     .says = "root of a user and time namespace cannot set the date: EPERM",
     .finding = "a container sets the host's clock", .checks = "time-16",
     .needs = TIME_NEEDS | NEED(userns))
{
	UNSHARED(CLONE_NEWUSER | CLONE_NEWTIME) {
		struct timespec now;

		MUST(clock_gettime(CLOCK_REALTIME, &now));
		EXPECT_ERRNO(EPERM, clock_settime(CLOCK_REALTIME, &now));
		EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_MONOTONIC, &now));
	}
}

TEST(time, a_descriptor_keeps_it,
     .says = "a time namespace lives on with its offsets while a descriptor holds it",
     .checks = "time-07", .needs = TIME_NEEDS)
{
	const long long outside = seconds(CLOCK_MONOTONIC);
	int ahead;

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		must_unshare_ahead();
		IN_FORK { EXPECT_LE(outside + OFFSET, seconds(CLOCK_MONOTONIC)); }
	}
	ON_HOST {
		ahead = MUST(open(text("/proc/%d/ns/time_for_children", inside_pid()),
				  O_RDONLY | O_CLOEXEC));
		container_stop(1);
		IN_FORK {
			EXPECT_OK(setns(ahead, CLONE_NEWTIME));
			EXPECT_LE(outside + OFFSET, seconds(CLOCK_MONOTONIC));
		}
		close(ahead);
	}
}

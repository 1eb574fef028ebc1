// SPDX-License-Identifier: GPL-2.0-or-later
/* Absolute times in a time namespace: what waits until one wakes when that clock shows it. */
#include "time.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/timerfd.h>

enum { NANO = 1000000000, DELAY = 20000000 }; /* nanoseconds */

static struct timespec after(struct timespec time, long long nanoseconds)
{
	nanoseconds += time.tv_nsec;
	return (struct timespec){ time.tv_sec + nanoseconds / NANO, nanoseconds % NANO };
}

/* Each waits until `until` on that clock has come: 0, or the errno of a wait that was cut short. */
static int wait_by_sleep(clockid_t clock, const struct timespec *until)
{
	return syscall(SYS_clock_nanosleep, clock, TIMER_ABSTIME, until, NULL) ? errno : 0;
}

static int wait_by_timerfd(clockid_t clock, const struct timespec *until)
{
	_fd_ int fd = MUST(timerfd_create(clock, TFD_CLOEXEC));
	const struct itimerspec once = { .it_value = *until };
	uint64_t expirations;

	MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &once, NULL));
	return read(fd, &expirations, sizeof(expirations)) < 0 ? errno : 0;
}

static int wait_by_timer(clockid_t clock, const struct timespec *until)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct itimerspec once = { .it_value = *until };
	timer_t timer;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(timer_create(clock, &event, &timer));
	MUST(timer_settime(timer, TIMER_ABSTIME, &once, NULL));
	return sigwaitinfo(&set, NULL) < 0 ? errno : 0;
}

/* FUTEX_WAIT_BITSET takes absolute times, of the monotonic clock only. */
static int wait_by_futex(clockid_t clock, const struct timespec *until)
{
	uint32_t word = 0;
	long result = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, until, NULL, ~0U);

	(void)clock;
	return result < 0 && errno == ETIMEDOUT ? 0 : errno;
}

struct waiter {
	const char *label;
	int (*wait)(clockid_t clock, const struct timespec *until);
	clockid_t clock;
};

ROWS(waiters, struct waiter) = {
	{ "clock_nanosleep_monotonic", wait_by_sleep, CLOCK_MONOTONIC },
	{ "clock_nanosleep_boottime", wait_by_sleep, CLOCK_BOOTTIME },
	{ "timerfd_monotonic", wait_by_timerfd, CLOCK_MONOTONIC },
	{ "timerfd_boottime", wait_by_timerfd, CLOCK_BOOTTIME },
	{ "timer_monotonic", wait_by_timer, CLOCK_MONOTONIC },
	{ "timer_boottime", wait_by_timer, CLOCK_BOOTTIME },
	{ "futex", wait_by_futex, CLOCK_MONOTONIC },
};

static void interrupt(int number)
{
	(void)number;
}

/* A wait that goes on is cut short by this signal after 5 s, and gives EINTR. */
static void set_alarm(void)
{
	const struct sigaction action = { .sa_handler = interrupt };

	MUST(sigaction(SIGALRM, &action, NULL));
	alarm(5);
}

TEST_EACH(waiters, time, absolute_times_are_the_namespaces,
	  .says = "a wait until an absolute time ends when the clock inside shows it",
	  .finding = "timers in a time namespace go by the host's clock", .checks = "time-03",
	  .needs = TIME_NEEDS)
{
	must_unshare_ahead();
	IN_FORK {
		struct timespec until, now;

		set_alarm();
		MUST(clock_gettime(row->clock, &now));
		until = after(now, DELAY);
		EXPECT_EQ(0, row->wait(row->clock, &until));
		MUST(clock_gettime(row->clock, &now));
		EXPECT(now.tv_sec > until.tv_sec ||
		       (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	}
}

static int for_sleep(const struct timespec *delay)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, delay, NULL) ? errno : 0;
}

static int for_poll(const struct timespec *delay)
{
	return ppoll(NULL, 0, delay, NULL) ? errno : 0;
}

static int for_timerfd(const struct timespec *delay)
{
	_fd_ int fd = MUST(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC));
	const struct itimerspec once = { .it_value = *delay };
	uint64_t expirations;

	MUST(timerfd_settime(fd, 0, &once, NULL));
	return read(fd, &expirations, sizeof(expirations)) < 0 ? errno : 0;
}

static int for_futex(const struct timespec *delay)
{
	uint32_t word = 0;
	long result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, delay, NULL, 0);

	return result < 0 && errno == ETIMEDOUT ? 0 : errno;
}

static int for_condition(const struct timespec *delay)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t attributes;
	pthread_cond_t condition;
	struct timespec now, until;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&condition, &attributes);
	pthread_mutex_lock(&mutex);
	MUST(clock_gettime(CLOCK_MONOTONIC, &now));
	until = after(now, delay->tv_nsec);
	return pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT ? 0 : EINVAL;
}

struct delayer {
	const char *label;
	int (*wait)(const struct timespec *delay);
};

ROWS(delayers, struct delayer) = {
	{ "clock_nanosleep", for_sleep }, { "ppoll", for_poll },
	{ "timerfd", for_timerfd },       { "futex", for_futex },
	{ "condition", for_condition },
};

TEST_EACH(delayers, time, delays_are_the_same_inside,
	  .says = "a wait for a time ends after that time, whatever the offsets",
	  .checks = "time-18", .needs = TIME_NEEDS)
{
	const struct timespec delay = { .tv_nsec = DELAY };

	must_unshare_ahead();
	IN_FORK {
		struct timespec earliest, now;

		set_alarm();
		MUST(clock_gettime(CLOCK_BOOTTIME, &now));
		earliest = after(now, DELAY);
		EXPECT_EQ(0, row->wait(&delay));
		MUST(clock_gettime(CLOCK_BOOTTIME, &now));
		EXPECT(now.tv_sec > earliest.tv_sec ||
		       (now.tv_sec == earliest.tv_sec && now.tv_nsec >= earliest.tv_nsec));
	}
}

TEST(time, what_remains_is_told_without_the_offset,
     .says = "timer_gettime and timerfd_gettime tell what remains of an absolute time inside",
     .checks = "time-03", .needs = TIME_NEEDS)
{
	must_unshare_ahead();
	IN_FORK {
		_fd_ int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
		struct sigevent event = { .sigev_notify = SIGEV_NONE };
		struct itimerspec remains = { .it_value.tv_sec = seconds(CLOCK_MONOTONIC) + 1000 };
		timer_t timer;

		MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
		MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &remains, NULL));
		MUST(timer_settime(timer, TIMER_ABSTIME, &remains, NULL));
		MUST(timerfd_gettime(fd, &remains));
		EXPECT_GE(1000, remains.it_value.tv_sec);
		EXPECT_LT(900, remains.it_value.tv_sec);
		MUST(timer_gettime(timer, &remains));
		EXPECT_GE(1000, remains.it_value.tv_sec);
		EXPECT_LT(900, remains.it_value.tv_sec);
	}
}

TEST(time, a_timer_armed_before_keeps_its_time,
     .says = "a timer that was armed before its process entered a time namespace is not moved",
     .checks = "time-17", .needs = TIME_NEEDS)
{
	_fd_ int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	struct itimerspec once = { .it_value.tv_sec = seconds(CLOCK_MONOTONIC) + 1000 };
	_fd_ int ahead = -EBADF;

	MUST(timerfd_settime(fd, TFD_TIMER_ABSTIME, &once, NULL));
	must_unshare_ahead();
	ahead = MUST(open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
	MUST(setns(ahead, CLONE_NEWTIME));
	MUST(timerfd_gettime(fd, &once));
	EXPECT_GE(1000, once.it_value.tv_sec);
	EXPECT_LT(900, once.it_value.tv_sec);
}

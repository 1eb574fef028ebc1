// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a raw test costs, against one fork, exec and wait of the same static
 * program, side by side in each round; the median of the rounds decides.
 */
#include "../../selftest.h"

#include <time.h>

enum { ROUNDS = 9, TIMES = 300, ALLOWED = 2 };

static double now(void)
{
	struct timespec time;

	MUST(clock_gettime(CLOCK_MONOTONIC, &time));
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* The inner runs' results are nobody's. */
static void silence(void)
{
	_fd_ int null = MUST(open("/dev/null", O_WRONLY | O_CLOEXEC));

	dup2(null, 1);
}

/* Microseconds of a fork, an exec of this program with these arguments, and a wait. */
static double spawn(char *const *arguments)
{
	double start = now();
	pid_t pid = must_fork();

	if (!pid) {
		silence();
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	must_wait(pid);
	return now() - start;
}

static double one_exec(void)
{
	/* Ends at once: without a socket as stdin it has nothing to do inside. */
	char *const nothing[] = { (char[]){ "overhead" }, (char[]){ "--inside" }, NULL };
	double total = 0;

	for (int i = 0; i < TIMES; i++) total += spawn(nothing);
	return total / TIMES;
}

static double one_test(void)
{
	char *once[] = { (char[]){ "overhead" }, (char[]){ "--run" },
			 (char[]){ "overhead.nothing" }, (char[]){ "--repeat=1" }, NULL };
	char *often[] = { once[0], once[1], once[2], (char[]){ "--repeat=301" }, NULL };
	double base = spawn(once);

	return (spawn(often) - base) / TIMES;
}

static int by_size(const void *left, const void *right)
{
	double one = *(const double *)left, other = *(const double *)right;

	return (one > other) - (one < other);
}

TEST(overhead, nothing)
{
	EXPECT(true);
}

TEST(overhead, raw_test_costs_at_most_two_execs, .timeout = 120,
     .says = "a raw test costs no more than twice a fork, exec and wait")
{
	double execs[ROUNDS], tests[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		execs[i] = one_exec();
		tests[i] = one_test();
	}
	qsort(execs, ROUNDS, sizeof(execs[0]), by_size);
	qsort(tests, ROUNDS, sizeof(tests[0]), by_size);
	note("fork, exec, wait: %.0f us; a raw test: %.0f us; ratio %.2f", execs[ROUNDS / 2],
	     tests[ROUNDS / 2], tests[ROUNDS / 2] / execs[ROUNDS / 2]);
	EXPECT_GE(ALLOWED * execs[ROUNDS / 2], tests[ROUNDS / 2]);
}

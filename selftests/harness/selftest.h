/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only header that a test includes: how a test is declared. What its body
 * may say stands in check.h (claims), duet.h (the two sides) and world.h (helpers).
 * One page of explanation: docs/writing-a-test.md.
 */
#ifndef HARNESS_SELFTEST_H
#define HARNESS_SELFTEST_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../common/compat.h"
#include "check.h"
#include "duet.h"
#include "needs.h"
#include "world.h"

/* Which way a test runs: raw (clone3 by the harness), through a subject, or either. */
enum layer { KERNEL, RUNTIME, BOTH };

/* What FIXTURE, SETUP and CLEANUP make; a test names it with USES(fixture). */
struct fixture {
	void (*setup)(void);   /* host side, before the body; a failed must_* is BROKEN */
	void (*cleanup)(void); /* in a process of its own, after the test, come what may */
};

/* One test as declared. The fields with a dot are the author's, the rest is filled in. */
struct test {
	const char *says;    /* .says: the claim, one English sentence */
	const char *finding; /* .finding: what got through when the claim is false */
	const char *checks;  /* .checks: behaviour ids of the catalogue, space-separated */
	need_set needs;      /* .needs: NEED(a) | NEED(b) */
	enum layer layer;    /* .layer: KERNEL (default), RUNTIME or BOTH */
	unsigned timeout;    /* .timeout: seconds; 0 = the runner's default */
	const struct fixture *fixture; /* .fixture: USES(name) */

	const char *area, *name, *file;
	int line;
	void (*run)(const void *row);
	const void *rows; /* ROWS table, first field of a row is its label */
	size_t row_count, row_size;
};

/*
 * TEST(area, sentence, .says = "...", .checks = "...", ...) { body }
 * A test with one body. Its name in reports is "area.sentence".
 */
#define TEST(area_, sentence, ...)                                                                 \
	static void area_##_##sentence(void);                                                      \
	static void area_##_##sentence##_run(const void *row_)                                     \
	{                                                                                          \
		(void)row_;                                                                        \
		area_##_##sentence();                                                              \
	}                                                                                          \
	REGISTER_(area_, sentence, __VA_ARGS__)                                                    \
	static void area_##_##sentence(void)

/*
 * ROWS(table, type) = { { "label", .x = 1 }, ... };
 * A table that tests run over; the first field of `type` is `const char *label`.
 */
#define ROWS(table, type)                                                                          \
	_Static_assert(offsetof(type, label) == 0, #type " must start with its label");            \
	typedef type table##_row;                                                                  \
	static const table##_row table[]

/*
 * TEST_EACH(table, area, sentence, ...) { body }
 * Runs the body once for each row of the table, each in a process of its own; in
 * the body `row` points to the row. One KTAP subtest a row, named by its label.
 */
#define TEST_EACH(table, area_, sentence, ...)                                                     \
	static void area_##_##sentence(const table##_row *row);                                    \
	static void area_##_##sentence##_run(const void *row_)                                     \
	{                                                                                          \
		area_##_##sentence(row_);                                                          \
	}                                                                                          \
	REGISTER_(area_, sentence, .rows = (table), .row_size = sizeof((table)[0]),                \
		  .row_count = sizeof(table) / sizeof((table)[0]), __VA_ARGS__)                    \
	static void area_##_##sentence(const table##_row *row)

/* Also read from the program's file, without running it: rootfs-builder/testlist.py. */
#define REGISTER_(area_, sentence, ...)                                                            \
	static struct test area_##_##sentence##_test = { .area = #area_,                           \
							 .name = #area_ "." #sentence,             \
							 .file = __FILE__,                         \
							 .line = __LINE__,                         \
							 .run = area_##_##sentence##_run,          \
							 __VA_ARGS__ };                            \
	static struct test *const area_##_##sentence##_entry                                       \
		__attribute__((section("selftests"), used)) = &area_##_##sentence##_test;

/*
 * FIXTURE(name) { fields };   SETUP(name) { ... }   CLEANUP(name) { ... }
 * The fields live on the shared board: setup, both sides and cleanup see the same.
 * In SETUP and CLEANUP `self` points to them, in a test FIXED(name) does.
 */
#define FIXTURE(name)                                                                              \
	struct name;                                                                               \
	static void name##_setup(struct name *self);                                               \
	static void name##_cleanup(struct name *self);                                             \
	static void name##_setup_run(void)                                                         \
	{                                                                                          \
		name##_setup(fixture_memory_(0));                                                  \
	}                                                                                          \
	static void name##_cleanup_run(void)                                                       \
	{                                                                                          \
		name##_cleanup(fixture_memory_(0));                                                \
	}                                                                                          \
	static const struct fixture name##_fixture = { name##_setup_run, name##_cleanup_run };     \
	struct name
#define SETUP(name)   static void name##_setup(struct name *self)
#define CLEANUP(name) static void name##_cleanup(struct name *self)
#define USES(name)    (&name##_fixture)
#define FIXED(name)   ((struct name *)AT_(fixture_memory_(sizeof(struct name))))

/* The fixture's place on the board; a size that does not fit is BROKEN. */
void *fixture_memory_(size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims. EXPECT_* records a failure and goes on; ASSERT_* ends this process;
 * MUST() and the must_* helpers of world.h say that the stage could not be set
 * (BROKEN, not FAIL). Any process of a test may use them: the count is kept on
 * a shared page. Expected value first, actual value second.
 */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include <errno.h>
#include <stdbool.h>

/* Where a check stands in the source, and what becomes of the process if it fails. */
struct check {
	const char *file;
	int line;
	const char *text; /* the check as written */
	bool fatal;       /* ASSERT: end this process */
};

#define CHECK_(text_, fatal_)                                                                      \
	(&(const struct check){                                                                    \
		.file = __FILE__, .line = __LINE__, .text = text_, .fatal = fatal_ })

bool check_true(const struct check *check, bool holds);
bool check_number(const struct check *check, long long want, const char *op, long long got);
bool check_string(const struct check *check, const char *want, bool same, const char *got);
bool check_contains(const struct check *check, const char *part, bool wanted, const char *whole);
bool check_errno(const struct check *check, int want, long result);
long check_ok(const struct check *check, long result);
bool check_exit(const struct check *check, int want, int status);
bool check_signal(const struct check *check, int want, int status);
void check_stage(const char *file, int line, const char *text, bool holds);
long check_must(const char *file, int line, const char *text, long result);

/* A condition. Prefer one of the forms below: they print what was seen. */
#define EXPECT(condition) check_true(CHECK_("EXPECT(" #condition ")", false), !!(condition))
#define ASSERT(condition) check_true(CHECK_("ASSERT(" #condition ")", true), !!(condition))

/* Numbers, pointers, enums: want OP got. */
#define NUMBER_(text, want, op, got, fatal)                                                        \
	check_number(CHECK_(text, fatal), (long long)(want), op, (long long)(got))
#define EXPECT_EQ(want, got) NUMBER_("EXPECT_EQ(" #want ", " #got ")", want, "==", got, false)
#define EXPECT_NE(want, got) NUMBER_("EXPECT_NE(" #want ", " #got ")", want, "!=", got, false)
#define EXPECT_LT(want, got) NUMBER_("EXPECT_LT(" #want ", " #got ")", want, "<", got, false)
#define EXPECT_LE(want, got) NUMBER_("EXPECT_LE(" #want ", " #got ")", want, "<=", got, false)
#define EXPECT_GT(want, got) NUMBER_("EXPECT_GT(" #want ", " #got ")", want, ">", got, false)
#define EXPECT_GE(want, got) NUMBER_("EXPECT_GE(" #want ", " #got ")", want, ">=", got, false)
#define ASSERT_EQ(want, got) NUMBER_("ASSERT_EQ(" #want ", " #got ")", want, "==", got, true)
#define ASSERT_NE(want, got) NUMBER_("ASSERT_NE(" #want ", " #got ")", want, "!=", got, true)
#define ASSERT_LT(want, got) NUMBER_("ASSERT_LT(" #want ", " #got ")", want, "<", got, true)
#define ASSERT_LE(want, got) NUMBER_("ASSERT_LE(" #want ", " #got ")", want, "<=", got, true)
#define ASSERT_GT(want, got) NUMBER_("ASSERT_GT(" #want ", " #got ")", want, ">", got, true)
#define ASSERT_GE(want, got) NUMBER_("ASSERT_GE(" #want ", " #got ")", want, ">=", got, true)

/* Strings; NULL equals only NULL. */
#define STRING_(text, want, same, got, fatal) check_string(CHECK_(text, fatal), want, same, got)
#define EXPECT_STREQ(want, got)               STRING_("EXPECT_STREQ(" #want ", " #got ")", want, true, got, false)
#define EXPECT_STRNE(want, got)                                                                    \
	STRING_("EXPECT_STRNE(" #want ", " #got ")", want, false, got, false)
#define ASSERT_STREQ(want, got) STRING_("ASSERT_STREQ(" #want ", " #got ")", want, true, got, true)
#define ASSERT_STRNE(want, got) STRING_("ASSERT_STRNE(" #want ", " #got ")", want, false, got, true)

/* `part` occurs in `whole`, or does not. */
#define EXPECT_CONTAINS(part, whole)                                                               \
	check_contains(CHECK_("EXPECT_CONTAINS(" #part ", " #whole ")", false), part, true, whole)
#define EXPECT_LACKS(part, whole)                                                                  \
	check_contains(CHECK_("EXPECT_LACKS(" #part ", " #whole ")", false), part, false, whole)

/* The call returns -1 and sets exactly this errno. */
#define ERRNO_(text, want, call, fatal)                                                            \
	check_errno(CHECK_(text, fatal), want, (errno = 0, (long)(call)))
#define EXPECT_ERRNO(want, call) ERRNO_("EXPECT_ERRNO(" #want ", " #call ")", want, call, false)
#define ASSERT_ERRNO(want, call) ERRNO_("ASSERT_ERRNO(" #want ", " #call ")", want, call, true)

/* The call does not return -1. The value of the expression is what it returned. */
#define EXPECT_OK(call) check_ok(CHECK_("EXPECT_OK(" #call ")", false), (errno = 0, (long)(call)))
#define ASSERT_OK(call) check_ok(CHECK_("ASSERT_OK(" #call ")", true), (errno = 0, (long)(call)))

/* A wait status (waitpid): ended with this exit status, or by this signal. */
#define EXPECT_EXIT(want, status)                                                                  \
	check_exit(CHECK_("EXPECT_EXIT(" #want ", " #status ")", false), want, status)
#define EXPECT_SIGNAL(want, status)                                                                \
	check_signal(CHECK_("EXPECT_SIGNAL(" #want ", " #status ")", false), want, status)

/* Setting the stage: -1 ends the process and the test is BROKEN. Value: what it returned. */
#define MUST(call) check_must(__FILE__, __LINE__, "MUST(" #call ")", (errno = 0, (long)(call)))

/* Setting the stage: without this condition the test has nothing to judge, and is BROKEN. */
#define MUST_HOLD(condition) check_stage(__FILE__, __LINE__, "MUST_HOLD(" #condition ")", condition)

/* A line of explanation, shown when the test is not ok or with --verbose. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* BROKEN, by hand: the stage cannot be set. Does not return. */
#define broken(...) check_broken(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void check_broken(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

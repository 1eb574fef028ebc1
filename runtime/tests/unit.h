/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unit tests share. Each test_NAME.c is a program of its own: it defines
 * unit_suite(), unit.c brings main(). Nothing here needs privileges.
 */
#ifndef RUNTIME_TESTS_UNIT_H
#define RUNTIME_TESTS_UNIT_H

#include <check.h>
#include <stddef.h>

/* libcheck's, long deprecated; ours is in fault.h. */
#undef fail

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The tests of one file. */
Suite *unit_suite(void);

/* From here on what is written to standard error is kept. */
void unit_capture_stderr(void);

/* Ends that; returns the text, valid until the next call. */
const char *unit_captured(void);

/*
 * Fails unless a parser's answer to @value is right: @wrong is a part of what it must
 * object, NULL where the value is good; @got is its answer.
 */
void unit_verdict(const char *value, const char *wrong, const char *got);

/* A string of @n times @c, NUL-terminated, never freed. */
char *unit_repeat(char c, size_t n);

/* A copy of @s that may be written to, never freed. */
char *unit_copy(const char *s);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* The program's tests: who they are, in the order of file and line, each name once. */
#include "harness.h"

#include <fnmatch.h>

/* The section that TEST() fills, between the symbols that the linker makes for it. */
extern struct test *const tests_begin[] __asm__("__start_selftests") __attribute__((weak));
extern struct test *const tests_end[] __asm__("__stop_selftests") __attribute__((weak));

/* rootfs-builder/testlist.py reads these fields at these places. */
_Static_assert(offsetof(struct test, checks) == 16 && offsetof(struct test, layer) == 48 &&
		       offsetof(struct test, name) == 72 && offsetof(struct test, file) == 80 &&
		       offsetof(struct test, line) == 88,
	       "rootfs-builder/testlist.py has other places");

static int by_place(const void *left, const void *right)
{
	const struct test *one = *(struct test *const *)left;
	const struct test *other = *(struct test *const *)right;
	int order = strcmp(one->file, other->file);

	return order ? order : one->line - other->line;
}

static int by_name(const void *left, const void *right)
{
	const struct test *one = *(struct test *const *)left;
	const struct test *other = *(struct test *const *)right;
	int order = strcmp(one->name, other->name);

	return order ? order : by_place(left, right);
}

static void refuse_double_names(struct test **tests, size_t count)
{
	qsort(tests, count, sizeof(struct test *), by_name);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(tests[i - 1]->name, tests[i]->name)) {
			fprintf(stderr,
				"selftest: cannot run \"%s\": declared twice (%s:%d, %s:%d)\n",
				tests[i]->name, tests[i - 1]->file, tests[i - 1]->line,
				tests[i]->file, tests[i]->line);
			exit(64);
		}
}

struct test **registry_sorted(size_t *count)
{
	size_t found = ((uintptr_t)tests_end - (uintptr_t)tests_begin) / sizeof(struct test *);
	struct test **tests = calloc(found + 1, sizeof(struct test *));

	if (!tests)
		exit(1);
	for (size_t i = 0; i < found; i++)
		tests[i] = tests_begin[i];
	refuse_double_names(tests, found);
	qsort(tests, found, sizeof(struct test *), by_place);
	*count = found;
	return tests;
}

bool glob_any(const char *const *globs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!fnmatch(globs[i], name, 0))
			return true;
	return false;
}

/* Kernel tests run raw, runtime tests through a subject, the rest both ways. */
bool selected(const struct test *test)
{
	if (test->layer != BOTH && !options.list &&
	    test->layer != (options.subject ? RUNTIME : KERNEL))
		return false;
	return !options.run_count || glob_any(options.run, options.run_count, test->name);
}

const char *layer_name(enum layer layer)
{
	static const char *const names[] = {
		[KERNEL] = "kernel", [RUNTIME] = "runtime", [BOTH] = "both"
	};

	return names[layer];
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The program's tests: who they are, in the order of file and line, each name once. */
#include "harness.h"

#include <fnmatch.h>

static struct test *first;
static size_t registered;

void register_test(struct test *test)
{
	test->next = first;
	first = test;
	registered++;
}

static int by_place(const void *left, const void *right)
{
	const struct test *one = *(struct test *const *)left;
	const struct test *other = *(struct test *const *)right;
	int order = strcmp(one->file, other->file);

	return order ? order : one->line - other->line;
}

static void refuse_double_names(struct test **tests)
{
	for (size_t i = 0; i < registered; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(tests[i]->name, tests[j]->name)) {
				fprintf(stderr,
					"selftest: cannot run \"%s\": declared twice (%s:%d, "
					"%s:%d)\n",
					tests[i]->name, tests[j]->file, tests[j]->line,
					tests[i]->file, tests[i]->line);
				exit(64);
			}
}

struct test **registry_sorted(size_t *count)
{
	struct test **tests = calloc(registered + 1, sizeof(struct test *));
	size_t i = 0;

	if (!tests)
		exit(1);
	for (struct test *test = first; test; test = test->next)
		tests[i++] = test;
	qsort(tests, registered, sizeof(struct test *), by_place);
	refuse_double_names(tests);
	*count = registered;
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

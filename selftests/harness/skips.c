// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A skip must not hide. --must-run GLOB: these tests may not skip. --expect-skips
 * FILE: just these may, for just that reason, and they must; a line of the file is
 * "TEST-GLOB REASON-GLOB", '#' starts a comment.
 */
#include "harness.h"

#include <fnmatch.h>

static struct expected {
	char name[128], reason[128];
} * expected;
static size_t expected_count;

static void skips_add(const char *line)
{
	struct expected row = { .reason = "*" };

	if (sscanf(line, "%127s %127s", row.name, row.reason) < 1 || row.name[0] == '#')
		return;
	expected = realloc(expected, (expected_count + 1) * sizeof(row));
	if (!expected)
		exit(1);
	expected[expected_count++] = row;
}

void skips_read(void)
{
	char line[300];
	FILE *file;

	if (!options.expect_skips)
		return;
	file = fopen(options.expect_skips, "re");
	if (!file) {
		fprintf(stderr, "selftest: cannot read the expected skips \"%s\": %s\n",
			options.expect_skips, strerror(errno));
		exit(64);
	}
	while (fgets(line, sizeof(line), file))
		skips_add(line);
	fclose(file);
}

static const struct expected *find(const char *name, const char *reason)
{
	for (size_t i = 0; i < expected_count; i++)
		if (!fnmatch(expected[i].name, name, 0) &&
		    (!reason || !fnmatch(expected[i].reason, reason, 0)))
			return &expected[i];
	return NULL;
}

static void turn(struct outcome *outcome, const char *why)
{
	struct outcome old = *outcome;

	outcome->verdict = BROKEN;
	snprintf(outcome->why, sizeof(outcome->why), "%.60s%.120s", why, old.why);
}

void skips_judge(const char *name, struct outcome *outcome)
{
	char reason[192];

	if (outcome->verdict == SKIP) {
		/* The code is the first word; what follows explains it. */
		snprintf(reason, sizeof(reason), "%.*s", (int)strcspn(outcome->why, " "),
			 outcome->why);
		if (glob_any(options.must_run, options.must_run_count, name))
			turn(outcome, "must not skip: ");
		else if (options.expect_skips && !find(name, reason))
			turn(outcome, "unexpected skip: ");
	} else if (options.expect_skips && find(name, NULL)) {
		turn(outcome, "ran, but its skip is expected");
	}
}

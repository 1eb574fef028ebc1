// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A skip must not hide. --must-run GLOB: these tests may not skip. --expect-skips
 * FILE: just these may, for just that reason, and they must; a line of the file is
 * "TEST-GLOB REASON-GLOB", '#' starts a comment. --complete, or an image that says so
 * of the running kernel: a need is absent only where the kernel is too old for it or the
 * caller no root. Elsewhere that a probe fails may mean a kernel without an option or a
 * system call filter; here it means that what is tested is broken.
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

/* The release of the kernel that has all options of selftests/config; the image has it. */
static const char complete_release[] = "/etc/bulkhead/complete";

static bool is_complete(const char *release)
{
	FILE *file = options.complete ? NULL : fopen(complete_release, "re");
	char line[300] = "";

	if (file) {
		if (fgets(line, sizeof(line), file))
			line[strcspn(line, "\n")] = 0;
		fclose(file);
	}
	return options.complete || !strcmp(line, release);
}

/* Whether a need that is absent should be there. */
bool skips_promised(enum need_kind kind, const char *since)
{
	int has[3] = { 0 }, wants[3] = { 0 };
	struct utsname kernel;

	if (uname(&kernel) || !is_complete(kernel.release))
		return false;
	if (kind == NEED_PRIV && geteuid())
		return false;
	sscanf(kernel.release, "%d.%d.%d", &has[0], &has[1], &has[2]);
	if (sscanf(since, "%d.%d.%d", &wants[0], &wants[1], &wants[2]) < 2)
		return false;
	for (int i = 0; i < 3; i++)
		if (has[i] != wants[i])
			return has[i] > wants[i];
	return true;
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

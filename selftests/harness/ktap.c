// SPDX-License-Identifier: GPL-2.0-or-later
/* KTAP version 1: https://docs.kernel.org/dev-tools/ktap.html */
#include "harness.h"

void ktap_plan(const char *indent, const char *name, size_t count)
{
	printf("%sKTAP version 1\n", indent);
	if (name)
		printf("%s# Subtest: %s\n", indent, name);
	printf("%s1..%zu\n", indent, count);
}

/* Diagnostics that readers of KTAP act upon: the head of a subtest, kselftest's sums. */
static bool has_meaning(const char *line)
{
	return !strncmp(line, "Subtest:", 8) || !strncmp(line, "Totals:", 7);
}

/*
 * Each line of the text as a diagnostic line; what is not printable becomes '?'. A second
 * blank takes its meaning from a line that a test could forge results with.
 */
void ktap_diagnostics(const char *indent, const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		if (length)
			printf("%s# %s", indent, has_meaning(lines) ? " " : "");
		for (size_t i = 0; i < length; i++) {
			unsigned char character = lines[i];

			putchar(character < ' ' && character != '\t' ? '?' : character);
		}
		if (length)
			putchar('\n');
		lines += length + (lines[length] == '\n');
	}
}

bool is_ok(const struct outcome *outcome)
{
	return outcome->verdict == PASS || outcome->verdict == SKIP;
}

/*
 * A name or reason must not open a second directive or end the line, which a carriage return
 * does for some readers.
 */
static void print_plain(const char *words)
{
	for (; *words; words++) {
		unsigned char character = *words;

		putchar(character == '#' || character < ' ' ? '_' : character);
	}
}

void ktap_result(const char *indent, size_t number, const char *name, const struct outcome *outcome)
{
	static const char *const directives[] = {
		[PASS] = NULL,
		[FAIL] = " # FAIL",
		[BROKEN] = " # ERROR broken",
		[SKIP] = " # SKIP",
		[CRASH] = " # ERROR crash",
		[TIMEOUT] = " # TIMEOUT",
		[LEAK] = " # ERROR leak",
	};

	printf("%s%s %zu ", indent, is_ok(outcome) ? "ok" : "not ok", number);
	print_plain(name);
	if (directives[outcome->verdict])
		printf("%s", directives[outcome->verdict]);
	if (outcome->why[0]) {
		putchar(' ');
		print_plain(outcome->why);
	}
	putchar('\n');
}

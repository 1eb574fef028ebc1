// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stderr_before = -1;
static FILE *captured;

void unit_capture_stderr(void)
{
	captured = tmpfile();
	ck_assert_ptr_nonnull(captured);
	stderr_before = dup(STDERR_FILENO);
	ck_assert_int_ge(stderr_before, 0);
	ck_assert_int_ge(dup2(fileno(captured), STDERR_FILENO), 0);
}

const char *unit_captured(void)
{
	static char text[8192];
	size_t n;

	fflush(stderr);
	ck_assert_int_ge(dup2(stderr_before, STDERR_FILENO), 0);
	close(stderr_before);
	rewind(captured);
	n = fread(text, 1, sizeof(text) - 1, captured);
	text[n] = '\0';
	fclose(captured);
	return text;
}

void unit_verdict(const char *value, const char *wrong, const char *got)
{
	if (!wrong)
		ck_assert_msg(!got, "\"%s\" was refused: %s", value, got);
	else
		ck_assert_msg(got && strstr(got, wrong), "\"%s\": got \"%s\", want \"%s\"", value,
			      got ? got : "(accepted)", wrong);
}

char *unit_repeat(char c, size_t n)
{
	char *s = malloc(n + 1);

	ck_assert_ptr_nonnull(s);
	memset(s, c, n);
	s[n] = '\0';
	return s;
}

char *unit_copy(const char *s)
{
	char *copy = strdup(s);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

int main(void)
{
	SRunner *runner = srunner_create(unit_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner) || !srunner_ntests_run(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The one line that a failure prints, and the exit status that it gives. */
#include "unit.h"

#include "../fault.h"

#include <errno.h>
#include <string.h>

static const char *printed(enum step step, const char *object, long why)
{
	struct fault f = { .why = 0 };

	fail(&f, step, object, why);
	unit_capture_stderr();
	fault_print(&f, NULL);
	return unit_captured();
}

START_TEST(records_step_reason_and_object)
{
	struct fault f = { .why = 0 };

	errno = E2BIG;
	ck_assert_int_lt(fail(&f, STEP_mount, "/proc", -EPERM), 0);
	ck_assert_int_eq(f.step, STEP_mount);
	ck_assert_int_eq(f.why, EPERM);
	ck_assert_str_eq(f.object, "/proc");
	ck_assert_int_lt(fail(&f, STEP_device, "", LIE), 0);
	ck_assert_int_eq(f.why, LIE);
	ck_assert_str_eq(f.object, "");
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(cuts_a_long_object)
{
	struct fault f = { .why = 0 };

	fail(&f, STEP_mount, unit_repeat('a', 10000), EPERM);
	ck_assert_uint_eq(strlen(f.object), sizeof(f.object) - 1);
}
END_TEST

START_TEST(says_what_on_what_and_why)
{
	ck_assert_str_eq(printed(STEP_workdir, "/x", ENOTDIR),
			 "bulkhead: cannot enter the working directory \"/x\": "
			 "Not a directory\n");
	ck_assert_str_eq(printed(STEP_workdir, "/x", ENOENT),
			 "bulkhead: cannot enter the working directory \"/x\": "
			 "No such file or directory (--workdir is a directory inside the "
			 "container)\n");
	ck_assert_str_eq(printed(STEP_clone, "", EMFILE),
			 "bulkhead: cannot create the namespaces: Too many open files\n");
}
END_TEST

/* What an image or a caller chooses can neither end the line nor command a terminal. */
static const struct {
	const char *object, *shown;
} objects[] = {
	{ "a\nbulkhead: all is well", "\"a\\x0abulkhead: all is well\"" },
	{ "\x1b[31m", "\"\\x1b[31m\"" },
	{ "a\tb\rc", "\"a\\x09b\\x0dc\"" },
	{ "\x7f", "\"\\x7f\"" },
	{ "a\"b", "\"a\\x22b\"" },
	{ "a\\b", "\"a\\x5cb\"" },
	{ "caf\xc3\xa9", "\"caf\xc3\xa9\"" },
	{ "100%s%n", "\"100%s%n\"" },
};

START_TEST(quotes_the_object)
{
	const char *line = printed(STEP_find_command, objects[_i].object, ENOENT);

	ck_assert_msg(strstr(line, objects[_i].shown), "%s", line);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(quotes_an_object_of_control_characters)
{
	const char *line = printed(STEP_find_command, unit_repeat('\n', 255), ENOENT);

	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_uint_gt(strlen(line), 4 * 255);
}
END_TEST

/* Reasons of our own have words, and so has every step. */
static const int own_reasons[] = {
	LIE,           NOT_NEW,      IS_SYMLINK,     IS_KERNEL_FS,  IS_RUNTIME,    HOST_NAMESPACE,
	NO_CONTROLLER, KILLED_EARLY, NO_INTERPRETER, NO_DELEGATION, NO_MAP_HELPER,
};

START_TEST(has_words_for_its_own_reasons)
{
	const char *line = printed(STEP_mount, "/x", own_reasons[_i]);

	ck_assert_msg(!strstr(line, "Unknown error") && !strstr(line, "No error"), "%s", line);
	for (int i = 0; i < _i; i++)
		ck_assert_int_ne(own_reasons[i], own_reasons[_i]);
}
END_TEST

START_TEST(has_words_for_every_step)
{
	const char *line = printed((enum step)_i, "/x", EIO);

	ck_assert_msg(!strstr(line, "(null)"), "%s", line);
	ck_assert_msg(strncmp(line, "bulkhead: cannot ", 17) == 0 && line[17] != ' ', "%s", line);
	ck_assert_msg(strstr(line, " \"/x\": "), "%s", line);
}
END_TEST

static const struct {
	enum step step;
	int why, status;
} statuses[] = {
	{ STEP_find_command, ENOENT, 127 },
	{ STEP_find_command, EACCES, 126 },
	{ STEP_find_command, ELOOP, 126 },
	{ STEP_find_command, IS_RUNTIME, 126 },
	{ STEP_find_command, NO_INTERPRETER, 126 },
	{ STEP_execute, ENOEXEC, 126 },
	{ STEP_execute, ENOENT, 126 },
	{ STEP_execute, E2BIG, 126 },
	{ STEP_find_rootfs, ENOENT, 125 },
	{ STEP_workdir, ENOENT, 125 },
	{ STEP_init, ENOENT, 125 },
	{ STEP_seccomp, EINVAL, 125 },
};

START_TEST(gives_a_status)
{
	const struct fault f = { .step = statuses[_i].step, .why = statuses[_i].why };

	ck_assert_int_eq(fault_status(&f), statuses[_i].status);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fault");
	TCase *fault = tcase_create("fault");

	tcase_add_test(fault, records_step_reason_and_object);
	tcase_add_test(fault, cuts_a_long_object);
	tcase_add_test(fault, says_what_on_what_and_why);
	tcase_add_loop_test(fault, quotes_the_object, 0, ARRAY_SIZE(objects));
	tcase_add_test(fault, quotes_an_object_of_control_characters);
	tcase_add_loop_test(fault, has_words_for_its_own_reasons, 0, ARRAY_SIZE(own_reasons));
	tcase_add_loop_test(fault, has_words_for_every_step, 0, STEP_COUNT);
	tcase_add_loop_test(fault, gives_a_status, 0, ARRAY_SIZE(statuses));
	suite_add_tcase(suite, fault);
	return suite;
}

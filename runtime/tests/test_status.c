// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The look back at /proc/self/status, the last before the command runs: every field that
 * is not as the plan wants it, or is not there, ends the container.
 */
#include "../status.c"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

enum { CAPS = 0x400, UID = 7, GID = 8 };

static const struct plan plan = { .uid = UID, .gid = GID, .caps = CAPS };
static const struct plan plan_of_root = { .uid = 0, .gid = 0, .caps = CAPS };

/* As the kernel writes it, of a process that is as @plan wants it. */
static const char right[] = "Name:\tbulkhead\nUmask:\t0022\nState:\tR (running)\nPid:\t1\n"
			    "Uid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nFDSize:\t64\nGroups:\t \n"
			    "NStgid:\t1\nSigQ:\t0/100\nSigPnd:\t0000000000000004\n"
			    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
			    "SigCgt:\t0000000000000000\nCapInh:\t0000000000000000\n"
			    "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
			    "CapBnd:\t0000000000000400\nCapAmb:\t0000000000000000\n"
			    "NoNewPrivs:\t1\nSeccomp:\t0\n";

/* @text with the first @old in it replaced by @new, never freed. */
static const char *replaced(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *result;

	ck_assert_msg(at, "\"%s\" is not in the text", old);
	ck_assert_int_gt(
		asprintf(&result, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)), 0);
	return result;
}

static const char *changed(const char *old, const char *new)
{
	return replaced(right, old, new);
}

START_TEST(what_is_right_passes)
{
	struct inside in = { .plan = &plan };

	ck_assert_int_eq(inspect_status(&in, right), 0);
	ck_assert_int_eq(in.fault.why, 0);
}
END_TEST

static const struct {
	const char *old, *new;
	enum step step;
} changes[] = {
	{ "Umask:\t0022", "Umask:\t0002", STEP_session },
	{ "Umask:\t0022", "Umask:\t00220", STEP_session },
	{ "NoNewPrivs:\t1", "NoNewPrivs:\t0", STEP_no_new_privs },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t0\t7\t7\t7", STEP_user },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t7\t0\t7\t7", STEP_user },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t0\t7", STEP_user },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t7\t0", STEP_user },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t7\t", STEP_user },
	{ "Uid:\t7\t7\t7\t7", "Uid:\t77\t7\t7\t7", STEP_user },
	{ "Gid:\t8\t8\t8\t8", "Gid:\t8\t8\t8\t0", STEP_user },
	{ "Gid:\t8\t8\t8\t8", "Gid:\t0\t8\t8\t8", STEP_user },
	{ "Groups:\t \n", "Groups:\t0 \n", STEP_groups },
	{ "Groups:\t \n", "Groups:\t65534 8 \n", STEP_groups },
	{ "SigBlk:\t0000000000000000", "SigBlk:\t0000000000000001", STEP_signals },
	{ "SigBlk:\t0000000000000000", "SigBlk:\t8000000000000000", STEP_signals },
	{ "SigIgn:\t0000000000000000", "SigIgn:\t0000000000001000", STEP_signals },
	{ "SigCgt:\t0000000000000000", "SigCgt:\t0000000000000002", STEP_signals },
	{ "CapInh:\t0000000000000000", "CapInh:\t0000000000000400", STEP_caps },
	{ "CapPrm:\t0000000000000000", "CapPrm:\t0000000000000400", STEP_caps },
	{ "CapEff:\t0000000000000000", "CapEff:\t0000000000000400", STEP_caps },
	{ "CapBnd:\t0000000000000400", "CapBnd:\t0000000000000c00", STEP_bounding },
	{ "CapBnd:\t0000000000000400", "CapBnd:\t000001ffffffffff", STEP_bounding },
	{ "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000400", STEP_caps },
	{ "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000000x", STEP_caps },
	{ "CapAmb:\t0000000000000000", "CapAmb:\t-", STEP_caps },
};

START_TEST(what_is_not_as_planned_ends_it)
{
	struct inside in = { .plan = &plan };

	ck_assert_msg(inspect_status(&in, changed(changes[_i].old, changes[_i].new)) < 0, "%s",
		      changes[_i].new);
	ck_assert_int_eq(in.fault.step, changes[_i].step);
	ck_assert_int_eq(in.fault.why, LIE);
}
END_TEST

static const char *const fields[] = {
	"\nUmask:",  "\nUid:",    "\nGid:",        "\nGroups:", "\nSigBlk:",
	"\nSigIgn:", "\nSigCgt:", "\nCapInh:",     "\nCapPrm:", "\nCapEff:",
	"\nCapBnd:", "\nCapAmb:", "\nNoNewPrivs:",
};

START_TEST(what_is_not_there_ends_it)
{
	struct inside in = { .plan = &plan };

	ck_assert_int_lt(inspect_status(&in, changed(fields[_i], "\nOther:")), 0);
	ck_assert_int_eq(in.fault.why, LIE);
}
END_TEST

/* A name that the process chose cannot pass for a field: the kernel escapes its newline. */
START_TEST(a_field_begins_its_line)
{
	struct inside in = { .plan = &plan };

	ck_assert_int_lt(inspect_status(&in, changed("\nUid:", "\nxUid:")), 0);
	in.fault.why = 0;
	ck_assert_int_eq(inspect_status(&in, changed("bulkhead", "Uid: 0 0 0 0")), 0);
}
END_TEST

START_TEST(a_text_that_is_cut_ends_it)
{
	for (size_t n = 0; n + strlen("1\nSeccomp:\t0\n") < sizeof(right) - 1; n++) {
		struct inside in = { .plan = &plan };
		char text[sizeof(right)];

		memcpy(text, right, n);
		text[n] = '\0';
		ck_assert_msg(inspect_status(&in, text) < 0, "after %zu bytes", n);
	}
}
END_TEST

/* The text of a process of root, with these permitted capabilities and ids. */
static const char *of_root(const char *permitted, const char *uids)
{
	const char *text = changed("Uid:\t7\t7\t7\t7", uids);

	text = replaced(text, "8\t8\t8\t8", "0\t0\t0\t0");
	return replaced(text, "CapPrm:\t0000000000000000", permitted);
}

/* Fewer than planned is a kernel that does not know them all. */
static const struct {
	const char *permitted, *uids;
	int want;
} roots[] = {
	{ "CapPrm:\t0000000000000400", "Uid:\t0\t0\t0\t0", 0 },
	{ "CapPrm:\t0000000000000000", "Uid:\t0\t0\t0\t0", 0 },
	{ "CapPrm:\t0000000000000401", "Uid:\t0\t0\t0\t0", -1 },
	{ "CapPrm:\t0000000000000c00", "Uid:\t0\t0\t0\t0", -1 },
	{ "CapPrm:\t0000000000000400", "Uid:\t0\t0\t0", -1 },
	{ "CapPrm:\t0000000000000400", "Uid:\t", -1 },
	{ "CapPrm:\t0000000000000400", "Uid:\tx", -1 },
};

START_TEST(root_is_looked_at_too)
{
	struct inside in = { .plan = &plan_of_root };

	ck_assert_int_eq(inspect_status(&in, of_root(roots[_i].permitted, roots[_i].uids)),
			 roots[_i].want);
}
END_TEST

START_TEST(groups_may_stay_where_the_caller_may_not_drop_them)
{
	struct inside in = { .plan = &plan, .groups_stay = true };

	ck_assert_int_eq(inspect_status(&in, changed("Groups:\t \n", "Groups:\t65534 \n")), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *status = tcase_create("status");

	tcase_add_test(status, what_is_right_passes);
	tcase_add_loop_test(status, what_is_not_as_planned_ends_it, 0, ARRAY_SIZE(changes));
	tcase_add_loop_test(status, what_is_not_there_ends_it, 0, ARRAY_SIZE(fields));
	tcase_add_test(status, a_field_begins_its_line);
	tcase_add_test(status, a_text_that_is_cut_ends_it);
	tcase_add_loop_test(status, root_is_looked_at_too, 0, ARRAY_SIZE(roots));
	tcase_add_test(status, groups_may_stay_where_the_caller_may_not_drop_them);
	suite_add_tcase(suite, status);
	return suite;
}

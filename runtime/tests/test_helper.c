// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs of the host: found by the caller's PATH, executed, waited for. */
#include "unit.h"

#include "../fault.h"
#include "../helper.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static char path[HELPER_PATH_ROOM];

static const struct {
	const char *search, *name;
	int want;
} searches[] = {
	{ "/no/such/directory:/usr/bin:/bin", "sh", 0 },
	{ "/etc/passwd:/bin", "sh", 0 },
	{ "::/bin", "sh", 0 },
	{ "/bin", "no-such-helper", -ENOENT },
	{ "/etc", "passwd", -ENOENT }, /* not executable */
	{ "", "sh", -ENOENT },
	{ ":", "sh", -ENOENT }, /* never in the current directory */
};

START_TEST(finds_by_path)
{
	setenv("PATH", searches[_i].search, 1);
	ck_assert_int_eq(chdir("/bin"), 0);
	ck_assert_int_eq(helper_find(searches[_i].name, path, sizeof(path)), searches[_i].want);
	if (searches[_i].want == 0)
		ck_assert_int_eq(access(path, X_OK), 0);
}
END_TEST

static const struct {
	const char *script;
	long want;
} ends[] = {
	{ "exit 0", 0 },
	{ "exit 1", NO_MAP_HELPER },
	{ "kill -9 $$", NO_MAP_HELPER },
	{ "test \"$UNIT_TEST\" = set", 0 }, /* the caller's environment */
};

START_TEST(tells_how_it_ended)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)ends[_i].script, NULL };

	setenv("UNIT_TEST", "set", 1);
	ck_assert_int_eq(helper_run("/bin/sh", argv), ends[_i].want);
}
END_TEST

START_TEST(tells_why_it_could_not_be_executed)
{
	char *argv[] = { (char *)"passwd", NULL };

	ck_assert_int_eq(helper_run("/etc/passwd", argv), -EACCES);
	ck_assert_int_eq(helper_run("/no/such/helper", argv), -ENOENT);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("helper");
	TCase *helper = tcase_create("helper");

	tcase_add_loop_test(helper, finds_by_path, 0, ARRAY_SIZE(searches));
	tcase_add_loop_test(helper, tells_how_it_ended, 0, ARRAY_SIZE(ends));
	tcase_add_test(helper, tells_why_it_could_not_be_executed);
	suite_add_tcase(suite, helper);
	return suite;
}

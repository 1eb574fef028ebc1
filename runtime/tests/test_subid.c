// SPDX-License-Identifier: GPL-2.0-or-later
/* The default id map of a caller without privilege, from files of our own making. */
#include "unit.h"

#include "../subid.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELPER "sh" /* in place of newuidmap: a program that is installed everywhere */

static struct id_map lines[ID_MAP_ROOM];
static struct id_maps maps = { .line = lines };
static char file[] = "/tmp/bulkhead-subid-XXXXXX";

static void set_up(void)
{
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	close(fd);
	setenv("PATH", "/no/such/directory:/usr/bin:/bin", 1);
}

static void tear_down(void)
{
	unlink(file);
}

/* Writes @text with our own uid for each @ into the file, and reads the map that it gives. */
static const struct id_maps *maps_of(const char *text)
{
	FILE *f = fopen(file, "we");

	ck_assert_ptr_nonnull(f);
	for (; *text; text++)
		if (*text == '@')
			fprintf(f, "%u", geteuid());
		else
			fputc(*text, f);
	fclose(f);
	subid_maps(file, HELPER, 1234, &maps);
	ck_assert_uint_eq(maps.line[0].inside, 0);
	ck_assert_uint_eq(maps.line[0].host, 1234);
	ck_assert_uint_eq(maps.line[0].count, 1);
	return &maps;
}

/* Lines of the file; @ stands for our own uid. Without a range only our own id is mapped. */
static const struct {
	const char *text;
	uint32_t start, count; /* of the one range; 0: none */
} grants[] = {
	{ "@:100000:65536\n", 100000, 65536 },
	{ "@:100000:65536", 100000, 65536 },
	{ "nobody-else:5:5\n@:100000:65536\n", 100000, 65536 },
	{ "", 0, 0 },
	{ "\n", 0, 0 },
	{ "nobody-else:100000:65536\n", 0, 0 },
	{ "@0:100000:65536\n", 0, 0 },
	{ ":100000:65536\n", 0, 0 },
	{ "@:100000\n", 0, 0 },
	{ "@:100000:0\n", 0, 0 },
	{ "@::\n", 0, 0 },
	{ "@\n", 0, 0 },
	{ "@:a:b\n", 0, 0 },
	{ "# @:100000:65536\n", 0, 0 },
	{ "@:4294967295:1\n", 0, 0 },
	{ "@:4294967290:100\n", 0, 0 },
	{ "@:0:4294967295\n", 0, 0 },
	{ "@:18446744073709551615:1\n", 0, 0 },
	{ "@:1:18446744073709551615\n", 0, 0 },
	{ "@:100000:65536\n@:100000:65536\n", 100000, 65536 },
	{ "@:100000:65536\n@:165535:10\n", 100000, 65536 },
	{ "@:1000:1000\n", 0, 0 },
};

START_TEST(takes_the_range_of_the_caller)
{
	maps_of(grants[_i].text);
	ck_assert_msg(maps.n == (grants[_i].count ? 2 : 1), "\"%s\": %zu lines", grants[_i].text,
		      maps.n);
	if (!grants[_i].count)
		return;
	ck_assert_uint_eq(maps.line[1].inside, 1);
	ck_assert_uint_eq(maps.line[1].host, grants[_i].start);
	ck_assert_uint_eq(maps.line[1].count, grants[_i].count);
}
END_TEST

/* By the name in /etc/passwd; who has none there is found by number alone. */
static const char *own_name(void)
{
	static char number[16];
	FILE *passwd = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	ck_assert_ptr_nonnull(passwd);
	while ((pw = fgetpwent(passwd)) && pw->pw_uid != geteuid())
		;
	fclose(passwd);
	snprintf(number, sizeof(number), "%u", geteuid());
	return pw ? pw->pw_name : number;
}

START_TEST(finds_the_caller_by_name)
{
	const char *name = own_name();
	char text[128];

	snprintf(text, sizeof(text), "%s:7000:10\n", name);
	ck_assert_uint_eq(maps_of(text)->n, 2);
	snprintf(text, sizeof(text), "%sx:7000:10\n", name);
	ck_assert_uint_eq(maps_of(text)->n, 1);
}
END_TEST

START_TEST(lines_up_several_ranges)
{
	maps_of("@:100000:10\nother:1:1\n@:200000:20\n");
	ck_assert_uint_eq(maps.n, 3);
	ck_assert_uint_eq(maps.line[1].inside, 1);
	ck_assert_uint_eq(maps.line[2].inside, 11);
	ck_assert_uint_eq(maps.line[2].host, 200000);
	ck_assert_uint_eq(maps.line[2].count, 20);
}
END_TEST

START_TEST(takes_as_many_ranges_as_the_kernel)
{
	FILE *f = fopen(file, "we");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 400; i++)
		fprintf(f, "%u:%d:1\n", geteuid(), 100000 + i);
	fclose(f);
	subid_maps(file, HELPER, 1234, &maps);
	ck_assert_uint_eq(maps.n, ID_MAP_ROOM);
}
END_TEST

/* The end of a long line is no line of its own. */
START_TEST(reads_long_lines_whole)
{
	char text[5000];

	for (int length = 200; length < 1100; length++) {
		snprintf(text, sizeof(text), "#%s@:7000:10\n", unit_repeat('x', (size_t)length));
		ck_assert_uint_eq(maps_of(text)->n, 1);
	}
}
END_TEST

START_TEST(needs_the_helper)
{
	maps_of("@:100000:65536\n");
	subid_maps(file, "no-such-helper", 1234, &maps);
	ck_assert_uint_eq(maps.n, 1);
	unsetenv("PATH");
	subid_maps(file, HELPER, 1234, &maps);
	ck_assert_uint_eq(maps.n, 1);
}
END_TEST

START_TEST(needs_no_file)
{
	subid_maps("/no/such/file", HELPER, 1234, &maps);
	ck_assert_uint_eq(maps.n, 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("subid");
	TCase *subid = tcase_create("subid");

	tcase_add_unchecked_fixture(subid, set_up, tear_down);
	tcase_add_loop_test(subid, takes_the_range_of_the_caller, 0, ARRAY_SIZE(grants));
	tcase_add_test(subid, finds_the_caller_by_name);
	tcase_add_test(subid, lines_up_several_ranges);
	tcase_add_test(subid, takes_as_many_ranges_as_the_kernel);
	tcase_add_test(subid, reads_long_lines_whole);
	tcase_add_test(subid, needs_the_helper);
	tcase_add_test(subid, needs_no_file);
	suite_add_tcase(suite, subid);
	return suite;
}

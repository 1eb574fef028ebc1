// SPDX-License-Identifier: GPL-2.0-or-later
/* Files line by line, however the kernel cuts them into reads. */
#include "unit.h"

#include "../lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fds[2];

static void set_up(void)
{
	ck_assert_int_eq(pipe(fds), 0);
}

static void tear_down(void)
{
	close(fds[0]);
	close(fds[1]);
}

static const struct {
	const char *text, *want[3];
} files[] = {
	{ "", { NULL } },
	{ "\n", { "", NULL } },
	{ "one", { "one", NULL } },
	{ "one\n", { "one", NULL } },
	{ "one\ntwo", { "one", "two", NULL } },
	{ "one\n\n", { "one", "", NULL } },
};

START_TEST(gives_each_line_once)
{
	struct lines l = { .fd = fds[0] };
	size_t i = 0;
	char *line;

	ck_assert_int_eq(write(fds[1], files[_i].text, strlen(files[_i].text)),
			 (int)strlen(files[_i].text));
	close(fds[1]);
	while ((line = lines_next(&l))) {
		ck_assert_ptr_nonnull(files[_i].want[i]);
		ck_assert_str_eq(line, files[_i].want[i++]);
	}
	ck_assert_ptr_null(files[_i].want[i]);
	ck_assert_int_eq(l.error, 0);
}
END_TEST

START_TEST(puts_a_cut_line_together)
{
	struct lines l = { .fd = fds[0] };

	ck_assert_int_eq(write(fds[1], "one\ntw", 6), 6);
	ck_assert_str_eq(lines_next(&l), "one");
	ck_assert_int_eq(write(fds[1], "o\n", 2), 2);
	ck_assert_str_eq(lines_next(&l), "two");
}
END_TEST

/* An empty datagram reads as the end of a file that goes on. */
START_TEST(asks_twice_for_the_end)
{
	int ends[2];
	struct lines l = { .fd = -1 };

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	l.fd = ends[0];
	ck_assert_int_eq(send(ends[1], "one\n", 4, 0), 4);
	ck_assert_int_eq(send(ends[1], "", 0, 0), 0);
	ck_assert_int_eq(send(ends[1], "two\n", 4, 0), 4);
	ck_assert_str_eq(lines_next(&l), "one");
	ck_assert_str_eq(lines_next(&l), "two");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Its tail must not be taken for a line of its own. */
START_TEST(stops_at_too_long_a_line)
{
	struct lines l = { .fd = fds[0] };
	char *text = calloc(1, LINE_ROOM + 16);

	ck_assert_ptr_nonnull(text);
	memset(text, '#', LINE_ROOM);
	strcpy(text + LINE_ROOM, "\n@:1:1\n");
	ck_assert_int_eq(write(fds[1], text, strlen(text)), (int)strlen(text));
	close(fds[1]);
	ck_assert_ptr_null(lines_next(&l));
	ck_assert_int_eq(l.error, -E2BIG);
	ck_assert_ptr_null(lines_next(&l));
	free(text);
}
END_TEST

START_TEST(tells_a_failed_read)
{
	struct lines l = { .fd = -1 };

	ck_assert_ptr_null(lines_next(&l));
	ck_assert_int_eq(l.error, -EBADF);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *lines = tcase_create("lines");

	tcase_add_checked_fixture(lines, set_up, tear_down);
	tcase_add_loop_test(lines, gives_each_line_once, 0, ARRAY_SIZE(files));
	tcase_add_test(lines, puts_a_cut_line_together);
	tcase_add_test(lines, asks_twice_for_the_end);
	tcase_add_test(lines, stops_at_too_long_a_line);
	tcase_add_test(lines, tells_a_failed_read);
	suite_add_tcase(suite, lines);
	return suite;
}

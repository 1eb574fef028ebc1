// SPDX-License-Identifier: GPL-2.0-or-later
/* Text put together without allocation: what fits is whole, what does not is cut in bounds. */
#include "unit.h"

#include "../text.h"

#include <string.h>

START_TEST(adds_at_the_end)
{
	char text[16] = "a";

	text_add(text, sizeof(text), "bc");
	text_add_bytes(text, sizeof(text), "defg", 2);
	text_add_number(text, sizeof(text), 42);
	text_add(text, sizeof(text), "");
	ck_assert_str_eq(text, "abcde42");
}
END_TEST

/* The byte behind the room must stay as it was. */
START_TEST(cuts_what_does_not_fit)
{
	char text[8] = "";

	memset(text, '#', sizeof(text));
	text[0] = '\0';
	text_add(text, 4, "abcdef");
	ck_assert_str_eq(text, "abc");
	text_add(text, 4, "x");
	text_add_number(text, 4, 1);
	text_add_escaped(text, 4, ":");
	ck_assert_str_eq(text, "abc");
	ck_assert_int_eq(text[4], '#');
}
END_TEST

START_TEST(fills_its_room)
{
	char text[4] = "";

	text_add(text, sizeof(text), "abc");
	ck_assert_str_eq(text, "abc");
}
END_TEST

static const struct {
	uint64_t n;
	const char *want;
} numbers[] = {
	{ 0, "0" },
	{ 9, "9" },
	{ 10, "10" },
	{ 4294967295, "4294967295" },
	{ UINT64_MAX, "18446744073709551615" },
};

START_TEST(writes_a_number)
{
	char text[32] = "";

	text_add_number(text, sizeof(text), numbers[_i].n);
	ck_assert_str_eq(text, numbers[_i].want);
}
END_TEST

static const struct {
	const char *plain, *want;
} escapes[] = {
	{ "", "" },         { "/a b", "/a b" },         { "a:b", "a\\:b" },
	{ "a,b", "a\\,b" }, { "a\\b", "a\\\\b" },       { ":,\\", "\\:\\,\\\\" },
	{ "a=b", "a=b" },   { "\xc3\xa9", "\xc3\xa9" },
};

START_TEST(escapes_for_overlayfs)
{
	char text[64] = "";

	text_add_escaped(text, sizeof(text), escapes[_i].plain);
	ck_assert_str_eq(text, escapes[_i].want);
}
END_TEST

/* The room is 9 bytes: at most two escapes. */
static const struct {
	const char *plain, *want;
} quotes[] = {
	{ "", "" },
	{ "a/b c", "a/b c" },
	{ "\xc3\xa9", "\xc3\xa9" },
	{ "\x1b\x7f", "\\x1b\\x7f" },
	{ "\"\\", "\\x22\\x5c" },
	{ "\n\t\r", "\\x0a\\x09" },
	{ "abcdefghij", "abcde" },
	{ "abcde\n", "abcde" },
};

START_TEST(quotes_for_a_message)
{
	char text[16];

	memset(text, '#', sizeof(text));
	text_quote(text, 9, quotes[_i].plain);
	ck_assert_str_eq(text, quotes[_i].want);
	ck_assert_int_eq(text[9], '#');
}
END_TEST

static const struct {
	const char *path, *want;
} paths[] = {
	{ "a", "a" }, { "/a", "a" }, { "/a/b", "b" }, { "../b", "b" }, { "/", "" }, { "", "" },
};

START_TEST(finds_the_last_part)
{
	ck_assert_str_eq(text_basename(paths[_i].path), paths[_i].want);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *text = tcase_create("text");

	tcase_add_test(text, adds_at_the_end);
	tcase_add_test(text, cuts_what_does_not_fit);
	tcase_add_test(text, fills_its_room);
	tcase_add_loop_test(text, writes_a_number, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(text, escapes_for_overlayfs, 0, ARRAY_SIZE(escapes));
	tcase_add_loop_test(text, quotes_for_a_message, 0, ARRAY_SIZE(quotes));
	tcase_add_loop_test(text, finds_the_last_part, 0, ARRAY_SIZE(paths));
	suite_add_tcase(suite, text);
	return suite;
}

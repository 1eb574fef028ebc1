// SPDX-License-Identifier: GPL-2.0-or-later
/* The values that options take: accepted whole, or refused with the reason. */
#include "unit.h"

#include "../values.h"

#include <stdio.h>
#include <string.h>

#define K 1024ULL
#define M (K * K)
#define G (K * M)
#define T (K * G)

/* --- Numbers --- */

static const struct {
	const char *value, *wrong;
	uint64_t want;
} numbers[] = {
	{ "1", NULL, 1 },
	{ "4194304", NULL, 4194304 },
	{ "007", NULL, 7 },
	{ "0", "out of range", 0 },
	{ "4194305", "out of range", 0 },
	{ "18446744073709551616", "not a number", 0 },
	{ "99999999999999999999999999", "not a number", 0 },
	{ "", "not a number", 0 },
	{ " 1", "not a number", 0 },
	{ "1 ", "not a number", 0 },
	{ "+1", "not a number", 0 },
	{ "-1", "not a number", 0 },
	{ "0x10", "not a number", 0 },
	{ "1e3", "not a number", 0 },
	{ "1\n", "not a number", 0 },
	{ "max", "not a number", 0 },
};

START_TEST(number)
{
	uint64_t got = 0;

	unit_verdict(numbers[_i].value, numbers[_i].wrong,
		     parse_number(numbers[_i].value, 1, 4194304, &got));
	ck_assert_uint_eq(got, numbers[_i].want);
}
END_TEST

START_TEST(number_takes_the_whole_range)
{
	uint64_t got = 0;

	ck_assert_ptr_null(parse_number("18446744073709551615", 0, UINT64_MAX, &got));
	ck_assert_uint_eq(got, UINT64_MAX);
	ck_assert_ptr_null(parse_number("0", 0, UINT64_MAX, &got));
	ck_assert_uint_eq(got, 0);
}
END_TEST

/* --- Sizes --- */

static const struct {
	const char *value, *wrong;
	uint64_t want;
} sizes[] = {
	{ "4096", NULL, 4096 },
	{ "4k", NULL, 4 * K },
	{ "4K", NULL, 4 * K },
	{ "64m", NULL, 64 * M },
	{ "64M", NULL, 64 * M },
	{ "2g", NULL, 2 * G },
	{ "2G", NULL, 2 * G },
	{ "1t", NULL, T },
	{ "1T", NULL, T },
	{ "9223372036854775807", NULL, INT64_MAX },
	{ "8388607T", NULL, 8388607 * T },
	{ "0", "at least 4096", 0 },
	{ "4095", "at least 4096", 0 },
	{ "3k", "at least 4096", 0 },
	{ "9223372036854775808", "out of range", 0 },
	{ "8388608T", "out of range", 0 },
	{ "16777216T", "out of range", 0 },
	{ "18446744073709551615G", "out of range", 0 },
	{ "18446744073709551616", "not a size", 0 },
	{ "", "not a size", 0 },
	{ "k", "not a size", 0 },
	{ "12x", "not a size", 0 },
	{ "12KB", "not a size", 0 },
	{ "12 K", "not a size", 0 },
	{ "1.5G", "not a size", 0 },
	{ "-1", "not a size", 0 },
	{ "+4096", "not a size", 0 },
	{ " 4096", "not a size", 0 },
	{ "0x1000", "not a size", 0 },
	{ "4096\n", "not a size", 0 },
	{ "1P", "not a size", 0 },
	{ "unlimited", "not a size", 0 },
};

START_TEST(size)
{
	uint64_t got = 0;

	unit_verdict(sizes[_i].value, sizes[_i].wrong, parse_size(sizes[_i].value, &got));
	ck_assert_uint_eq(got, sizes[_i].want);
}
END_TEST

/* --- CPUs --- */

static const struct {
	const char *value, *wrong;
	uint64_t want_usec;
} cpus[] = {
	{ "1", NULL, 100000 },
	{ "0.5", NULL, 50000 },
	{ "1.5", NULL, 150000 },
	{ "2.25", NULL, 225000 },
	{ "0.01", NULL, 1000 },
	{ "0.12345", NULL, 12345 },
	{ "0.123459999", NULL, 12345 },
	{ "00.50", NULL, 50000 },
	{ "100000", NULL, 10000000000ULL },
	{ "0", "too few", 0 },
	{ "0.0", "too few", 0 },
	{ "0.00999", "too few", 0 },
	{ "100001", "not a number", 0 },
	{ "18446744073709551616", "not a number", 0 },
	{ "", "not a number", 0 },
	{ ".5", "not a number", 0 },
	{ "1.", "not a number", 0 },
	{ "1.2.3", "not a number", 0 },
	{ "1,5", "not a number", 0 },
	{ "-1", "not a number", 0 },
	{ "+1", "not a number", 0 },
	{ "1 ", "not a number", 0 },
	{ "1.5x", "not a number", 0 },
	{ "50%", "not a number", 0 },
	{ "inf", "not a number", 0 },
};

START_TEST(cpu)
{
	uint64_t got = 0;
	const char *wrong = parse_cpus(cpus[_i].value, &got);

	unit_verdict(cpus[_i].value, cpus[_i].wrong, wrong);
	if (!wrong)
		ck_assert_uint_eq(got, cpus[_i].want_usec);
}
END_TEST

/* --- Clocks --- */

static const struct {
	const char *value, *wrong;
	int64_t monotonic, boottime;
} clocks[] = {
	{ "0,0", NULL, 0, 0 },
	{ "3600,-60", NULL, 3600, -60 },
	{ "-86400,86400", NULL, -86400, 86400 },
	{ "4000000000,-4000000000", NULL, 4000000000LL, -4000000000LL },
	{ "4000000001,0", "two offsets", 0, 0 },
	{ "0,-4000000001", "two offsets", 0, 0 },
	{ "", "two offsets", 0, 0 },
	{ ",", "two offsets", 0, 0 },
	{ "1", "two offsets", 0, 0 },
	{ "1,", "two offsets", 0, 0 },
	{ ",1", "two offsets", 0, 0 },
	{ "1,2,3", "two offsets", 0, 0 },
	{ "1, 2", "two offsets", 0, 0 },
	{ "1:2", "two offsets", 0, 0 },
	{ "--1,2", "two offsets", 0, 0 },
	{ "+1,2", "two offsets", 0, 0 },
	{ "1.5,2", "two offsets", 0, 0 },
	{ "-,2", "two offsets", 0, 0 },
};

START_TEST(clock_pair)
{
	struct clock_offsets got = { .asked = false };
	const char *wrong = parse_clocks(clocks[_i].value, &got);

	unit_verdict(clocks[_i].value, clocks[_i].wrong, wrong);
	ck_assert_int_eq(got.asked, !wrong);
	if (wrong)
		return;
	ck_assert_int_eq(got.monotonic, clocks[_i].monotonic);
	ck_assert_int_eq(got.boottime, clocks[_i].boottime);
}
END_TEST

/* --- Hostnames --- */

static const struct {
	const char *value, *wrong;
} hostnames[] = {
	{ "a", NULL },        { "web-1.example_Site", NULL }, { "1234", NULL },
	{ "", "1 to 64" },    { "a b", "letters" },           { "a\nb", "letters" },
	{ "a/b", "letters" }, { "a\x1b[31m", "letters" },     { "caf\xc3\xa9", "letters" },
	{ "a:b", "letters" },
};

START_TEST(hostname)
{
	unit_verdict(hostnames[_i].value, hostnames[_i].wrong, parse_hostname(hostnames[_i].value));
}
END_TEST

START_TEST(hostname_length)
{
	ck_assert_ptr_null(parse_hostname(unit_repeat('a', 64)));
	unit_verdict("65 bytes", "1 to 64", parse_hostname(unit_repeat('a', 65)));
	unit_verdict("300 bytes", "1 to 64", parse_hostname(unit_repeat('a', 300)));
}
END_TEST

/* --- Binds --- */

static const struct {
	const char *value, *wrong, *source, *target;
	bool read_only;
} binds[] = {
	{ "/a:/b", NULL, "/a", "/b", false },
	{ "/a:/b:ro", NULL, "/a", "/b", true },
	{ "a:/b", NULL, "a", "/b", false },
	{ "../a:/b/c/", NULL, "../a", "/b/c/", false },
	{ "/a b:/c d", NULL, "/a b", "/c d", false },
	{ "/a:/device", NULL, "/a", "/device", false },
	{ "/a:/dev/x", NULL, "/a", "/dev/x", false },
	{ "/a:/d", NULL, "/a", "/d", false },
	{ "", "not SRC:DST", NULL, NULL, false },
	{ "/a", "not SRC:DST", NULL, NULL, false },
	{ ":/b", "not SRC:DST", NULL, NULL, false },
	{ "/a:", "absolute", NULL, NULL, false },
	{ "/a::ro", "absolute", NULL, NULL, false },
	{ "/a:b", "absolute", NULL, NULL, false },
	{ "/a:/b:rw", "only option is ro", NULL, NULL, false },
	{ "/a:/b:", "only option is ro", NULL, NULL, false },
	{ "/a:/b:RO", "only option is ro", NULL, NULL, false },
	{ "/a:/b:ro,z", "only option is ro", NULL, NULL, false },
	{ "/a:/b:ro:ro", "only option is ro", NULL, NULL, false },
	{ "/a:/", "is the root", NULL, NULL, false },
	{ "/a:///", "is the root", NULL, NULL, false },
	{ "/a:/proc", "would hide", NULL, NULL, false },
	{ "/a:/proc/", "would hide", NULL, NULL, false },
	{ "/a:/sys:ro", "would hide", NULL, NULL, false },
	{ "/a:/dev//", "would hide", NULL, NULL, false },
};

START_TEST(bind_value)
{
	struct bind got = { .source = NULL };
	const char *wrong = parse_bind(unit_copy(binds[_i].value), &got);

	unit_verdict(binds[_i].value, binds[_i].wrong, wrong);
	if (wrong)
		return;
	ck_assert_str_eq(got.source, binds[_i].source);
	ck_assert_str_eq(got.target, binds[_i].target);
	ck_assert_int_eq(got.read_only, binds[_i].read_only);
}
END_TEST

START_TEST(bind_target_length)
{
	char value[5000];
	struct bind got;

	snprintf(value, sizeof(value), "/a:/%s", unit_repeat('b', 4094));
	ck_assert_ptr_null(parse_bind(value, &got));
	snprintf(value, sizeof(value), "/a:/%s", unit_repeat('b', 4095));
	unit_verdict("4096 bytes", "too long", parse_bind(value, &got));
}
END_TEST

/* --- tmpfs --- */

static const struct {
	const char *value, *wrong, *target;
	uint64_t size;
} tmpfses[] = {
	{ "/a", NULL, "/a", 0 },
	{ "/a:size=4096", NULL, "/a", 4096 },
	{ "/a:size=64M", NULL, "/a", 67108864 },
	{ "", "absolute", NULL, 0 },
	{ "a", "absolute", NULL, 0 },
	{ "/", "is the root", NULL, 0 },
	{ "/dev", "would hide", NULL, 0 },
	{ "/a:", "only option is size=N", NULL, 0 },
	{ "/a:ro", "only option is size=N", NULL, 0 },
	{ "/a:SIZE=1M", "only option is size=N", NULL, 0 },
	{ "/a:size", "only option is size=N", NULL, 0 },
	{ "/a:size=", "not a size", NULL, 0 },
	{ "/a:size=50%", "not a size", NULL, 0 },
	{ "/a:size=1M,mode=0", "not a size", NULL, 0 },
	{ "/a:size=1M:ro", "not a size", NULL, 0 },
	{ "/a:size=1", "at least 4096", NULL, 0 },
};

START_TEST(tmpfs_value)
{
	struct tmpfs got = { .target = NULL };
	const char *wrong = parse_tmpfs(unit_copy(tmpfses[_i].value), &got);

	unit_verdict(tmpfses[_i].value, tmpfses[_i].wrong, wrong);
	if (wrong)
		return;
	ck_assert_str_eq(got.target, tmpfses[_i].target);
	ck_assert_uint_eq(got.size, tmpfses[_i].size);
}
END_TEST

/* --- Environment --- */

static const struct {
	const char *value, *wrong;
} assignments[] = {
	{ "A=1", NULL },      { "A=", NULL },        { "A=b=c", NULL },     { "A=x y\nz", NULL },
	{ "", "NAME=VALUE" }, { "A", "NAME=VALUE" }, { "=", "NAME=VALUE" }, { "=1", "NAME=VALUE" },
};

START_TEST(assignment)
{
	unit_verdict(assignments[_i].value, assignments[_i].wrong,
		     parse_env(assignments[_i].value));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("values");
	TCase *values = tcase_create("values");

	tcase_add_loop_test(values, number, 0, ARRAY_SIZE(numbers));
	tcase_add_test(values, number_takes_the_whole_range);
	tcase_add_loop_test(values, size, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(values, cpu, 0, ARRAY_SIZE(cpus));
	tcase_add_loop_test(values, clock_pair, 0, ARRAY_SIZE(clocks));
	tcase_add_loop_test(values, hostname, 0, ARRAY_SIZE(hostnames));
	tcase_add_test(values, hostname_length);
	tcase_add_loop_test(values, bind_value, 0, ARRAY_SIZE(binds));
	tcase_add_test(values, bind_target_length);
	tcase_add_loop_test(values, tmpfs_value, 0, ARRAY_SIZE(tmpfses));
	tcase_add_loop_test(values, assignment, 0, ARRAY_SIZE(assignments));
	suite_add_tcase(suite, values);
	return suite;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Who the command is: users, id maps, namespaces and capabilities as options name them. */
#include "unit.h"

#include "../../common/compat.h"
#include "../values.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* --- Users: CVE-2026-30892 was a single-digit UID read as root --- */

enum { UNTOUCHED = 4711 };

static const struct {
	const char *value, *wrong;
	uint32_t uid, gid;
} users[] = {
	{ "0", NULL, 0, 0 },
	{ "7", NULL, 7, 0 },
	{ "7:7", NULL, 7, 7 },
	{ "07", NULL, 7, 0 },
	{ "1000:100", NULL, 1000, 100 },
	{ "0:5", NULL, 0, 5 },
	{ "4294967294:4294967294", NULL, 4294967294U, 4294967294U },
	{ "4294967295", "out of range", UNTOUCHED, UNTOUCHED },
	{ "0:4294967295", "out of range", UNTOUCHED, UNTOUCHED },
	{ "4294967296", "out of range", UNTOUCHED, UNTOUCHED },
	{ "4294967303", "out of range", UNTOUCHED, UNTOUCHED },
	{ "18446744073709551616", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7:", "not UID", UNTOUCHED, UNTOUCHED },
	{ ":7", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7:7:7", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7::7", "not UID", UNTOUCHED, UNTOUCHED },
	{ " 7", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7 ", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7\n", "not UID", UNTOUCHED, UNTOUCHED },
	{ "+7", "not UID", UNTOUCHED, UNTOUCHED },
	{ "-1", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7x", "not UID", UNTOUCHED, UNTOUCHED },
	{ "7:x", "not UID", UNTOUCHED, UNTOUCHED },
	{ "0x7", "not UID", UNTOUCHED, UNTOUCHED },
	{ "", "not UID", UNTOUCHED, UNTOUCHED },
	{ "root", "not UID", UNTOUCHED, UNTOUCHED },
};

START_TEST(user)
{
	uint32_t uid = UNTOUCHED, gid = UNTOUCHED;

	unit_verdict(users[_i].value, users[_i].wrong, parse_user(users[_i].value, &uid, &gid));
	ck_assert_uint_eq(uid, users[_i].uid);
	ck_assert_uint_eq(gid, users[_i].gid);
}
END_TEST

/* --- Id maps --- */

static struct id_maps no_maps(void)
{
	static struct id_map lines[ID_MAP_ROOM];

	return (struct id_maps){ .n = 0, .line = lines };
}

static const struct {
	const char *value, *wrong;
} map_lines[] = {
	{ "0:1000:1", NULL },
	{ "0:0:4294967295", NULL },
	{ "4294967294:0:1", NULL },
	{ "0:4294967294:1", NULL },
	{ "0:0:0", "out of range" },
	{ "0:0:4294967296", "out of range" },
	{ "1:0:4294967295", "out of range" },
	{ "0:1:4294967295", "out of range" },
	{ "4294967295:0:1", "out of range" },
	{ "0:4294967295:1", "out of range" },
	{ "18446744073709551615:0:2", "out of range" },
	{ "0:18446744073709551615:2", "out of range" },
	{ "0:0:18446744073709551615", "out of range" },
	{ "18446744073709551616:0:1", "not INSIDE" },
	{ "", "not INSIDE" },
	{ "0", "not INSIDE" },
	{ "0:1000", "not INSIDE" },
	{ "0:1000:", "not INSIDE" },
	{ ":1000:1", "not INSIDE" },
	{ "0:1000:1:1", "not INSIDE" },
	{ "0 1000 1", "not INSIDE" },
	{ "0:1000:1\n", "not INSIDE" },
	{ "-1:0:1", "not INSIDE" },
	{ "a:b:c", "not INSIDE" },
};

START_TEST(map_line)
{
	struct id_maps maps = no_maps();

	unit_verdict(map_lines[_i].value, map_lines[_i].wrong,
		     parse_id_map(map_lines[_i].value, &maps));
	ck_assert_uint_eq(maps.n, map_lines[_i].wrong ? 0 : 1);
}
END_TEST

START_TEST(map_keeps_its_three_numbers_apart)
{
	struct id_maps maps = no_maps();

	ck_assert_ptr_null(parse_id_map("1:2:3", &maps));
	ck_assert_uint_eq(maps.line[0].inside, 1);
	ck_assert_uint_eq(maps.line[0].host, 2);
	ck_assert_uint_eq(maps.line[0].count, 3);
}
END_TEST

/* Second lines beside "100:2000:50". */
static const struct {
	const char *value;
	bool overlaps;
} second_lines[] = {
	{ "150:3000:10", false }, { "90:3000:10", false },     { "200:2050:10", false },
	{ "200:1990:10", false }, { "149:3000:1", true },      { "100:3000:1", true },
	{ "90:3000:11", true },   { "0:3000:1000", true },     { "120:3000:5", true },
	{ "200:2049:10", true },  { "200:1999:2", true },      { "200:2010:1", true },
	{ "200:0:10000", true },  { "100:2000:50", true },     { "0:0:4294967295", true },
	{ "151:1950:50", false }, { "4294967200:0:5", false },
};

START_TEST(map_lines_do_not_overlap)
{
	struct id_maps maps = no_maps();

	ck_assert_ptr_null(parse_id_map("100:2000:50", &maps));
	unit_verdict(second_lines[_i].value, second_lines[_i].overlaps ? "overlaps" : NULL,
		     parse_id_map(second_lines[_i].value, &maps));
	ck_assert_uint_eq(maps.n, second_lines[_i].overlaps ? 1 : 2);
}
END_TEST

START_TEST(map_has_as_many_lines_as_the_kernel_takes)
{
	struct id_maps maps = no_maps();
	char line[40];

	for (int i = 0; i < 340; i++) {
		snprintf(line, sizeof(line), "%d:%d:1", i, 1000 + i);
		ck_assert_ptr_null(parse_id_map(line, &maps));
	}
	unit_verdict("line 341", "too many", parse_id_map("340:1340:1", &maps));
	ck_assert_uint_eq(maps.n, 340);
}
END_TEST

/* --- Namespaces --- */

static const struct {
	const char *value, *wrong;
	uint64_t flags;
} namespaces[] = {
	{ "mnt", NULL, CLONE_NEWNS },
	{ "pid", NULL, CLONE_NEWPID },
	{ "uts", NULL, CLONE_NEWUTS },
	{ "ipc", NULL, CLONE_NEWIPC },
	{ "net", NULL, CLONE_NEWNET },
	{ "cgroup", NULL, CLONE_NEWCGROUP },
	{ "user", NULL, CLONE_NEWUSER },
	{ "time", NULL, CLONE_NEWTIME },
	{ "net,ipc,cgroup", NULL, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWCGROUP },
	{ "net,net", NULL, CLONE_NEWNET },
	{ "", "not a list", 0 },
	{ ",", "not a list", 0 },
	{ ",net", "not a list", 0 },
	{ "net,", "not a list", 0 },
	{ "net ,ipc", "not a list", 0 },
	{ "NET", "not a list", 0 },
	{ "ne", "not a list", 0 },
	{ "nett", "not a list", 0 },
	{ "all", "not a list", 0 },
};

START_TEST(namespace)
{
	uint64_t got = 0;
	const char *wrong = parse_namespaces(namespaces[_i].value, &got);

	unit_verdict(namespaces[_i].value, namespaces[_i].wrong, wrong);
	if (!wrong)
		ck_assert_uint_eq(got, namespaces[_i].flags);
}
END_TEST

/* --- Capabilities --- */

static const struct {
	const char *value, *wrong;
	uint64_t bits;
} capabilities[] = {
	{ "CAP_NET_RAW", NULL, 1ULL << CAP_NET_RAW },
	{ "net_raw", NULL, 1ULL << CAP_NET_RAW },
	{ "Cap_Net_Raw", NULL, 1ULL << CAP_NET_RAW },
	{ "CAP_CHOWN", NULL, 1 },
	{ "bpf", NULL, 1ULL << CAP_BPF },
	{ "CAP_CHECKPOINT_RESTORE", NULL, 1ULL << CAP_CHECKPOINT_RESTORE },
	{ "ALL", NULL, (1ULL << (CAP_LAST_CAP + 1)) - 1 },
	{ "all", NULL, (1ULL << (CAP_LAST_CAP + 1)) - 1 },
	{ "", "no such", 0 },
	{ "CAP_", "no such", 0 },
	{ "CAP_ALL", "no such", 0 },
	{ "CAP_CAP_CHOWN", "no such", 0 },
	{ "CAP_CHOW", "no such", 0 },
	{ "CAP_CHOWN ", "no such", 0 },
	{ "CHOWN,KILL", "no such", 0 },
	{ "0", "no such", 0 },
	{ "41", "no such", 0 },
	{ "CAP_SYSADMIN", "no such", 0 },
};

START_TEST(capability)
{
	uint64_t got = 0;

	unit_verdict(capabilities[_i].value, capabilities[_i].wrong,
		     parse_capability(capabilities[_i].value, &got));
	ck_assert_uint_eq(got, capabilities[_i].bits);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("ids");
	TCase *ids = tcase_create("ids");

	tcase_add_loop_test(ids, user, 0, ARRAY_SIZE(users));
	tcase_add_loop_test(ids, map_line, 0, ARRAY_SIZE(map_lines));
	tcase_add_test(ids, map_keeps_its_three_numbers_apart);
	tcase_add_loop_test(ids, map_lines_do_not_overlap, 0, ARRAY_SIZE(second_lines));
	tcase_add_test(ids, map_has_as_many_lines_as_the_kernel_takes);
	tcase_add_loop_test(ids, namespace, 0, ARRAY_SIZE(namespaces));
	tcase_add_loop_test(ids, capability, 0, ARRAY_SIZE(capabilities));
	suite_add_tcase(suite, ids);
	return suite;
}

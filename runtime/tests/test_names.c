// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of names, against what the kernel's headers and the kernel itself say. */
#include "unit.h"

#include "../names.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEADER "/usr/include/linux/capability.h"

/* The header is read, not included: a capability that is missing in the table shows. */
START_TEST(capabilities_are_those_of_the_header)
{
	FILE *header = fopen(HEADER, "re");
	char line[256], name[64];
	unsigned int number, seen = 0;

	ck_assert_msg(header, "%s is not there", HEADER);
	while (fgets(line, sizeof(line), header)) {
		if (sscanf(line, "#define CAP_%63s %u", name, &number) != 2)
			continue;
		ck_assert_msg(number < cap_count, "the table lacks CAP_%s", name);
		ck_assert_msg(strcasecmp(name, cap_names[number]) == 0, "%u: %s, not %s", number,
			      cap_names[number], name);
		seen++;
	}
	fclose(header);
	ck_assert_uint_eq(seen, cap_count);
}
END_TEST

/* Fourteen, as the engine's documentation lists them under "runtime privilege". */
static const char *const kept[] = {
	"audit_write", "chown",  "dac_override", "fowner",           "fsetid",
	"kill",        "mknod",  "net_raw",      "setfcap",          "setgid",
	"setpcap",     "setuid", "sys_chroot",   "net_bind_service",
};

START_TEST(default_capabilities_are_few)
{
	size_t found = 0;

	for (size_t cap = 0; cap < 64; cap++) {
		bool is_kept = default_caps >> cap & 1, is_known = false;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			is_known |= cap < cap_count && strcmp(cap_names[cap], kept[i]) == 0;
		ck_assert_msg(is_kept == is_known, "capability %zu", cap);
		found += is_kept;
	}
	ck_assert_uint_eq(found, ARRAY_SIZE(kept));
}
END_TEST

START_TEST(namespaces_are_those_of_the_kernel)
{
	char path[40];

	for (size_t i = 0; i < ns_count; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_names[i].proc);
		ck_assert_msg(access(path, F_OK) == 0, "%s is not there", path);
	}
	ck_assert_uint_eq(ns_count, 8);
}
END_TEST

START_TEST(namespace_rows_differ)
{
	uint64_t all = 0;

	for (size_t i = 0; i < ns_count; i++) {
		ck_assert_msg(!(all & ns_names[i].flag), "%s has a flag twice", ns_names[i].name);
		all |= ns_names[i].flag;
	}
	ck_assert_uint_eq(default_namespaces & ~all, 0);
	ck_assert_uint_eq(all & ~default_namespaces, CLONE_NEWUSER | CLONE_NEWTIME);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("names");
	TCase *names = tcase_create("names");

	tcase_add_test(names, capabilities_are_those_of_the_header);
	tcase_add_test(names, default_capabilities_are_few);
	tcase_add_test(names, namespaces_are_those_of_the_kernel);
	tcase_add_test(names, namespace_rows_differ);
	suite_add_tcase(suite, names);
	return suite;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of /proc/self/mountinfo that kernels before 5.12 need to make a tree read-only:
 * a line that is misread is a mount that stays writable.
 */
#include "../readonly.c"
#include "unit.h"

static const struct {
	const char *line, *want; /* NULL: no mount point in it */
} lines[] = {
	{ "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw", "/mnt" },
	{ "36 35 98:0 /mnt1 / rw - ext3 /dev/root rw", "/" },
	{ "36 35 98:0 / /a\\040b rw - tmpfs none rw", "/a b" },
	{ "36 35 98:0 / /a\\011b rw - tmpfs none rw", "/a\tb" },
	{ "36 35 98:0 / /a\\012b rw - tmpfs none rw", "/a\nb" },
	{ "36 35 98:0 / /a\\134040b rw - tmpfs none rw", "/a\\040b" },
	{ "36 35 98:0 / /\\303\\251 rw - tmpfs none rw", "/\xc3\xa9" },
	{ "36 35 98:0 / /a\\ rw - tmpfs none rw", "/a\\" },
	{ "36 35 98:0 / /mnt//deleted rw - tmpfs none rw", "/mnt//deleted" },
	{ "36 35 98:0 / /mnt", NULL },
	{ "36 35 98:0 /", NULL },
	{ "36", NULL },
	{ "", NULL },
};

START_TEST(finds_the_mount_point)
{
	const char *got = mount_point(unit_copy(lines[_i].line));

	if (!lines[_i].want)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, lines[_i].want);
}
END_TEST

static const struct {
	const char *path, *top;
	bool below;
} places[] = {
	{ "/a", "/", true },      { "/a", "/a", true },    { "/a/b", "/a", true },
	{ "/ab", "/a", false },   { "/", "/a", false },    { "/b/a", "/a", false },
	{ "/a/b", "/a/b", true }, { "/a", "/a/b", false },
};

START_TEST(knows_what_lies_below)
{
	ck_assert_int_eq(is_below(places[_i].path, places[_i].top), places[_i].below);
}
END_TEST

START_TEST(refuses_a_line_that_it_cannot_read)
{
	ck_assert_int_eq(remount_line(unit_copy("1 0 0:1"), "/none", MS_RDONLY), -EIO);
}
END_TEST

/* A remount that is not allowed (we are nobody) must not be taken for one that worked. */
START_TEST(reports_a_failed_remount)
{
	char *line = unit_copy("1 0 0:1 / /no/such/place rw - tmpfs t rw");

	ck_assert_int_eq(remount_line(line, "/no/such/place", MS_RDONLY), -ENOENT);
}
END_TEST

/* With "/" the kernel's file systems are left alone; asked for by name they are not. */
static const struct {
	const char *line, *top;
	bool met;
} exceptions[] = {
	{ "1 0 0:1 / /no/such/place rw - tmpfs t rw", "/", true },
	{ "1 0 0:1 / /proc/no/such/place rw - tmpfs t rw", "/", false },
	{ "1 0 0:1 / /sys/no/such/place rw - tmpfs t rw", "/", false },
	{ "1 0 0:1 / /dev/no/such/place rw - tmpfs t rw", "/", false },
	{ "1 0 0:1 / /device/no/such/place rw - tmpfs t rw", "/", true },
	{ "1 0 0:1 / /dev/no/such/place rw - tmpfs t rw", "/dev/no", true },
};

START_TEST(leaves_the_kernels_mounts_alone)
{
	int err = remount_line(unit_copy(exceptions[_i].line), exceptions[_i].top, MS_RDONLY);

	ck_assert_int_eq(err, exceptions[_i].met ? -ENOENT : 0);
}
END_TEST

START_TEST(repeats_the_flags_of_the_mount)
{
	const struct statfs st = { .f_flags = 0x0002 | 0x0004 | 0x0008 | 0x0400 | 0x0020 };

	ck_assert_uint_eq(kept_flags(&st), MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
	ck_assert_uint_eq(kept_flags(&(struct statfs){ .f_flags = 0x1800 }),
			  MS_NODIRATIME | MS_RELATIME);
	ck_assert_uint_eq(kept_flags(&(struct statfs){ .f_flags = 0x0001 }), MS_RDONLY);
	ck_assert_uint_eq(kept_flags(&(struct statfs){ .f_flags = 0 }), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("mountinfo");
	TCase *mountinfo = tcase_create("mountinfo");

	tcase_add_loop_test(mountinfo, finds_the_mount_point, 0, ARRAY_SIZE(lines));
	tcase_add_loop_test(mountinfo, knows_what_lies_below, 0, ARRAY_SIZE(places));
	tcase_add_test(mountinfo, refuses_a_line_that_it_cannot_read);
	tcase_add_test(mountinfo, reports_a_failed_remount);
	tcase_add_loop_test(mountinfo, leaves_the_kernels_mounts_alone, 0, ARRAY_SIZE(exceptions));
	tcase_add_test(mountinfo, repeats_the_flags_of_the_mount);
	suite_add_tcase(suite, mountinfo);
	return suite;
}

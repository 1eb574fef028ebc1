// SPDX-License-Identifier: GPL-2.0-or-later
/* Directories taken down again: all that is theirs, and nothing behind a symbolic link. */
#include "unit.h"

#include "../tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/bulkhead-tree-XXXXXX";
static int dir;

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	dir = open(scratch, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(mkdirat(dir, "a", 0755), 0);
}

static void tear_down(void)
{
	tree_remove(AT_FDCWD, scratch, true);
	ck_assert_int_ne(access(scratch, F_OK), 0);
	close(dir);
}

static void make_file(const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool is_there(const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(removes_an_empty_directory)
{
	tree_remove(dir, "a", false);
	ck_assert(!is_there("a"));
}
END_TEST

START_TEST(removes_directories_below)
{
	ck_assert_int_eq(mkdirat(dir, "a/b", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "a/b/c", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "a/.hidden", 0755), 0);
	tree_remove(dir, "a", false);
	ck_assert(!is_there("a"));
}
END_TEST

/* As overlayfs leaves its work directory. Root would not notice: it is done as nobody. */
START_TEST(removes_what_has_no_permissions)
{
	enum { NOBODY = 65534 };
	const bool is_root = geteuid() == 0;

	ck_assert_int_eq(mkdirat(dir, "a/work", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "a/work/work", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "a/work/work/#1", 0755), 0);
	ck_assert_int_eq(fchmodat(dir, "a/work/work", 0, 0), 0);
	if (is_root) {
		ck_assert_int_eq(fchownat(dir, "a/work/work", NOBODY, -1, 0), 0);
		ck_assert_int_eq(fchownat(dir, "a/work", NOBODY, -1, 0), 0);
		ck_assert_int_eq(fchownat(dir, "a", NOBODY, -1, 0), 0);
		ck_assert_int_eq(fchmod(dir, 0777), 0);
		ck_assert_int_eq(seteuid(NOBODY), 0);
	}
	tree_remove(dir, "a", false);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert(!is_there("a"));
}
END_TEST

START_TEST(leaves_files_unless_told)
{
	make_file("a/file");
	ck_assert_int_eq(mkdirat(dir, "a/b", 0755), 0);
	tree_remove(dir, "a", false);
	ck_assert(is_there("a/file"));
	ck_assert(!is_there("a/b"));
	tree_remove(dir, "a", true);
	ck_assert(!is_there("a"));
}
END_TEST

START_TEST(follows_no_link)
{
	ck_assert_int_eq(mkdirat(dir, "other", 0755), 0);
	make_file("other/file");
	ck_assert_int_eq(symlinkat("../other", dir, "a/link"), 0);
	tree_remove(dir, "a", true);
	ck_assert(!is_there("a"));
	ck_assert(is_there("other/file"));
	ck_assert_int_eq(symlinkat("other", dir, "link"), 0);
	tree_remove(dir, "link", true);
	ck_assert(is_there("other/file"));
}
END_TEST

/* More entries than one read of the directory brings. */
START_TEST(removes_many)
{
	char name[300];

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "a/%s%d", unit_repeat('x', 200), i);
		make_file(name);
	}
	tree_remove(dir, "a", true);
	ck_assert(!is_there("a"));
}
END_TEST

START_TEST(bears_what_is_not_there)
{
	tree_remove(dir, "nothing", true);
	tree_remove(-1, "a", true);
	ck_assert(is_there("a"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("tree");
	TCase *tree = tcase_create("tree");

	tcase_add_checked_fixture(tree, set_up, tear_down);
	tcase_add_test(tree, removes_an_empty_directory);
	tcase_add_test(tree, removes_directories_below);
	tcase_add_test(tree, removes_what_has_no_permissions);
	tcase_add_test(tree, leaves_files_unless_told);
	tcase_add_test(tree, follows_no_link);
	tcase_add_test(tree, removes_many);
	tcase_add_test(tree, bears_what_is_not_there);
	suite_add_tcase(suite, tree);
	return suite;
}

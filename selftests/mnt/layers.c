// SPDX-License-Identifier: GPL-2.0-or-later
/* Layers of an overlay that are descriptors, not paths: fsconfig(2), FSCONFIG_SET_FD; 6.13. */
#include "mountinfo.h"

#define LAYER_NEEDS                                                                                \
	NEED(root) | NEED(mntns) | NEED(overlay) | NEED(fsopen) | NEED(open_tree) |                \
		NEED(overlay_by_fd)

/* "lower" with a file, "changes/upper" and "changes/work" to write to, and "merged". */
static void layers(void)
{
	own_stage();
	must_tmpfs("lower");
	must_create("lower/file", "lower");
	must_tmpfs("changes");
	must_mkdir("changes/upper");
	must_mkdir("changes/work");
	must_mkdir("merged");
}

static int must_open_path(int directory, const char *path)
{
	return MUST(openat(directory, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Mounts the overlay of these layers; -1 and errno where one is refused. */
static int merge(int lower, int upper, int work)
{
	_fd_ int fs = MUST(fsopen("overlay", FSOPEN_CLOEXEC));
	_fd_ int tree = -EBADF;

	if (fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, lower) ||
	    fsconfig(fs, FSCONFIG_SET_FD, "upperdir", NULL, upper) ||
	    fsconfig(fs, FSCONFIG_SET_FD, "workdir", NULL, work) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	tree = MUST(fsmount(fs, FSMOUNT_CLOEXEC, 0));
	return move_mount(tree, "", AT_FDCWD, "merged", MOVE_MOUNT_F_EMPTY_PATH);
}

static void expect_merged(void)
{
	EXPECT_STREQ("lower", must_read("merged/file"));
	must_create("merged/file", "changed");
	EXPECT_STREQ("lower", must_read("lower/file"));
	EXPECT_STREQ("changed", must_read("changes/upper/file"));
}

TEST(mnt, layers_are_given_by_descriptor,
     .says = "an overlay's layers can be descriptors of directories, not of files (EINVAL)",
     .checks = "mnt-067", .needs = LAYER_NEEDS)
{
	_fd_ int lower = -EBADF, upper = -EBADF, work = -EBADF, file = -EBADF;

	layers();
	lower = must_open_path(AT_FDCWD, "lower");
	upper = must_open_path(AT_FDCWD, "changes/upper");
	work = must_open_path(AT_FDCWD, "changes/work");
	file = MUST(open("lower/file", O_PATH | O_CLOEXEC));
	EXPECT_ERRNO(EINVAL, merge(file, upper, work));
	ASSERT_OK(merge(lower, upper, work));
	expect_merged();
}

TEST(mnt, a_layer_need_not_have_a_path_any_more,
     .says = "an overlay's layers can be on a detached tree, which nobody reaches by path",
     .checks = "mnt-067", .needs = LAYER_NEEDS | NEED(open_tree_attr))
{
	_fd_ int tree = -EBADF, lower = -EBADF, upper = -EBADF, work = -EBADF;

	layers();
	lower = MUST(open_tree(AT_FDCWD, "lower", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	tree = MUST(open_tree(AT_FDCWD, "changes", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	upper = must_open_path(tree, "upper");
	work = must_open_path(tree, "work");
	ASSERT_OK(merge(lower, upper, work));
	expect_merged();
}

TEST(mnt, a_layer_of_another_namespace_is_refused,
     .says = "a layer on a mount of another mount namespace is refused with EINVAL",
     .checks = "mnt-067", .needs = LAYER_NEEDS)
{
	_fd_ int foreign = -EBADF, alive = -EBADF, upper = -EBADF, work = -EBADF;

	layers();
	foreign = must_open_path(AT_FDCWD, "lower");
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	upper = must_open_path(AT_FDCWD, text("%s/changes/upper", scratch()));
	work = must_open_path(AT_FDCWD, text("%s/changes/work", scratch()));
	EXPECT_ERRNO(EINVAL, merge(foreign, upper, work));
	MUST(setns(alive, CLONE_NEWNS));
	MUST(chdir(scratch()));
	close(upper);
	close(work);
	upper = must_open_path(AT_FDCWD, "changes/upper");
	work = must_open_path(AT_FDCWD, "changes/work");
	EXPECT_OK(merge(foreign, upper, work));
}

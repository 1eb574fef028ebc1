// SPDX-License-Identifier: GPL-2.0-or-later
/* Detached trees: open_tree(2), move_mount(2) and what each refuses. */
#include "mountinfo.h"

#define TREE_NEEDS NEED(admin) | NEED(mntns) | NEED(open_tree)

enum { CLONED = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, WHOLE = CLONED | AT_RECURSIVE };

/* "tree" with a file and "tree/sub" mounted in it, and "spot" to attach to. */
static void tree(void)
{
	own_stage();
	must_tmpfs("tree");
	must_create("tree/file", "1");
	must_tmpfs("tree/sub");
	must_mkdir("spot");
}

static int clone_tree(const char *path, unsigned flags)
{
	return open_tree(AT_FDCWD, path, flags);
}

static int attach(int tree_fd, const char *path)
{
	return move_mount(tree_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

TEST(mnt, detached_tree_is_in_no_table,
     .says = "open_tree clones a tree that is in no mount table until move_mount attaches it",
     .checks = "mnt-024 mnt-030", .needs = TREE_NEEDS)
{
	_fd_ int copy = -EBADF;
	unsigned before;

	tree();
	before = mounts_below("/");
	copy = ASSERT_OK(clone_tree("tree", WHOLE));
	EXPECT_EQ(before, mounts_below("/"));
	EXPECT_OK(faccessat(copy, "file", F_OK, 0));
	ASSERT_OK(attach(copy, "spot"));
	EXPECT_EQ(before + 2, mounts_below("/"));
	EXPECT(exists("spot/file"));
	EXPECT(is_mounted("spot/sub"));
}

TEST(mnt, detached_tree_goes_with_its_descriptor,
     .says = "a detached tree that was not attached is unmounted with its last descriptor",
     .checks = "mnt-024", .needs = TREE_NEEDS)
{
	int copy, held;

	tree();
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	must_mount("tree", "tree", NULL, MS_BIND, NULL);
	held = MUST(openat(copy, "file", O_RDONLY | O_CLOEXEC));
	close(copy);
	/* An open file outlives the mount; the mount itself cannot be attached any more. */
	EXPECT_ERRNO(EINVAL, move_mount(held, "", AT_FDCWD, "spot", MOVE_MOUNT_F_EMPTY_PATH));
	close(held);
	EXPECT_OK(umount2("tree", 0));
}

TEST(mnt, plain_clone_leaves_submounts,
     .says = "open_tree without AT_RECURSIVE clones one mount only", .checks = "mnt-024",
     .needs = TREE_NEEDS)
{
	_fd_ int copy = -EBADF;

	tree();
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	ASSERT_OK(attach(copy, "spot"));
	EXPECT(is_mounted("spot"));
	EXPECT(!is_mounted("spot/sub"));
}

TEST(mnt, open_tree_without_clone_is_a_path,
     .says = "open_tree without OPEN_TREE_CLONE opens the mount in place and needs no right",
     .checks = "mnt-024 mnt-025", .needs = TREE_NEEDS)
{
	tree();
	MUST(chmod(".", 0755));
	AS_NOBODY {
		_fd_ int place = EXPECT_OK(open_tree(AT_FDCWD, "tree", OPEN_TREE_CLOEXEC));

		EXPECT_OK(faccessat(place, "file", F_OK, 0));
		EXPECT_ERRNO(EPERM, clone_tree("tree", CLONED));
		EXPECT_ERRNO(EPERM, attach(place, "spot"));
	}
	EXPECT(is_mounted("tree"));
}

struct tree_error {
	const char *label;
	int directory;
	const char *path;
	unsigned flags;
	int want;
};

ROWS(tree_errors, struct tree_error) = {
	{ "fine", AT_FDCWD, "tree", CLONED, 0 },
	{ "a_plain_directory_is_fine", AT_FDCWD, "spot", CLONED, 0 },
	{ "bad_descriptor", 9999, "tree", CLONED, EBADF },
	{ "missing", AT_FDCWD, "missing", CLONED, ENOENT },
	{ "below_a_file", AT_FDCWD, "tree/file/x", CLONED, ENOTDIR },
	{ "unknown_flag", AT_FDCWD, "tree", CLONED | 1U << 30, EINVAL },
	{ "recursive_without_clone", AT_FDCWD, "tree", AT_RECURSIVE, EINVAL },
	{ "empty_path", AT_FDCWD, "", CLONED, ENOENT },
};

TEST_EACH(tree_errors, mnt, open_tree_checks_its_arguments,
	  .says = "open_tree refuses bad descriptors, paths and flags", .checks = "mnt-025",
	  .needs = TREE_NEEDS)
{
	_fd_ int copy = -EBADF;

	tree();
	errno = 0;
	copy = open_tree(row->directory, row->path, row->flags);
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(!row->want, copy >= 0);
}

struct move_error {
	const char *label;
	int from;
	const char *from_path;
	int to;
	const char *to_path;
	unsigned flags;
	int want;
};

ROWS(move_errors, struct move_error) = {
	{ "fine", AT_FDCWD, "tree", AT_FDCWD, "spot", 0, 0 },
	{ "bad_from", 9999, "tree", AT_FDCWD, "spot", 0, EBADF },
	{ "bad_to", AT_FDCWD, "tree", 9999, "spot", 0, EBADF },
	{ "missing_from", AT_FDCWD, "missing", AT_FDCWD, "spot", 0, ENOENT },
	{ "missing_to", AT_FDCWD, "tree", AT_FDCWD, "missing", 0, ENOENT },
	{ "unknown_flag", AT_FDCWD, "tree", AT_FDCWD, "spot", 1U << 30, EINVAL },
	{ "empty_without_the_flag", AT_FDCWD, "", AT_FDCWD, "spot", 0, ENOENT },
	{ "plain_directory", AT_FDCWD, "spot", AT_FDCWD, "tree", 0, EINVAL },
	{ "onto_a_file", AT_FDCWD, "tree", AT_FDCWD, "plain", 0, EINVAL },
	{ "into_itself", AT_FDCWD, "tree", AT_FDCWD, "tree/sub", 0, ELOOP },
};

TEST_EACH(move_errors, mnt, move_mount_checks_its_arguments,
	  .says = "move_mount refuses bad descriptors, paths, flags and places",
	  .checks = "mnt-030", .needs = TREE_NEEDS)
{
	tree();
	must_create("plain", "1");
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0,
		  move_mount(row->from, row->from_path, row->to, row->to_path, row->flags));
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(row->want != 0, is_mounted("tree"));
	EXPECT_EQ(!row->want, is_mounted("spot"));
}

TEST(mnt, only_the_root_of_a_detached_tree_is_attached,
     .says = "a directory or submount of a detached tree cannot be attached, the tree once only",
     .checks = "mnt-027", .needs = TREE_NEEDS)
{
	_fd_ int copy = -EBADF;

	tree();
	must_mkdir("other");
	copy = ASSERT_OK(clone_tree("tree", WHOLE));
	EXPECT_ERRNO(EINVAL, move_mount(copy, "sub", AT_FDCWD, "spot", 0));
	ASSERT_OK(attach(copy, "spot"));
	/* Now it is an attached mount, which moves. */
	EXPECT_OK(attach(copy, "other"));
	EXPECT(!is_mounted("spot"));
	EXPECT(is_mounted("other/sub"));
}

TEST(mnt, attached_mount_does_not_move_into_a_detached_tree,
     .says = "moving an attached mount into a detached tree fails with EINVAL", .checks = "mnt-027",
     .needs = TREE_NEEDS)
{
	_fd_ int copy = -EBADF;

	tree();
	must_mkdir("tree/place");
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	must_tmpfs("attached");
	EXPECT_ERRNO(EINVAL, move_mount(AT_FDCWD, "attached", copy, "place", 0));
	EXPECT(is_mounted("attached"));
}

TEST(mnt, detached_tree_goes_onto_a_detached_tree,
     .says = "a detached tree can be mounted into another one and comes along when that is "
	     "attached",
     .checks = "mnt-028", .needs = TREE_NEEDS | NEED(open_tree_attr))
{
	_fd_ int lower = -EBADF;
	int upper;

	tree();
	must_mkdir("tree/place");
	lower = ASSERT_OK(clone_tree("tree", CLONED));
	upper = ASSERT_OK(clone_tree("tree", CLONED));
	ASSERT_OK(move_mount(upper, "", lower, "place", MOVE_MOUNT_F_EMPTY_PATH));
	close(upper);
	ASSERT_OK(attach(lower, "spot"));
	EXPECT(is_mounted("spot/place"));
	EXPECT(exists("spot/place/file"));
}

TEST(mnt, detached_tree_is_cloned_again,
     .says = "a further detached tree can be cloned from a part of a detached tree",
     .checks = "mnt-026", .needs = TREE_NEEDS | NEED(open_tree_attr))
{
	_fd_ int first = -EBADF, second = -EBADF;

	tree();
	first = ASSERT_OK(clone_tree("tree", WHOLE));
	second = ASSERT_OK(open_tree(first, "sub", CLONED));
	ASSERT_OK(attach(second, "spot"));
	EXPECT(is_mounted("spot"));
	EXPECT(!exists("spot/file"));
}

TEST(mnt, detached_tree_of_another_namespace_is_not_cloned,
     .says = "after leaving the mount namespace a detached tree of it cannot be cloned (EINVAL)",
     .checks = "mnt-026", .needs = TREE_NEEDS | NEED(open_tree_attr))
{
	_fd_ int first = -EBADF, alive = -EBADF;

	tree();
	first = ASSERT_OK(clone_tree("tree", WHOLE));
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	EXPECT_ERRNO(EINVAL, open_tree(first, "", CLONED | AT_EMPTY_PATH));
	MUST(setns(alive, CLONE_NEWNS));
	EXPECT_OK(close(open_tree(first, "", CLONED | AT_EMPTY_PATH)));
}

TEST(mnt, mount_of_another_namespace_is_not_cloned,
     .says = "open_tree does not clone a mount of another mount namespace (EINVAL)",
     .checks = "mnt-026", .needs = TREE_NEEDS)
{
	_fd_ int foreign = -EBADF, alive = -EBADF;

	tree();
	foreign = MUST(open("tree", O_PATH | O_CLOEXEC));
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	EXPECT_ERRNO(EINVAL, open_tree(foreign, "", CLONED | AT_EMPTY_PATH));
	EXPECT_ERRNO(EINVAL,
		     mount(text("/proc/self/fd/%d", foreign), full("spot"), NULL, MS_BIND, NULL));
	EXPECT_OK(close(clone_tree(full("tree"), CLONED)));
}

TEST(mnt, detached_clone_of_a_shared_mount_is_a_peer,
     .says = "a detached clone of a shared mount is in its group: what is mounted in it travels",
     .checks = "mnt-029", .needs = TREE_NEEDS | NEED(open_tree_attr))
{
	_fd_ int copy = -EBADF, other = -EBADF;

	tree();
	must_mkdir("tree/place");
	must_mount(NULL, "tree", NULL, MS_SHARED, NULL);
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	other = ASSERT_OK(clone_tree("tree/sub", CLONED));
	ASSERT_OK(move_mount(other, "", copy, "place", MOVE_MOUNT_F_EMPTY_PATH));
	EXPECT(is_mounted("tree/place"));
}

TEST(mnt, group_is_copied_from_mount_to_mount,
     .says = "MOVE_MOUNT_SET_GROUP puts a private mount into another's peer group",
     .checks = "mnt-031", .needs = TREE_NEEDS | NEED(set_group))
{
	const unsigned flags = MOVE_MOUNT_SET_GROUP;

	tree();
	must_mount("tree", "spot", NULL, MS_BIND, NULL);
	EXPECT_ERRNO(EINVAL, move_mount(AT_FDCWD, "tree", AT_FDCWD, "spot", flags));
	must_mount(NULL, "tree", NULL, MS_SHARED, NULL);
	EXPECT_STREQ("", mount_at("spot").tags);
	ASSERT_OK(move_mount(AT_FDCWD, "tree", AT_FDCWD, "spot", flags));
	EXPECT_EQ(group_at("shared", "tree"), group_at("shared", "spot"));
	/* Not a second time, and not of another file system. */
	EXPECT_ERRNO(EINVAL, move_mount(AT_FDCWD, "tree", AT_FDCWD, "spot", flags));
	EXPECT_ERRNO(EINVAL, move_mount(AT_FDCWD, "tree", AT_FDCWD, "tree/sub", flags));
}

TEST(mnt, mount_goes_beneath_another,
     .says = "MOVE_MOUNT_BENEATH puts a mount under the top one, where it appears after umount",
     .checks = "mnt-032", .needs = TREE_NEEDS | NEED(mount_beneath))
{
	int copy;

	tree();
	must_tmpfs("spot");
	must_create("spot/top", "1");
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	ASSERT_OK(move_mount(copy, "", AT_FDCWD, "spot",
			     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
	close(copy);
	EXPECT(exists("spot/top"));
	EXPECT(!exists("spot/file"));
	ASSERT_OK(umount("spot"));
	EXPECT(exists("spot/file"));
	ASSERT_OK(umount("spot"));
	EXPECT(!is_mounted("spot"));
}

TEST(mnt, beneath_wants_a_mount_to_go_under,
     .says = "MOVE_MOUNT_BENEATH on a directory that is no mount point fails with EINVAL",
     .checks = "mnt-032", .needs = TREE_NEEDS | NEED(mount_beneath))
{
	_fd_ int copy = -EBADF;

	tree();
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	EXPECT_ERRNO(EINVAL, move_mount(copy, "", AT_FDCWD, "spot",
					MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
	EXPECT_OK(attach(copy, "spot"));
}

struct under {
	const char *label;
	unsigned long top; /* propagation of the mount at the top */
	int want;
};

ROWS(undersides, struct under) = {
	{ "private", .top = MS_PRIVATE, .want = 0 },
	{ "peer_of_its_parent", .top = MS_SHARED, .want = EINVAL },
};

TEST_EACH(
	undersides, mnt, nothing_goes_beneath_its_own_copy,
	.says = "MOVE_MOUNT_BENEATH a mount that is a peer of the one it is on fails with EINVAL: "
		"the copy would cover it",
	.checks = "mnt-032", .needs = TREE_NEEDS | NEED(mount_beneath))
{
	_fd_ int copy = -EBADF;

	tree();
	must_tmpfs("shared");
	must_mount(NULL, "shared", NULL, MS_SHARED, NULL);
	must_mount("shared", "shared", NULL, MS_BIND, NULL);
	must_mount(NULL, "shared", NULL, row->top, NULL);
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, move_mount(copy, "", AT_FDCWD, "shared",
						 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
	EXPECT_EQ(row->want, errno);
}

TEST(mnt, what_goes_beneath_goes_beneath_the_copies,
     .says = "MOVE_MOUNT_BENEATH a mount that has a copy at a peer puts one beneath that, too",
     .checks = "mnt-032", .needs = TREE_NEEDS | NEED(mount_beneath))
{
	_fd_ int copy = -EBADF;

	tree();
	must_tmpfs("shared");
	must_mount(NULL, "shared", NULL, MS_SHARED, NULL);
	must_mkdir("shared/spot");
	must_mkdir("peer");
	must_mount("shared", "peer", NULL, MS_BIND, NULL);
	must_tmpfs("shared/spot");
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	ASSERT_OK(move_mount(copy, "", AT_FDCWD, "shared/spot",
			     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
	EXPECT(!exists("peer/spot/file"));
	ASSERT_OK(umount2("shared/spot", MNT_DETACH));
	EXPECT(exists("shared/spot/file"));
	EXPECT(exists("peer/spot/file"));
	ASSERT_OK(umount2("shared/spot", MNT_DETACH));
	EXPECT(!is_mounted("peer/spot"));
}

struct root_kind {
	const char *label;
	const char *root; /* chroot to it; NULL: the root as it is */
	int want;
};

ROWS(root_kinds, struct root_kind) = {
	{ "of_the_namespace", NULL, 0 },
	{ "a_mount", ".", 0 },
	{ "a_directory_of_a_mount", "spot", EINVAL },
};

TEST_EACH(root_kinds, mnt, the_root_stays_on_what_goes_beneath_it,
	  .says = "beneath the root goes a mount, on which the old one stays until it is detached, "
		  "where the root is a whole mount",
	  .checks = "mnt-033", .needs = TREE_NEEDS | NEED(beneath_root))
{
	_fd_ int copy = -EBADF;
	char old[PATH_MAX];

	tree();
	must_create("old", "1");
	snprintf(old, sizeof(old), "/..%s/old", row->root ? "" : scratch());
	copy = ASSERT_OK(clone_tree("tree", CLONED));
	if (row->root)
		MUST(chroot(row->root));
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, move_mount(copy, "", AT_FDCWD, "/",
						 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
	ASSERT_EQ(row->want, errno);
	EXPECT(!exists("/file"));
	MUST(fchdir(copy));
	MUST(chroot("."));
	EXPECT_EQ(!row->want, exists("%s", old));
	if (!row->want)
		EXPECT_OK(umount2(".", MNT_DETACH));
	EXPECT(exists("/../file"));
}

/* Until 7.2 the mounts of such a tree stay together; since 7.3 they go and leave a cover. */
TEST(mnt, a_released_tree_uncovers_nothing,
     .says = "who is in a detached tree sees nothing that its submounts covered, also after its "
	     "descriptor was closed",
     .checks = "mnt-024", .needs = TREE_NEEDS)
{
	_fd_ int within = -EBADF;
	int copy;

	tree();
	must_mkdir("tree/spot");
	must_create("tree/spot/covered", "1");
	must_tmpfs("tree/spot");
	copy = ASSERT_OK(clone_tree("tree", WHOLE));
	within = MUST(openat(copy, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	close(copy);
	EXPECT_OK(faccessat(within, "spot", F_OK, 0));
	EXPECT_ERRNO(ENOENT, faccessat(within, "spot/covered", F_OK, 0));
}

TEST(mnt, an_unmounted_tree_falls_apart,
     .says = "who is in a tree that was unmounted lazily finds its submounts no more",
     .checks = "mnt-050", .needs = TREE_NEEDS)
{
	_fd_ int within = -EBADF;

	tree();
	must_create("tree/sub/file", "1");
	within = MUST(open("tree", O_PATH | O_DIRECTORY | O_CLOEXEC));
	EXPECT_OK(faccessat(within, "sub/file", F_OK, 0));
	ASSERT_OK(umount2("tree", MNT_DETACH));
	EXPECT_OK(faccessat(within, "file", F_OK, 0));
	EXPECT_ERRNO(ENOENT, faccessat(within, "sub/file", F_OK, 0));
}

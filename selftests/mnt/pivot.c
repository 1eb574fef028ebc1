// SPDX-License-Identifier: GPL-2.0-or-later
/* The switch of the root: pivot_root(2), its rules and whom it moves. */
#include "mountinfo.h"

static int pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* A future root at "new": a mount with a marker, a place for the old root, and /proc. */
static void new_root(void)
{
	must_tree("new");
	must_create("new/marker", "new root");
	must_mount("/proc", "new/proc", NULL, MS_BIND | MS_REC, NULL);
}

/* The stage, a mount, becomes this process's root. */
static void stage_becomes_root(void)
{
	own_stage();
	MUST(chroot("."));
}

TEST(mnt, pivot_root_swaps_old_and_new,
     .says = "pivot_root makes new_root the root and the old root visible at put_old",
     .checks = "mnt-039", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	must_create("below", "old root");
	ASSERT_OK(pivot_root("new", "new/oldroot"));
	ASSERT_OK(chdir("/"));
	EXPECT_STREQ("new root", must_read("/marker"));
	EXPECT_STREQ("old root", must_read("/oldroot%s/below", scratch()));
	EXPECT(!exists("%s", scratch()));
}

TEST(mnt, pivot_root_onto_itself_stacks_the_roots,
     .says = "pivot_root(\".\", \".\") stacks the old root on the new; unmounted, it is gone",
     .finding = "the old root stayed reachable after pivot_root and umount2", .checks = "mnt-101",
     .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	ASSERT_OK(chdir("new"));
	ASSERT_OK(pivot_root(".", "."));
	/* ".." of the root climbs onto what is mounted there. */
	EXPECT(exists("/..%s", scratch()));
	ASSERT_OK(umount2(".", MNT_DETACH));
	EXPECT_STREQ("new root", must_read("/../marker"));
	ASSERT_OK(chdir(".."));
	EXPECT_STREQ("new root", must_read("marker"));
	EXPECT(!exists("/..%s", scratch()));
	EXPECT_EQ(1, mounts_below("/") - mounts_below("/proc"));
}

TEST(mnt, old_root_is_busy_until_detached,
     .says = "the old root with mounts on it is unmounted by MNT_DETACH only (EBUSY without)",
     .checks = "mnt-101 mnt-050", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	ASSERT_OK(pivot_root("new", "new/oldroot"));
	ASSERT_OK(chdir("/"));
	EXPECT_ERRNO(EBUSY, umount("/oldroot"));
	EXPECT_OK(umount2("/oldroot", MNT_DETACH));
	EXPECT_EQ(0, mounts_below("/oldroot"));
	EXPECT_OK(rmdir("/oldroot"));
}

struct refusal {
	const char *label, *new_root, *put_old;
	int want;
};

/* In a tree where "/" is a mount, "/m" another with "/m/dir" and "/m/old", "/n" a third. */
ROWS(refusals, struct refusal) = {
	{ "mounts_are_fine", "/m", "/m/old", 0 },
	{ "put_old_is_new_root", "/m", "/m", 0 },
	{ "put_old_is_deep_below", "/m", "/m/dir/deep", 0 },
	{ "new_root_is_the_root", "/", "/", EBUSY },
	{ "new_root_on_the_root_mount", "/dir", "/dir/old", EBUSY },
	{ "put_old_on_the_root_mount", "/m", "/dir", EBUSY },
	{ "new_root_is_no_mount_point", "/m/dir", "/m/dir/deep", EINVAL },
	{ "put_old_outside_new_root", "/m", "/n", EINVAL },
	{ "put_old_above_new_root", "/m/sub", "/m/old", EINVAL },
	{ "put_old_is_a_file", "/m", "/m/file", ENOTDIR },
	{ "new_root_is_a_file", "/m/file", "/m/old", ENOTDIR },
	{ "put_old_is_missing", "/m", "/m/missing", ENOENT },
	{ "new_root_is_missing", "/missing", "/m/old", ENOENT },
};

TEST_EACH(refusals, mnt, pivot_root_checks_its_places,
	  .says = "new_root must be another mount's root, put_old a directory at or below it",
	  .checks = "mnt-039 mnt-040 mnt-041 mnt-042", .needs = NEED(admin) | NEED(mntns))
{
	stage_becomes_root();
	must_mkdir("/dir/old");
	must_tmpfs("/m");
	must_tmpfs("/m/sub");
	must_tmpfs("/n");
	must_mkdir("/m/dir/deep");
	must_mkdir("/m/old");
	must_create("/m/file", "1");
	if (row->want)
		EXPECT_ERRNO(row->want, pivot_root(row->new_root, row->put_old));
	else
		EXPECT_OK(pivot_root(row->new_root, row->put_old));
}

TEST(mnt, pivot_root_needs_the_right, .says = "pivot_root without CAP_SYS_ADMIN fails with EPERM",
     .checks = "mnt-042", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	MUST(chmod(scratch(), 0755));
	AS_NOBODY { EXPECT_ERRNO(EPERM, pivot_root("new", "new/oldroot")); }
	EXPECT_OK(pivot_root("new", "new/oldroot"));
}

TEST(mnt, pivot_root_refuses_a_bad_pointer,
     .says = "pivot_root with a bad pointer for either path fails with EFAULT", .checks = "mnt-042",
     .needs = NEED(admin) | NEED(mntns))
{
	const char *nowhere = (const char *)-1L;

	own_stage();
	new_root();
	EXPECT_ERRNO(EFAULT, pivot_root(nowhere, "new/oldroot"));
	EXPECT_ERRNO(EFAULT, pivot_root("new", nowhere));
}

struct shared_place {
	const char *label, *shared;
	int want;
};

/* Seen from outside the chroot that stands at "root": its parent, it, and new_root. */
ROWS(shared_places, struct shared_place) = {
	{ "nothing_shared", NULL, 0 },
	{ "new_root", "root/new", EINVAL },
	{ "parent_of_new_root", "root", EINVAL },
	{ "parent_of_the_current_root", ".", EINVAL },
};

TEST_EACH(shared_places, mnt, pivot_root_refuses_shared_mounts,
	  .says = "pivot_root fails with EINVAL where the switch would propagate",
	  .checks = "mnt-100", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("root");
	must_tmpfs("root/new");
	must_mkdir("root/new/old");
	if (row->shared)
		must_mount(NULL, row->shared, NULL, MS_SHARED, NULL);
	MUST(chroot("root"));
	MUST(chdir("/"));
	if (row->want)
		EXPECT_ERRNO(row->want, pivot_root("new", "new/old"));
	else
		EXPECT_OK(pivot_root("new", "new/old"));
}

TEST(mnt, pivot_root_needs_a_mount_as_current_root,
     .says = "pivot_root fails with EINVAL for a process chrooted into a plain directory",
     .checks = "mnt-040 mnt-100", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("plain/new");
	must_mkdir("plain/new/old");
	MUST(chroot("plain"));
	EXPECT_ERRNO(EINVAL, pivot_root("/new", "/new/old"));
}

TEST(mnt, pivot_root_refuses_an_unlinked_root,
     .says = "pivot_root to a mount whose directory was removed fails with ENOENT",
     .checks = "mnt-040", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_mkdir("gone");
	must_mkdir("new");
	must_mount("gone", "new", NULL, MS_BIND, NULL);
	MUST(rmdir("gone"));
	EXPECT_ERRNO(ENOENT, pivot_root("new", "new"));
}

TEST(mnt, pivot_root_refuses_a_mount_of_another_namespace,
     .says = "a new_root that belongs to another mount namespace is refused with EINVAL",
     .checks = "mnt-041", .needs = NEED(admin) | NEED(mntns))
{
	_fd_ int foreign = -EBADF, alive = -EBADF;

	own_stage();
	new_root();
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	foreign = MUST(open("new", O_PATH | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	MUST(fchdir(foreign));
	EXPECT_ERRNO(EINVAL, pivot_root(".", "."));
	MUST(chdir(text("%s/new", scratch())));
	EXPECT_OK(pivot_root(".", "."));
}

struct floor {
	const char *label;
	bool lowest; /* the root is the mount below all others of the namespace */
	int want;
};

ROWS(floors, struct floor) = {
	{ "on_another_mount", false, 0 },
	{ "the_lowest", true, EINVAL },
};

TEST_EACH(
	floors, mnt, pivot_root_needs_a_mount_below_the_root,
	.says = "pivot_root fails with EINVAL where the root is the mount that all others are on: "
		"the first ramfs, or nullfs since 7.0",
	.checks = "mnt-103", .needs = NEED(root) | NEED(mntns))
{
	_fd_ int own = -EBADF;

	own_stage();
	own = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	/* Who enters a namespace gets its topmost root. */
	while (row->lowest && !umount2("/", MNT_DETACH)) MUST(setns(own, CLONE_NEWNS));
	must_mount("new", "/", "tmpfs", 0, NULL);
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, pivot_root("/..", "/.."));
	EXPECT_EQ(row->want, errno);
}

/*
 * Forks a process that enters `root` ("" = stays), waits until this one has
 * pivoted, and then expects what `marker` says at "/" and in its cwd.
 */
static void bystander(const char *root, const char *marker)
{
	int here[2], there[2], pid;
	char byte;

	must_pipe(here);
	must_pipe(there);
	pid = must_fork();
	if (!pid) {
		if (root[0])
			MUST(chroot(root));
		MUST(chdir("/"));
		MUST(write(there[1], "", 1));
		close(here[1]);
		MUST(read(here[0], &byte, 1));
		EXPECT_STREQ(marker, must_read("/marker"));
		EXPECT_STREQ(marker, must_read("marker"));
		_exit(0);
	}
	MUST(read(there[0], &byte, 1));
	MUST(pivot_root("new", "new/oldroot"));
	for (int i = 0; i < 2; i++) {
		close(here[i]);
		close(there[i]);
	}
	EXPECT_EXIT(0, must_wait(pid));
}

TEST(mnt, pivot_root_moves_the_others,
     .says = "pivot_root takes root and cwd of other processes along that stood on the old root",
     .checks = "mnt-102", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	bystander("", "new root");
}

TEST(mnt, pivot_root_leaves_chrooted_ones_alone,
     .says = "pivot_root does not move a process whose root was another than the old one",
     .checks = "mnt-102", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();
	must_mkdir("aside");
	must_create("aside/marker", "aside");
	bystander("aside", "aside");
}

TEST(mnt, pivot_root_stays_in_its_namespace,
     .says = "pivot_root in a new mount namespace changes nobody's root outside",
     .checks = "mnt-102", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	new_root();

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		ASSERT_OK(pivot_root("new", "new/oldroot"));
		EXPECT(exists("/marker"));
	}
	ON_HOST {
		EXPECT(!exists("/marker"));
		EXPECT(exists("%s/new/marker", scratch()));
		EXPECT_EQ(0, mounts_below(full("new/oldroot")));
	}
}

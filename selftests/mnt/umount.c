// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking mounts away: umount2(2), and what happens to a mount whose place is removed. */
#include "mountinfo.h"

#define UMOUNT_NEEDS NEED(admin) | NEED(mntns)

TEST(mnt, busy_mount_is_not_unmounted,
     .says = "umount of a mount in use fails with EBUSY, MNT_DETACH takes it away at once",
     .checks = "mnt-050", .needs = UMOUNT_NEEDS)
{
	_fd_ int file = -EBADF;
	char byte = 0;

	own_stage();
	must_tmpfs("m");
	must_create("m/file", "x");
	file = MUST(open("m/file", O_RDWR | O_CLOEXEC));
	EXPECT_ERRNO(EBUSY, umount("m"));
	EXPECT(is_mounted("m"));
	ASSERT_OK(umount2("m", MNT_DETACH));
	EXPECT(!is_mounted("m"));
	EXPECT(!exists("m/file"));
	EXPECT_EQ(1, read(file, &byte, 1));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(1, pwrite(file, "y", 1, 0));
}

struct place {
	const char *label;
	int (*go)(const char *path);
};

ROWS(places, struct place) = {
	{ "working_directory", chdir },
	{ "root", chroot },
};

TEST_EACH(places, mnt, a_mount_is_busy_while_a_process_is_there,
	  .says = "a mount is busy while a process has its working directory or root there",
	  .checks = "mnt-050", .needs = UMOUNT_NEEDS | NEED(utsns))
{
	own_stage();
	must_tmpfs("m");

	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER { MUST(row->go(full("m"))); }
	ON_HOST {
		EXPECT_ERRNO(EBUSY, umount("m"));
		container_stop(1);
		EXPECT_OK(umount("m"));
	}
}

TEST(mnt, detach_takes_the_tree,
     .says = "MNT_DETACH takes all mounts below along, umount refuses while there are any (EBUSY)",
     .checks = "mnt-050", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_tmpfs("m");
	must_tmpfs("m/sub");
	must_tmpfs("m/sub/deep");
	EXPECT_ERRNO(EBUSY, umount("m"));
	ASSERT_OK(umount2("m", MNT_DETACH));
	EXPECT_EQ(0, mounts_below(full("m")));
	EXPECT_OK(rmdir("m"));
}

TEST(mnt, detached_directory_leads_nowhere,
     .says = "from a directory in a detached mount \"..\" does not lead back to where it was "
	     "mounted",
     .finding = "a detached mount still leads to the tree it was in", .checks = "mnt-050",
     .needs = UMOUNT_NEEDS)
{
	struct stat root, above;
	char path[PATH_MAX];

	own_stage();
	must_tmpfs("m");
	must_mkdir("m/dir");
	MUST(stat("m", &root));
	MUST(chdir("m/dir"));
	MUST(umount2(full("m"), MNT_DETACH));
	for (int i = 0; i < 5; i++) MUST(chdir(".."));
	MUST(stat(".", &above));
	EXPECT_EQ(root.st_dev, above.st_dev);
	EXPECT_EQ(root.st_ino, above.st_ino);
	EXPECT_LT(0, syscall(SYS_getcwd, path, sizeof(path)));
	EXPECT_CONTAINS("(unreachable)", path);
}

TEST(mnt, expiring_takes_two_calls,
     .says = "MNT_EXPIRE says EAGAIN first and unmounts next time, unless used in between",
     .checks = "mnt-049", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_tmpfs("m");
	must_create("m/file", "x");
	EXPECT_ERRNO(EAGAIN, umount2("m", MNT_EXPIRE));
	MUST(close(MUST(open("m/file", O_RDONLY | O_CLOEXEC))));
	EXPECT_ERRNO(EAGAIN, umount2("m", MNT_EXPIRE));
	EXPECT_OK(umount2("m", MNT_EXPIRE));
	EXPECT(!is_mounted("m"));
}

struct umount_error {
	const char *label, *path;
	int flags, want;
};

ROWS(umount_errors, struct umount_error) = {
	{ "fine", "m", 0, 0 },
	{ "nofollow_is_fine", "m", UMOUNT_NOFOLLOW, 0 },
	{ "through_a_link", "link", 0, 0 },
	{ "link_with_nofollow", "link", UMOUNT_NOFOLLOW, EINVAL },
	{ "plain_directory", "plain", 0, EINVAL },
	{ "directory_of_a_mount", "m/dir", 0, EINVAL },
	{ "missing", "missing", 0, ENOENT },
	{ "expire_and_force", "m", MNT_EXPIRE | MNT_FORCE, EINVAL },
	{ "expire_and_detach", "m", MNT_EXPIRE | MNT_DETACH, EINVAL },
	{ "unknown_flag", "m", 1 << 10, EINVAL },
};

TEST_EACH(umount_errors, mnt, umount_checks_its_arguments,
	  .says = "umount refuses what is no mount, links with UMOUNT_NOFOLLOW, and bad flags",
	  .checks = "mnt-049", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_tmpfs("m");
	must_mkdir("m/dir");
	must_mkdir("plain");
	MUST(symlink("m", "link"));
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, umount2(row->path, row->flags));
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(row->want != 0, is_mounted("m"));
}

TEST(mnt, umount_uncovers_layer_by_layer,
     .says = "mounts stacked at one place come off one at a time, the last one first",
     .checks = "mnt-064 mnt-050", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_mkdir("m");
	must_create("m/layer", "0");
	for (int i = 1; i <= 3; i++) {
		must_tmpfs("m");
		must_create("m/layer", "%d", i);
	}
	for (int i = 3; i > 0; i--) {
		EXPECT_STREQ(text("%d", i), must_read("m/layer"));
		ASSERT_OK(umount("m"));
	}
	EXPECT_STREQ("0", must_read("m/layer"));
	EXPECT_ERRNO(EINVAL, umount("m"));
}

TEST(mnt, removed_mount_point_detaches_elsewhere,
     .says = "a directory that is a mount point in another namespace only can be removed",
     .checks = "mnt-114", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_mkdir("point");
	must_create("file", "1");
	must_create("other", "2");

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		must_tmpfs("point");
		must_mount("other", "file", NULL, MS_BIND, NULL);
		EXPECT_ERRNO(EBUSY, rmdir("point"));
		EXPECT_ERRNO(EBUSY, unlink("file"));
	}
	ON_HOST {
		EXPECT_OK(rmdir("point"));
		EXPECT_OK(unlink("file"));
	}
	IN_CONTAINER {
		EXPECT(!is_mounted("point"));
		EXPECT(!is_mounted("file"));
		EXPECT(!exists("point"));
	}
}

TEST(mnt, renamed_over_mount_point_detaches_elsewhere,
     .says = "renaming over a mount point of another namespace succeeds and detaches the mount",
     .checks = "mnt-114", .needs = UMOUNT_NEEDS)
{
	own_stage();
	must_create("file", "1");
	must_create("other", "2");

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { must_mount("other", "file", NULL, MS_BIND, NULL); }
	ON_HOST { EXPECT_OK(rename("other", "file")); }
	IN_CONTAINER {
		EXPECT(!is_mounted("file"));
		EXPECT_STREQ("2", must_read("file"));
	}
}

TEST(mnt, namespace_dies_with_its_last_process,
     .says = "when the last process of a mount namespace ends, its mounts are gone",
     .checks = "mnt-024 mnt-069", .needs = UMOUNT_NEEDS)
{
	int writer;

	own_stage();
	must_tmpfs("m");
	must_create("m/file", "1");

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		/* The copy keeps the file system from becoming read-only. */
		writer = MUST(open("m/file", O_WRONLY | O_CLOEXEC));
		note("held as %d", writer);
	}
	ON_HOST {
		EXPECT_ERRNO(EBUSY, mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		container_stop(1);
		EXPECT_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	}
}

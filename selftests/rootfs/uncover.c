// SPDX-License-Identifier: GPL-2.0-or-later
/* Attempts to undo a mask: by unmounting, remounting, binding, a new procfs, another path. */
#include "root.h"

#define MASK_NEEDS NEED(mntns) | NEED(own_proc) | NEED(masked)

/* How many bytes a file gives, 0 when it cannot be opened. */
static long bytes_in(const char *path)
{
	_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];

	return fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));
}

struct undoing {
	const char *label;
	int (*attempt)(const char *path);
};

static int try_umount(const char *path)
{
	return umount2(path, MNT_DETACH);
}

static int try_remount(const char *path)
{
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL);
}

static int try_move(const char *path)
{
	return mount(path, "/mnt", NULL, MS_MOVE, NULL);
}

static int try_new_proc(const char *path)
{
	(void)path;
	return mount("proc", "/mnt", "proc", 0, NULL);
}

static int try_bind(const char *path)
{
	(void)path;
	return mount("/proc", "/mnt", NULL, MS_BIND, NULL);
}

ROWS(undoings, struct undoing) = {
	{ "umount", try_umount },     { "remount", try_remount }, { "move", try_move },
	{ "new_proc", try_new_proc }, { "bind", try_bind },
};

TEST_EACH(undoings, rootfs, protection_is_not_undone,
	  .says = "the default command cannot unmount, remount, move or bypass a mask (EPERM)",
	  .finding = "the command can undo the masks over kernel paths",
	  .checks = "rootfs-16 rootfs-40", .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(EPERM, row->attempt("/proc/sys"));
		EXPECT(is_mounted("/proc/sys"));
		EXPECT_ERRNO(EROFS, open("/proc/sys/kernel/panic", O_WRONLY | O_CLOEXEC));
	}
}

TEST(rootfs, protection_is_not_uncovered_by_a_nested_namespace,
     .says = "in a user namespace made inside, no new procfs and no part of /proc is to be had",
     .finding = "a nested user namespace uncovers masked kernel paths",
     .checks = "rootfs-40 mnt-107", .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		IN_FORK {
			if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID)) {
				/* A filter or a limit forbids it. */
				EXPECT(errno == EPERM || errno == ENOSYS || errno == ENOSPC);
			} else {
				IN_FORK {
					EXPECT_ERRNO(EPERM, mount("proc", "/mnt", "proc", 0, NULL));
				}
				EXPECT_ERRNO(EINVAL, mount("/proc", "/mnt", NULL, MS_BIND, NULL));
				EXPECT_ERRNO(EINVAL, umount2("/proc/sys", MNT_DETACH));
			}
		}
	}
}

TEST(rootfs, covered_file_is_not_read_around_the_cover,
     .says = "a file mounted over is reached by no other path of the same proc, raw",
     .checks = "rootfs-20 rootfs-40", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL);
	EXPECT_EQ(0, bytes_in("/proc/version"));
	EXPECT_EQ(0, bytes_in("/proc/self/root/proc/version"));
	EXPECT_EQ(0, bytes_in("/proc/./version"));
	EXPECT_EQ(0, bytes_in("/proc/self/../version"));
	MUST(umount("/proc/version"));
	EXPECT_LT(0, bytes_in("/proc/version"));
}

TEST(rootfs, mask_over_a_mount_point_is_not_removed,
     .says = "rmdir, unlink and rename of a mask fail with EBUSY where it is mounted",
     .checks = "rootfs-16", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_mkdir("masked");
	must_create("file", "1");
	must_create("other", "2");
	must_tmpfs("masked");
	must_mount("other", "file", NULL, MS_BIND, NULL);
	EXPECT_ERRNO(EBUSY, rmdir("masked"));
	EXPECT_ERRNO(EBUSY, rename("masked", "moved"));
	EXPECT_ERRNO(EBUSY, unlink("file"));
	EXPECT_ERRNO(EBUSY, rename("other", "file"));
	MUST(umount("file"));
	EXPECT_OK(unlink("file"));
}

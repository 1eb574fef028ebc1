// SPDX-License-Identifier: GPL-2.0-or-later
/* What mount(2) refuses, and with which error. */
#include "mountinfo.h"

struct refusal {
	const char *label, *source, *target, *type;
	unsigned long flags;
	int want;
};

static const char nowhere[] = "(bad pointer)";

ROWS(refusals, struct refusal) = {
	{ "fine", "none", "dir", "tmpfs", 0, 0 },
	{ "unknown_type", "none", "dir", "nosuchfs", 0, ENODEV },
	{ "no_type", "none", "dir", NULL, 0, EINVAL },
	{ "missing_target", "none", "missing", "tmpfs", 0, ENOENT },
	{ "target_is_a_file", "none", "file", "tmpfs", 0, ENOTDIR },
	{ "target_below_a_file", "none", "file/dir", "tmpfs", 0, ENOTDIR },
	{ "target_is_a_loop", "none", "loop", "tmpfs", 0, ELOOP },
	{ "bad_target", "none", nowhere, "tmpfs", 0, EFAULT },
	{ "bad_type", "none", "dir", nowhere, 0, EFAULT },
	{ "bind_of_nothing", "missing", "dir", NULL, MS_BIND, ENOENT },
	{ "bind_of_a_file_on_a_directory", "file", "dir", NULL, MS_BIND, ENOTDIR },
	{ "bind_of_a_directory_on_a_file", "dir", "file", NULL, MS_BIND, ENOTDIR },
	{ "remount_of_a_plain_directory", "none", "dir", NULL, MS_REMOUNT, EINVAL },
	{ "move_of_a_plain_directory", "dir", "other", NULL, MS_MOVE, EINVAL },
	{ "move_into_itself", "mount", "mount/sub", NULL, MS_MOVE, ELOOP },
	{ "move_of_nothing", "missing", "dir", NULL, MS_MOVE, ENOENT },
};

static const char *bad(const char *argument)
{
	return argument == nowhere ? (const char *)-1L : argument;
}

TEST_EACH(refusals, mnt, mount_checks_its_arguments,
	  .says = "mount refuses each wrong argument with its own error",
	  .checks = "mnt-045 mnt-046", .needs = NEED(admin) | NEED(mntns))
{
	int result;

	own_stage();
	must_mkdir("dir");
	must_mkdir("other");
	must_create("file", "1");
	MUST(symlink("loop", "loop"));
	must_tmpfs("mount");
	must_mkdir("mount/sub");
	errno = 0;
	result = mount(row->source, bad(row->target), bad(row->type), row->flags, NULL);
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(row->want ? -1 : 0, result);
	EXPECT_EQ(!row->want, is_mounted("dir"));
}

TEST(mnt, mount_refuses_a_long_path, .says = "a path of PATH_MAX bytes fails with ENAMETOOLONG",
     .checks = "mnt-045", .needs = NEED(admin) | NEED(mntns))
{
	char path[PATH_MAX + 1];

	own_stage();
	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = 0;
	EXPECT_ERRNO(ENAMETOOLONG, mount("none", path, "tmpfs", 0, NULL));
	path[PATH_MAX - 1] = 0;
	memcpy(path, scratch(), strlen(scratch()));
	EXPECT_OK(mount("none", path, "tmpfs", 0, NULL));
}

TEST(mnt, block_file_system_wants_a_block_device,
     .says = "a block file system on a character device fails with ENOTBLK, on nothing with ENOENT",
     .checks = "mnt-045", .needs = NEED(root) | NEED(mntns))
{
	bool known;

	own_stage();
	must_mkdir("dir");
	/* The attempt loads what can be loaded. */
	mount("missing", "dir", "ext4", 0, NULL);
	known = strstr(must_read("/proc/filesystems"), "\text4\n");
	EXPECT_ERRNO(known ? ENOENT : ENODEV, mount("missing", "dir", "ext4", 0, NULL));
	EXPECT_ERRNO(known ? ENOTBLK : ENODEV, mount("/dev/null", "dir", "ext4", 0, NULL));
}

TEST(mnt, mount_needs_the_right, .says = "mount and umount without CAP_SYS_ADMIN fail with EPERM",
     .checks = "mnt-044", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_mkdir("dir");
	must_tmpfs("mounted");
	MUST(chmod(".", 0777));
	AS_NOBODY {
		EXPECT_ERRNO(EPERM, mount("none", "dir", "tmpfs", 0, NULL));
		EXPECT_ERRNO(EPERM, mount("dir", "dir", NULL, MS_BIND, NULL));
		EXPECT_ERRNO(EPERM, mount(NULL, "mounted", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		EXPECT_ERRNO(EPERM, mount(NULL, "mounted", NULL, MS_SHARED, NULL));
		EXPECT_ERRNO(EPERM, mount("mounted", "dir", NULL, MS_MOVE, NULL));
		EXPECT_ERRNO(EPERM, umount2("mounted", MNT_DETACH));
	}
	EXPECT_OK(umount2("mounted", MNT_DETACH));
}

struct passing {
	const char *label, *folder;
};

ROWS(passings, struct passing) = {
	{ "link_of_a_descriptor", "/proc/self/fd" },
	{ "about_a_descriptor", "/proc/self/fdinfo" },
	{ "of_another_process", "/proc/1/fd" },
};

TEST_EACH(passings, mnt, what_passes_with_a_process_is_no_mount_point,
	  .says = "nothing can be mounted on what /proc has of a descriptor: ENOENT",
	  .checks = "mnt-048",
	  .needs = NEED(admin) | NEED(mntns) | NEED(pidns) | NEED(proc_unmountable))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWPID, .proc = true);

	IN_CONTAINER {
		_fd_ int null = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
		_fd_ int entry = -EBADF;
		char path[64];

		snprintf(path, sizeof(path), "%s/%d", row->folder, null);
		entry = MUST(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
		/* The link itself, not what it leads to. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", entry);
		EXPECT_ERRNO(ENOENT, mount("/proc/version", path, NULL, MS_BIND, NULL));
		EXPECT_OK(mount("/proc/version", "/proc/self/status", NULL, MS_BIND, NULL));
	}
}

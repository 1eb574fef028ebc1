// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev: six harmless devices, the usual links, and nothing else. */
#include "root.h"

#include <sys/sysmacros.h>

#define DEV_NEEDS NEED(mntns) | NEED(own_dev)

struct device {
	const char *label;
	unsigned major, minor;
};

ROWS(devices, struct device) = {
	{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

TEST_EACH(devices, rootfs, device_is_the_right_one,
	  .says = "each default device is there with its type, number and mode 0666",
	  .finding = "a default device is missing, another one, or not for all",
	  .checks = "rootfs-08", .layer = RUNTIME, .needs = DEV_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		struct stat status = { 0 };

		ASSERT_OK(lstat(text("/dev/%s", row->label), &status));
		EXPECT(S_ISCHR(status.st_mode));
		EXPECT_EQ(row->major, major(status.st_rdev));
		EXPECT_EQ(row->minor, minor(status.st_rdev));
		EXPECT_EQ(0666, status.st_mode & 0777);
	}
}

TEST_EACH(devices, rootfs, device_is_there_in_a_user_namespace,
	  .says = "with a user namespace each default device is there, and opens",
	  .finding = "a default device is missing or useless in a user namespace",
	  .checks = "rootfs-08 rootfs-14", .layer = RUNTIME, .needs = DEV_NEEDS | NEED(userns))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER {
		struct stat status = { 0 };

		ASSERT_OK(lstat(text("/dev/%s", row->label), &status));
		EXPECT_EQ(makedev(row->major, row->minor), status.st_rdev);
		/* /dev/tty has nothing to open without a terminal: ENXIO, not EACCES. */
		if (row->major == 5)
			EXPECT_ERRNO(ENXIO, open("/dev/tty", O_RDWR | O_CLOEXEC));
		else
			EXPECT_OK(close(open(text("/dev/%s", row->label), O_RDWR | O_CLOEXEC)));
	}
}

TEST(rootfs, devices_do_their_work,
     .says = "null swallows, zero gives zeros, full is full, random and urandom give bytes",
     .checks = "rootfs-08", .layer = RUNTIME, .needs = DEV_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		_fd_ int null = ASSERT_OK(open("/dev/null", O_RDWR | O_CLOEXEC));
		_fd_ int zero = ASSERT_OK(open("/dev/zero", O_RDWR | O_CLOEXEC));
		_fd_ int full = ASSERT_OK(open("/dev/full", O_RDWR | O_CLOEXEC));
		_fd_ int noise = ASSERT_OK(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
		char bytes[32] = "x";

		EXPECT_EQ(1, write(null, "x", 1));
		EXPECT_EQ(0, read(null, bytes, 1));
		EXPECT_EQ(1, read(zero, bytes, 1));
		EXPECT_EQ(0, bytes[0]);
		EXPECT_ERRNO(ENOSPC, write(full, "x", 1));
		EXPECT_EQ((long)sizeof(bytes), read(noise, bytes, sizeof(bytes)));
	}
}

struct dev_link {
	const char *label, *path, *target;
};

ROWS(dev_links, struct dev_link) = {
	{ "fd", "/dev/fd", "/proc/self/fd" },
	{ "stdin", "/dev/stdin", "/proc/self/fd/0" },
	{ "stdout", "/dev/stdout", "/proc/self/fd/1" },
	{ "stderr", "/dev/stderr", "/proc/self/fd/2" },
	{ "ptmx", "/dev/ptmx", "pts/ptmx" },
};

TEST_EACH(dev_links, rootfs, device_link_points_where_it_should,
	  .says = "/dev/fd, stdin, stdout, stderr and ptmx are links to their targets",
	  .finding = "a link in /dev is missing or points elsewhere", .checks = "rootfs-09",
	  .layer = RUNTIME, .needs = DEV_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		ASSERT(exists("%s", row->path));
		EXPECT_STREQ(row->target, must_readlink("%s", row->path));
	}
}

/* What may stand in /dev: the default set of any runtime. */
static bool is_usual(const char *name)
{
	static const char usual[] =
		" . .. null zero full random urandom tty fd stdin stdout stderr "
		"ptmx pts shm mqueue console core char net ";

	return strstr(usual, text(" %s ", name));
}

TEST(rootfs, dev_holds_nothing_else,
     .says = "/dev holds the default entries and nothing of the host's devices",
     .finding = "/dev shows a device that nobody asked for", .checks = "rootfs-44",
     .layer = RUNTIME, .needs = DEV_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		DIR *dev = opendir("/dev");
		struct dirent *entry;
		unsigned seen = 0;

		ASSERT(dev != NULL);
		while ((entry = readdir(dev))) {
			EXPECT_STREQ("", is_usual(entry->d_name) ? "" : entry->d_name);
			EXPECT_NE(DT_BLK, entry->d_type);
			seen++;
		}
		closedir(dev);
		EXPECT_GE(seen, 10);
		EXPECT(!is_usual("sda"));
	}
}

TEST(rootfs, dangerous_devices_are_absent,
     .says = "mem, kmem, port, kmsg, fuse, kvm, loop-control and the disks are not in /dev",
     .finding = "a dangerous device of the host is in /dev", .checks = "rootfs-44",
     .layer = RUNTIME, .needs = DEV_NEEDS)
{
	static const char *const names[] = { "mem",  "kmem", "port",         "kmsg",
					     "fuse", "kvm",  "loop-control", "loop0",
					     "sda",  "vda",  "nvme0n1",      "hpet" };

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			EXPECT_STREQ("", exists("/dev/%s", names[i]) ? names[i] : "");
		EXPECT(exists("/dev/null"));
	}
}

TEST(rootfs, dev_is_of_the_container,
     .says = "a file made in /dev inside does not show up in the host's /dev",
     .finding = "the container has the host's /dev", .checks = "rootfs-44 mnt-116",
     .layer = RUNTIME, .needs = DEV_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat status;

		MUST(stat("/dev", &status));
		remember("dev", status.st_dev);
	}
	IN_CONTAINER {
		struct stat status;

		MUST(stat("/dev", &status));
		EXPECT_NE(recall_number("dev"), status.st_dev);
		MUST(stat("/", &status));
		remember("root", status.st_dev);
		MUST(stat("/dev", &status));
		EXPECT_NE(recall_number("root"), status.st_dev);
	}
}

TEST(rootfs, null_keeps_its_owner,
     .says = "/dev/null belongs to root and the host's /dev/null is untouched",
     .finding = "the runtime changed the owner or mode of /dev/null", .checks = "rootfs-15",
     .layer = RUNTIME, .needs = NEED(root) | DEV_NEEDS)
{
	struct stat before = { 0 }, after;

	ON_HOST { MUST(stat("/dev/null", &before)); }

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		struct stat status;

		ASSERT_OK(stat("/dev/null", &status));
		EXPECT_EQ(0, status.st_uid);
		EXPECT_EQ(0, status.st_gid);
	}
	ON_HOST {
		MUST(stat("/dev/null", &after));
		EXPECT_EQ(before.st_uid, after.st_uid);
		EXPECT_EQ(before.st_mode, after.st_mode);
		EXPECT_EQ(before.st_ino, after.st_ino);
	}
}

TEST(rootfs, new_block_device_is_useless,
     .says = "a block device cannot be made, or made it cannot be opened",
     .finding = "the container opened a disk of the host through a device node that it made",
     .checks = "rootfs-44 rootfs-11", .layer = RUNTIME,
     .needs = NEED(root) | NEED(mntns) | NEED(masked))
{
	CONTAINER(.unshare = CLONE_NEWNS, .tmpfs = { "/mnt" });

	ON_HOST {
		struct stat status;

		MUST(stat("/", &status));
		remember("disk", status.st_dev);
	}
	IN_CONTAINER {
		if (mknod("/mnt/disk", S_IFBLK | 0600, recall_number("disk")))
			EXPECT_EQ(EPERM, errno);
		else
			EXPECT_EQ(-1, open("/mnt/disk", O_RDONLY | O_CLOEXEC));
		EXPECT(!exists("/mnt/none"));
	}
}

TEST(rootfs, own_root_ships_no_working_device,
     .says = "a device node on a tmpfs made for the container cannot be opened",
     .finding = "a mount made for the container lets devices be opened", .checks = "rootfs-39",
     .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(masked))
{
	CONTAINER(.unshare = CLONE_NEWNS, .tmpfs = { "/mnt" });

	IN_CONTAINER {
		if (mknod("/mnt/null", S_IFCHR | 0666, makedev(1, 3)))
			EXPECT_EQ(EPERM, errno);
		else
			EXPECT_ERRNO(EACCES, open("/mnt/null", O_RDONLY | O_CLOEXEC));
	}
}

TEST(rootfs, node_in_a_user_namespace_does_not_open,
     .says = "in a user namespace mknod of a device fails with EPERM, a FIFO can be made",
     .checks = "rootfs-12 rootfs-14", .needs = NEED(admin) | NEED(userns) | NEED(mntns))
{
	own_stage();

	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER);

	IN_CONTAINER {
		must_tmpfs("own");
		EXPECT_ERRNO(EPERM, mknod("own/null", S_IFCHR | 0666, makedev(1, 3)));
		EXPECT_ERRNO(EPERM, mknod("own/disk", S_IFBLK | 0666, makedev(8, 0)));
		EXPECT_OK(mknod("own/fifo", S_IFIFO | 0666, 0));
	}
}

TEST(rootfs, mount_of_a_user_namespace_has_no_devices,
     .says = "a device node on a file system mounted in a user namespace cannot be opened",
     .checks = "rootfs-12", .needs = NEED(root) | NEED(userns) | NEED(mntns))
{
	own_stage();

	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER);

	IN_CONTAINER {
		must_tmpfs("own");
		_fd_ int directory = MUST(open("own", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		give_fd(directory);
	}
	ON_HOST {
		_fd_ int directory = take_fd();

		MUST(mknodat(directory, "null", S_IFCHR | 0666, makedev(1, 3)));
		EXPECT_ERRNO(EACCES, openat(directory, "null", O_RDONLY | O_CLOEXEC));
		MUST(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
		EXPECT_OK(close(open("null", O_RDONLY | O_CLOEXEC)));
	}
}

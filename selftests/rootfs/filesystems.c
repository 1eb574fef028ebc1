// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's file systems that a container has by default, and how they are mounted. */
#include "root.h"

#include <net/if.h>
#include <sys/statvfs.h>

struct place {
	const char *label, *path, *type;
	unsigned long flags; /* of statvfs, that must be set */
};

/* What every runtime with a /dev and /proc of its own gives. */
ROWS(places, struct place) = {
	{ "proc", "/proc", "proc", ST_NOSUID | ST_NODEV | ST_NOEXEC },
	{ "dev", "/dev", "tmpfs", ST_NOSUID },
	{ "dev_pts", "/dev/pts", "devpts", ST_NOSUID | ST_NOEXEC },
};

/* What a runtime gives that also has a /sys of its own. */
ROWS(more_places, struct place) = {
	{ "dev_shm", "/dev/shm", "tmpfs", ST_NOSUID | ST_NODEV | ST_NOEXEC },
	{ "sys", "/sys", "sysfs", ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC },
};

static const struct place message_queues = { "mqueue", "/dev/mqueue", "mqueue",
					     ST_NOSUID | ST_NODEV | ST_NOEXEC };

static void expect_place(const struct place *place)
{
	struct statvfs status;

	EXPECT_STREQ(place->type, mount_at(place->path).type);
	ASSERT_OK(statvfs(place->path, &status));
	EXPECT_EQ(place->flags, status.f_flag & place->flags);
}

TEST_EACH(places, rootfs, basic_file_systems_are_mounted,
	  .says = "/proc, /dev and /dev/pts are mounted with their type and protective flags",
	  .finding = "a default file system is missing or not mounted with its protective flags",
	  .checks = "rootfs-07 mnt-070", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(own_proc) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { expect_place(row); }
}

TEST_EACH(more_places, rootfs, more_file_systems_are_mounted,
	  .says = "/dev/shm and /sys are mounted with their type and protective flags",
	  .finding = "a default file system is missing or not mounted with its protective flags",
	  .checks = "rootfs-07 mnt-070", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(own_proc) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { expect_place(row); }
}

TEST(rootfs, message_queues_are_mounted,
     .says = "/dev/mqueue is an mqueue file system with nosuid, nodev, noexec",
     .finding = "/dev/mqueue is missing or not mounted with its protective flags",
     .checks = "rootfs-07 mnt-070", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(own_proc) | NEED(mqueue))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { expect_place(&message_queues); }
}

TEST_EACH(places, rootfs, basic_file_systems_keep_their_flags_in_a_user_namespace,
	  .says = "with a user namespace the same file systems have the same flags",
	  .finding = "a user namespace costs a default file system its protective flags",
	  .checks = "rootfs-07 rootfs-28", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(userns) | NEED(own_proc) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER { expect_place(row); }
}

TEST_EACH(more_places, rootfs, more_file_systems_keep_their_flags_in_a_user_namespace,
	  .says = "with a user namespace /dev/shm and /sys have the same flags",
	  .finding = "a user namespace costs a default file system its protective flags",
	  .checks = "rootfs-07 rootfs-28", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(userns) | NEED(own_proc) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER { expect_place(row); }
}

TEST(rootfs, message_queues_are_mounted_in_a_user_namespace,
     .says = "with a user namespace /dev/mqueue is an mqueue file system with the same flags",
     .finding = "a user namespace costs /dev/mqueue its protective flags",
     .checks = "rootfs-07 rootfs-28", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(userns) | NEED(own_proc) | NEED(mqueue))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER { expect_place(&message_queues); }
}

TEST(rootfs, proc_is_of_the_container,
     .says = "/proc is a new instance: it shows the container's processes and not the host's",
     .finding = "/proc is the host's", .checks = "rootfs-07", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWPID);

	ON_HOST {
		struct stat status;

		MUST(stat("/proc", &status));
		remember("proc", status.st_dev);
		remember("runner", getpid());
	}
	IN_CONTAINER {
		struct stat status;

		ASSERT(exists("/proc/self/stat"));
		MUST(stat("/proc", &status));
		EXPECT_NE(recall_number("proc"), status.st_dev);
		EXPECT(atoi(must_readlink("/proc/self")) == getpid());
	}
}

TEST(rootfs, shm_is_of_the_container,
     .says = "/dev/shm is empty, writable for all, and not the host's",
     .finding = "/dev/shm is the host's", .checks = "rootfs-07", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat status;

		MUST(stat("/dev/shm", &status));
		remember("shm", status.st_dev);
	}
	IN_CONTAINER {
		struct stat status;
		_fd_ int fd = -EBADF;

		ASSERT_OK(stat("/dev/shm", &status));
		EXPECT_NE(recall_number("shm"), status.st_dev);
		fd = EXPECT_OK(open("/dev/shm/new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
		EXPECT_OK(unlink("/dev/shm/new"));
	}
}

TEST(rootfs, shm_is_writable_for_all, .says = "/dev/shm has mode 1777",
     .checks = "rootfs-07 mnt-081", .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		struct stat status;

		ASSERT_OK(stat("/dev/shm", &status));
		EXPECT_EQ(01777, status.st_mode & 07777);
	}
}

TEST(rootfs, sys_is_of_the_own_network, .says = "/sys shows the container's network devices only",
     .finding = "/sys shows the host's network devices", .checks = "rootfs-07", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(netns) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWNET);

	IN_CONTAINER {
		DIR *devices = opendir("/sys/class/net");
		struct dirent *entry;

		ASSERT(devices != NULL);
		while ((entry = readdir(devices)))
			if (entry->d_name[0] != '.')
				EXPECT_NE(0, if_nametoindex(entry->d_name));
		closedir(devices);
		EXPECT(exists("/sys/class/net/lo"));
	}
}

TEST(rootfs, sys_is_not_writable, .says = "files and directories of /sys cannot be written (EROFS)",
     .finding = "/sys is writable", .checks = "rootfs-07 rootfs-35", .layer = RUNTIME,
     .needs = NEED(root) | NEED(mntns) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(EROFS, open("/sys/kernel/uevent_seqnum", O_WRONLY | O_CLOEXEC));
		EXPECT_ERRNO(EROFS, chmod("/sys/kernel", 0777));
		EXPECT_ERRNO(EROFS, mkdir("/sys/fs/new", 0755));
		EXPECT_OK(access("/sys/kernel/uevent_seqnum", R_OK));
	}
}

TEST(rootfs, new_terminals_are_of_the_container,
     .says = "/dev/pts is a new instance: gid 5 or the caller's, ptmx for all, no entry of the "
	     "host",
     .finding = "/dev/pts is the host's", .checks = "rootfs-43 mnt-110", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat status;

		remember("pts", stat("/dev/pts", &status) ? 0 : status.st_dev);
	}
	IN_CONTAINER {
		struct stat pts, ptmx;
		unsigned entries = 0;
		DIR *list = opendir("/dev/pts");

		ASSERT(list != NULL);
		while (readdir(list)) entries++;
		closedir(list);
		EXPECT_LE(entries, 4); /* . .. ptmx and a console */
		ASSERT_OK(stat("/dev/pts", &pts));
		EXPECT_NE(recall_number("pts"), pts.st_dev);
		ASSERT_OK(stat("/dev/pts/ptmx", &ptmx));
		EXPECT_EQ(0666, ptmx.st_mode & 0777);
	}
}

TEST(rootfs, terminal_works_inside,
     .says = "a pseudo-terminal opened inside has mode 0620 and group tty, and carries data",
     .checks = "rootfs-43 mnt-068", .layer = RUNTIME,
     .needs = NEED(root) | NEED(mntns) | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		_fd_ int leader = ASSERT_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
		_fd_ int terminal = -EBADF;
		struct stat status;
		char byte = 0;

		ASSERT_OK(grantpt(leader));
		ASSERT_OK(unlockpt(leader));
		terminal = ASSERT_OK(open(ptsname(leader), O_RDWR | O_NOCTTY | O_CLOEXEC));
		MUST(fstat(terminal, &status));
		EXPECT_EQ(0620, status.st_mode & 0777);
		EXPECT_EQ(5, status.st_gid);
		ASSERT_EQ(1, write(terminal, "x", 1));
		ASSERT_EQ(1, read(leader, &byte, 1));
		EXPECT_EQ('x', byte);
	}
}

TEST(rootfs, cgroup_tree_is_not_writable,
     .says = "where /sys/fs/cgroup is mounted by default, it is read-only and nosuid, nodev, "
	     "noexec",
     .finding = "the cgroup tree is writable inside", .checks = "rootfs-07", .layer = RUNTIME,
     .needs = NEED(root) | NEED(mntns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWCGROUP);

	IN_CONTAINER {
		struct mount_line line = mount_at("/sys/fs/cgroup");

		EXPECT(!line.id || has_option(line.options, "ro"));
		EXPECT(!line.id || has_option(line.options, "nosuid"));
		EXPECT(!line.id || has_option(line.options, "nodev"));
		EXPECT(!line.id || has_option(line.options, "noexec"));
		EXPECT_EQ(-1, mkdir("/sys/fs/cgroup/new", 0755));
	}
}

TEST(rootfs, root_is_the_directory_asked_for,
     .says = "\"/\" inside is the directory that was asked for, with what lies in it",
     .finding = "the container runs on another root than was asked for",
     .checks = "rootfs-01 rootfs-04", .layer = RUNTIME, .needs = NEED(mntns))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat status;

		MUST(stat(subject_rootfs(), &status));
		remember("wanted_dev", status.st_dev);
		remember("wanted_ino", status.st_ino);
	}
	IN_CONTAINER {
		struct stat status;

		MUST(stat("/", &status));
		EXPECT(same_file("wanted", &status));
	}
}

struct bound {
	const char *label, *path;
	unsigned long flags;
};

/* Where a runtime promises that nothing it binds brings devices or set-user-ID programs. */
ROWS(tame, struct bound) = {
	{ "root", "/", ST_NOSUID | ST_NODEV },
	{ "program", "/selftest", ST_NOSUID | ST_NODEV | ST_RDONLY },
	{ "directory", "/mnt", ST_NOSUID | ST_NODEV },
	{ "null", "/dev/null", ST_NOSUID },
	{ "zero", "/dev/zero", ST_NOSUID },
	{ "full", "/dev/full", ST_NOSUID },
	{ "random", "/dev/random", ST_NOSUID },
	{ "urandom", "/dev/urandom", ST_NOSUID },
	{ "tty", "/dev/tty", ST_NOSUID },
	{ "dev", "/dev", ST_NOSUID | ST_NODEV },
};

TEST_EACH(tame, rootfs, what_is_bound_brings_no_devices,
	  .says = "the root and what is bound are nosuid and nodev, device nodes nosuid",
	  .finding = "a bind lacks the protective flags that the runtime promises",
	  .checks = "mnt-076 rootfs-39", .layer = RUNTIME, .needs = NEED(mntns) | NEED(tame_binds))
{
	CONTAINER(.unshare = CLONE_NEWNS, .bind = { text("%s:/mnt", scratch()) });

	IN_CONTAINER {
		struct statvfs status;

		ASSERT_OK(statvfs(row->path, &status));
		EXPECT_EQ(row->flags, status.f_flag & row->flags);
	}
}

TEST(rootfs, interrupts_and_buses_are_read_only,
     .says = "/proc/irq and /proc/bus are read-only, whatever else the runtime masks",
     .finding = "a kernel path that should be read-only is writable", .checks = "rootfs-22",
     .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(own_proc) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(EROFS, chmod("/proc/irq", 0777));
		EXPECT_ERRNO(EROFS, chmod("/proc/bus", 0777));
	}
}

struct root_mode {
	const char *label;
	bool read_only, userns;
};

ROWS(root_modes, struct root_mode) = {
	{ "writable", false, false },
	{ "read_only", .read_only = true },
	{ "read_only_in_a_user_namespace", .read_only = true, .userns = true },
};

TEST_EACH(root_modes, rootfs, root_is_read_only_when_asked,
	  .says = "a read-only root refuses every change with EROFS, another one does not",
	  .finding = "the root is writable although it was asked to be read-only",
	  .checks = "rootfs-03", .layer = RUNTIME, .needs = NEED(mntns))
{
	CONTAINER(.unshare = CLONE_NEWNS, .read_only = row->read_only, .userns = row->userns);

	IN_CONTAINER {
		struct statvfs status;

		MUST(statvfs("/", &status));
		EXPECT_EQ(row->read_only, !!(status.f_flag & ST_RDONLY));
		if (row->read_only) {
			EXPECT_ERRNO(EROFS, open("/new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
			EXPECT_ERRNO(EROFS, mkdir("/etc/new", 0755));
		} else if (!access("/", W_OK)) {
			EXPECT_OK(mkdir("/new", 0755));
			EXPECT_OK(rmdir("/new"));
		}
	}
}

TEST(rootfs, read_only_root_leaves_dev_and_shm_writable,
     .says = "with a read-only root /dev/shm and /dev/null can still be written",
     .checks = "rootfs-03 mnt-084", .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_dev))
{
	CONTAINER(.unshare = CLONE_NEWNS, .read_only = true);

	IN_CONTAINER {
		_fd_ int null = EXPECT_OK(open("/dev/null", O_WRONLY | O_CLOEXEC));

		EXPECT_OK(close(open("/dev/shm/new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
		EXPECT_EQ(1, write(null, "x", 1));
	}
}

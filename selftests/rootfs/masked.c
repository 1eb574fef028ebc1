// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel paths that a container must not read or write, and that no trick uncovers. */
#include "root.h"

#include <dirent.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define MASK_NEEDS NEED(mntns) | NEED(own_proc) | NEED(masked)

struct path {
	const char *label, *path;
};

/* Masked by the OCI's and the engines' default list, where the kernel has them. */
ROWS(masked_files, struct path) = {
	{ "kcore", "/proc/kcore" },
	{ "keys", "/proc/keys" },
	{ "latency_stats", "/proc/latency_stats" },
	{ "timer_list", "/proc/timer_list" },
	{ "timer_stats", "/proc/timer_stats" },
	{ "sched_debug", "/proc/sched_debug" },
	{ "interrupts", "/proc/interrupts" },
};

ROWS(masked_directories, struct path) = {
	{ "acpi", "/proc/acpi" },
	{ "asound", "/proc/asound" },
	{ "scsi", "/proc/scsi" },
	{ "firmware", "/sys/firmware" },
	{ "powercap", "/sys/devices/virtual/powercap" },
};

ROWS(read_only_paths, struct path) = {
	{ "bus", "/proc/bus" },
	{ "fs", "/proc/fs" },
	{ "irq", "/proc/irq" },
	{ "sys", "/proc/sys" },
	{ "sysrq_trigger", "/proc/sysrq-trigger" },
};

/* True for the kernel's own file systems: what a mask covers. */
static bool is_kernels(const char *path)
{
	struct statfs status;

	return !statfs(path, &status) &&
	       (status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC);
}

/* How many bytes a file gives, 0 when it cannot be opened. */
static long bytes_in(const char *path)
{
	_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];

	return fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));
}

static unsigned entries_in(const char *path)
{
	DIR *directory = opendir(path);
	unsigned entries = 0;

	while (directory && readdir(directory)) entries++;
	if (directory)
		closedir(directory);
	return entries;
}

TEST_EACH(masked_files, rootfs, masked_file_reads_empty,
	  .says = "a masked file gives no byte, and is not the kernel's file any more",
	  .finding = "a kernel file that should be masked can be read",
	  .checks = "rootfs-16 rootfs-36", .layer = RUNTIME,
	  .needs = NEED(root) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("known", exists("%s", row->path)); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self"));
		EXPECT_EQ(recall_number("known"), exists("%s", row->path));
		EXPECT_EQ(0, bytes_in(row->path));
		EXPECT(!is_kernels(row->path));
		EXPECT(is_kernels("/proc/self"));
	}
}

TEST_EACH(masked_files, rootfs, mask_is_no_road_to_a_device_of_the_host,
	  .says = "changing the file that masks a kernel file changes no device node of the host",
	  .finding = "through a mask the container changes the host's /dev/null",
	  .checks = "rootfs-15 rootfs-16 rootfs-20", .layer = RUNTIME,
	  .needs = NEED(root) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat null;

		MUST(stat("/dev/null", &null));
		remember("changed", null.st_mtim.tv_sec);
	}
	IN_CONTAINER {
		long earlier = recall_number("changed") - 1000;
		struct timespec times[2] = { { .tv_sec = earlier }, { .tv_sec = earlier } };

		ASSERT(exists("/proc/self"));
		if (utimensat(AT_FDCWD, row->path, times, 0))
			EXPECT(errno == EROFS || errno == ENOENT || errno == EPERM);
	}
	ON_HOST {
		struct stat null;

		MUST(stat("/dev/null", &null));
		EXPECT_EQ(recall_number("changed"), null.st_mtim.tv_sec);
		if (recall_number("changed") != null.st_mtim.tv_sec)
			MUST(utimensat(AT_FDCWD, "/dev/null", NULL, 0));
	}
}

TEST_EACH(masked_directories, rootfs, masked_directory_is_empty,
	  .says = "a masked directory has no entries, is read-only and takes none",
	  .finding = "a kernel directory that should be masked can be read",
	  .checks = "rootfs-16 rootfs-17 rootfs-36", .layer = RUNTIME,
	  .needs = NEED(root) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("known", exists("%s", row->path)); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self"));
		EXPECT_EQ(recall_number("known"), exists("%s", row->path));
		EXPECT(!is_kernels(row->path));
		EXPECT_LE(entries_in(row->path), 2);
		EXPECT_ERRNO(recall_number("known") ? EROFS : ENOENT,
			     mkdir(text("%s/new", row->path), 0755));
	}
}

TEST_EACH(read_only_paths, rootfs, read_only_path_refuses_changes,
	  .says = "a read-only kernel path can be looked at and not be changed (EROFS)",
	  .finding = "a kernel path that should be read-only is writable", .checks = "rootfs-22",
	  .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("known", exists("%s", row->path)); }
	IN_CONTAINER {
		struct statvfs status;

		MUST_HOLD(exists("/proc/self"));
		if (recall_number("known")) {
			ASSERT_OK(statvfs(row->path, &status));
			EXPECT(status.f_flag & ST_RDONLY);
			EXPECT_ERRNO(EROFS, chmod(row->path, 0777));
		} else {
			EXPECT_ERRNO(ENOENT, chmod(row->path, 0777));
		}
	}
}

TEST_EACH(read_only_paths, rootfs, read_only_path_keeps_the_other_flags,
	  .says = "a read-only kernel path keeps the nosuid, nodev and noexec of /proc",
	  .finding = "making a path read-only took its other protective flags away",
	  .checks = "rootfs-23", .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("known", exists("%s", row->path)); }
	IN_CONTAINER {
		const unsigned long want = ST_NOSUID | ST_NODEV | ST_NOEXEC;
		struct statvfs status = { 0 };

		EXPECT_EQ(recall_number("known") ? 0 : -1, statvfs(row->path, &status));
		EXPECT_EQ(recall_number("known") ? want : 0, status.f_flag & want);
	}
}

TEST_EACH(read_only_paths, rootfs, read_only_path_stays_so_in_a_user_namespace,
	  .says = "with a user namespace the kernel paths are read-only, too",
	  .finding = "a user namespace costs a kernel path its protection", .checks = "rootfs-22",
	  .layer = RUNTIME, .needs = NEED(userns) | MASK_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	ON_HOST { remember("known", exists("%s", row->path)); }
	IN_CONTAINER {
		struct statvfs status = { .f_flag = ST_RDONLY };

		EXPECT_EQ(recall_number("known") ? 0 : -1, statvfs(row->path, &status));
		EXPECT(status.f_flag & ST_RDONLY);
	}
}

TEST_EACH(masked_files, rootfs, masked_file_stays_so_in_a_user_namespace,
	  .says = "with a user namespace the masked files are masked, too",
	  .finding = "a user namespace costs a kernel file its mask", .checks = "rootfs-16",
	  .layer = RUNTIME, .needs = NEED(userns) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self"));
		EXPECT_EQ(0, bytes_in(row->path));
		EXPECT(!is_kernels(row->path));
	}
}

TEST(rootfs, sysctls_below_proc_sys_are_read_only,
     .says = "files deep below /proc/sys refuse writing with EROFS and can be read",
     .finding = "a sysctl is writable inside", .checks = "rootfs-22 rootfs-35", .layer = RUNTIME,
     .needs = NEED(root) | MASK_NEEDS)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/hostname",      "/proc/sys/kernel/core_pattern",
		"/proc/sys/vm/overcommit_memory", "/proc/sys/fs/file-max",
		"/proc/sys/kernel/panic",         "/proc/sys/kernel/pid_max",
	};

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
			EXPECT_ERRNO(EROFS, open(paths[i], O_WRONLY | O_CLOEXEC));
			EXPECT_OK(access(paths[i], R_OK));
		}
	}
}

TEST(rootfs, masks_are_one_mount_each, .says = "no kernel path is masked or made read-only twice",
     .checks = "mnt-092 mnt-093", .layer = RUNTIME, .needs = MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		static char seen[256][256];
		const char *line = must_read("/proc/self/mountinfo");
		unsigned count = 0;

		for (; *line && count < 256; line += strcspn(line, "\n") + 1) {
			MUST(sscanf(line, "%*s %*s %*s %*s %255s", seen[count]) == 1 ? 0 : -1);
			for (unsigned i = 0; i < count; i++) EXPECT_STRNE(seen[i], seen[count]);
			count++;
		}
		EXPECT(is_mounted("/proc/sys"));
	}
}

TEST(rootfs, masked_directories_show_an_empty_tmpfs,
     .says = "a masked directory is an empty, read-only tmpfs with two links",
     .finding = "a mask over a directory is not what it should be", .checks = "rootfs-17",
     .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("known", exists("/sys/firmware")); }
	IN_CONTAINER {
		struct mount_line line = mount_at("/sys/firmware");
		struct stat status = { 0 };

		EXPECT_STREQ(recall_number("known") ? "tmpfs" : "", line.type);
		EXPECT_EQ(recall_number("known"), has_option(line.options, "ro"));
		EXPECT_EQ(recall_number("known") ? 0 : -1, stat("/sys/firmware", &status));
		EXPECT_EQ(recall_number("known") ? 2 : 0, status.st_nlink);
	}
}

TEST(rootfs, masks_hold_after_dropping_to_a_user,
     .says = "what is masked for root is masked for an unprivileged user inside",
     .checks = "rootfs-16", .layer = RUNTIME, .needs = NEED(root) | MASK_NEEDS | NEED(own_sys))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self"));
		AS_NOBODY {
			EXPECT_EQ(0, bytes_in("/proc/keys"));
			EXPECT_EQ(0, bytes_in("/proc/timer_list"));
			EXPECT_EQ(-1, open("/proc/sys/kernel/panic", O_WRONLY | O_CLOEXEC));
		}
	}
}

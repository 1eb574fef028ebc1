// SPDX-License-Identifier: GPL-2.0-or-later
/* The old root by what processes hold: links of /proc, descriptors, mappings, file handles. */
#include "root.h"

/* Calls `judge` with the path of each entry of /proc/PID/WHERE for all PIDs in sight. */
static void each_link(const char *where, void (*judge)(const char *path))
{
	DIR *proc = opendir("/proc");
	struct dirent *pid, *entry;

	while (proc && (pid = readdir(proc))) {
		char path[PATH_MAX];
		DIR *links;

		if (pid->d_name[0] < '1' || pid->d_name[0] > '9')
			continue;
		links = opendir(text("/proc/%s/%s", pid->d_name, where));
		while (links && (entry = readdir(links))) {
			snprintf(path, sizeof(path), "/proc/%.16s/%s/%s", pid->d_name, where,
				 entry->d_name);
			if (entry->d_name[0] != '.')
				judge(path);
		}
		if (links)
			closedir(links);
	}
	if (proc)
		closedir(proc);
}

/* "root" and "cwd" stand beside "ns", which has one "mnt" a process. */
static void judge_process(const char *path)
{
	char process[32] = "", cwd[64];
	struct stat status;

	if (sscanf(path, "%31[^n]ns/mnt", process) != 1 || !strstr(path, "/ns/mnt"))
		return;
	snprintf(cwd, sizeof(cwd), "%scwd", process);
	EXPECT(is_root(text("%sroot", process)));
	EXPECT(is_root(text("%sroot/..", process)));
	MUST(stat(cwd, &status));
	EXPECT(!is_host(&status));
	EXPECT_LACKS("(unreachable)", must_readlink("%s", cwd));
}

TEST(rootfs, process_links_end_inside,
     .says = "/proc/PID/root and cwd of every process in sight lead to the container",
     .finding = "/proc/PID/root or cwd of a process in sight leads to the host",
     .checks = "rootfs-32", .layer = BOTH, .needs = ROOT_NEEDS | NEED(own_proc))
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		root_enter_with_proc();
		each_link("ns", judge_process);
	}
}

/* A directory other than of the /proc that is being read. */
static void judge_descriptor(const char *path)
{
	struct stat proc, status;

	MUST(stat("/proc", &proc));
	if (!stat(path, &status) && status.st_dev != proc.st_dev)
		EXPECT(!S_ISDIR(status.st_mode));
}

TEST(rootfs, no_descriptor_is_a_directory,
     .says = "no process in sight holds a directory open that the runtime or the caller opened",
     .finding = "an inherited descriptor is a directory: the road that CVE-2024-21626 took",
     .checks = "rootfs-32 mnt-088", .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_proc))
{
	int open_root = -1;

	ON_HOST {
		/* Not close-on-exec: as a careless caller leaves it. */
		open_root = MUST(open("/", O_RDONLY | O_DIRECTORY));
		remember("descriptor", open_root);
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(EBADF, fchdir(recall_number("descriptor")));
		MUST_HOLD(exists("/proc/self/fd"));
		each_link("fd", judge_descriptor);
	}
	ON_HOST { close(open_root); }
}

static void judge_mapping(const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0) {
		EXPECT_EQ(EPERM, errno);
		return;
	}
	target[length] = 0;
	EXPECT_LACKS(recall("program"), target);
}

TEST(rootfs, mapped_files_name_nothing_of_the_host,
     .says = "neither maps nor map_files of a process inside name a path of the host",
     .finding = "a process inside has a file of the host mapped", .checks = "rootfs-32",
     .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("program", must_readlink("/proc/self/exe")); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self/maps"));
		EXPECT_LACKS(recall("program"), must_read("/proc/self/maps"));
		each_link("map_files", judge_mapping);
	}
}

/* A file handle as text, for the board. */
struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static void remember_handle(const char *path)
{
	struct handle handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	char hex[2 * MAX_HANDLE_SZ + 1] = "";
	int mount;

	MUST(name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0));
	for (unsigned i = 0; i < handle.head.handle_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", handle.bytes[i]);
	remember("handle", (const char *)hex);
	remember("handle_type", handle.head.handle_type);
}

static int open_handle(int mount)
{
	struct handle handle = { .head.handle_type = (int)recall_number("handle_type") };
	const char *hex = recall("handle");

	for (; hex[0]; hex += 2) {
		unsigned byte;

		MUST(sscanf(hex, "%2x", &byte) == 1 ? 0 : -1);
		handle.bytes[handle.head.handle_bytes++] = (unsigned char)byte;
	}
	return open_by_handle_at(mount, &handle.head, O_RDONLY | O_CLOEXEC);
}

TEST(rootfs, handle_of_the_host_does_not_open,
     .says = "open_by_handle_at with a handle of the host's root fails with EPERM inside",
     .finding = "a forged file handle opens the host's root (the shocker exploit)",
     .checks = "rootfs-34", .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(fhandle))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember_handle(subject_rootfs()); }
	IN_CONTAINER {
		_fd_ int mount = MUST(open("/", O_RDONLY | O_CLOEXEC));

		EXPECT_ERRNO(EPERM, open_handle(mount));
	}
}

TEST(rootfs, handle_opens_with_the_right_only,
     .says = "open_by_handle_at works with CAP_DAC_READ_SEARCH and fails with EPERM without",
     .checks = "rootfs-34", .needs = NEED(root) | NEED(mntns) | NEED(fhandle))
{
	_fd_ int mount = -EBADF, opened = -EBADF;

	own_stage();
	must_mkdir("dir");
	remember_handle("dir");
	mount = MUST(open(".", O_RDONLY | O_CLOEXEC));
	opened = open_handle(mount);
	EXPECT_GE(opened, 0);
	AS_NOBODY { EXPECT_ERRNO(EPERM, open_handle(mount)); }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The old root: by no road does the inside reach the host's. */
#include "root.h"

#include <ftw.h>

TEST(rootfs, dotdot_ends_at_the_root,
     .says = "above the container's root there is only the root itself",
     .finding = "\"..\" of the container's root leads to the host", .checks = "rootfs-33 mnt-101",
     .layer = BOTH, .needs = ROOT_NEEDS)
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		struct stat above;

		root_enter();
		EXPECT(is_root("/.."));
		EXPECT(is_root("/../../../.."));
		ASSERT_OK(chdir("/"));
		for (int i = 0; i < 8; i++) ASSERT_OK(chdir(".."));
		EXPECT(is_root("."));
		MUST(stat("..", &above));
		EXPECT(!is_host(&above));
	}
}

TEST(rootfs, nothing_is_stacked_on_the_root,
     .says = "the mount above \"/\" is the same mount: no old root lies on the new one",
     .finding = "the old root is still mounted on top of the container's",
     .checks = "mnt-101 mnt-118", .layer = BOTH, .needs = ROOT_NEEDS)
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		struct statx root, above;

		root_enter();
		MUST(statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root));
		MUST(statx(AT_FDCWD, "/..", 0, STATX_MNT_ID, &above));
		EXPECT_EQ(root.stx_mnt_id, above.stx_mnt_id);
	}
}

/* The first directory found that is the host's; "" when there is none. */
static char host_at[PATH_MAX];

static int look(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	if (kind == FTW_D && is_host(status)) {
		snprintf(host_at, sizeof(host_at), "%s", path);
		return FTW_STOP;
	}
	return at->level < 2 && strcmp(path, "/proc") ? FTW_CONTINUE : FTW_SKIP_SUBTREE;
}

TEST(rootfs, no_directory_is_the_old_root,
     .says = "no directory of the container is the host's root",
     .finding = "the host's root is mounted inside", .checks = "rootfs-02 rootfs-32 mnt-118",
     .layer = BOTH, .needs = ROOT_NEEDS)
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		root_enter();
		EXPECT_EQ(0, nftw("/", look, 16, FTW_PHYS | FTW_ACTIONRETVAL));
		EXPECT_STREQ("", host_at);
	}
}

/* True when a directory is there with something in it. */
static bool is_filled(const char *path)
{
	DIR *directory = opendir(path);
	unsigned entries = 0;

	while (directory && readdir(directory)) entries++;
	if (directory)
		closedir(directory);
	return entries > 2;
}

TEST(rootfs, place_of_the_old_root_is_empty,
     .says = "where runtimes put the old root for a moment there is nothing afterwards",
     .finding = "the old root stands where it was put", .checks = "rootfs-02 mnt-118",
     .layer = RUNTIME, .needs = NEED(mntns))
{
	static const char *const places[] = {
		"/oldroot", "/oldrootfs", "/old_root", "/.oldroot", "/.old_root", "/.pivot_root",
		"/put_old", "/newroot",   "/.put_old", "/.old",     "/old",
	};

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			EXPECT_STREQ("", is_filled(places[i]) ? places[i] : "");
		EXPECT(is_filled("/"));
	}
}

TEST(rootfs, mount_table_starts_at_the_root,
     .says = "the mount table has no two mounts at \"/\", and none above it",
     .finding = "the mount table inside shows the host's root", .checks = "mnt-118 rootfs-21",
     .layer = BOTH, .needs = ROOT_NEEDS | NEED(own_proc))
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		const char *line;
		unsigned roots = 0;
		int parent;

		root_enter_with_proc();
		parent = mount_at("/").parent;
		line = must_read("/proc/self/mountinfo");
		for (; *line; line += strcspn(line, "\n") + 1) {
			char at[PATH_MAX];
			int id;

			MUST(sscanf(line, "%d %*s %*s %*s %4095s", &id, at) == 2 ? 0 : -1);
			roots += !strcmp(at, "/");
			EXPECT_NE(parent, id);
		}
		EXPECT_LE(roots, 1);
	}
}

TEST(rootfs, mount_table_names_nothing_of_the_host,
     .says = "no mount inside shows the whole of the host's root file system",
     .finding = "a mount inside shows the host's root file system", .checks = "mnt-069 mnt-118",
     .layer = BOTH, .needs = ROOT_NEEDS | NEED(own_proc))
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST {
		host_remember();
		remember("stage", scratch());
	}
	IN_CONTAINER {
		const char *line;

		root_enter_with_proc();
		line = must_read("/proc/self/mountinfo");
		EXPECT(recall_number("raw") || !strstr(line, recall("stage")));
		for (; *line; line += strcspn(line, "\n") + 1) {
			char at[PATH_MAX];
			struct stat status;

			MUST(sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1 ? 0 : -1);
			if (!stat(at, &status))
				EXPECT(!is_host(&status));
		}
	}
}

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
		MUST_HOLD(exists("/proc/self/fd"));
		EXPECT_ERRNO(EBADF, fchdir(recall_number("descriptor")));
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

TEST(rootfs, working_directory_is_inside,
     .says = "the command's working directory is a path below the container's root",
     .finding = "the command starts outside of its root", .checks = "rootfs-32", .layer = RUNTIME,
     .needs = NEED(mntns))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		char here[PATH_MAX] = "";
		struct stat status;

		ASSERT_OK(syscall(SYS_getcwd, here, sizeof(here)));
		EXPECT_EQ('/', here[0]);
		MUST(stat(".", &status));
		EXPECT(!is_host(&status));
		for (int i = 0; i < 20; i++) ASSERT_OK(chdir(".."));
		EXPECT(is_root("."));
	}
}

TEST(rootfs, second_chroot_does_not_lead_out,
     .says = "chroot below and fchdir above it ends at the container's root",
     .finding = "the classic double chroot leads to the host's root", .checks = "rootfs-33",
     .layer = BOTH, .needs = ROOT_NEEDS)
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST { host_remember(); }
	IN_CONTAINER {
		_fd_ int above = -EBADF;
		struct stat root, reached;

		root_enter();
		MUST(stat("/", &root));
		above = MUST(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (chroot("/tmp")) {
			EXPECT_EQ(EPERM, errno);
		} else {
			ASSERT_OK(fchdir(above));
			for (int i = 0; i < 20; i++) ASSERT_OK(chdir(".."));
			MUST(stat(".", &reached));
			EXPECT(!is_host(&reached));
			EXPECT_EQ(root.st_ino, reached.st_ino);
			EXPECT_EQ(root.st_dev, reached.st_dev);
		}
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

/* Mount ids below `root` by listmount(2); -1 with errno where the call is denied. */
static long list_mounts(uint64_t root, uint64_t *ids, size_t size)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0, .mnt_id = root };

	return syscall(SYS_listmount, &request, ids, size, 0);
}

static uint64_t unique_id(const char *path)
{
	struct statx status;

	MUST(statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &status));
	return status.stx_mnt_id;
}

/* A filter may take the call away: then it shows nothing, either. */
static bool is_filtered(void)
{
	return errno == ENOSYS || (errno == EPERM && !recall_number("raw"));
}

TEST(rootfs, listmount_shows_no_mount_of_the_host,
     .says = "listmount inside lists the mounts of the container's table and none of the host",
     .finding = "listmount shows mounts of the host", .checks = "mnt-115", .layer = BOTH,
     .needs = ROOT_NEEDS | NEED(own_proc) | NEED(listmount) | NEED(unique_mount_id))
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST {
		host_remember();
		remember("root_mount", unique_id("/"));
	}
	IN_CONTAINER {
		uint64_t ids[512];
		long count;

		root_enter_with_proc();
		count = list_mounts(LSMT_ROOT, ids, 512);
		EXPECT(count > 0 || is_filtered());
		EXPECT(count < 0 || (unsigned long)count == mounts_below("/"));
		for (long i = 0; i < count; i++) EXPECT_NE(recall_number("root_mount"), ids[i]);
	}
}

TEST(rootfs, statmount_knows_no_mount_of_the_host,
     .says = "statmount inside of the host's root mount fails with ENOENT, of the own root it "
	     "works",
     .finding = "statmount tells about mounts of the host", .checks = "mnt-115 mnt-053",
     .layer = BOTH, .needs = ROOT_NEEDS | NEED(statmount) | NEED(unique_mount_id))
{
	CONTAINER(.unshare = ROOT_NAMESPACES);

	ON_HOST {
		host_remember();
		remember("root_mount", unique_id("/"));
	}
	IN_CONTAINER {
		struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0,
					      .param = STATMOUNT_MNT_BASIC };
		struct statmount result;

		root_enter();
		request.mnt_id = recall_number("root_mount");
		EXPECT_EQ(-1, syscall(SYS_statmount, &request, &result, sizeof(result), 0));
		EXPECT(errno == ENOENT || is_filtered());
		request.mnt_id = unique_id("/");
		EXPECT(!syscall(SYS_statmount, &request, &result, sizeof(result), 0) ||
		       is_filtered());
	}
}

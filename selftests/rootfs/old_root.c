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
		errno = ENOENT;
		EXPECT(!is_filtered());
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Roots of other kinds than a directory of the host's own file system. */
#include "root.h"

#include <sys/sysmacros.h>

/* A root directory with all that subjects ask of one, and a marker. */
static void must_furnish(const char *root)
{
	static const char *const directories[] = { "dev", "etc", "mnt", "proc",   "sys",
						   "tmp", "usr", "run", "oldroot" };

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		must_mkdir("%s/%s", root, directories[i]);
	must_create(text("%s/usr/os-release", root), "ID=selftest\n");
	must_create(text("%s/selftest", root), "mount point of the program");
	must_create(text("%s/marker", root), "of the root");
}

static void make_directory(void)
{
	must_furnish("root");
}

static void make_tmpfs(void)
{
	must_tmpfs("root");
	must_furnish("root");
}

static void make_bind(void)
{
	must_furnish("lower");
	must_mkdir("root");
	must_mount("lower", "root", NULL, MS_BIND, NULL);
}

static void make_overlay(void)
{
	must_furnish("lower");
	must_tmpfs("changes");
	must_mkdir("changes/upper");
	must_mkdir("changes/work");
	must_mkdir("root");
	must_mount("overlay", "root", "overlay", 0,
		   "lowerdir=lower,upperdir=changes/upper,workdir=changes/work");
}

struct kind {
	const char *label;
	void (*make)(void);
};

ROWS(kinds, struct kind) = {
	{ "directory", make_directory },
	{ "tmpfs", make_tmpfs },
	{ "bind_mount", make_bind },
	{ "overlay", make_overlay },
};

TEST_EACH(kinds, rootfs, a_root_may_be_of_any_kind,
	  .says = "a root on a tmpfs, a bind mount or an overlay works like a plain directory",
	  .finding = "on a root of another kind a container is not what it should be",
	  .checks = "rootfs-46 rootfs-01", .layer = RUNTIME,
	  .needs = NEED(root) | NEED(mntns) | NEED(overlay) | NEED(tmpfs))
{
	ON_HOST {
		own_stage();
		row->make();
	}

	CONTAINER(.unshare = CLONE_NEWNS, .rootfs = text("%s/root", scratch()));

	IN_CONTAINER {
		ASSERT(exists("/marker"));
		EXPECT_STREQ("of the root", must_read("/../marker"));
		EXPECT(!exists("%s", scratch()));
		must_create("/made", "inside");
	}
	ON_HOST {
		EXPECT_STREQ("inside", must_read("root/made"));
		EXPECT_EQ(0, mounts_below(full("root/")));
	}
}

struct device {
	const char *label, *path;
	unsigned minor; /* of the memory devices */
};

ROWS(devices, struct device) = {
	{ "null", "/dev/null", 3 },
	{ "zero", "/dev/zero", 5 },
	{ "full", "/dev/full", 7 },
};

TEST_EACH(devices, rootfs, a_device_may_be_asked_for_again,
	  .says = "binding the host's device onto the same one of the container is no error",
	  .finding = "a container does not start with a device that it would have anyway",
	  .checks = "rootfs-13", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(own_dev) | NEED(bind))
{
	CONTAINER(.unshare = CLONE_NEWNS, .bind = { text("%s:%s", row->path, row->path) });

	IN_CONTAINER {
		struct stat status;

		MUST(stat(row->path, &status));
		EXPECT(S_ISCHR(status.st_mode));
		EXPECT_EQ(makedev(1, row->minor), status.st_rdev);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What an OCI configuration may ask for about the root, beyond the options of all adapters. */
#include "root.h"

#define OCI_NEEDS NEED(mntns) | NEED(oci)

/* Without proc runc does not start, for it looks there for descriptors to close. */
TEST(rootfs, without_sys_it_starts,
     .says = "a container whose configuration has no sysfs starts, and has none",
     .finding = "a file system of the kernel is there that nobody asked for", .checks = "rootfs-27",
     .layer = RUNTIME, .needs = OCI_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS, .oci = { "without=sys" });

	IN_CONTAINER { EXPECT(!exists("/sys/kernel")); }
}

TEST(rootfs, what_is_not_there_needs_no_mask,
     .says = "a path to mask or to make read-only that is not there is passed over",
     .checks = "rootfs-18", .layer = RUNTIME, .needs = OCI_NEEDS | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWNS,
		  .oci = { "masked=/proc/no/such/file", "readonly=/proc/no/such/file" });

	IN_CONTAINER { EXPECT(!exists("/proc/no")); }
}

TEST(rootfs, without_pivot_root_the_old_root_is_gone,
     .says = "where pivot_root is not used the container's root is a root like any other: nothing "
	     "above it, and no mount of the host's in its table",
     .finding = "a container that was started without pivot_root reaches the host's root",
     .checks = "rootfs-06", .layer = RUNTIME, .needs = OCI_NEEDS | NEED(own_proc))
{
	ON_HOST {
		remember("scratch", scratch());
		must_create("mark", "of the host");
	}

	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWPID, .oci = { "pivot=no" });

	IN_CONTAINER {
		struct stat root, above;

		MUST(stat("/", &root));
		MUST(stat("/..", &above));
		EXPECT_EQ(root.st_ino, above.st_ino);
		EXPECT_EQ(root.st_dev, above.st_dev);
		EXPECT(!exists("%s/mark", recall("scratch")));
		EXPECT(!exists("/proc/1/root%s/mark", recall("scratch")));
	}
	ON_HOST { MUST(unlink("mark")); }
}

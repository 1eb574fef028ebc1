// SPDX-License-Identifier: GPL-2.0-or-later
/* What an OCI configuration may ask for about mounts, beyond the options of all adapters. */
#include "mountinfo.h"

#define OCI_NEEDS NEED(root) | NEED(mntns) | NEED(oci)

TEST(mnt, recursive_options_reach_mounts_below,
     .says = "a bind that is recursively read-only is so in the mounts below it, as `ro` is not",
     .finding = "the container writes below a bind that is recursively read-only",
     .checks = "mnt-077", .layer = RUNTIME, .needs = OCI_NEEDS | NEED(mount_setattr))
{
	ON_HOST {
		own_stage();
		must_tmpfs("tree");
		must_tmpfs("tree/below");
	}

	CONTAINER(.unshare = CLONE_NEWNS,
		  .oci = { text("mount=/mnt:bind:%s:rbind,rro", full("tree")) });

	IN_CONTAINER {
		EXPECT_ERRNO(EROFS, mkdir("/mnt/new", 0755));
		EXPECT_ERRNO(EROFS, mkdir("/mnt/below/new", 0755));
	}
}

TEST(mnt, a_tmpfs_begins_with_a_copy,
     .says = "a tmpfs that is to begin with what it covers has that, and what is covered stays",
     .checks = "mnt-083", .layer = RUNTIME, .needs = OCI_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS, .oci = { "mount=/etc:tmpfs:tmpfs:tmpcopyup" });

	ON_HOST { remember("passwd", must_read("%s/etc/passwd", subject_rootfs())); }
	IN_CONTAINER {
		EXPECT_STREQ(recall("passwd"), must_read("/etc/passwd"));
		must_create("/etc/passwd", "changed");
	}
	ON_HOST { EXPECT_STREQ(recall("passwd"), must_read("%s/etc/passwd", subject_rootfs())); }
}

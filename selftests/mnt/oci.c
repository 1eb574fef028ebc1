// SPDX-License-Identifier: GPL-2.0-or-later
/* What an OCI configuration may ask for about mounts, beyond the options of all adapters. */
#include "mountinfo.h"

#include <sys/xattr.h>

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

static const char *label_of(const char *path)
{
	static char label[256];
	ssize_t length = MUST(getxattr(path, "security.selinux", label, sizeof(label) - 1));

	label[length] = 0;
	return label;
}

/* Any other label of a file does for one that the policy knows. */
TEST(mnt, mounts_have_the_label_asked_for,
     .says = "a label that is asked for the mounts is that of each file in the container's tmpfs",
     .finding = "a tmpfs of the container has another label than the one asked for",
     .checks = "mnt-096", .layer = RUNTIME, .needs = OCI_NEEDS | NEED(selinux))
{
	ON_HOST {
		must_tmpfs("unlabelled");
		remember("default", label_of("unlabelled"));
		MUST(umount("unlabelled"));
		MUST(rmdir("unlabelled"));
		remember("label", label_of("/etc/passwd"));
		MUST_HOLD(strcmp(recall("label"), recall("default")));
	}

	CONTAINER(.unshare = CLONE_NEWNS, .oci = { text("label=%s", recall("label")) });

	IN_CONTAINER {
		EXPECT_STREQ(recall("label"), label_of("/dev/shm"));
		must_create("/dev/shm/file", "new");
		EXPECT_STREQ(recall("label"), label_of("/dev/shm/file"));
	}
}

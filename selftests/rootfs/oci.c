// SPDX-License-Identifier: GPL-2.0-or-later
/* What an OCI configuration may ask for about the root, beyond the options of all adapters. */
#include "root.h"

#include <sys/statvfs.h>

#define OCI_NEEDS NEED(mntns) | NEED(oci)

TEST(rootfs, without_proc_there_is_none,
     .says = "a container whose configuration has no proc has none, where it starts at all",
     .finding = "a process file system is there that nobody asked for", .checks = "rootfs-48",
     .layer = RUNTIME, .needs = OCI_NEEDS)
{
	ON_HOST { EXPECT(CONTAINER_STARTS(.unshare = CLONE_NEWNS)); }
	if (CONTAINER_STARTS(.unshare = CLONE_NEWNS, .oci = { "without=proc" })) {
		CONTAINER(.unshare = CLONE_NEWNS, .oci = { "without=proc" });

		IN_CONTAINER { EXPECT(!exists("/proc/self") && !exists("/proc/sys")); }
	}
}

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

/* The specification wants absolute paths; to take them from the root is as safe as to refuse. */
TEST(rootfs, a_relative_path_is_masked_or_refused,
     .says = "a relative path to mask is taken from the root, or the container does not start",
     .finding = "a path that was to be masked can be read", .checks = "rootfs-47", .layer = RUNTIME,
     .needs = OCI_NEEDS)
{
	ON_HOST {
		EXPECT(CONTAINER_STARTS(.unshare = CLONE_NEWNS, .oci = { "masked=/etc/passwd" }));
	}
	if (CONTAINER_STARTS(.unshare = CLONE_NEWNS, .oci = { "masked=etc/passwd" })) {
		CONTAINER(.unshare = CLONE_NEWNS, .oci = { "masked=etc/passwd" });

		IN_CONTAINER { EXPECT_STREQ("", must_read("/etc/passwd")); }
	}
}

TEST(rootfs, a_relative_path_is_read_only_or_refused,
     .says = "a relative path to make read-only is taken from the root, or the container does not "
	     "start",
     .finding = "what was to be read-only can be written to", .checks = "rootfs-24",
     .layer = RUNTIME, .needs = OCI_NEEDS)
{
	ON_HOST { EXPECT(CONTAINER_STARTS(.unshare = CLONE_NEWNS, .oci = { "readonly=/etc" })); }
	if (CONTAINER_STARTS(.unshare = CLONE_NEWNS, .oci = { "readonly=etc" })) {
		CONTAINER(.unshare = CLONE_NEWNS, .oci = { "readonly=etc" });

		IN_CONTAINER { EXPECT_ERRNO(EROFS, mkdir("/etc/new", 0755)); }
	}
}

TEST(rootfs, a_device_is_read_only_when_asked,
     .says = "a device that is to be read-only is on a read-only mount", .checks = "rootfs-24",
     .finding = "the container changes a device that was to be read-only", .layer = RUNTIME,
     .needs = OCI_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS, .oci = { "readonly=/dev/full" });

	IN_CONTAINER {
		struct statvfs status;

		MUST(statvfs("/dev/full", &status));
		EXPECT(status.f_flag & ST_RDONLY);
		EXPECT_ERRNO(EROFS, chmod("/dev/full", 0600));
		MUST(statvfs("/dev/zero", &status));
		EXPECT(!(status.f_flag & ST_RDONLY));
	}
}

TEST(rootfs, a_dangling_link_to_protect_makes_nothing,
     .says = "a path to mask or to make read-only that is a dangling link is refused or passed "
	     "over, and what it leads to is not made",
     .finding = "the runtime made a file where a dangling link leads", .checks = "rootfs-24",
     .layer = RUNTIME, .needs = OCI_NEEDS | NEED(bind))
{
	const char *links = text("%s/links:/mnt", scratch());

	must_mkdir("links");
	MUST(symlink("nowhere", "links/dangling"));
	EXPECT(CONTAINER_STARTS(.unshare = CLONE_NEWNS, .bind = { links }));
	CONTAINER_STARTS(.unshare = CLONE_NEWNS, .bind = { links },
			 .oci = { "readonly=/mnt/dangling" });
	CONTAINER_STARTS(.unshare = CLONE_NEWNS, .bind = { links },
			 .oci = { "masked=/mnt/dangling" });
	EXPECT(!exists("links/nowhere"));
	MUST(unlink("links/dangling"));
	MUST(rmdir("links"));
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

/* Its root is a directory of the host's: what the container needs has to stand there before. */
TEST(rootfs, without_a_mount_namespace_mounts_are_the_hosts,
     .says = "without a mount namespace of its own the container has the host's mounts, its root "
	     "among them",
     .checks = "rootfs-29", .layer = RUNTIME, .needs = NEED(root) | NEED(oci))
{
	const char *root = text("%s/root", scratch());

	ON_HOST {
		own_stage();
		must_mkdir("root/late");
		must_create("root/selftest", "covered");
		must_mount(must_readlink("/proc/self/exe"), "root/selftest", NULL, MS_BIND, NULL);
		must_mkdir("root/dev");
		must_mkdir("root/proc");
		must_mount("proc", "root/proc", "proc", 0, NULL);
	}

	CONTAINER(.rootfs = root, .share = "mnt");

	ON_HOST {
		EXPECT_EQ(ns_id(0, "mnt"), ns_id(inside_pid(), "mnt"));
		must_tmpfs("root/late");
		must_create("root/late/mark", "of the host");
	}
	IN_CONTAINER { EXPECT(exists("/late/mark")); }
}

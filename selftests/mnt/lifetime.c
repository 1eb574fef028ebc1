// SPDX-License-Identifier: GPL-2.0-or-later
/* What a new mount namespace takes along, whose it is, and what is left when it ends. */
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "mountinfo.h"

#define LIFE_NEEDS NEED(admin) | NEED(mntns)

TEST(mnt, a_copy_has_the_unbindable_too,
     .says = "a new mount namespace has the unbindable mounts as well, as no bind would",
     .checks = "mnt-066 mnt-004", .needs = LIFE_NEEDS)
{
	own_stage();
	must_tmpfs("m");
	must_create("m/file", "inside");
	must_mkdir("other");
	must_mount(NULL, "m", NULL, MS_UNBINDABLE, NULL);
	EXPECT_ERRNO(EINVAL, mount("m", "other", NULL, MS_BIND, NULL));
	UNSHARED(CLONE_NEWNS) {
		EXPECT(is_mounted("m"));
		EXPECT_STREQ("inside", must_read("m/file"));
	}
}

struct copied {
	const char *label;
	const char *type;
	bool comes;
};

ROWS(copied_files, struct copied) = {
	{ "mount_namespace", .type = "mnt", .comes = false },
	{ "other_namespace", .type = "uts", .comes = true },
};

TEST_EACH(copied_files, mnt, a_copy_leaves_bound_mount_namespaces_out,
	  .says = "a new mount namespace lacks the bound files of mount namespaces, which would "
		  "keep each other alive",
	  .checks = "mnt-113 mnt-066", .needs = LIFE_NEEDS | NEED(utsns))
{
	own_stage();
	must_tmpfs("m");
	must_create("m/file", "1");

	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUTS);

	ON_HOST {
		must_mount(text("/proc/%d/ns/%s", inside_pid(), row->type), "m/file", NULL, MS_BIND,
			   NULL);
		EXPECT(is_mounted("m/file"));
		UNSHARED(CLONE_NEWNS) {
			EXPECT(is_mounted("m"));
			EXPECT_EQ(row->comes, is_mounted("m/file"));
		}
	}
}

TEST(mnt, the_namespace_tells_its_owner,
     .says = "a mount namespace's descriptor tells its type and the user namespace that owns it",
     .checks = "mnt-123", .needs = LIFE_NEEDS | NEED(userns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWNS);

	IN_CONTAINER {
		_fd_ int mnt = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
		_fd_ int owner = ASSERT_OK(ioctl(mnt, NS_GET_USERNS));
		struct stat status;

		EXPECT_EQ(CLONE_NEWNS, ioctl(mnt, NS_GET_NSTYPE));
		MUST(fstat(owner, &status));
		EXPECT_EQ(ns_id(0, "user"), status.st_ino);
		EXPECT_ERRNO(EINVAL, ioctl(mnt, NS_GET_PARENT));
	}
}

TEST(mnt, the_gone_do_not_count,
     .says = "user.max_mnt_namespaces limits the mount namespaces there are (ENOSPC); one that "
	     "nobody is in any more makes room for another",
     .checks = "mnt-122", .needs = LIFE_NEEDS | NEED(userns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_mnt_namespaces", "0");
		EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWNS));
		must_write("/proc/sys/user/max_mnt_namespaces", "1");
		for (int i = 0; i < 3; i++) {
			IN_FORK {
				EXPECT_OK(unshare(CLONE_NEWNS));
				EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWNS));
			}
		}
	}
}

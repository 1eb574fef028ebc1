// SPDX-License-Identifier: GPL-2.0-or-later
/* What a new mount namespace takes along, whose it is, and what ends with it or with a mount. */
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sys/inotify.h>
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

/* Only an older mount namespace takes the file of a newer; since 6.18 each CPU counts for itself. */
static void stay_on_this_cpu(void)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(MUST(sched_getcpu()), &only);
	MUST(sched_setaffinity(0, sizeof(only), &only));
}

TEST_EACH(copied_files, mnt, a_copy_leaves_bound_mount_namespaces_out,
	  .says = "a new mount namespace lacks the bound files of mount namespaces, which would "
		  "keep each other alive",
	  .checks = "mnt-113 mnt-066", .needs = LIFE_NEEDS | NEED(utsns))
{
	stay_on_this_cpu();
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

struct table_or_namespace {
	const char *label, *file; /* of /proc/PID */
};

ROWS(hold_namespaces, struct table_or_namespace) = {
	{ "namespace", "ns/mnt" },
	{ "table", "mountinfo" },
};

TEST_EACH(hold_namespaces, mnt, a_descriptor_keeps_the_namespace_counted,
	  .says = "a mount namespace without a process counts for as long as a descriptor of it or "
		  "of its table is open",
	  .checks = "mnt-122", .needs = LIFE_NEEDS | NEED(userns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		int fd;

		must_write("/proc/sys/user/max_mnt_namespaces", "1");
		fd = must_deserted(CLONE_NEWNS, row->file);
		IN_FORK { EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWNS)); }
		close(fd);
		IN_FORK { EXPECT_OK(unshare(CLONE_NEWNS)); }
	}
}

/* An inotify descriptor that hears of the end of the file system that `path` is on. */
static int watch_end(const char *path)
{
	int watch = MUST(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));

	MUST(inotify_add_watch(watch, path, IN_DELETE_SELF));
	return watch;
}

/* Whether it has ended, or does so within the time given in milliseconds. */
static bool has_ended(int watch, int patience)
{
	struct pollfd poll_ = { .fd = watch, .events = POLLIN };
	struct inotify_event event = { 0 };

	return poll(&poll_, 1, patience) == 1 && read(watch, &event, sizeof(event)) > 0 &&
	       (event.mask & IN_UNMOUNT);
}

enum { AT_ONCE = 0, SOON = 10000 /* ms: the kernel may take the end of a namespace later */ };

TEST(mnt, a_file_system_ends_with_its_last_mount,
     .says = "a file system ends when the last of its mounts is taken away, not before",
     .checks = "mnt-128", .needs = LIFE_NEEDS)
{
	_fd_ int watch = -EBADF;

	own_stage();
	must_tmpfs("m");
	must_mkdir("copy");
	must_mount("m", "copy", NULL, MS_BIND, NULL);
	watch = watch_end("m");
	MUST(umount("m"));
	EXPECT(!has_ended(watch, AT_ONCE));
	MUST(umount("copy"));
	EXPECT(has_ended(watch, SOON));
}

TEST(mnt, a_file_system_ends_with_the_descriptor_of_its_tree,
     .says = "a file system ends when the descriptor of a tree that is mounted nowhere is closed",
     .checks = "mnt-128 mnt-024", .needs = LIFE_NEEDS | NEED(open_tree))
{
	_fd_ int watch = -EBADF, tree = -EBADF;

	own_stage();
	must_tmpfs("m");
	watch = watch_end("m");
	tree = ASSERT_OK(open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	MUST(umount("m"));
	EXPECT(!has_ended(watch, AT_ONCE));
	close_fd(&tree);
	EXPECT(has_ended(watch, SOON));
}

TEST(mnt, a_file_system_ends_with_its_namespace,
     .says = "a file system ends with the mount namespace that alone has it", .checks = "mnt-128",
     .needs = LIFE_NEEDS)
{
	_fd_ int watch = -EBADF;

	own_stage();
	must_mkdir("m");

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		must_tmpfs("m");
		give_fd(watch_end("m"));
	}
	ON_HOST {
		watch = take_fd();
		EXPECT(!has_ended(watch, AT_ONCE));
		container_stop(1);
		EXPECT(has_ended(watch, SOON));
	}
}

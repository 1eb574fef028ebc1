// SPDX-License-Identifier: GPL-2.0-or-later
/* Making and entering mount namespaces: unshare(2), clone3(2), setns(2). */
#include "mountinfo.h"

#include <linux/sched.h>

#define NAMESPACE_NEEDS NEED(admin) | NEED(mntns)

TEST(mnt, unshare_gives_a_copy_of_the_table,
     .says = "a new mount namespace starts with a copy of all mounts, with ids of their own",
     .checks = "mnt-005 mnt-066", .needs = NAMESPACE_NEEDS)
{
	uint64_t namespace;
	unsigned before;
	int id;

	own_stage();
	must_tmpfs("m");
	namespace = ns_id(0, "mnt");
	before = mounts_below("/");
	id = mount_at("m").id;
	ASSERT_OK(unshare(CLONE_NEWNS));
	EXPECT_NE(namespace, ns_id(0, "mnt"));
	EXPECT_EQ(before, mounts_below("/"));
	EXPECT_NE(id, mount_at("m").id);
}

TEST(mnt, new_namespace_needs_the_right,
     .says = "unshare(CLONE_NEWNS) without CAP_SYS_ADMIN fails with EPERM", .checks = "mnt-005",
     .needs = NAMESPACE_NEEDS)
{
	AS_NOBODY { EXPECT_ERRNO(EPERM, unshare(CLONE_NEWNS)); }
	EXPECT_OK(unshare(CLONE_NEWNS));
}

TEST(mnt, new_user_namespace_gives_the_right,
     .says = "with a user namespace in the same call nobody may make a mount namespace",
     .checks = "mnt-005", .needs = NEED(free_userns) | NAMESPACE_NEEDS | NEED(userns))
{
	own_stage();
	AS_NOBODY {
		EXPECT_OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		EXPECT_OK(mount("none", "/tmp", "tmpfs", 0, NULL));
	}
}

static long clone_with(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	if (pid > 0)
		must_wait(pid);
	return pid;
}

TEST(mnt, shared_fs_and_new_namespace_exclude_each_other,
     .says = "clone3 with CLONE_NEWNS and CLONE_FS fails with EINVAL, with one of them it works",
     .checks = "mnt-007", .needs = NAMESPACE_NEEDS)
{
	EXPECT_ERRNO(EINVAL, clone_with(CLONE_NEWNS | CLONE_FS));
	EXPECT_OK(clone_with(CLONE_NEWNS));
	EXPECT_OK(clone_with(CLONE_FS));
}

TEST(mnt, unshare_refuses_unknown_flags,
     .says = "unshare with bits that mean nothing to it fails with EINVAL", .checks = "mnt-008",
     .needs = NAMESPACE_NEEDS)
{
	EXPECT_ERRNO(EINVAL, unshare(-1));
	EXPECT_ERRNO(EINVAL, unshare(CLONE_NEWNS | CLONE_PARENT));
	EXPECT_OK(unshare(0));
	EXPECT_OK(unshare(CLONE_NEWNS));
}

/* Forks a process that shares root and cwd with this one; it does `act` and ends. */
static void sharing_fs(void (*act)(void))
{
	struct clone_args args = { .flags = CLONE_FS, .exit_signal = SIGCHLD };
	long pid = MUST(syscall(SYS_clone3, &args, sizeof(args)));

	if (!pid) {
		act();
		_exit(0);
	}
	EXPECT_EQ(0, must_wait(pid));
}

static void change_directory(void)
{
	MUST(chdir("dir"));
}

static void unshare_and_change_directory(void)
{
	must_unshare(CLONE_NEWNS);
	MUST(chdir("dir"));
}

TEST(mnt, new_namespace_has_its_own_working_directory,
     .says = "unshare(CLONE_NEWNS) also ends the sharing of root and cwd with a CLONE_FS sibling",
     .checks = "mnt-006", .needs = NAMESPACE_NEEDS)
{
	char here[PATH_MAX], now[PATH_MAX];

	own_stage();
	must_mkdir("dir/dir");
	MUST(syscall(SYS_getcwd, here, sizeof(here)));
	sharing_fs(unshare_and_change_directory);
	MUST(syscall(SYS_getcwd, now, sizeof(now)));
	EXPECT_STREQ(here, now);
	sharing_fs(change_directory);
	MUST(syscall(SYS_getcwd, now, sizeof(now)));
	EXPECT_STRNE(here, now);
}

TEST(mnt, setns_enters_root_and_cwd,
     .says = "setns to a mount namespace sets root and cwd to that namespace's root",
     .checks = "mnt-111", .needs = NAMESPACE_NEEDS)
{
	own_stage();

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		must_tree("new");
		must_create("new/marker", "inside");
		MUST(chdir("new"));
		MUST(syscall(SYS_pivot_root, ".", "."));
		MUST(umount2(".", MNT_DETACH));
	}
	ON_HOST {
		_fd_ int namespace =
			MUST(open(text("/proc/%d/ns/mnt", inside_pid()), O_RDONLY | O_CLOEXEC));

		MUST(chroot("."));
		IN_FORK {
			ASSERT_OK(setns(namespace, CLONE_NEWNS));
			EXPECT(exists("/marker"));
			EXPECT(exists("marker"));
		}
		EXPECT(!exists("/marker"));
	}
}

static int namespace_to_enter;

static void enter_namespace(void)
{
	EXPECT_ERRNO(EINVAL, setns(namespace_to_enter, CLONE_NEWNS));
}

TEST(mnt, setns_refuses_a_shared_fs,
     .says = "setns to a mount namespace fails with EINVAL while root and cwd are shared",
     .checks = "mnt-111", .needs = NAMESPACE_NEEDS)
{
	_fd_ int own = -EBADF;

	own_stage();
	own = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	namespace_to_enter = own;
	sharing_fs(enter_namespace);
	EXPECT_OK(setns(own, CLONE_NEWNS));
}

TEST(mnt, setns_needs_the_right,
     .says = "setns to a mount namespace without CAP_SYS_ADMIN fails with EPERM, to another kind "
	     "EINVAL",
     .checks = "mnt-111", .needs = NAMESPACE_NEEDS)
{
	_fd_ int own = -EBADF;

	own_stage();
	own = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUTS));
	AS_NOBODY { EXPECT_ERRNO(EPERM, setns(own, CLONE_NEWNS)); }
	EXPECT_OK(setns(own, 0));
}

TEST(mnt, namespace_is_not_bound_into_itself,
     .says = "binding the file of the own mount namespace, or an older one's, fails with EINVAL",
     .checks = "mnt-113", .needs = NAMESPACE_NEEDS)
{
	own_stage();
	must_create("file", "1");
	EXPECT_ERRNO(EINVAL, mount("/proc/self/ns/mnt", "file", NULL, MS_BIND, NULL));
	EXPECT_OK(mount("/proc/self/ns/user", "file", NULL, MS_BIND, NULL));
}

TEST(mnt, younger_namespace_is_bound_and_lives,
     .says = "a younger namespace's file can be bound, keeps it alive and can be entered",
     .checks = "mnt-113 mnt-111", .needs = NAMESPACE_NEEDS)
{
	own_stage();
	must_create("file", "1");

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { must_mount("inside", scratch(), "tmpfs", 0, NULL); }
	ON_HOST {
		_fd_ int namespace = -EBADF;

		ASSERT_OK(
			mount(text("/proc/%d/ns/mnt", inside_pid()), "file", NULL, MS_BIND, NULL));
		container_stop(1);
		EXPECT_STREQ("nsfs", mount_at("file").type);
		namespace = MUST(open("file", O_RDONLY | O_CLOEXEC));
		IN_FORK {
			ASSERT_OK(setns(namespace, CLONE_NEWNS));
			EXPECT_STREQ("inside", mount_at(scratch()).source);
		}
	}
}

struct member {
	const char *label, *kind; /* whose file is in the tree */
	int want;
};

ROWS(members, struct member) = {
	{ "itself", "mnt", ELOOP },
	{ "another_kind", "uts", 0 },
};

TEST_EACH(members, mnt, namespace_does_not_get_a_tree_that_holds_it,
	  .says = "a tree with the file of a mount namespace in it is not attached there (ELOOP)",
	  .checks = "mnt-113", .needs = NAMESPACE_NEEDS | NEED(open_tree))
{
	_fd_ int tree = -EBADF, namespace = -EBADF;

	own_stage();
	must_tmpfs("tree");
	must_create("tree/file", "1");

	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		const char *file = text("/proc/%d/ns/%s", inside_pid(), row->kind);

		MUST(mount(file, "tree/file", NULL, MS_BIND, NULL));
		tree = MUST(open_tree(AT_FDCWD, "tree",
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
		namespace = MUST(open(text("/proc/%d/ns/mnt", inside_pid()), O_RDONLY | O_CLOEXEC));
		IN_FORK {
			MUST(setns(namespace, CLONE_NEWNS));
			errno = 0;
			EXPECT_EQ(row->want ? -1 : 0, move_mount(tree, "", AT_FDCWD, full("tree"),
								 MOVE_MOUNT_F_EMPTY_PATH));
			EXPECT_EQ(row->want, errno);
		}
	}
}

TEST(mnt, descriptor_table_is_unshared,
     .says = "unshare(CLONE_FILES) gives a copy: a descriptor closed in it stays open elsewhere",
     .checks = "mnt-009", .needs = NAMESPACE_NEEDS)
{
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	_fd_ int null = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	long pid = MUST(syscall(SYS_clone3, &args, sizeof(args)));

	if (!pid) {
		MUST(unshare(CLONE_FILES));
		close(null);
		_exit(0);
	}
	EXPECT_EQ(0, must_wait(pid));
	EXPECT_OK(fcntl(null, F_GETFD));
}

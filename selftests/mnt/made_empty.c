// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mount namespaces that are not copies: empty ones (unshare(2), clone3(2)) and ones
 * made from a tree or a file system (open_tree(2), fsmount(2)); 7.0 and 7.1.
 */
#include "mountinfo.h"

#include <linux/sched.h>

#define EMPTY_NEEDS                                                                                \
	NEED(admin) | NEED(mntns) | NEED(fsopen) | NEED(empty_mntns) | NEED(listmount) |           \
		NEED(unique_mount_id)
#define TREE_NEEDS                                                                                 \
	NEED(admin) | NEED(mntns) | NEED(open_tree_namespace) | NEED(listmount) |                  \
		NEED(unique_mount_id)

/* How many mounts listmount(2) finds below the caller's root. */
static long count_mounts(void)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0, .mnt_id = LSMT_ROOT };
	uint64_t ids[1024];

	return syscall(SYS_listmount, &request, ids, 1024, 0);
}

static uint64_t unique_id(const char *path)
{
	struct statx status;

	MUST(statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &status));
	return status.stx_mnt_id;
}

/* The parent of the root mount; `type` takes its file system type. */
static uint64_t parent_of_root(char type[16])
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0,
				      .mnt_id = unique_id("/"),
				      .param = STATMOUNT_MNT_BASIC | STATMOUNT_FS_TYPE };
	union {
		struct statmount head;
		char bytes[sizeof(struct statmount) + 512];
	} answer;

	MUST(syscall(SYS_statmount, &request, &answer, sizeof(answer), 0));
	snprintf(type, 16, "%s", answer.head.str + answer.head.fs_type);
	return answer.head.mnt_parent_id;
}

TEST(mnt, empty_namespace_has_one_mount,
     .says = "an empty mount namespace has a nullfs root and nothing else, root and cwd on it",
     .checks = "mnt-062", .needs = EMPTY_NEEDS)
{
	char type[16];

	own_stage();
	must_tmpfs("m");
	ASSERT_OK(unshare(UNSHARE_EMPTY_MNTNS));
	EXPECT_EQ(1, count_mounts());
	EXPECT_EQ(unique_id("/"), unique_id("."));
	EXPECT_EQ(unique_id("/"), parent_of_root(type));
	EXPECT_STREQ("nullfs", type);
	EXPECT_ERRNO(ENOENT, open("/new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	EXPECT(!exists("/proc"));
}

TEST(mnt, empty_namespace_needs_the_right,
     .says = "an empty mount namespace needs CAP_SYS_ADMIN (EPERM)", .checks = "mnt-062",
     .needs = EMPTY_NEEDS)
{
	own_stage();
	AS_NOBODY { EXPECT_ERRNO(EPERM, unshare(UNSHARE_EMPTY_MNTNS)); }
	EXPECT_OK(unshare(UNSHARE_EMPTY_MNTNS));
}

static long clone_with(uint64_t flags, void (*act)(void))
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		act();
		_exit(0);
	}
	if (pid > 0)
		EXPECT_EXIT(0, must_wait(pid));
	return pid;
}

static void expect_one_mount(void)
{
	EXPECT_EQ(1, count_mounts());
}

TEST(mnt, clone3_makes_an_empty_namespace,
     .says = "clone3 with CLONE_EMPTY_MNTNS starts in an empty namespace, not with CLONE_FS "
	     "(EINVAL)",
     .checks = "mnt-062", .needs = EMPTY_NEEDS)
{
	long before;

	own_stage();
	before = count_mounts();
	EXPECT_OK(clone_with(CLONE_EMPTY_MNTNS, expect_one_mount));
	EXPECT_ERRNO(EINVAL, clone_with(CLONE_EMPTY_MNTNS | CLONE_FS, expect_one_mount));
	EXPECT_EQ(before, count_mounts());
}

TEST(mnt, empty_namespace_is_furnished,
     .says = "in an empty namespace a tmpfs can be mounted and entered; the old one is unchanged",
     .checks = "mnt-063", .needs = EMPTY_NEEDS)
{
	unsigned before;

	own_stage();
	before = mounts_below("/");
	IN_FORK {
		_fd_ int fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));
		_fd_ int tree = -EBADF;

		ASSERT_OK(unshare(UNSHARE_EMPTY_MNTNS));
		MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		tree = ASSERT_OK(fsmount(fs, FSMOUNT_CLOEXEC, 0));
		ASSERT_OK(move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
		EXPECT_EQ(2, count_mounts());
		ASSERT_OK(fchdir(tree));
		ASSERT_OK(chroot("."));
		EXPECT_OK(mkdir("/new", 0755));
	}
	EXPECT_EQ(before, mounts_below("/"));
	EXPECT(!exists("/new"));
}

TEST(mnt, empty_namespace_leaves_the_other_kinds,
     .says = "making an empty mount namespace changes no other namespace of the caller",
     .checks = "mnt-066", .needs = EMPTY_NEEDS)
{
	_fd_ int proc = MUST(open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
	struct stat uts, mnt, now;

	own_stage();
	MUST(fstatat(proc, "uts", &uts, 0));
	MUST(fstatat(proc, "mnt", &mnt, 0));
	ASSERT_OK(unshare(UNSHARE_EMPTY_MNTNS));
	MUST(fstatat(proc, "uts", &now, 0));
	EXPECT_EQ(uts.st_ino, now.st_ino);
	MUST(fstatat(proc, "mnt", &now, 0));
	EXPECT_NE(mnt.st_ino, now.st_ino);
}

TEST(mnt, tree_becomes_a_namespace,
     .says = "open_tree with OPEN_TREE_NAMESPACE gives a new namespace rooted at the copied tree",
     .checks = "mnt-058", .needs = TREE_NEEDS)
{
	_fd_ int namespace = -EBADF;
	struct stat made;
	uint64_t before;

	own_stage();
	must_tmpfs("tree");
	must_create("tree/marker", "1");
	before = ns_id(0, "mnt");
	namespace = ASSERT_OK(open_tree(AT_FDCWD, "tree",
					OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
	MUST(fstat(namespace, &made));
	EXPECT_NE(before, made.st_ino);
	EXPECT_EQ(before, ns_id(0, "mnt"));
	IN_FORK {
		ASSERT_OK(setns(namespace, CLONE_NEWNS));
		EXPECT(exists("/marker"));
		EXPECT(!exists("/proc"));
	}
}

TEST(mnt, tree_namespace_needs_the_right,
     .says = "OPEN_TREE_NAMESPACE needs CAP_SYS_ADMIN, and excludes OPEN_TREE_CLONE (EINVAL)",
     .checks = "mnt-058", .needs = TREE_NEEDS)
{
	own_stage();
	must_tmpfs("tree");
	MUST(chmod(".", 0755));
	AS_NOBODY { EXPECT_ERRNO(EPERM, open_tree(AT_FDCWD, "tree", OPEN_TREE_NAMESPACE)); }
	EXPECT_ERRNO(EINVAL, open_tree(AT_FDCWD, "tree", OPEN_TREE_NAMESPACE | OPEN_TREE_CLONE));
	EXPECT_OK(close(open_tree(AT_FDCWD, "tree", OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC)));
}

TEST(mnt, unbindable_tree_becomes_no_namespace,
     .says = "OPEN_TREE_NAMESPACE of an unbindable mount fails, unbindable submounts are left out",
     .checks = "mnt-059", .needs = TREE_NEEDS)
{
	_fd_ int namespace = -EBADF;

	own_stage();
	must_tmpfs("tree");
	must_tmpfs("tree/sub");
	must_create("tree/sub/file", "1");
	must_mount(NULL, "tree/sub", NULL, MS_UNBINDABLE, NULL);
	EXPECT_ERRNO(EINVAL,
		     open_tree(AT_FDCWD, "tree/sub", OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC));
	namespace = ASSERT_OK(open_tree(AT_FDCWD, "tree",
					OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
	ASSERT_OK(setns(namespace, CLONE_NEWNS));
	EXPECT(exists("/sub"));
	EXPECT(!exists("/sub/file"));
}

TEST(mnt, file_system_becomes_a_namespace,
     .says = "fsmount with FSMOUNT_NAMESPACE gives a namespace with the new file system as root",
     .checks = "mnt-061", .needs = NEED(admin) | NEED(mntns) | NEED(fsmount_namespace))
{
	_fd_ int fs = -EBADF, namespace = -EBADF;

	own_stage();
	fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));
	MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	namespace = ASSERT_OK(fsmount(fs, FSMOUNT_NAMESPACE | FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
	IN_FORK {
		ASSERT_OK(setns(namespace, CLONE_NEWNS));
		EXPECT(!exists("/proc"));
		EXPECT_ERRNO(EROFS, mkdir("/new", 0755));
	}
	EXPECT(exists("/proc"));
}

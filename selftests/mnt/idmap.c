// SPDX-License-Identifier: GPL-2.0-or-later
/* Idmapped mounts: what may be mapped, by which user namespace, and what it does. */
#include "mountinfo.h"

/* A user namespace that maps its 0 to `id`, and `count` from there. */
static int userns_of(unsigned id, unsigned count)
{
	pid_t pid = must_clone3(CLONE_NEWUSER);
	int fd;

	if (!pid)
		pause();
	must_write(text("/proc/%d/uid_map", pid), "0 %u %u", id, count);
	must_write(text("/proc/%d/gid_map", pid), "0 %u %u", id, count);
	fd = MUST(open(text("/proc/%d/ns/user", pid), O_RDONLY | O_CLOEXEC));
	MUST(kill(pid, SIGKILL));
	must_wait(pid);
	return fd;
}

static int idmap(int tree_fd, int userns, unsigned flags)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	return mount_setattr(tree_fd, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr));
}

#define IDMAP_NEEDS NEED(root) | NEED(mntns) | NEED(userns) | NEED(idmapped_tmpfs)

TEST(mnt, idmapped_mount_translates_owners,
     .says = "an idmapped mount shows files with mapped owners and writes with unmapped ones",
     .checks = "mnt-018 mnt-021 mnt-086", .needs = IDMAP_NEEDS)
{
	_fd_ int userns = -EBADF, copy = -EBADF;
	struct stat status;

	own_stage();
	must_tmpfs("tree");
	must_mkdir("view");
	must_create("tree/file", "1");
	MUST(chmod("tree", 0777));
	userns = userns_of(100000, 10);
	copy = MUST(open_tree(-1, full("tree"), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	ASSERT_OK(idmap(copy, userns, 0));
	MUST(move_mount(copy, "", -1, full("view"), MOVE_MOUNT_F_EMPTY_PATH));
	MUST(stat("view/file", &status));
	EXPECT_EQ(100000, status.st_uid);
	EXPECT_EQ(100000, status.st_gid);
	MUST(stat("tree/file", &status));
	EXPECT_EQ(0, status.st_uid);
	/* Our own id is not in the map. */
	EXPECT_ERRNO(EOVERFLOW, mkdir("view/new", 0755));
	IN_FORK {
		MUST(setresgid(100001, 100001, 100001));
		MUST(setresuid(100001, 100001, 100001));
		EXPECT_OK(mkdir("view/new", 0755));
	}
	MUST(stat("tree/new", &status));
	EXPECT_EQ(1, status.st_uid);
}

TEST(mnt, attached_mount_is_not_idmapped,
     .says = "an attached mount cannot be idmapped (EINVAL), a detached one once (EPERM the second "
	     "time)",
     .checks = "mnt-018 mnt-019", .needs = IDMAP_NEEDS)
{
	_fd_ int userns = -EBADF, attached = -EBADF, detached = -EBADF;

	own_stage();
	must_tmpfs("tree");
	userns = userns_of(100000, 10);
	attached = MUST(open("tree", O_PATH | O_CLOEXEC));
	EXPECT_ERRNO(EINVAL, idmap(attached, userns, 0));
	detached = MUST(open_tree(-1, full("tree"), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	EXPECT_OK(idmap(detached, userns, 0));
	EXPECT_ERRNO(EPERM, idmap(detached, userns, 0));
}

TEST(mnt, idmap_wants_a_user_namespace,
     .says = "an id map from a bad descriptor, another kind of file or the initial namespace is "
	     "refused",
     .checks = "mnt-017", .needs = IDMAP_NEEDS)
{
	_fd_ int tree_fd = -EBADF, uts = -EBADF, file = -EBADF, initial = -EBADF;

	own_stage();
	must_tmpfs("tree");
	tree_fd = MUST(open_tree(-1, full("tree"), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
	uts = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
	file = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	initial = MUST(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
	EXPECT_ERRNO(EBADF, idmap(tree_fd, 9999, 0));
	EXPECT_ERRNO(EINVAL, idmap(tree_fd, -1, 0));
	EXPECT_ERRNO(EINVAL, idmap(tree_fd, uts, 0));
	EXPECT_ERRNO(EINVAL, idmap(tree_fd, file, 0));
	EXPECT_ERRNO(EPERM, idmap(tree_fd, initial, 0));
}

TEST(mnt, idmap_of_a_tree_is_all_or_nothing,
     .says = "a recursive id map over a file system that does not take one fails and maps nothing",
     .checks = "mnt-020", .needs = IDMAP_NEEDS)
{
	_fd_ int userns = -EBADF, copy = -EBADF;
	struct stat status;

	own_stage();
	must_tmpfs("tree");
	must_mkdir("tree/proc");
	must_mount("proc", "tree/proc", "proc", 0, NULL);
	userns = userns_of(100000, 10);
	copy = MUST(
		open_tree(-1, full("tree"), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
	EXPECT_ERRNO(EINVAL, idmap(copy, userns, AT_RECURSIVE));
	MUST(fstatat(copy, "", &status, AT_EMPTY_PATH));
	EXPECT_EQ(0, status.st_uid);
	EXPECT_OK(idmap(copy, userns, 0));
}

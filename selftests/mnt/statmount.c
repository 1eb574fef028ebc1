// SPDX-License-Identifier: GPL-2.0-or-later
/* statmount(2) and listmount(2): the mount table by system call. */
#include "mountinfo.h"

#include <sys/ioctl.h>

#define STATMOUNT_NEEDS                                                                            \
	NEED(admin) | NEED(mntns) | NEED(statmount) | NEED(listmount) | NEED(unique_mount_id)

union answer {
	struct statmount head;
	char bytes[sizeof(struct statmount) + 4096];
};

static uint64_t unique_id(const char *path)
{
	struct statx status;

	MUST(statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &status));
	return status.stx_mnt_id;
}

static long ask(uint64_t id, uint64_t mask, union answer *answer)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0, .mnt_id = id, .param = mask };

	return syscall(SYS_statmount, &request, answer, sizeof(*answer), 0);
}

static long list(uint64_t id, uint64_t after, uint64_t *ids, size_t size, unsigned flags)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0, .mnt_id = id, .param = after };

	return syscall(SYS_listmount, &request, ids, size, flags);
}

/* "top" with five mounts in it, one of them two deep. */
static void table(void)
{
	own_stage();
	must_tmpfs("top");
	for (int i = 0; i < 4; i++) must_tmpfs(text("top/%d", i));
	must_tmpfs("top/0/deep");
}

TEST(mnt, statmount_agrees_with_mountinfo,
     .says = "statmount tells root, point, type, options and groups as mountinfo does",
     .checks = "mnt-051", .needs = STATMOUNT_NEEDS)
{
	const uint64_t mask = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_MNT_ROOT |
			      STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE;
	union answer answer;
	struct mount_line line;

	own_stage();
	must_mkdir("dir");
	must_mkdir("view");
	must_mount("dir", "view", NULL, MS_BIND, NULL);
	must_mount(NULL, "view", NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_RDONLY, NULL);
	must_mount(NULL, "view", NULL, MS_SHARED, NULL);
	line = mount_at("view");
	ASSERT_OK(ask(unique_id("view"), mask, &answer));
	EXPECT_EQ(mask, answer.head.mask & mask);
	EXPECT_EQ(line.id, answer.head.mnt_id_old);
	EXPECT_EQ(line.parent, answer.head.mnt_parent_id_old);
	EXPECT_EQ(unique_id("view"), answer.head.mnt_id);
	EXPECT_EQ(unique_id("."), answer.head.mnt_parent_id);
	EXPECT_EQ(group_at("shared", "view"), answer.head.mnt_peer_group);
	EXPECT_EQ(MS_SHARED, answer.head.mnt_propagation);
	EXPECT(answer.head.mnt_attr & MOUNT_ATTR_NODEV);
	EXPECT(answer.head.mnt_attr & MOUNT_ATTR_RDONLY);
	EXPECT(!(answer.head.mnt_attr & MOUNT_ATTR_NOSUID));
	EXPECT_STREQ("/dir", answer.head.str + answer.head.mnt_root);
	EXPECT_STREQ(full("view"), answer.head.str + answer.head.mnt_point);
	EXPECT_STREQ("tmpfs", answer.head.str + answer.head.fs_type);
	EXPECT_EQ(0x01021994, answer.head.sb_magic);
}

TEST(mnt, statmount_names_the_master, .says = "statmount of a slave names its master's group",
     .checks = "mnt-051", .needs = STATMOUNT_NEEDS)
{
	union answer answer;

	own_stage();
	must_tmpfs("point");
	must_mkdir("slave");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);
	must_mount("point", "slave", NULL, MS_BIND, NULL);
	must_mount(NULL, "slave", NULL, MS_SLAVE, NULL);
	ASSERT_OK(ask(unique_id("slave"), STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM, &answer));
	EXPECT_EQ(group_at("shared", "point"), answer.head.mnt_master);
	EXPECT_EQ(0, answer.head.mnt_peer_group);
	EXPECT_EQ(MS_SLAVE, answer.head.mnt_propagation);
	EXPECT_EQ(group_at("shared", "point"), answer.head.propagate_from);
}

TEST(mnt, statmount_checks_its_arguments,
     .says = "statmount refuses unknown ids, bad buffers, sizes and flags", .checks = "mnt-052",
     .needs = STATMOUNT_NEEDS)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER0, .param = STATMOUNT_MNT_POINT };
	union answer answer;

	table();
	request.mnt_id = unique_id("top");
	EXPECT_ERRNO(EFAULT, syscall(SYS_statmount, NULL, &answer, sizeof(answer), 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_statmount, &request, (void *)-4096L, sizeof(answer), 0));
	EXPECT_ERRNO(EOVERFLOW, syscall(SYS_statmount, &request, &answer, sizeof(answer.head), 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_statmount, &request, &answer, sizeof(answer), 1U << 30));
	request.size = 8;
	EXPECT_ERRNO(EINVAL, syscall(SYS_statmount, &request, &answer, sizeof(answer), 0));
	EXPECT_ERRNO(ENOENT, ask(UINT64_C(1) << 60, STATMOUNT_MNT_BASIC, &answer));
	EXPECT_OK(ask(unique_id("top"), STATMOUNT_MNT_BASIC, &answer));
}

TEST(mnt, statmount_needs_a_reachable_mount,
     .says = "a mount outside of the caller's root is EPERM for nobody and not for root",
     .checks = "mnt-053", .needs = STATMOUNT_NEEDS)
{
	union answer answer;
	uint64_t outside;

	table();
	must_mkdir("aside");
	outside = unique_id("top");
	MUST(chroot("aside"));
	MUST(chdir("/"));
	EXPECT_OK(ask(outside, STATMOUNT_MNT_BASIC, &answer));
	AS_NOBODY { EXPECT_ERRNO(EPERM, ask(outside, STATMOUNT_MNT_BASIC, &answer)); }
}

TEST(mnt, listmount_needs_a_reachable_mount,
     .says = "listing below a mount outside of the caller's root is EPERM for nobody",
     .checks = "mnt-053", .needs = STATMOUNT_NEEDS)
{
	uint64_t ids[16], outside;

	table();
	must_mkdir("aside");
	outside = unique_id("top");
	MUST(chroot("aside"));
	MUST(chdir("/"));
	AS_NOBODY { EXPECT_ERRNO(EPERM, list(outside, 0, ids, 16, 0)); }
}

TEST(mnt, listmount_lists_what_is_below,
     .says = "listmount gives each mount below the one asked for, once", .checks = "mnt-055",
     .needs = STATMOUNT_NEEDS)
{
	uint64_t ids[64] = { 0 }, deep;
	bool found = false;
	long count;

	table();
	deep = unique_id("top/0/deep");
	count = ASSERT_OK(list(unique_id("top"), 0, ids, 64, 0));
	EXPECT_EQ(5, count);
	for (long i = 0; i < count; i++) {
		found |= ids[i] == deep;
		EXPECT(!i || ids[i] > ids[i - 1]);
	}
	EXPECT(found);
	EXPECT_EQ(0, list(deep, 0, ids, 64, 0));
}

TEST(mnt, listmount_goes_on_in_batches, .says = "a list in batches is the list in one piece",
     .checks = "mnt-055", .needs = STATMOUNT_NEEDS)
{
	uint64_t whole[64] = { 0 }, batch[2], last = 0, top;
	long count, seen = 0, got;

	table();
	top = unique_id("top");
	count = ASSERT_OK(list(top, 0, whole, 64, 0));
	while ((got = ASSERT_OK(list(top, last, batch, 2, 0))) > 0) {
		for (long i = 0; i < got; i++) EXPECT_EQ(whole[seen + i], batch[i]);
		seen += got;
		last = batch[got - 1];
	}
	EXPECT_EQ(count, seen);
}

TEST(mnt, listmount_goes_backwards,
     .says = "LISTMOUNT_REVERSE gives the same list from the other end", .checks = "mnt-055",
     .needs = STATMOUNT_NEEDS | NEED(statmount_ns))
{
	uint64_t forward[64] = { 0 }, backward[64] = { 0 };
	long count;

	table();
	count = ASSERT_OK(list(unique_id("top"), 0, forward, 64, 0));
	ASSERT_EQ(count, list(unique_id("top"), 0, backward, 64, LISTMOUNT_REVERSE));
	for (long i = 0; i < count; i++) EXPECT_EQ(forward[i], backward[count - 1 - i]);
}

TEST(mnt, listmount_of_the_root_is_the_table,
     .says = "listmount of LSMT_ROOT lists as many mounts as mountinfo", .checks = "mnt-055",
     .needs = STATMOUNT_NEEDS | NEED(statmount_ns))
{
	uint64_t ids[1024];

	table();
	EXPECT_EQ(mounts_below("/"), list(LSMT_ROOT, 0, ids, 1024, 0));
	must_tmpfs("one_more");
	EXPECT_EQ(mounts_below("/"), list(LSMT_ROOT, 0, ids, 1024, 0));
}

TEST(mnt, listmount_checks_its_arguments,
     .says = "listmount refuses unknown ids, bad buffers, sizes and flags", .checks = "mnt-052",
     .needs = STATMOUNT_NEEDS)
{
	struct mnt_id_req request = { .size = 8, .mnt_id = LSMT_ROOT };
	uint64_t ids[64];

	table();
	EXPECT_ERRNO(ENOENT, list(UINT64_C(1) << 60, 0, ids, 64, 0));
	EXPECT_ERRNO(EINVAL, list(LSMT_ROOT, 0, ids, 64, 1U << 30));
	EXPECT_ERRNO(EFAULT, list(LSMT_ROOT, 0, (void *)-4096L, 64, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_listmount, NULL, ids, 64, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_listmount, &request, ids, 64, 0));
	EXPECT_LT(0, list(LSMT_ROOT, 0, ids, 64, 0));
}

/* The 64-bit id of a mount namespace: NS_GET_MNTNS_ID, 6.11. */
static uint64_t namespace_id(void)
{
	_fd_ int fd = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	uint64_t id = 0;

	MUST(ioctl(fd, _IOR(0xb7, 0x5, uint64_t), &id));
	return id;
}

TEST(mnt, statmount_tells_the_namespace,
     .says = "STATMOUNT_MNT_NS_ID gives the id that the namespace file gives", .checks = "mnt-054",
     .needs = STATMOUNT_NEEDS | NEED(statmount_ns))
{
	union answer answer;

	table();
	ASSERT_OK(ask(unique_id("top"), STATMOUNT_MNT_NS_ID, &answer));
	EXPECT_EQ(namespace_id(), answer.head.mnt_ns_id);
}

static bool is_listed(uint64_t id, const uint64_t *ids, long count)
{
	for (long i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

TEST(mnt, other_namespace_is_asked_by_id,
     .says = "with its id another mount namespace can be listed, but not by nobody (EPERM or "
	     "ENOENT)",
     .checks = "mnt-054", .needs = STATMOUNT_NEEDS | NEED(statmount_ns))
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER1, .mnt_id = LSMT_ROOT };
	uint64_t ids[1024], there, here;
	_fd_ int alive = -EBADF;
	long count;

	table();
	there = unique_id("top");
	request.mnt_ns_id = namespace_id();
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	here = unique_id(full("top"));
	count = ASSERT_OK(syscall(SYS_listmount, &request, ids, 1024, 0));
	EXPECT(is_listed(there, ids, count));
	EXPECT(!is_listed(here, ids, count));
	count = ASSERT_OK(list(LSMT_ROOT, 0, ids, 1024, 0));
	EXPECT(is_listed(here, ids, count));
	EXPECT(!is_listed(there, ids, count));
	AS_NOBODY {
		EXPECT_EQ(-1, syscall(SYS_listmount, &request, ids, 1024, 0));
		EXPECT(errno == EPERM || errno == ENOENT);
	}
}

TEST(mnt, unmounted_mount_is_told_by_descriptor,
     .says = "STATMOUNT_BY_FD tells about a mount, also when it is unmounted and only held open",
     .checks = "mnt-056", .needs = STATMOUNT_NEEDS | NEED(statmount_by_fd))
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER1,
				      .param = STATMOUNT_MNT_BASIC | STATMOUNT_MNT_POINT };
	union answer answer;
	_fd_ int held = -EBADF;
	uint64_t id;

	table();
	id = unique_id("top/0/deep");
	held = MUST(open("top/0/deep", O_PATH | O_CLOEXEC));
	request.mnt_ns_fd = (uint32_t)held;
	ASSERT_OK(syscall(SYS_statmount, &request, &answer, sizeof(answer), STATMOUNT_BY_FD));
	EXPECT_EQ(id, answer.head.mnt_id);
	EXPECT_STREQ(full("top/0/deep"), answer.head.str + answer.head.mnt_point);
	MUST(umount2("top/0/deep", MNT_DETACH));
	EXPECT_ERRNO(ENOENT, ask(id, STATMOUNT_MNT_BASIC, &answer));
	ASSERT_OK(syscall(SYS_statmount, &request, &answer, sizeof(answer), STATMOUNT_BY_FD));
	EXPECT_EQ(id, answer.head.mnt_id);
	EXPECT(!(answer.head.mask & STATMOUNT_MNT_POINT));
}

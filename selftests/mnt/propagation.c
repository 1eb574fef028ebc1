// SPDX-License-Identifier: GPL-2.0-or-later
/* Which mounts travel between mount namespaces and peers (mount_namespaces(7)). */
#include "mountinfo.h"

struct kind {
	const char *label;
	unsigned long flag;
	bool receives, sends;
};

ROWS(kinds, struct kind) = {
	{ "shared", .flag = MS_SHARED, .receives = true, .sends = true },
	{ "slave", .flag = MS_SLAVE, .receives = true },
	{ "private", .flag = MS_PRIVATE },
	{ "unbindable", .flag = MS_UNBINDABLE },
};

/* A shared tmpfs at "point", with directories to mount on. */
static void shared_point(void)
{
	own_stage();
	must_tmpfs("point");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);
	must_mkdir("point/host");
	must_mkdir("point/inside");
}

TEST_EACH(kinds, mnt, mounts_travel_as_the_kind_says,
	  .says = "a shared mount sends and receives mounts, a slave receives, others do neither",
	  .checks = "mnt-001 mnt-002 mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();

	CONTAINER(.unshare = CLONE_NEWNS, .keep_propagation = true);

	IN_CONTAINER { must_mount(NULL, "point", NULL, row->flag, NULL); }
	ON_HOST { must_tmpfs("point/host"); }
	IN_CONTAINER {
		EXPECT_EQ(row->receives, is_mounted("point/host"));
		must_tmpfs("point/inside");
	}
	ON_HOST { EXPECT_EQ(row->sends, is_mounted("point/inside")); }
}

TEST_EACH(kinds, mnt, unmounts_travel_as_the_kind_says,
	  .says = "an unmount travels to where the mount would: shared both ways, slave one way",
	  .checks = "mnt-001 mnt-002 mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_tmpfs("point/host");
	must_tmpfs("point/inside");

	CONTAINER(.unshare = CLONE_NEWNS, .keep_propagation = true);

	IN_CONTAINER { must_mount(NULL, "point", NULL, row->flag, NULL); }
	ON_HOST { MUST(umount("point/host")); }
	IN_CONTAINER {
		EXPECT_EQ(!row->receives, is_mounted("point/host"));
		MUST(umount("point/inside"));
	}
	ON_HOST { EXPECT_EQ(!row->sends, is_mounted("point/inside")); }
}

TEST(mnt, clone_keeps_the_peer_group,
     .says = "the copy of a shared mount in a new namespace is in the original's peer group",
     .checks = "mnt-001", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();

	CONTAINER(.unshare = CLONE_NEWNS, .keep_propagation = true);

	ON_HOST { remember("group", group_at("shared", "point")); }
	IN_CONTAINER {
		EXPECT_NE(0, group_at("shared", "point"));
		EXPECT_EQ(recall_number("group"), group_at("shared", "point"));
	}
}

TEST(mnt, slave_names_its_master,
     .says = "a slave's master is the peer group it left, and it has no group of its own",
     .checks = "mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();

	CONTAINER(.unshare = CLONE_NEWNS, .keep_propagation = true);

	ON_HOST { remember("group", group_at("shared", "point")); }
	IN_CONTAINER {
		must_mount(NULL, "point", NULL, MS_SLAVE, NULL);
		EXPECT_EQ(0, group_at("shared", "point"));
		EXPECT_EQ(recall_number("group"), group_at("master", "point"));
	}
}

TEST(mnt, slave_forwards_to_its_own_peers,
     .says = "a slave made shared again passes what it receives on to its own peers",
     .checks = "mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_mkdir("slave");
	must_mkdir("peer");
	must_mount("point", "slave", NULL, MS_BIND, NULL);
	must_mount(NULL, "slave", NULL, MS_SLAVE, NULL);
	must_mount(NULL, "slave", NULL, MS_SHARED, NULL);
	must_mount("slave", "peer", NULL, MS_BIND, NULL);

	must_tmpfs("point/host");
	EXPECT(is_mounted("slave/host"));
	EXPECT(is_mounted("peer/host"));
	must_tmpfs("peer/inside");
	EXPECT(is_mounted("slave/inside"));
	EXPECT(!is_mounted("point/inside"));
}

/* "point" and "copy" of it, a mount of that kind: what is mounted at "point/host" arrives there. */
static void mount_that_arrives(unsigned long kind)
{
	shared_point();
	must_mkdir("copy");
	must_mount("point", "copy", NULL, MS_BIND, NULL);
	must_mount(NULL, "copy", NULL, kind, NULL);
	must_tmpfs("point/host");
	must_mkdir("point/host/outside");
	must_mkdir("point/host/inside");
}

TEST(mnt, what_reaches_a_peer_is_a_peer,
     .says = "a mount that arrived at a peer is a peer itself: what is mounted on it goes back",
     .checks = "mnt-001", .needs = NEED(admin) | NEED(mntns))
{
	mount_that_arrives(MS_SHARED);
	EXPECT_NE(0, group_at("shared", "copy/host"));
	EXPECT_EQ(group_at("shared", "point/host"), group_at("shared", "copy/host"));
	must_tmpfs("copy/host/inside");
	EXPECT(is_mounted("point/host/inside"));
}

TEST(mnt, what_reaches_a_slave_is_a_slave,
     .says = "a mount that arrived at a slave is a slave itself: what is mounted on it stays there",
     .checks = "mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	mount_that_arrives(MS_SLAVE);
	EXPECT_EQ(0, group_at("shared", "copy/host"));
	EXPECT_EQ(group_at("shared", "point/host"), group_at("master", "copy/host"));
	must_tmpfs("copy/host/inside");
	EXPECT(!is_mounted("point/host/inside"));
	must_tmpfs("point/host/outside");
	EXPECT(is_mounted("copy/host/outside"));
}

TEST(mnt, slave_without_a_master_is_private,
     .says = "when the last mount of the master's group goes, its slaves become private",
     .checks = "mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_mkdir("slave");
	must_mount("point", "slave", NULL, MS_BIND, NULL);
	must_mount(NULL, "slave", NULL, MS_SLAVE, NULL);

	EXPECT_NE(0, group_at("master", "slave"));
	ASSERT_OK(umount("point"));
	EXPECT_STREQ("", mount_at("slave").tags);
}

TEST(mnt, slave_moves_to_another_peer,
     .says = "when one of several master peers goes, a slave keeps receiving from the others",
     .checks = "mnt-003", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_mkdir("peer");
	must_mkdir("slave");
	must_mount("point", "peer", NULL, MS_BIND, NULL);
	must_mount("point", "slave", NULL, MS_BIND, NULL);
	must_mount(NULL, "slave", NULL, MS_SLAVE, NULL);

	ASSERT_OK(umount("point"));
	EXPECT_EQ(group_at("shared", "peer"), group_at("master", "slave"));
	must_tmpfs("peer/host");
	EXPECT(is_mounted("slave/host"));
}

TEST(mnt, unbindable_mount_is_not_bound,
     .says = "binding an unbindable mount fails with EINVAL, binding a private one succeeds",
     .checks = "mnt-004", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("source");
	must_mkdir("target");
	must_mount(NULL, "source", NULL, MS_UNBINDABLE, NULL);
	EXPECT_ERRNO(EINVAL, mount("source", "target", NULL, MS_BIND, NULL));
	must_mount(NULL, "source", NULL, MS_PRIVATE, NULL);
	EXPECT_OK(mount("source", "target", NULL, MS_BIND, NULL));
}

TEST(mnt, recursive_bind_prunes_unbindable,
     .says = "a recursive bind leaves unbindable submounts out and takes the others along",
     .checks = "mnt-004", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("source");
	must_tmpfs("source/bindable");
	must_tmpfs("source/unbindable");
	must_mkdir("target");
	must_mount(NULL, "source/unbindable", NULL, MS_UNBINDABLE, NULL);
	ASSERT_OK(mount("source", "target", NULL, MS_BIND | MS_REC, NULL));
	EXPECT(is_mounted("target/bindable"));
	EXPECT(!is_mounted("target/unbindable"));
	EXPECT(exists("target/unbindable"));
}

TEST(mnt, plain_bind_leaves_submounts_out,
     .says = "a bind without MS_REC shows the directory below a submount, with MS_REC the submount",
     .checks = "mnt-046", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("source");
	must_mkdir("source/sub");
	must_create("source/sub/below", "1");
	must_tmpfs("source/sub");
	must_create("source/sub/above", "1");
	must_mkdir("plain");
	must_mkdir("recursive");
	ASSERT_OK(mount("source", "plain", NULL, MS_BIND, NULL));
	ASSERT_OK(mount("source", "recursive", NULL, MS_BIND | MS_REC, NULL));
	EXPECT(exists("plain/sub/below"));
	EXPECT(!exists("plain/sub/above"));
	EXPECT(exists("recursive/sub/above"));
	EXPECT(!exists("recursive/sub/below"));
}

TEST(mnt, bind_joins_the_peer_group_of_its_source,
     .says = "a bind of a shared mount is its peer, a bind of a private one is private",
     .checks = "mnt-001 mnt-002", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_tmpfs("private");
	must_mkdir("of_shared");
	must_mkdir("of_private");
	ASSERT_OK(mount("point", "of_shared", NULL, MS_BIND, NULL));
	ASSERT_OK(mount("private", "of_private", NULL, MS_BIND, NULL));
	EXPECT_EQ(group_at("shared", "point"), group_at("shared", "of_shared"));
	EXPECT_STREQ("", mount_at("of_private").tags);
	must_tmpfs("of_shared/inside");
	EXPECT(is_mounted("point/inside"));
}

TEST(mnt, mount_on_a_shared_mount_is_shared,
     .says = "a mount made on a shared mount is shared itself, in a group of its own",
     .checks = "mnt-001", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_tmpfs("point/host");
	must_tmpfs("private");
	must_tmpfs("private/sub");
	EXPECT_NE(0, group_at("shared", "point/host"));
	EXPECT_NE(group_at("shared", "point"), group_at("shared", "point/host"));
	EXPECT_STREQ("", mount_at("private/sub").tags);
}

TEST(mnt, change_of_kind_recurses_only_when_asked,
     .says = "MS_SHARED changes one mount, MS_SHARED with MS_REC all below it, too",
     .checks = "mnt-001", .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_tmpfs("top");
	must_tmpfs("top/sub");
	ASSERT_OK(mount(NULL, "top", NULL, MS_SHARED, NULL));
	EXPECT_NE(0, group_at("shared", "top"));
	EXPECT_STREQ("", mount_at("top/sub").tags);
	ASSERT_OK(mount(NULL, "top", NULL, MS_SHARED | MS_REC, NULL));
	EXPECT_NE(0, group_at("shared", "top/sub"));
	ASSERT_OK(mount(NULL, "top", NULL, MS_PRIVATE | MS_REC, NULL));
	EXPECT_STREQ("", mount_at("top/sub").tags);
}

struct change {
	const char *label;
	unsigned long flags;
	const char *target;
	int want;
};

ROWS(changes, struct change) = {
	{ "one_kind", MS_SLAVE, "point", .want = 0 },
	{ "two_kinds", MS_SLAVE | MS_SHARED, "point", .want = EINVAL },
	{ "kind_and_option", MS_PRIVATE | MS_NOSUID, "point", .want = EINVAL },
	{ "not_a_mount_point", MS_PRIVATE, "point/host", .want = EINVAL },
	{ "missing", MS_PRIVATE, "point/missing", .want = ENOENT },
};

TEST_EACH(changes, mnt, change_of_kind_is_checked,
	  .says = "a change of propagation takes one kind, MS_REC, and a mount point",
	  .checks = "mnt-002 mnt-045", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	if (row->want)
		EXPECT_ERRNO(row->want, mount(NULL, row->target, NULL, row->flags, NULL));
	else
		EXPECT_OK(mount(NULL, row->target, NULL, row->flags, NULL));
}

TEST(mnt, mount_reaches_every_peer,
     .says = "a mount under one peer appears under all of them, whatever part they show",
     .checks = "mnt-001", .needs = NEED(admin) | NEED(mntns))
{
	shared_point();
	must_mkdir("point/host/deep");
	must_mkdir("whole");
	must_mkdir("part");
	must_mkdir("other");
	must_mount("point", "whole", NULL, MS_BIND, NULL);
	must_mount("point/host", "part", NULL, MS_BIND, NULL);
	must_mount("point/inside", "other", NULL, MS_BIND, NULL);
	must_tmpfs("whole/host/deep");
	EXPECT(is_mounted("point/host/deep"));
	EXPECT(is_mounted("part/deep"));
	EXPECT_EQ(0, mounts_below(full("other/")));
}

/* A new mount's peer group, which is gone when this returns. */
static int short_lived_group(void)
{
	int group;

	must_mount("m", "m", "tmpfs", 0, NULL);
	must_mount(NULL, "m", NULL, MS_SHARED, NULL);
	group = group_at("shared", "m");
	MUST(umount("m"));
	return group;
}

TEST(mnt, numbers_of_groups_are_given_again,
     .says = "the number of a peer group that is gone is given to another one", .checks = "mnt-127",
     .needs = NEED(admin) | NEED(mntns))
{
	bool again = false;
	int last;

	own_stage();
	must_mkdir("m");
	last = short_lived_group();
	/* The smallest free number is given; others may take and leave one meanwhile. */
	for (int i = 0; i < 50 && !again; i++) {
		int group = short_lived_group();

		again = group <= last;
		last = group;
	}
	EXPECT(again);
}

/* "unit" with 2^doublings mounts: each bind of the tree onto a directory of itself doubles it. */
static void many_mounts(int doublings)
{
	must_tmpfs("unit");
	for (int i = 0; i < doublings; i++) {
		must_mkdir("unit/%d", i);
		must_mount("unit", text("unit/%d", i), NULL, MS_BIND | MS_REC, NULL);
	}
}

TEST(mnt, namespace_takes_a_storm_of_mounts_and_no_more,
     .says = "mounts that would exceed fs.mount-max fail with ENOSPC and leave nothing behind",
     .checks = "mnt-112", .needs = NEED(admin) | NEED(mntns))
{
	long most = strtol(must_read("/proc/sys/fs/mount-max"), NULL, 10);
	int doublings = 10;
	long units, i = 0;

	while (doublings > 1 && most >> doublings < 4) doublings--;
	units = most >> doublings;
	own_stage();
	many_mounts(doublings);
	must_tmpfs("storm");
	/* No call makes so many that a slow machine's kernel would be alarmed by its length. */
	do {
		must_mkdir("storm/%ld", ++i);
		errno = 0;
	} while (i <= units && !mount("unit", text("storm/%ld", i), NULL, MS_BIND | MS_REC, NULL));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT(exists("storm/%ld/0", i - 1));
	EXPECT(!exists("storm/%ld/0", i));
	EXPECT_OK(umount2("storm", MNT_DETACH));
}

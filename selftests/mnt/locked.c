// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts that came into a less privileged mount namespace: locked together and
 * with the flags they had, so that nothing hidden comes to light
 * (mount_namespaces(7), "Restrictions on mount namespaces").
 */
#include "mountinfo.h"

#define LESS_PRIVILEGED  (CLONE_NEWUSER | CLONE_NEWNS)
#define NEEDS_OWN_USERNS .needs = NEED(admin) | NEED(mntns) | NEED(userns)

/* "tree" with a mount over "tree/cover", which hides a file. */
static void covered_tree(void)
{
	own_stage();
	must_tmpfs("tree");
	must_mkdir("tree/cover");
	must_create("tree/cover/secret", "hidden");
	must_tmpfs("tree/cover");
	must_mkdir("spot");
}

TEST(mnt, inherited_mount_is_not_unmounted,
     .says = "in a less privileged namespace umount of a single inherited mount fails with EINVAL",
     .finding = "what the host had hidden came to light", .checks = "mnt-106", NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		EXPECT_ERRNO(EINVAL, umount2("tree/cover", MNT_DETACH));
		EXPECT_ERRNO(EINVAL, umount2("tree/cover", 0));
		EXPECT(!exists("tree/cover/secret"));
		must_tmpfs("spot");
		EXPECT_OK(umount("spot"));
	}
	ON_HOST { EXPECT_OK(umount("tree/cover")); }
}

TEST(mnt, inherited_mount_is_not_moved,
     .says = "in a less privileged namespace moving an inherited mount fails with EINVAL",
     .finding = "what the host had hidden came to light", .checks = "mnt-106", NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		must_mkdir("spot/own");
		EXPECT_ERRNO(EINVAL, mount("tree/cover", "spot", NULL, MS_MOVE, NULL));
		must_tmpfs("spot/own");
		must_mkdir("spot/other");
		EXPECT_OK(mount("spot/own", "spot/other", NULL, MS_MOVE, NULL));
	}
	ON_HOST { EXPECT_OK(mount("tree/cover", "spot", NULL, MS_MOVE, NULL)); }
}

TEST(mnt, cover_goes_along_into_a_bind,
     .says = "binding a tree with inherited submounts works recursively only (EINVAL without)",
     .finding = "what the host had hidden came to light through a bind", .checks = "mnt-105",
     NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		EXPECT_ERRNO(EINVAL, mount("tree", "spot", NULL, MS_BIND, NULL));
		ASSERT_OK(mount("tree", "spot", NULL, MS_BIND | MS_REC, NULL));
		EXPECT(!exists("spot/cover/secret"));
		EXPECT_ERRNO(EINVAL, umount2("spot/cover", MNT_DETACH));
		/* The copy as a whole is the copier's own. */
		EXPECT_OK(umount2("spot", MNT_DETACH));
	}
	ON_HOST {
		ASSERT_OK(mount("tree", "spot", NULL, MS_BIND, NULL));
		EXPECT(exists("spot/cover/secret"));
	}
}

TEST(mnt, cover_goes_along_into_a_detached_tree,
     .says = "open_tree clones a tree with inherited submounts recursively only (EINVAL without)",
     .finding = "what the host had hidden came to light through open_tree", .checks = "mnt-105",
     .needs = NEED(admin) | NEED(mntns) | NEED(userns) | NEED(open_tree))
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		EXPECT_ERRNO(EINVAL, open_tree(-1, full("tree"), OPEN_TREE_CLONE));
		_fd_ int whole =
			ASSERT_OK(open_tree(-1, full("tree"), OPEN_TREE_CLONE | AT_RECURSIVE));
		EXPECT_ERRNO(ENOENT, faccessat(whole, "cover/secret", F_OK, 0));
		EXPECT_OK(faccessat(whole, "cover", F_OK, 0));
	}
}

TEST(mnt, inherited_mount_is_no_new_root,
     .says = "pivot_root to a locked mount fails with EINVAL, to a bind of it it succeeds",
     .checks = "mnt-106", NEEDS_OWN_USERNS)
{
	own_stage();
	must_tmpfs("tree");

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		MUST(chdir("tree"));
		EXPECT_ERRNO(EINVAL, syscall(SYS_pivot_root, ".", "."));
		must_mount(".", ".", NULL, MS_BIND, NULL);
		MUST(chdir(full("tree")));
		EXPECT_OK(syscall(SYS_pivot_root, ".", "."));
	}
}

TEST(mnt, over_a_locked_mount_one_may_mount,
     .says = "a new mount over an inherited one can be made and taken away; the lock stays below",
     .checks = "mnt-106", NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		ASSERT_OK(mount("own", "tree/cover", "tmpfs", 0, NULL));
		EXPECT_OK(umount("tree/cover"));
		EXPECT_ERRNO(EINVAL, umount("tree/cover"));
	}
}

struct lock {
	const char *label;
	unsigned long flags;
	const char *option;   /* as mountinfo says it */
	unsigned long others; /* a remount with these instead is refused */
};

ROWS(locks, struct lock) = {
	{ "read_only", MS_RDONLY, "ro", 0 },
	{ "nodev", MS_NODEV, "nodev", 0 },
	{ "nosuid", MS_NOSUID, "nosuid", 0 },
	{ "noexec", MS_NOEXEC, "noexec", 0 },
	{ "noatime", MS_NOATIME, "noatime", MS_RELATIME },
	{ "strictatime", MS_STRICTATIME, "rw", MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, "nodiratime", MS_RELATIME },
	{ "all", MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC, "ro", MS_RDONLY },
};

TEST_EACH(locks, mnt, inherited_flags_are_locked,
	  .says = "a remount that clears a flag the mount came with fails with EPERM",
	  .finding = "the container took away a flag that the host had set", .checks = "mnt-023",
	  NEEDS_OWN_USERNS)
{
	unsigned long remount = MS_REMOUNT | MS_BIND;

	own_stage();
	must_mkdir("flags");
	must_mount("flags", "flags", "tmpfs", row->flags, NULL);

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		EXPECT_ERRNO(EPERM, mount(NULL, "flags", NULL, remount | row->others, NULL));
		EXPECT(has_option(mount_at("flags").options, row->option));
		EXPECT_OK(mount(NULL, "flags", NULL, remount | row->flags, NULL));
	}
	ON_HOST { EXPECT_OK(mount(NULL, "flags", NULL, remount | row->others, NULL)); }
}

TEST_EACH(locks, mnt, bind_keeps_locked_flags,
	  .says = "a bind made inside of an inherited mount is locked to the same flags",
	  .finding = "the container took away a flag by binding the mount", .checks = "mnt-023",
	  NEEDS_OWN_USERNS)
{
	unsigned long remount = MS_REMOUNT | MS_BIND;

	own_stage();
	must_mkdir("flags");
	must_mkdir("copy");
	must_mount("flags", "flags", "tmpfs", row->flags, NULL);

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		must_mount("flags", "copy", NULL, MS_BIND, NULL);
		EXPECT(has_option(mount_at("copy").options, row->option));
		EXPECT_ERRNO(EPERM, mount(NULL, "copy", NULL, remount | row->others, NULL));
		EXPECT_OK(mount(NULL, "copy", NULL, remount | row->flags, NULL));
	}
}

TEST(mnt, flags_may_be_added_to_a_locked_mount,
     .says = "flags that only restrict can be added to an inherited mount, and taken back",
     .checks = "mnt-023", NEEDS_OWN_USERNS)
{
	unsigned long remount = MS_REMOUNT | MS_BIND;

	own_stage();
	must_mkdir("flags");
	must_mount("flags", "flags", "tmpfs", MS_NODEV, NULL);

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		ASSERT_OK(mount(NULL, "flags", NULL, remount | MS_NODEV | MS_RDONLY, NULL));
		EXPECT_ERRNO(EROFS, mkdir("flags/new", 0755));
		EXPECT_OK(mount(NULL, "flags", NULL, remount | MS_NODEV, NULL));
		EXPECT_OK(mkdir("flags/new", 0755));
	}
}

TEST(mnt, superblock_of_the_host_is_not_remounted,
     .says = "a remount of the file system itself needs the right over its owner (EPERM)",
     .finding = "the container reconfigured the host's file system", .checks = "mnt-023 mnt-036",
     NEEDS_OWN_USERNS)
{
	own_stage();
	must_tmpfs("host");
	must_mkdir("spot");

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		EXPECT_ERRNO(EPERM, mount(NULL, "host", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		must_tmpfs("spot");
		EXPECT_OK(mount(NULL, "spot", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	}
	ON_HOST { EXPECT_OK(mkdir("host/still_writable", 0755)); }
}

TEST(mnt, less_privileged_namespace_is_a_slave,
     .says = "shared mounts become slaves in a less privileged namespace, and stay so",
     .finding = "the container's mounts can reach the host", .checks = "mnt-104", NEEDS_OWN_USERNS)
{
	own_stage();
	must_tmpfs("point");
	must_mkdir("point/inside");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);

	CONTAINER(.unshare = LESS_PRIVILEGED, .keep_propagation = true);

	ON_HOST { remember("group", group_at("shared", "point")); }
	IN_CONTAINER {
		EXPECT_EQ(0, group_at("shared", "point"));
		EXPECT_EQ(recall_number("group"), group_at("master", "point"));
		ASSERT_OK(mount(NULL, "point", NULL, MS_SHARED, NULL));
		EXPECT_NE(recall_number("group"), group_at("shared", "point"));
		must_tmpfs("point/inside");
	}
	ON_HOST { EXPECT(!is_mounted("point/inside")); }
}

TEST(mnt, mount_received_from_the_host_is_locked,
     .says = "a tree that propagates in keeps its flags; it goes as a whole, not in parts",
     .finding = "the container took a tree apart that it received from the host",
     .checks = "mnt-023 mnt-104 mnt-106", NEEDS_OWN_USERNS)
{
	own_stage();
	must_tmpfs("tree");
	must_mkdir("tree/sub");
	must_mount("sub", "tree/sub", "tmpfs", MS_NODEV, NULL);
	must_tmpfs("point");
	must_mkdir("point/host");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);

	CONTAINER(.unshare = LESS_PRIVILEGED, .keep_propagation = true);

	ON_HOST { must_mount("tree", "point/host", NULL, MS_BIND | MS_REC, NULL); }
	IN_CONTAINER {
		ASSERT(is_mounted("point/host/sub"));
		EXPECT_ERRNO(EPERM,
			     mount(NULL, "point/host/sub", NULL, MS_REMOUNT | MS_BIND, NULL));
		EXPECT_ERRNO(EINVAL, umount2("point/host/sub", MNT_DETACH));
		EXPECT_OK(umount2("point/host", MNT_DETACH));
	}
	ON_HOST { EXPECT(is_mounted("point/host/sub")); }
}

TEST(mnt, equal_privilege_locks_nothing,
     .says = "a mount namespace of the same user namespace can unmount what it inherited",
     .checks = "mnt-060 mnt-106", .needs = NEED(admin) | NEED(mntns))
{
	covered_tree();

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_OK(umount("tree/cover"));
		EXPECT(exists("tree/cover/secret"));
	}
	ON_HOST { EXPECT(!exists("tree/cover/secret")); }
}

TEST(mnt, lock_holds_after_the_cover_was_entered,
     .says = "a process inside a locked mount cannot unmount it by its own working directory",
     .finding = "what the host had hidden came to light", .checks = "mnt-106", NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		MUST(chdir("tree/cover"));
		EXPECT_ERRNO(EINVAL, umount2(".", MNT_DETACH));
		EXPECT_ERRNO(EINVAL, umount2(".", MNT_EXPIRE));
	}
}

struct taking {
	const char *label;
	const char *path;
	int flags;
};

ROWS(takings, struct taking) = {
	{ "one_mount", .path = "point/host/sub", .flags = 0 },
	{ "tree", .path = "point/host", .flags = MNT_DETACH },
};

TEST_EACH(takings, mnt, what_the_host_takes_away_goes_inside_too,
	  .says = "a mount that is locked inside goes there, too, when it is unmounted outside",
	  .checks = "mnt-104 mnt-106", NEEDS_OWN_USERNS)
{
	own_stage();
	must_tmpfs("point");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);
	must_tmpfs("point/host");
	must_tmpfs("point/host/sub");

	CONTAINER(.unshare = LESS_PRIVILEGED, .keep_propagation = true);

	IN_CONTAINER {
		EXPECT(is_mounted("point/host/sub"));
		EXPECT_ERRNO(EINVAL, umount2(row->path, row->flags));
	}
	ON_HOST { MUST(umount2(row->path, row->flags)); }
	IN_CONTAINER { EXPECT(!is_mounted(row->path)); }
	ON_HOST { EXPECT(is_mounted("point")); }
}

TEST(mnt, cover_stays_when_the_tree_is_detached,
     .says = "from within a tree that was unmounted lazily, an inherited mount hides what it hid",
     .finding = "what the host had hidden came to light in a detached tree", .checks = "mnt-105",
     NEEDS_OWN_USERNS)
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		_fd_ int within = -EBADF;

		MUST(mount("tree", "spot", NULL, MS_BIND | MS_REC, NULL));
		within = MUST(open("spot", O_PATH | O_DIRECTORY | O_CLOEXEC));
		ASSERT_OK(umount2("spot", MNT_DETACH));
		EXPECT_OK(faccessat(within, "cover", F_OK, 0));
		EXPECT_ERRNO(ENOENT, faccessat(within, "cover/secret", F_OK, 0));
	}
}

TEST(mnt, lock_goes_to_what_is_put_beneath,
     .says = "beneath a locked mount goes another: that is locked instead, and hides what was "
	     "hidden",
     .finding = "what the host had hidden came to light", .checks = "mnt-034",
     .needs = NEED(admin) | NEED(mntns) | NEED(userns) | NEED(open_tree) | NEED(beneath_root))
{
	covered_tree();

	CONTAINER(.unshare = LESS_PRIVILEGED);

	IN_CONTAINER {
		int copy;

		must_tmpfs("spot");
		must_create("spot/beneath", "1");
		copy = MUST(open_tree(-1, full("spot"), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
		EXPECT_ERRNO(EINVAL, umount2("tree/cover", MNT_DETACH));
		ASSERT_OK(move_mount(copy, "", -1, full("tree/cover"),
				     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH));
		close(copy);
		EXPECT(!exists("tree/cover/beneath"));
		ASSERT_OK(umount("tree/cover"));
		EXPECT(exists("tree/cover/beneath"));
		EXPECT_ERRNO(EINVAL, umount2("tree/cover", MNT_DETACH));
		EXPECT(!exists("tree/cover/secret"));
	}
}

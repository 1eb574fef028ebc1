// SPDX-License-Identifier: GPL-2.0-or-later
/* The container's mount table: what was asked for is in it, and nothing travels out or in. */
#include "mountinfo.h"

#define TABLE_NEEDS NEED(mntns) | NEED(own_proc)

/* Raw, the table is a clone's and at first the host's: only what was mounted since counts. */
#define FRESH .unshare = CLONE_NEWNS

TEST(mnt, host_mounts_stay_outside,
     .says = "a host mount made after the start does not appear inside",
     .finding = "a host mount made after the start appeared inside", .checks = "mnt-069 mnt-117",
     .layer = BOTH, .needs = NEED(root) | TABLE_NEEDS)
{
	CONTAINER(FRESH);

	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self/mountinfo"));
		remember("before", mounts_below("/"));
	}
	ON_HOST { must_tmpfs(full("late")); }
	IN_CONTAINER { EXPECT_EQ(recall_number("before"), mounts_below("/")); }
	ON_HOST {
		EXPECT(is_mounted("late"));
		MUST(umount("late"));
		MUST(rmdir("late"));
	}
}

TEST(mnt, namespace_is_a_new_one, .says = "the container's mount namespace is not the host's",
     .finding = "the container shares the host's mount namespace", .checks = "mnt-069",
     .layer = BOTH, .needs = NEED(admin) | TABLE_NEEDS)
{
	CONTAINER(FRESH);

	ON_HOST { remember("host", ns_id(0, "mnt")); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self/ns/mnt"));
		EXPECT_NE(recall_number("host"), ns_id(0, "mnt"));
	}
	ON_HOST { EXPECT_NE(recall_number("host"), ns_id(inside_pid(), "mnt")); }
}

/* The host's peer groups as " 1 2 3 ", for the board. */
static const char *groups_here(void)
{
	static char groups[4000];
	const char *at = must_read("/proc/self/mountinfo");
	size_t used = 0;

	while ((at = strstr(at, " shared:")) && used + 16 < sizeof(groups)) {
		at += strlen(" shared:");
		used += snprintf(groups + used, sizeof(groups) - used, " %d ",
				 (int)strtol(at, NULL, 10));
	}
	return groups;
}

/* How many mounts have a tag ("shared:", "master:") with a group of that list. */
static unsigned members_of(const char *groups, const char *tag)
{
	const char *at = must_read("/proc/self/mountinfo");
	unsigned members = 0;

	while ((at = strstr(at, tag))) {
		at += strlen(tag);
		members += !!strstr(groups, text(" %d ", (int)strtol(at, NULL, 10)));
	}
	return members;
}

TEST(mnt, no_mount_inside_sends_to_the_host,
     .says = "no mount inside is in a peer group of the host",
     .finding = "mounts made inside appear on the host", .checks = "mnt-116 mnt-090", .layer = BOTH,
     .needs = NEED(admin) | TABLE_NEEDS)
{
	CONTAINER(FRESH);

	ON_HOST { remember("groups", groups_here()); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self/mountinfo"));
		EXPECT_EQ(0, members_of(recall("groups"), "shared:"));
	}
}

TEST(mnt, no_mount_inside_receives_from_the_host,
     .says = "no mount inside is a slave of a peer group of the host",
     .finding = "mounts made on the host later appear inside", .checks = "mnt-117 mnt-069 mnt-087",
     .layer = BOTH, .needs = NEED(admin) | TABLE_NEEDS | NEED(private_mounts))
{
	CONTAINER(FRESH);

	ON_HOST { remember("groups", groups_here()); }
	IN_CONTAINER {
		MUST_HOLD(exists("/proc/self/mountinfo"));
		EXPECT_EQ(0, members_of(recall("groups"), "master:"));
	}
}

TEST(mnt, asked_for_tmpfs_is_there,
     .says = "a tmpfs asked for is mounted at its place, empty and writable",
     .finding = "a tmpfs that was asked for is missing", .checks = "mnt-070 mnt-081",
     .layer = RUNTIME, .needs = TABLE_NEEDS)
{
	CONTAINER(FRESH, .tmpfs = { "/mnt", "/opt" });

	IN_CONTAINER {
		struct mount_line line = mount_at("/mnt");

		EXPECT_STREQ("tmpfs", line.type);
		EXPECT_STREQ("tmpfs", mount_at("/opt").type);
		EXPECT(has_option(line.options, "rw"));
		EXPECT_OK(mkdir("/mnt/new", 0755));
		EXPECT(!exists("/opt/new"));
	}
}

struct owner {
	const char *label;
	bool userns;
};

ROWS(owners, struct owner) = {
	{ "host", .userns = false },
	{ "user_namespace", .userns = true },
};

TEST_EACH(owners, mnt, asked_for_tmpfs_keeps_to_its_size,
	  .says = "a tmpfs asked for by size takes that much and no more, in a user namespace, too",
	  .finding = "a tmpfs took more than the size that was asked for",
	  .checks = "mnt-081 mnt-082", .layer = RUNTIME,
	  .needs = TABLE_NEEDS | NEED(userns) | NEED(sized_tmpfs))
{
	enum { SIZE = 1 << 20 };

	CONTAINER(FRESH, .userns = row->userns, .tmpfs = { text("/mnt:size=%d", SIZE) });

	IN_CONTAINER {
		_fd_ int file = MUST(open("/mnt/file", O_RDWR | O_CREAT | O_CLOEXEC, 0644));

		EXPECT_STREQ("tmpfs", mount_at("/mnt").type);
		EXPECT_EQ(0, posix_fallocate(file, 0, SIZE / 2));
		EXPECT_EQ(ENOSPC, posix_fallocate(file, 0, SIZE + 1));
	}
}

TEST(mnt, asked_for_tmpfs_is_protected, .says = "a tmpfs asked for is mounted nosuid and nodev",
     .finding = "a tmpfs that was asked for lacks its protective flags",
     .checks = "mnt-081 mnt-076", .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(own_sys))
{
	CONTAINER(FRESH, .tmpfs = { "/mnt" });

	IN_CONTAINER {
		struct mount_line line = mount_at("/mnt");

		EXPECT(has_option(line.options, "nosuid"));
		EXPECT(has_option(line.options, "nodev"));
	}
}

TEST(mnt, tmpfs_inside_is_not_seen_outside,
     .says = "what is written to a tmpfs of the container is not in the root on the host",
     .finding = "a file written to the container's tmpfs is on the host",
     .checks = "mnt-116 mnt-081", .layer = RUNTIME, .needs = TABLE_NEEDS)
{
	CONTAINER(FRESH, .tmpfs = { "/mnt" });

	IN_CONTAINER { must_create("/mnt/new", "inside"); }
	ON_HOST {
		EXPECT(!exists("%s/mnt/new", subject_rootfs()));
		EXPECT(!is_mounted(text("%s/mnt", subject_rootfs())));
	}
}

TEST(mnt, two_containers_share_no_mounts,
     .says = "a tmpfs of one container is not in the table of another",
     .finding = "a mount of one container appeared in another", .checks = "mnt-116",
     .layer = RUNTIME, .needs = TABLE_NEEDS)
{
	CONTAINER(a, FRESH, .tmpfs = { "/mnt" });
	CONTAINER(b, FRESH);

	IN(a) { must_create("/mnt/file", "a"); }
	IN(b) {
		EXPECT(!exists("/mnt/file"));
		EXPECT(!is_mounted("/mnt"));
	}
	IN(a) { EXPECT_STREQ("a", must_read("/mnt/file")); }
}

TEST(mnt, host_table_is_the_same_afterwards,
     .says = "starting and ending a container changes nothing in the host's mount table",
     .finding = "the runtime changed the host's mount table", .checks = "mnt-116 mnt-119",
     .layer = RUNTIME, .needs = NEED(mntns))
{
	static char before[65536];

	ON_HOST { snprintf(before, sizeof(before), "%s", must_read("/proc/self/mountinfo")); }

	CONTAINER(FRESH);

	ON_HOST { EXPECT_STREQ(before, must_read("/proc/self/mountinfo")); }
	IN_CONTAINER { EXPECT(exists("/")); }
	ON_HOST { EXPECT_STREQ(before, must_read("/proc/self/mountinfo")); }
}

/* Enters the container's mount namespace, and the directory that its root has as /mnt. */
static void enter_mnt_of(pid_t pid)
{
	_fd_ int inside = MUST(open(text("/proc/%d/ns/mnt", pid), O_RDONLY | O_CLOEXEC));
	_fd_ int spot = MUST(open(text("/proc/%d/root/mnt", pid), O_PATH | O_CLOEXEC));

	MUST(setns(inside, CLONE_NEWNS));
	MUST(fchdir(spot));
}

TEST(mnt, a_running_container_takes_mounts,
     .says = "who rules the machine can add a mount to a running container and take it away again",
     .checks = "mnt-097", .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(open_tree))
{
	CONTAINER(FRESH);

	ON_HOST {
		_fd_ int tree = -EBADF;

		must_mkdir("added");
		must_create("added/mark", "of the host");
		tree = MUST(syscall(SYS_open_tree, AT_FDCWD, "added",
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
		IN_FORK {
			enter_mnt_of(inside_pid());
			EXPECT_OK(syscall(SYS_move_mount, tree, "", AT_FDCWD, ".",
					  MOVE_MOUNT_F_EMPTY_PATH));
		}
	}
	IN_CONTAINER { EXPECT(exists("/mnt/mark")); }
	ON_HOST {
		IN_FORK {
			enter_mnt_of(inside_pid());
			EXPECT_OK(umount2(".", MNT_DETACH));
		}
		MUST(unlink("added/mark"));
		MUST(rmdir("added"));
	}
	IN_CONTAINER { EXPECT(!exists("/mnt/mark")); }
}

struct table_file {
	const char *label;
	const char *path;
	const char *before; /* what stands in a line before and behind the mount point */
	const char *behind;
};

ROWS(table_files, struct table_file) = {
	{ "mounts", "/proc/self/mounts", "source ", " tmpfs rw," },
	{ "mountstats", "/proc/self/mountstats", "device source mounted on ",
	  " with fstype tmpfs\n" },
};

TEST_EACH(table_files, mnt, every_table_tells_of_a_mount,
	  .says = "the older files of the mount table have each mount while it is there",
	  .checks = "mnt-124", .needs = NEED(admin) | NEED(mntns))
{
	char line[PATH_MAX];

	own_stage();
	must_mkdir("m");
	snprintf(line, sizeof(line), "%s%s%s", row->before, full("m"), row->behind);
	EXPECT(!strstr(must_read("%s", row->path), line));
	must_mount("source", "m", "tmpfs", 0, NULL);
	EXPECT_CONTAINS(line, must_read("%s", row->path));
	UNSHARED(CLONE_NEWNS) { MUST(umount("m")); }
	EXPECT_CONTAINS(line, must_read("%s", row->path));
	MUST(umount("m"));
	EXPECT(!strstr(must_read("%s", row->path), line));
}

TEST(mnt, the_table_tells_options_of_the_file_system,
     .says = "mountinfo has what concerns the whole file system behind the dash, not before it",
     .checks = "mnt-129", .needs = NEED(admin) | NEED(mntns))
{
	struct mount_line line;

	own_stage();
	must_mkdir("m");
	must_mount("none", "m", "tmpfs", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_NOSUID,
		   NULL);
	line = mount_at("m");
	EXPECT(has_option(line.super, "sync"));
	EXPECT(has_option(line.super, "dirsync"));
	EXPECT(has_option(line.super, "lazytime"));
	EXPECT(!has_option(line.super, "nosuid"));
	EXPECT_STREQ("rw,nosuid,relatime", line.options);
}

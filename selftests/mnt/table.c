// SPDX-License-Identifier: GPL-2.0-or-later
/* The container's mount table: what was asked for is in it, and nothing travels out or in. */
#include "mountinfo.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>

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
		ASSERT(exists("/proc/self/mountinfo"));
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
     .finding = "the container shares the host's mount namespace", .checks = "mnt-069 nsfs-01",
     .layer = BOTH, .needs = NEED(admin) | TABLE_NEEDS)
{
	CONTAINER(FRESH);

	ON_HOST { remember("host", ns_id(0, "mnt")); }
	IN_CONTAINER {
		ASSERT(exists("/proc/self/ns/mnt"));
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
		ASSERT(exists("/proc/self/mountinfo"));
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
		ASSERT(exists("/proc/self/mountinfo"));
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

TEST(mnt, missing_destination_is_made,
     .says = "a destination that does not exist is made as a directory", .checks = "mnt-071",
     .layer = RUNTIME, .needs = NEED(root) | TABLE_NEEDS | NEED(masked))
{
	ON_HOST { must_create("file", "of the host"); }

	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()), text("%s:/mnt/a/b", scratch()) });

	IN_CONTAINER { EXPECT_STREQ("of the host", must_read("/mnt/a/b/file")); }
	ON_HOST {
		EXPECT_OK(rmdir("a/b"));
		EXPECT_OK(rmdir("a"));
		MUST(unlink("file"));
	}
}

TEST(mnt, bind_shows_the_hosts_directory,
     .says = "a bound directory is the host's: what one side writes, the other reads",
     .finding = "a bind shows something else than the host's directory",
     .checks = "mnt-070 mnt-046", .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()) });

	ON_HOST {
		struct stat status;

		must_create("host", "from the host");
		MUST(stat(".", &status));
		remember("ino", status.st_ino);
	}
	IN_CONTAINER {
		struct stat status;

		EXPECT_STREQ("from the host", must_read("/mnt/host"));
		MUST(stat("/mnt", &status));
		EXPECT_EQ(recall_number("ino"), status.st_ino);
		must_create("/mnt/inside", "from inside");
	}
	ON_HOST {
		EXPECT_STREQ("from inside", must_read("inside"));
		MUST(unlink("inside"));
		MUST(unlink("host"));
	}
}

struct access_mode {
	const char *label, *suffix;
	bool read_only;
};

ROWS(access_modes, struct access_mode) = {
	{ "writable", "", false },
	{ "read_only", ":ro", true },
};

TEST_EACH(
	access_modes, mnt, bind_is_read_only_when_asked,
	.says = "a bind asked for read-only refuses every change with EROFS, another one does not",
	.finding = "a bind that was asked for read-only is writable", .checks = "mnt-076 rootfs-39",
	.layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	CONTAINER(FRESH, .bind = { text("%s:/mnt%s", scratch(), row->suffix) });

	IN_CONTAINER {
		struct statvfs status;

		MUST(statvfs("/mnt", &status));
		EXPECT_EQ(row->read_only, !!(status.f_flag & ST_RDONLY));
		if (row->read_only)
			EXPECT_ERRNO(EROFS, mkdir("/mnt/new", 0755));
		else
			EXPECT_OK(mkdir("/mnt/new", 0755));
	}
	ON_HOST { EXPECT_EQ(row->read_only ? -1 : 0, rmdir("new")); }
}

TEST(mnt, host_side_of_a_read_only_bind_stays_writable,
     .says = "a read-only bind does not make the host's directory read-only",
     .finding = "binding a directory read-only changed it on the host", .checks = "mnt-116 mnt-078",
     .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	CONTAINER(FRESH, .bind = { text("%s:/mnt:ro", scratch()) });

	ON_HOST { EXPECT_OK(mkdir("later", 0755)); }
	IN_CONTAINER { EXPECT(exists("/mnt/later")); }
	ON_HOST { EXPECT_OK(rmdir("later")); }
}

TEST(mnt, bound_file_is_the_hosts,
     .says = "a regular file, a FIFO and a socket can be bound, each as what it is",
     .checks = "mnt-075 mnt-071", .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	static const char *const names[] = { "file", "fifo", "socket", "at_fifo", "at_socket" };

	ON_HOST {
		must_create("file", "of the host");
		MUST(mkfifo("fifo", 0600));
		MUST(mknod("socket", S_IFSOCK | 0600, 0));
		must_create("at_fifo", "covered");
		must_create("at_socket", "covered");
	}

	CONTAINER(FRESH,
		  .bind = { text("%s:/mnt", scratch()), text("%s/fifo:/mnt/at_fifo", scratch()),
			    text("%s/socket:/mnt/at_socket", scratch()) });

	IN_CONTAINER {
		struct stat status;

		EXPECT_STREQ("of the host", must_read("/mnt/file"));
		MUST(stat("/mnt/at_fifo", &status));
		EXPECT(S_ISFIFO(status.st_mode));
		MUST(stat("/mnt/at_socket", &status));
		EXPECT(S_ISSOCK(status.st_mode));
	}
	ON_HOST {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			MUST(unlink(names[i]));
	}
}

TEST(mnt, bind_follows_the_link_that_is_its_source,
     .says = "a bind whose source is a symlink shows the link's target", .checks = "mnt-072",
     .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	ON_HOST {
		must_mkdir("target");
		must_create("target/file", "of the host");
		MUST(symlink("target", "link"));
	}

	CONTAINER(FRESH, .bind = { text("%s/link:/mnt", scratch()) });

	IN_CONTAINER { EXPECT_STREQ("of the host", must_read("/mnt/file")); }
	ON_HOST {
		MUST(unlink("link"));
		MUST(unlink("target/file"));
		MUST(rmdir("target"));
	}
}

TEST(mnt, mount_inside_a_bind_stays_inside,
     .says = "a mount made inside on a bound directory does not appear on the host",
     .finding = "a mount made inside appeared on the host", .checks = "mnt-116", .layer = RUNTIME,
     .needs = NEED(root) | TABLE_NEEDS | NEED(bind) | NEED(own_tmpfs))
{
	ON_HOST { must_mkdir("sub"); }

	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()) }, .tmpfs = { "/mnt/sub" });

	IN_CONTAINER { EXPECT_STREQ("tmpfs", mount_at("/mnt/sub").type); }
	ON_HOST {
		EXPECT(!is_mounted("sub"));
		EXPECT_OK(rmdir("sub"));
	}
}

TEST(mnt, later_host_mount_stays_out_of_a_bind,
     .says = "a host mount made under a bound directory after the start is not seen inside",
     .finding = "a host mount made after the start appeared inside a bind",
     .checks = "mnt-117 mnt-091", .layer = RUNTIME,
     .needs = NEED(root) | TABLE_NEEDS | NEED(bind) | NEED(private_mounts))
{
	ON_HOST { must_mkdir("sub"); }

	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()) });

	ON_HOST { must_tmpfs(full("sub")); }
	IN_CONTAINER { EXPECT(!is_mounted("/mnt/sub")); }
	ON_HOST {
		MUST(umount("sub"));
		MUST(rmdir("sub"));
	}
}

TEST(mnt, submounts_come_with_a_bind, .says = "a bound directory brings the mounts below it along",
     .checks = "mnt-080", .layer = RUNTIME,
     .needs = NEED(root) | TABLE_NEEDS | NEED(bind) | NEED(masked))
{
	ON_HOST {
		must_tmpfs(full("sub"));
		must_create("sub/file", "below");
	}

	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()) });

	IN_CONTAINER { EXPECT_STREQ("below", must_read("/mnt/sub/file")); }
	ON_HOST {
		MUST(umount("sub"));
		MUST(rmdir("sub"));
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
	static char *before;

	ON_HOST { before = strdup(must_read("/proc/self/mountinfo")); }

	CONTAINER(FRESH);

	ON_HOST { EXPECT_STREQ(before, must_read("/proc/self/mountinfo")); }
	IN_CONTAINER { EXPECT(exists("/")); }
	ON_HOST {
		EXPECT_STREQ(before, must_read("/proc/self/mountinfo"));
		free(before);
	}
}

TEST(mnt, program_is_bound_read_only,
     .says = "the file bound for the command is the host's, at its place, read-only",
     .checks = "mnt-070 mnt-076", .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(bind))
{
	CONTAINER(FRESH);

	ON_HOST {
		struct stat status;

		MUST(stat("/proc/self/exe", &status));
		remember("ino", status.st_ino);
	}
	IN_CONTAINER {
		struct stat status;
		struct statvfs flags;

		MUST(stat("/selftest", &status));
		EXPECT_EQ(recall_number("ino"), status.st_ino);
		MUST(statvfs("/selftest", &flags));
		EXPECT(flags.f_flag & ST_RDONLY);
		EXPECT_EQ(-1, open("/selftest", O_WRONLY | O_CLOEXEC));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and directories of the host that were asked for inside. */
#include "mountinfo.h"

#include <sys/statvfs.h>

#define TABLE_NEEDS NEED(mntns) | NEED(own_proc)
#define FRESH       .unshare = CLONE_NEWNS

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

TEST(mnt, program_is_bound_read_only_in_a_user_namespace,
     .says = "with a user namespace the file bound for the command is read-only, too",
     .finding = "a user namespace makes a bind writable that was asked for read-only",
     .checks = "mnt-076 rootfs-39", .layer = RUNTIME,
     .needs = TABLE_NEEDS | NEED(bind) | NEED(userns))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER {
		struct statvfs flags;

		MUST(statvfs("/selftest", &flags));
		EXPECT(flags.f_flag & ST_RDONLY);
	}
}

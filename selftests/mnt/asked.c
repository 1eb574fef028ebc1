// SPDX-License-Identifier: GPL-2.0-or-later
/* What a runtime makes of mounts that are unusual: it obeys, or it refuses. */
#include "mountinfo.h"

#include <sys/statvfs.h>

#define TABLE_NEEDS NEED(mntns) | NEED(own_proc) | NEED(bind)
#define FRESH       .unshare = CLONE_NEWNS

struct magic {
	const char *label, *path;
	bool directory; /* it leads to one */
};

ROWS(magic_links, struct magic) = {
	{ "exe", "/proc/self/exe", false },
	{ "root", "/proc/self/root", true },
	{ "cwd", "/proc/self/cwd", true },
	{ "descriptor", "/proc/self/fd/0", false },
};

TEST_EACH(magic_links, mnt, a_magic_link_is_no_destination,
	  .says = "a bind onto a magic link of /proc, which leads elsewhere, is refused",
	  .finding = "a bind onto a magic link was taken: it went where the link leads",
	  .checks = "mnt-074", .layer = RUNTIME, .needs = TABLE_NEEDS)
{
	const char *source = text("%s/%s", scratch(), row->directory ? "sub" : "file");

	must_mkdir("sub");
	must_create("file", "of the host");
	EXPECT(CONTAINER_STARTS(
		FRESH, .bind = { text("%s:/mnt", scratch()),
				 text("%s:/mnt/%s", source, row->directory ? "sub" : "file") }));
	EXPECT(!CONTAINER_STARTS(
		FRESH, .bind = { text("%s:/mnt", scratch()), text("%s:%s", source, row->path) }));
	MUST(rmdir("sub"));
	MUST(unlink("file"));
}

TEST(mnt, a_later_bind_goes_onto_an_earlier_one,
     .says = "binds are made in the order asked for: one below another's destination shows",
     .finding = "a bind below another one's destination is covered by it", .checks = "mnt-089",
     .layer = RUNTIME, .needs = TABLE_NEEDS)
{
	ON_HOST {
		must_mkdir("lower/sub");
		must_create("lower/low", "low");
		must_mkdir("upper");
		must_create("upper/high", "high");
	}

	CONTAINER(FRESH, .bind = { text("%s/lower:/mnt", scratch()),
				   text("%s/upper:/mnt/sub", scratch()) });

	IN_CONTAINER {
		EXPECT(exists("/mnt/low"));
		EXPECT(exists("/mnt/sub/high"));
	}
	ON_HOST {
		MUST(unlink("lower/low"));
		MUST(rmdir("lower/sub"));
		MUST(rmdir("lower"));
		MUST(unlink("upper/high"));
		MUST(rmdir("upper"));
	}
}

TEST(mnt, a_bind_onto_the_root_replaces_it_or_is_refused,
     .says = "a bind onto the root replaces the root, or the container does not start",
     .finding = "a bind onto the root was asked for and quietly left out", .checks = "mnt-094",
     .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(root))
{
	const char *onto_root = text("%s/other:/", scratch());

	ON_HOST {
		own_stage();
		must_tmpfs("other");
		must_create("other/mark", "of the other root");
		must_create("other/selftest", "covered");
		must_mount(must_readlink("/proc/self/exe"), "other/selftest", NULL, MS_BIND, NULL);
		EXPECT(CONTAINER_STARTS(FRESH, .bind = { text("%s/other:/mnt", scratch()) }));
	}
	if (CONTAINER_STARTS(FRESH, .bind = { onto_root })) {
		CONTAINER(FRESH, .bind = { onto_root });

		IN_CONTAINER { EXPECT(exists("/mark")); }
	}
}

TEST(mnt, the_last_of_two_binds_shows,
     .says = "of two binds to one destination the later one shows",
     .finding = "an earlier bind covers a later one", .checks = "mnt-089", .layer = RUNTIME,
     .needs = TABLE_NEEDS)
{
	ON_HOST {
		must_create("first", "first");
		must_create("last", "last");
		must_create("spot", "covered");
	}

	CONTAINER(FRESH,
		  .bind = { text("%s:/mnt", scratch()), text("%s/first:/mnt/spot", scratch()),
			    text("%s/last:/mnt/spot", scratch()) });

	IN_CONTAINER { EXPECT_STREQ("last", must_read("/mnt/spot")); }
	ON_HOST {
		MUST(unlink("first"));
		MUST(unlink("last"));
		MUST(unlink("spot"));
	}
}

TEST(mnt, locked_options_of_the_source_stay,
     .says = "a bind in a user namespace keeps nosuid, nodev, noexec and ro of its source",
     .finding = "a bind in a user namespace lost protective options of its source",
     .checks = "mnt-079", .layer = RUNTIME, .needs = NEED(root) | TABLE_NEEDS | NEED(userns))
{
	enum { LOCKED = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC };

	ON_HOST {
		must_mkdir("source");
		must_mount("source", "source", "tmpfs",
			   MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	}

	CONTAINER(FRESH, .userns = true, .bind = { text("%s/source:/mnt", scratch()) });

	IN_CONTAINER {
		struct statvfs status;

		MUST(statvfs("/mnt", &status));
		EXPECT_EQ(LOCKED, status.f_flag & LOCKED);
	}
	ON_HOST {
		MUST(umount("source"));
		MUST(rmdir("source"));
	}
}

TEST(mnt, a_source_behind_a_private_directory_is_bound,
     .says = "a source that only the host's user can reach is bound in a user namespace, too",
     .finding = "a source that the host's user can reach was not bound", .checks = "mnt-085",
     .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(userns))
{
	ON_HOST {
		must_mkdir("private/public");
		must_create("private/public/reached", "reached");
		MUST(chmod("private", 0700));
	}

	CONTAINER(FRESH, .userns = true, .bind = { text("%s/private/public:/mnt", scratch()) });

	IN_CONTAINER { EXPECT(exists("/mnt/reached")); }
	ON_HOST {
		MUST(unlink("private/public/reached"));
		MUST(rmdir("private/public"));
		MUST(rmdir("private"));
	}
}

TEST(mnt, a_made_destination_inherits_the_group,
     .says = "a destination made in a directory with the set-group-ID bit gets its group",
     .checks = "mnt-098", .layer = RUNTIME, .needs = NEED(root) | TABLE_NEEDS | NEED(masked))
{
	ON_HOST {
		must_mkdir("shared");
		MUST(chown("shared", 0, 1234));
		MUST(chmod("shared", 02755));
	}

	CONTAINER(FRESH,
		  .bind = { text("%s:/mnt", scratch()), text("%s:/mnt/shared/made", scratch()) });

	ON_HOST {
		struct stat status;

		MUST(stat("shared/made", &status));
		EXPECT_EQ(1234, status.st_gid);
		MUST(rmdir("shared/made"));
		MUST(rmdir("shared"));
	}
}

struct mask {
	const char *label;
	mode_t mask;
};

ROWS(masks, struct mask) = {
	{ "closed", 0077 },
	{ "open", 0 },
};

TEST_EACH(masks, mnt, a_made_destination_has_a_fixed_mode,
	  .says = "a destination that is made can be read by all and written by its owner only, "
		  "whatever the caller's umask is",
	  .finding = "the caller's umask decides who may use a destination that was made",
	  .checks = "mnt-099", .layer = RUNTIME, .needs = TABLE_NEEDS | NEED(fixed_modes))
{
	ON_HOST {
		must_mkdir("made");
		must_mkdir("source");
		must_create("file", "1");
		umask(row->mask);
	}

	CONTAINER(FRESH, .bind = { text("%s:/mnt", scratch()),
				   text("%s/source:/mnt/made/directory", scratch()),
				   text("%s/file:/mnt/made/file", scratch()) });

	ON_HOST {
		struct stat directory, file;

		umask(022);
		MUST(stat("made/directory", &directory));
		MUST(stat("made/file", &file));
		EXPECT_EQ(0755, directory.st_mode & 07777);
		EXPECT_EQ(0444, file.st_mode & 07577);
		MUST(rmdir("made/directory"));
		MUST(unlink("made/file"));
		MUST(rmdir("made"));
		MUST(rmdir("source"));
		MUST(unlink("file"));
	}
}

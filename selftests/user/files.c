// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and user namespaces: whose they are, who may change them, what they give who runs them. */
#include "user.h"

#include <linux/capability.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define FILE_NEEDS NEED(root) | NEED(userns) | NEED(mntns) | NEED(tmpfs)

/* A directory of the test's own in which ids can be anything. */
static void own_files(void)
{
	must_unshare(CLONE_NEWNS);
	must_private("/");
	must_tmpfs(scratch());
	MUST(chdir(scratch()));
}

static void must_make(const char *path, uid_t owner, mode_t mode)
{
	must_create(path, "content");
	MUST(chown(path, owner, owner));
	MUST(chmod(path, mode));
}

/* A user namespace where 0 is 1000 outside, and 7 is 1007. */
static const char seven[] = "0 1000 1\n7 1007 1";

/* Root of that user namespace, and nothing else. */
static void must_become_root_of(pid_t owner)
{
	must_enter(owner);
	MUST(setresgid(0, 0, 0));
	MUST(setresuid(0, 0, 0));
}

TEST(user, owners_are_told_as_the_reader_maps_them,
     .says = "a file's owner is told as the reader's user namespace maps him, or as 65534",
     .checks = "user-35", .needs = FILE_NEEDS)
{
	pid_t owner = must_settle_with(seven);
	struct stat status;

	own_files();
	must_make("mapped", 1007, 0644);
	must_make("unmapped", 1001, 0644);
	IN_FORK {
		must_become_root_of(owner);
		MUST(stat("mapped", &status));
		EXPECT_EQ(7, status.st_uid);
		EXPECT_EQ(7, status.st_gid);
		MUST(stat("unmapped", &status));
		EXPECT_EQ(UNMAPPED, status.st_uid);
		EXPECT_EQ(UNMAPPED, status.st_gid);
	}
	MUST(stat("unmapped", &status));
	EXPECT_EQ(1001, status.st_uid);
	must_evict(owner);
}

TEST(user, new_files_belong_to_the_mapped_id,
     .says = "a file made in a user namespace belongs to its maker's id outside",
     .checks = "user-35", .needs = FILE_NEEDS)
{
	pid_t owner = must_settle_with(seven);
	struct stat status;

	own_files();
	MUST(chmod(".", 0777));
	IN_FORK {
		must_become_root_of(owner);
		must_create("made", "%s", "x");
		MUST(stat("made", &status));
		EXPECT_EQ(0, status.st_uid);
		EXPECT_OK(chown("made", 7, 7));
	}
	MUST(stat("made", &status));
	EXPECT_EQ(1007, status.st_uid);
	EXPECT_EQ(1007, status.st_gid);
	must_evict(owner);
}

static long to_read(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long to_write(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC);
}

static long to_permit(const char *path)
{
	return chmod(path, 0777);
}

static long to_give_away(const char *path)
{
	return chown(path, 0, 0);
}

static long to_date(const char *path)
{
	return utimensat(AT_FDCWD, path, (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0);
}

static long to_empower(const char *path)
{
	const struct vfs_cap_data none = { .magic_etc = VFS_CAP_REVISION_2 };

	return setxattr(path, "security.capability", &none, sizeof(none), 0);
}

static long to_remove(const char *path)
{
	return unlink(path);
}

struct use {
	const char *label;
	long (*use)(const char *path);
	int refusal;
	bool owner_suffices; /* whatever the file's group is */
};

ROWS(uses, struct use) = {
	{ "read", to_read, EACCES, false },    { "write", to_write, EACCES, false },
	{ "chmod", to_permit, EPERM, true },   { "chown", to_give_away, EPERM, false },
	{ "utimensat", to_date, EPERM, true }, { "file_capability", to_empower, EPERM, false },
	{ "unlink", to_remove, EPERM, false },
};

TEST_EACH(uses, user, capabilities_reach_mapped_files_only,
	  .says = "root of a user namespace overrides the permissions of files of mapped ids alone",
	  .finding = "root of a container changes files of ids that it was not given",
	  .checks = "user-35", .needs = FILE_NEEDS)
{
	pid_t owner = must_settle_with(seven);

	own_files();
	/* Sticky, so that unlink asks for the file's owner. */
	MUST(chmod(".", 01777));
	must_make("mapped", 1007, 0);
	must_make("unmapped", 1001, 0);
	must_make("half", 1007, 0);
	MUST(chown("half", 1007, 1001));
	IN_FORK {
		must_become_root_of(owner);
		EXPECT_ERRNO(row->refusal, row->use("unmapped"));
		if (!row->owner_suffices)
			EXPECT_ERRNO(row->refusal, row->use("half"));
		EXPECT_OK(row->use("mapped"));
	}
	must_evict(owner);
}

TEST(user, files_are_given_to_mapped_ids_only,
     .says = "root of a user namespace gives a file to a mapped id; another gives EINVAL",
     .finding = "a container makes files of ids that it was not given", .checks = "user-35",
     .needs = FILE_NEEDS)
{
	pid_t owner = must_settle_with(seven);

	own_files();
	must_make("file", 1000, 0644);
	IN_FORK {
		must_become_root_of(owner);
		EXPECT_ERRNO(EINVAL, chown("file", 1, -1));
		EXPECT_ERRNO(EINVAL, chown("file", 1007, -1));
		EXPECT_ERRNO(EINVAL, chown("file", -1, 1));
		EXPECT_OK(chown("file", 7, 7));
	}
	must_evict(owner);
}

struct node {
	const char *label;
	mode_t mode;
	unsigned major, minor;
	int want;
};

ROWS(nodes, struct node) = {
	{ "null", S_IFCHR, 1, 3, EPERM }, { "memory", S_IFCHR, 1, 1, EPERM },
	{ "disk", S_IFBLK, 8, 0, EPERM }, { "no_disk", S_IFBLK, 0, 0, EPERM },
	{ "whiteout", S_IFCHR, 0, 0, 0 }, { "fifo", S_IFIFO, 0, 0, 0 },
	{ "socket", S_IFSOCK, 0, 0, 0 },
};

TEST_EACH(nodes, user, devices_are_not_made,
	  .says = "in a user namespace mknod makes no device, on no file system: EPERM",
	  .finding = "a container makes itself a device of the host", .checks = "user-34",
	  .needs = USER_NEEDS | NEED(mntns) | NEED(tmpfs))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER | CLONE_NEWNS);

	IN_CONTAINER {
		must_tmpfs(scratch());
		MUST(chdir(scratch()));
		if (row->want)
			EXPECT_ERRNO(row->want, mknod("node", row->mode | 0600,
						      makedev(row->major, row->minor)));
		else
			EXPECT_OK(mknod("node", row->mode | 0600, makedev(row->major, row->minor)));
	}
}

/* What is in a file's security.capability: 2 or 3, the version, and for 3 whose root it is for. */
static const char *capability_of(const char *path)
{
	struct vfs_ns_cap_data data = { 0 };
	ssize_t size = MUST(getxattr(path, "security.capability", &data, sizeof(data)));

	return text("version %u of %zd bytes for %u", data.magic_etc >> 24, size, data.rootid);
}

static void must_empower(const char *path, int cap)
{
	struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };

	data.data[cap / 32].permitted = 1U << cap % 32;
	MUST(setxattr(path, "security.capability", &data, sizeof(data), 0));
}

TEST(user, a_write_takes_the_capabilities_of_a_file,
     .says = "who writes to a file that has capabilities leaves it without, also the machine's "
	     "root",
     .finding = "what a container writes runs with capabilities that somebody else gave",
     .checks = "user-49", .needs = NEED(root))
{
	_fd_ int fd = -EBADF;

	must_create("program", "1");
	must_empower("program", CAP_NET_RAW);
	EXPECT_STREQ("version 2 of 20 bytes for 0", capability_of("program"));
	fd = MUST(open("program", O_WRONLY | O_CLOEXEC));
	MUST(write(fd, "2", 1));
	EXPECT_ERRNO(ENODATA, getxattr("program", "security.capability", NULL, 0));
	MUST(unlink("program"));
}

TEST(user, file_capabilities_name_their_root,
     .says = "a file capability set in a user namespace is for the root of that one",
     .finding = "a container gives programs capabilities over the host", .checks = "user-33",
     .needs = FILE_NEEDS)
{
	pid_t owner = must_settle_with(seven);

	own_files();
	must_make("program", 1000, 0755);
	IN_FORK {
		must_become_root_of(owner);
		must_empower("program", CAP_NET_RAW);
		EXPECT_STREQ("version 2 of 20 bytes for 0", capability_of("program"));
	}
	EXPECT_STREQ("version 3 of 24 bytes for 1000", capability_of("program"));
	must_evict(owner);
}

struct whose {
	const char *label;
	const char *map; /* of the user namespace where it is run */
	bool want;
};

ROWS(whose, struct whose) = {
	{ "the_same_root", "0 1000 1\n7 1007 1", true },
	{ "another_root", "0 2000 1\n7 1007 1", false },
	{ "the_same_id_not_as_root", "0 2000 1\n7 1007 1\n8 1000 1", false },
};

TEST_EACH(whose, user, file_capabilities_serve_their_root_only,
	  .says = "a file capability of one user namespace gives nothing in another",
	  .finding = "a program gives capabilities that were meant for another container",
	  .checks = "user-33", .needs = FILE_NEEDS | NEED(ptrace))
{
	pid_t maker = must_settle_with(seven), owner = must_settle_with(row->map);

	own_files();
	must_copy_self("program", 0700);
	MUST(chown("program", 1000, 1000));
	MUST(chmod("program", 0755));
	IN_FORK {
		must_become_root_of(maker);
		must_empower("program", CAP_NET_RAW);
	}
	IN_FORK {
		pid_t program;

		must_enter(owner);
		program = must_exec("program", 7);
		EXPECT_EQ((row->want ? UINT64_C(1) : 0) << CAP_NET_RAW,
			  strtoull(status_field("CapEff", program), NULL, 16));
		must_evict(program);
	}
	must_evict(owner);
	must_evict(maker);
}

struct setuid_file {
	const char *label;
	unsigned owner;
	bool group;
	const char *want; /* Uid or Gid of status, as the user namespace has it */
};

ROWS(setuid_files, struct setuid_file) = {
	{ "mapped", 1000, false, "7\t0\t0\t0" },
	{ "unmapped", 1001, false, "7\t7\t7\t7" },
	{ "root_of_the_host", 0, false, "7\t7\t7\t7" },
	{ "mapped_group", 1000, true, "7\t0\t0\t0" },
	{ "unmapped_group", 1001, true, "7\t7\t7\t7" },
};

TEST_EACH(setuid_files, user, set_user_id_gives_mapped_ids_only,
	  .says = "a set-user-ID or set-group-ID program of an unmapped owner changes nothing",
	  .finding = "a program of the host gives a container's process its owner's id",
	  .checks = "user-32", .needs = FILE_NEEDS | NEED(ptrace))
{
	pid_t owner = must_settle_with(seven);

	own_files();
	must_copy_self("program", 0700);
	MUST(chown("program", row->owner, row->owner));
	MUST(chmod("program", row->group ? 02755 : 04755));
	IN_FORK {
		pid_t program;

		must_enter(owner);
		MUST(setresgid(7, 7, 7));
		program = must_exec("program", 7);
		EXPECT_STREQ(row->want, status_field(row->group ? "Gid" : "Uid", program));
		must_evict(program);
	}
	must_evict(owner);
}

TEST(user, set_user_id_of_a_container_gives_nothing_outside,
     .says = "a set-user-ID program on a mount made in a user namespace changes nothing outside",
     .finding = "a container hands a process of the host another id", .checks = "user-32",
     .needs = FILE_NEEDS | NEED(ptrace))
{
	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS, .uid_map = "0 0 1\n9 1009 1",
		  .gid_map = "0 0 1\n9 1009 1");

	IN_CONTAINER {
		must_tmpfs(scratch());
		MUST(chdir(scratch()));
		must_copy_self("program", 0700);
		MUST(chown("program", 9, 9));
		MUST(chmod("program", 04755));
	}
	ON_HOST {
		_fd_ int file = MUST(open(text("/proc/%d/root%s/program", inside_pid(), scratch()),
					  O_PATH | O_CLOEXEC));
		pid_t program = must_exec(text("/proc/self/fd/%d", file), 7);

		EXPECT_STREQ("7\t7\t7\t7", status_field("Uid", program));
		must_evict(program);
	}
}

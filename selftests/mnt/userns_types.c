// SPDX-License-Identifier: GPL-2.0-or-later
/* Which file systems a user namespace may mount, and what it needs for them. */
#include "mountinfo.h"

#include <sys/ioctl.h>

#define USERNS_NEEDS NEED(admin) | NEED(mntns) | NEED(userns)

struct owned_type {
	const char *label; /* the type */
	uint64_t owner;    /* the namespace that its instances show */
	const char *kind;
};

ROWS(owned_types, struct owned_type) = {
	{ "proc", CLONE_NEWPID, "pid" },
	{ "sysfs", CLONE_NEWNET, "net" },
	{ "mqueue", CLONE_NEWIPC, "ipc" },
	{ "cgroup2", CLONE_NEWCGROUP, "cgroup" },
};

TEST_EACH(
	owned_types, mnt, type_needs_the_namespace_that_it_shows,
	.says = "proc, sysfs, mqueue, cgroup2 are refused (EPERM) without the namespace they show",
	.finding = "a user namespace mounted what shows a namespace of the host",
	.checks = "mnt-108", .needs = USERNS_NEEDS)
{
	own_stage();
	must_mkdir("spot");
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS) {
		EXPECT_ERRNO(EPERM, mount("none", "spot", row->label, 0, NULL));
	}
	EXPECT(!is_mounted("spot"));
}

TEST_EACH(owned_types, mnt, type_is_mounted_with_its_namespace,
	  .says = "proc, sysfs, mqueue, cgroup2 can be mounted by who owns the namespace they show",
	  .checks = "mnt-108 mnt-109", .needs = USERNS_NEEDS | NEED(userns_proc))
{
	own_stage();
	must_mkdir("spot");
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS | row->owner) {
		/* A kernel that lacks the type says ENODEV. */
		if (mount("none", "spot", row->label, 0, NULL))
			EXPECT_EQ(ENODEV, errno);
		else
			EXPECT_STREQ(row->label, mount_at("spot").type);
	}
}

struct fs_type {
	const char *label;
	bool allowed;
};

ROWS(fs_types, struct fs_type) = {
	{ "tmpfs", true },     { "ramfs", true },       { "devpts", true },
	{ "ext4", false },     { "devtmpfs", false },   { "debugfs", false },
	{ "tracefs", false },  { "securityfs", false }, { "pstore", false },
	{ "configfs", false }, { "hugetlbfs", false },  { "squashfs", false },
};

TEST_EACH(fs_types, mnt, user_namespace_mounts_harmless_types_only,
	  .says = "a user namespace may mount the types made for it; others fail with EPERM",
	  .finding = "a user namespace mounted a file system that is not made for it",
	  .checks = "mnt-109", .needs = USERNS_NEEDS)
{
	own_stage();
	must_mkdir("spot");

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS);

	IN_CONTAINER {
		int result = mount("none", "spot", row->label, 0, NULL);
		int error = result ? errno : 0;
		/* Afterwards: the attempt may have loaded the type. */
		bool known = strstr(must_read("/proc/filesystems"), text("\t%s\n", row->label));

		EXPECT_EQ(known ? row->allowed ? 0 : EPERM : ENODEV, error);
	}
}

TEST(mnt, covered_proc_is_not_mounted_anew,
     .says = "while a file of /proc is covered, a user namespace cannot mount a new procfs (EPERM)",
     .finding = "a user namespace uncovered masked files with a procfs of its own",
     .checks = "mnt-107", .needs = USERNS_NEEDS | NEED(pidns) | NEED(userns_proc))
{
	own_stage();
	must_mkdir("spot");
	must_mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL);
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) {
		EXPECT_ERRNO(EPERM, mount("proc", "spot", "proc", 0, NULL));
	}
	MUST(umount("/proc/version"));
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) {
		EXPECT_OK(mount("proc", "spot", "proc", 0, NULL));
	}
}

TEST(mnt, read_only_proc_is_not_mounted_writable,
     .says = "while /proc is read-only, a user namespace mounts a new one read-only or not at all",
     .finding = "a user namespace mounted a writable procfs beside a read-only one",
     .checks = "mnt-107", .needs = USERNS_NEEDS | NEED(pidns) | NEED(userns_proc))
{
	own_stage();
	must_mkdir("spot");
	must_mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) {
		EXPECT_ERRNO(EPERM, mount("proc", "spot", "proc", 0, NULL));
		EXPECT_OK(mount("proc", "spot", "proc", MS_RDONLY, NULL));
		EXPECT_ERRNO(EPERM, mount(NULL, "spot", NULL, MS_REMOUNT | MS_BIND, NULL));
	}
}

struct file_owner {
	const char *label;
	unsigned uid; /* on the host; the container has 0 and 1000 */
	int want_open, want_chmod;
};

ROWS(file_owners, struct file_owner) = {
	{ "mapped", 1000, 0, 0 },
	{ "unmapped", 1001, EACCES, EPERM },
};

TEST_EACH(file_owners, mnt, rights_end_at_files_of_strangers,
	  .says = "root of a user namespace may open and change files of users that it maps only",
	  .finding = "root of the container has its rights over files of users it does not have",
	  .checks = "mnt-125", .needs = NEED(root) | NEED(mntns) | NEED(userns))
{
	own_stage();
	must_create("file", "1");
	MUST(chmod("file", 0));
	MUST(chown("file", row->uid, 0));

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS, .uid_map = "0 0 1\n1000 1000 1");

	IN_CONTAINER {
		int file;

		MUST(setresuid(0, 0, 0));
		errno = 0;
		file = open("file", O_RDONLY | O_CLOEXEC);
		EXPECT_EQ(row->want_open, errno);
		close_fd(&file);
		errno = 0;
		EXPECT_EQ(row->want_chmod ? -1 : 0, chmod("file", 0600));
		EXPECT_EQ(row->want_chmod, errno);
	}
}

TEST(mnt, terminals_are_an_instance_apart,
     .says = "each devpts mount is an instance of its own: the same number, another terminal",
     .checks = "mnt-110", .needs = NEED(admin) | NEED(mntns))
{
	_fd_ int first = -EBADF, second = -EBADF;
	unsigned one = 99, other = 98;

	own_stage();
	must_mkdir("one");
	must_mkdir("other");
	must_mount("devpts", "one", "devpts", 0, "newinstance,ptmxmode=0666");
	must_mount("devpts", "other", "devpts", 0, "newinstance,ptmxmode=0666");
	first = MUST(open("one/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	second = MUST(open("other/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(first, TIOCGPTN, &one));
	MUST(ioctl(second, TIOCGPTN, &other));
	EXPECT_EQ(0, one);
	EXPECT_EQ(0, other);
	close(second);
	second = -EBADF;
	EXPECT(exists("one/0"));
	EXPECT(!exists("other/0"));
}

TEST(mnt, terminal_without_a_path_is_opened_by_its_leader,
     .says = "TIOCGPTPEER opens the terminal of a devpts that is not reachable by a path any more",
     .checks = "mnt-068", .needs = NEED(admin) | NEED(mntns))
{
	_fd_ int leader = -EBADF, terminal = -EBADF;
	char byte = 0;

	own_stage();
	must_mkdir("pts");
	must_mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0666");
	leader = MUST(open("pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
	MUST(ioctl(leader, TIOCSPTLCK, &(int){ 0 }));
	MUST(umount2("pts", MNT_DETACH));
	terminal = ASSERT_OK(ioctl(leader, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	ASSERT_EQ(1, write(terminal, "x", 1));
	ASSERT_EQ(1, read(leader, &byte, 1));
	EXPECT_EQ('x', byte);
}

TEST(mnt, overlay_joins_layers,
     .says = "an overlay shows both layers, and writes go to the upper one", .checks = "mnt-095",
     .needs = NEED(root) | NEED(mntns) | NEED(overlay))
{
	own_stage();
	must_mkdir("lower");
	must_mkdir("upper");
	must_mkdir("work");
	must_mkdir("merged");
	must_create("lower/file", "lower");
	must_mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work");
	EXPECT_STREQ("lower", must_read("merged/file"));
	must_create("merged/file", "changed");
	EXPECT_STREQ("lower", must_read("lower/file"));
	EXPECT_STREQ("changed", must_read("upper/file"));
	EXPECT_OK(unlink("merged/file"));
	EXPECT(!exists("merged/file"));
	EXPECT(exists("lower/file"));
}

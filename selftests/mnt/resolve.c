// SPDX-License-Identifier: GPL-2.0-or-later
/* Walls in path resolution: chroot(2) and openat2(2). */
#include "mountinfo.h"

#include <linux/openat2.h>

#define RESOLVE_NEEDS NEED(admin) | NEED(mntns)

struct chroot_error {
	const char *label, *path;
	int want;
};

static const char nowhere[] = "(bad pointer)", endless[] = "(too long)";

ROWS(chroot_errors, struct chroot_error) = {
	{ "fine", "dir", 0 },
	{ "file", "file", ENOTDIR },
	{ "missing", "missing", ENOENT },
	{ "loop", "loop", ELOOP },
	{ "bad_pointer", nowhere, EFAULT },
	{ "too_long", endless, ENAMETOOLONG },
};

TEST_EACH(chroot_errors, mnt, chroot_checks_its_path,
	  .says = "chroot refuses what is no directory, each with its own error",
	  .checks = "mnt-043", .needs = RESOLVE_NEEDS)
{
	char name[300];
	const char *path = row->path;

	own_stage();
	must_mkdir("dir");
	must_create("file", "1");
	MUST(symlink("loop", "loop"));
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	path = path == nowhere ? (const char *)-1L : path == endless ? name : path;
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, chroot(path));
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(!row->want, !exists("%s/file", scratch()));
}

TEST(mnt, chroot_needs_the_right,
     .says = "chroot without CAP_SYS_CHROOT fails with EPERM, below a closed directory with EACCES",
     .checks = "mnt-043", .needs = RESOLVE_NEEDS)
{
	own_stage();
	must_mkdir("dir/closed/below");
	MUST(chmod(".", 0755));
	MUST(chmod("dir/closed", 0700));
	AS_NOBODY { EXPECT_ERRNO(EPERM, chroot("dir")); }
	EXPECT_OK(chroot("dir"));
}

TEST(mnt, chroot_bounds_the_walk,
     .says = "after chroot absolute paths, absolute links and dot-dot stay below the new root",
     .checks = "mnt-043", .needs = RESOLVE_NEEDS)
{
	own_stage();
	must_mkdir("jamb/dir");
	must_create("jamb/marker", "new");
	must_create("marker", "old");
	MUST(symlink("/marker", "jamb/absolute"));
	MUST(symlink("../../marker", "jamb/dir/relative"));
	EXPECT_STREQ("old", must_read("jamb/dir/relative"));
	MUST(chroot("jamb"));
	MUST(chdir("/"));
	EXPECT_STREQ("new", must_read("/marker"));
	EXPECT_STREQ("new", must_read("/absolute"));
	EXPECT_STREQ("new", must_read("/dir/relative"));
	EXPECT_STREQ("new", must_read("/../../marker"));
}

TEST(mnt, chroot_enters_the_topmost_mount,
     .says = "chroot into a directory mounted over several times enters the topmost mount",
     .checks = "mnt-064", .needs = RESOLVE_NEEDS)
{
	own_stage();
	must_mkdir("m");
	must_create("m/layer", "0");
	for (int i = 1; i <= 3; i++) {
		must_tmpfs("m");
		must_create("m/layer", "%d", i);
	}
	MUST(chroot("m"));
	EXPECT_STREQ("3", must_read("/layer"));
}

TEST(mnt, chroot_is_left_by_a_directory_outside,
     .says = "a descriptor of a directory outside leads out of a chroot: it is no wall by itself",
     .checks = "mnt-043 rootfs-33", .needs = RESOLVE_NEEDS)
{
	_fd_ int outside = -EBADF;

	own_stage();
	must_create("marker", "outside");
	must_mkdir("jamb");
	outside = MUST(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(chroot("jamb"));
	MUST(chdir("/"));
	EXPECT(!exists("../marker"));
	MUST(fchdir(outside));
	EXPECT_STREQ("outside", must_read("marker"));
}

TEST(mnt, chroot_forbids_new_user_namespaces,
     .says = "in a chroot no user namespace can be made (EPERM)", .checks = "mnt-043",
     .needs = RESOLVE_NEEDS | NEED(userns))
{
	own_stage();
	must_mkdir("jamb");
	IN_FORK { EXPECT_OK(unshare(CLONE_NEWUSER)); }
	MUST(chroot("jamb"));
	EXPECT_ERRNO(EPERM, unshare(CLONE_NEWUSER));
}

struct walk {
	const char *label, *path;
	uint64_t resolve;
	int want;
};

/* From "base": "in" is a file, "up" a link to it by ../base/in, "abs" one to /in. */
ROWS(walks, struct walk) = {
	{ "beneath", "in", RESOLVE_BENEATH, 0 },
	{ "beneath_and_back", "dir/../in", RESOLVE_BENEATH, 0 },
	{ "beneath_dotdot", "../out", RESOLVE_BENEATH, EXDEV },
	{ "beneath_dotdot_and_back", "../base/in", RESOLVE_BENEATH, EXDEV },
	{ "beneath_absolute", "/proc", RESOLVE_BENEATH, EXDEV },
	{ "beneath_link_up", "up", RESOLVE_BENEATH, EXDEV },
	{ "beneath_absolute_link", "abs", RESOLVE_BENEATH, EXDEV },
	{ "in_root_absolute", "/in", RESOLVE_IN_ROOT, 0 },
	{ "in_root_absolute_link", "abs", RESOLVE_IN_ROOT, 0 },
	{ "in_root_dotdot", "../../in", RESOLVE_IN_ROOT, 0 },
	{ "in_root_outside", "../out", RESOLVE_IN_ROOT, ENOENT },
	{ "no_xdev", "in", RESOLVE_NO_XDEV, 0 },
	{ "no_xdev_into_a_mount", "mounted/file", RESOLVE_NO_XDEV, EXDEV },
	{ "no_xdev_out_of_a_mount", "..", RESOLVE_NO_XDEV, 0 },
	{ "no_xdev_absolute", "/", RESOLVE_NO_XDEV, 0 },
	{ "no_symlinks", "in", RESOLVE_NO_SYMLINKS, 0 },
	{ "no_symlinks_at_the_end", "link", RESOLVE_NO_SYMLINKS, ELOOP },
	{ "no_symlinks_on_the_way", "dirlink/../in", RESOLVE_NO_SYMLINKS, ELOOP },
	{ "no_magiclinks", "link", RESOLVE_NO_MAGICLINKS, 0 },
	{ "no_magiclinks_root", "/proc/self/root", RESOLVE_NO_MAGICLINKS, ELOOP },
	{ "no_magiclinks_cwd", "/proc/self/cwd/in", RESOLVE_NO_MAGICLINKS, ELOOP },
	{ "in_root_magiclink", "proc/self/root", RESOLVE_IN_ROOT, EXDEV },
	{ "beneath_and_in_root", "in", RESOLVE_BENEATH | RESOLVE_IN_ROOT, EINVAL },
	{ "unknown_bit", "in", 1ULL << 40, EINVAL },
};

TEST_EACH(walks, mnt, openat2_confines_the_walk,
	  .says = "openat2 stays beneath, in the root, on the mount, off links, as it is told",
	  .checks = "mnt-065", .needs = RESOLVE_NEEDS | NEED(openat2))
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = row->resolve };
	_fd_ int base = -EBADF, found = -EBADF;

	own_stage();
	must_mkdir("base/dir");
	must_mkdir("base/proc");
	must_create("base/in", "in");
	must_create("out", "out");
	must_tmpfs("base/mounted");
	must_create("base/mounted/file", "1");
	must_mount("/proc", "base/proc", NULL, MS_BIND | MS_REC, NULL);
	MUST(symlink("in", "base/link"));
	MUST(symlink("dir", "base/dirlink"));
	MUST(symlink("../base/in", "base/up"));
	MUST(symlink("/in", "base/abs"));
	base = MUST(open("base", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(chdir("base"));
	errno = 0;
	found = syscall(SYS_openat2, base, row->path, &how, sizeof(how));
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(!row->want, found >= 0);
}

TEST(mnt, openat2_holds_against_a_renamer,
     .says = "while another process moves a directory, RESOLVE_BENEATH never leads outside",
     .checks = "mnt-065", .needs = RESOLVE_NEEDS | NEED(openat2))
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	unsigned inside = 0, outside = 0;
	_fd_ int base = -EBADF;
	pid_t renamer;

	own_stage();
	must_mkdir("base/a/b");
	must_create("base/secret", "in");
	must_create("secret", "out");
	must_mkdir("away");
	base = MUST(open("base", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	renamer = must_fork();
	if (!renamer)
		for (;;) {
			rename("base/a", "away/a");
			rename("away/a", "base/a");
		}
	for (int i = 0; i < 20000; i++) {
		_fd_ int found =
			syscall(SYS_openat2, base, "a/b/../../../secret", &how, sizeof(how));
		char byte = 0;

		if (found >= 0 && read(found, &byte, 1) == 1)
			*(byte == 'i' ? &inside : &outside) += 1;
	}
	MUST(kill(renamer, SIGKILL));
	EXPECT_SIGNAL(SIGKILL, must_wait(renamer));
	EXPECT_EQ(0, outside);
	EXPECT_LT(0, inside);
}

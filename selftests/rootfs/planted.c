// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile root directories: links planted in the image must never lead a mount of
 * the runtime to the host. Whether the runtime refuses such a root or resolves the
 * link inside is its own choice; both keep the host whole.
 */
#include "root.h"

#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

#define PLANT_NEEDS NEED(root) | NEED(mntns)

static void copy_program(const char *to)
{
	_fd_ int from = MUST(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	_fd_ int copy = MUST(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

	while (MUST(sendfile(copy, from, NULL, 1 << 20)) > 0) continue;
}

/*
 * "root", a small root directory with a command, and "victim", a directory of the
 * host with one file; both in the scratch directory.
 */
static void plant(void)
{
	static const char *const directories[] = { "dev", "etc", "mnt", "proc", "sys",
						   "tmp", "usr", "run", "bin" };

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		must_mkdir("root/%s", directories[i]);
	must_create("root/usr/os-release", "ID=selftest\n");
	copy_program("root/selftest");
	must_mkdir("victim");
	must_create("victim/file", "of the host");
}

/* Runs the root's command through the subject, which may refuse to. */
static void run_planted(const char *option, const char *value)
{
	pid_t pid = must_fork();

	if (!pid) {
		const char *root = full("root");
		int null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));

		for (int i = 0; i < 3; i++) MUST(dup2(null, i));
		execl(subject_adapter(), subject_adapter(), "run", "--rootfs", root, option, value,
		      "--", "/selftest", "--list", NULL);
		_exit(1);
	}
	EXPECT(WIFEXITED(must_wait(pid)));
}

static unsigned entries_of(const char *path)
{
	DIR *directory = opendir(path);
	unsigned entries = 0;

	while (directory && readdir(directory)) entries++;
	if (directory)
		closedir(directory);
	return entries;
}

static void expect_victim_whole(void)
{
	struct stat status;

	EXPECT_EQ(3, entries_of("victim"));
	EXPECT_STREQ("of the host", must_read("victim/file"));
	EXPECT_EQ(0, mounts_below(full("victim")));
	MUST(stat("victim", &status));
	EXPECT_EQ(0755, status.st_mode & 07777);
}

struct trap {
	const char *label, *link, *target; /* the target is below the scratch directory */
	const char *option, *value;        /* of the adapter; NAME=VALUE by default */
	bool relative;
};

ROWS(traps, struct trap) = {
	{ "no_trap", "mnt/none", "elsewhere", "--env", "A=b", false },
	{ "dev", "dev", "victim", "--env", "A=b", false },
	{ "proc", "proc", "victim", "--env", "A=b", false },
	{ "sys", "sys", "victim", "--env", "A=b", false },
	{ "dev_null", "dev/null", "victim/file", "--env", "A=b", false },
	{ "dev_console", "dev/console", "victim/file", "--env", "A=b", false },
	{ "dev_pts", "dev/pts", "victim", "--env", "A=b", false },
	{ "dev_shm", "dev/shm", "victim", "--env", "A=b", false },
	{ "tmpfs_on_a_link", "mnt/trap", "victim", "--tmpfs", "/mnt/trap", false },
	{ "tmpfs_below_a_link", "mnt/trap", "victim", "--tmpfs", "/mnt/trap/new", false },
	{ "tmpfs_on_a_dangling_link", "mnt/trap", "victim/new", "--tmpfs", "/mnt/trap", false },
	{ "bind_below_a_link", "mnt/trap", "victim", "--bind", "/proc:/mnt/trap/new", false },
	{ "bind_on_a_dangling_link", "mnt/trap", "victim/new", "--bind", "/proc:/mnt/trap", false },
	{ "file_on_a_dangling_link", "mnt/trap", "victim/new", "--bind", "/dev/null:/mnt/trap",
	  false },
	{ "relative_dev", "dev", "victim", "--env", "A=b", true },
	{ "relative_tmpfs_below", "mnt/trap", "victim", "--tmpfs", "/mnt/trap/new", true },
	{ "relative_bind_below", "mnt/trap", "victim", "--bind", "/proc:/mnt/trap/new", true },
};

TEST_EACH(traps, rootfs, planted_link_leads_nowhere,
	  .says = "a link in the image never makes the runtime create, write or mount on the host",
	  .finding = "a link planted in the image made the runtime change the host's files",
	  .checks = "rootfs-19 rootfs-25 rootfs-26 rootfs-41 rootfs-42 mnt-073 mnt-120 mnt-121",
	  .layer = RUNTIME, .needs = PLANT_NEEDS)
{
	own_stage();
	plant();
	if (exists("root/%s", row->link))
		MUST(rmdir(text("root/%s", row->link)));
	MUST(symlink(text("%s%s/%s", row->relative ? "../../../../../../../.." : "", scratch(),
			  row->target),
		     text("root/%s", row->link)));
	run_planted(row->option, row->value);
	expect_victim_whole();
}

TEST(rootfs, failed_bind_leaves_nothing,
     .says = "when a bind in the middle fails, no mount and no file is left on the host",
     .finding = "a failed start left mounts on the host", .checks = "mnt-119", .layer = RUNTIME,
     .needs = PLANT_NEEDS)
{
	unsigned before;

	own_stage();
	plant();
	before = mounts_below("/");
	run_planted("--bind", "/this/does/not/exist:/mnt");
	EXPECT_EQ(before, mounts_below("/"));
	expect_victim_whole();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The names as files: /proc/sys/kernel/hostname and domainname. */
#include "../harness/selftest.h"

#include <poll.h>

struct file {
	const char *label;
	const char *path;
	long set;
};

ROWS(files, struct file) = {
	{ "hostname", "/proc/sys/kernel/hostname", SYS_sethostname },
	{ "domainname", "/proc/sys/kernel/domainname", SYS_setdomainname },
};

static const char *by_uname(const struct file *file)
{
	return file->set == SYS_sethostname ? hostname() : domainname();
}

TEST_EACH(files, uts, proc_reports_the_readers_name,
	  .says = "/proc/sys/kernel reports the name of the reader's UTS namespace",
	  .checks = "uts-09 uts-11 uts-18", .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	MUST(syscall(row->set, "outer", 5));
	UNSHARED(CLONE_NEWUTS) {
		MUST(syscall(row->set, "inner", 5));
		EXPECT_STREQ("inner\n", must_read("%s", row->path));
	}
	EXPECT_STREQ("outer\n", must_read("%s", row->path));
}

TEST_EACH(
	files, uts, an_old_descriptor_reads_the_new_name,
	.says = "a descriptor of the name's file reads the namespace of the reader, not the opener",
	.checks = "uts-18", .needs = NEED(admin) | NEED(utsns))
{
	_fd_ int fd = -EBADF;
	char name[80] = "";

	must_unshare(CLONE_NEWUTS);
	MUST(syscall(row->set, "outer", 5));
	fd = MUST(open(row->path, O_RDONLY | O_CLOEXEC));
	UNSHARED(CLONE_NEWUTS) {
		MUST(syscall(row->set, "inner", 5));
		ASSERT_EQ(6, pread(fd, name, sizeof(name) - 1, 0));
		EXPECT_STREQ("inner\n", name);
	}
	ASSERT_EQ(6, pread(fd, name, sizeof(name) - 1, 0));
	EXPECT_STREQ("outer\n", name);
}

TEST_EACH(files, uts, an_old_descriptor_writes_the_new_name,
	  .says = "a write to the name's file renames the namespace of the writer, not the opener",
	  .finding = "a descriptor from outside renamed the host", .checks = "uts-18",
	  .needs = NEED(root) | NEED(utsns))
{
	_fd_ int fd = -EBADF;

	must_unshare(CLONE_NEWUTS);
	MUST(syscall(row->set, "outer", 5));
	fd = MUST(open(row->path, O_RDWR | O_CLOEXEC));
	UNSHARED(CLONE_NEWUTS) {
		EXPECT_EQ(7, write(fd, "written", 7));
		EXPECT_STREQ("written", by_uname(row));
	}
	EXPECT_STREQ("outer", by_uname(row));
	EXPECT_EQ(5, pwrite(fd, "again", 5, 0));
	EXPECT_STREQ("again", by_uname(row));
}

TEST_EACH(files, uts, a_line_ends_the_name,
	  .says = "a write to the name's file takes the first line and at most 64 bytes of it",
	  .checks = "uts-17 uts-18", .needs = NEED(root) | NEED(utsns))
{
	static const char longest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	must_unshare(CLONE_NEWUTS);
	must_write(row->path, "one\ntwo");
	EXPECT_STREQ("one", by_uname(row));
	must_write(row->path, "%sX", longest);
	EXPECT_STREQ(longest, by_uname(row));
	must_write(row->path, "\n");
	EXPECT_STREQ("", by_uname(row));
}

TEST_EACH(files, uts, nobody_may_open_it_for_writing,
	  .says = "an unprivileged user may read the name's file but not open it for writing",
	  .checks = "uts-08", .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	AS_NOBODY {
		EXPECT_ERRNO(EACCES, open(row->path, O_WRONLY | O_CLOEXEC));
		EXPECT_OK(open(row->path, O_RDONLY | O_CLOEXEC));
	}
}

TEST_EACH(files, uts, a_rename_wakes_who_polls,
	  .says = "who polls the name's file is woken by a rename and not before",
	  .checks = "uts-02", .needs = NEED(admin) | NEED(utsns))
{
	struct pollfd wait = { .events = POLLPRI };
	_fd_ int fd = -EBADF;
	char name[80];

	must_unshare(CLONE_NEWUTS);
	fd = MUST(open(row->path, O_RDONLY | O_CLOEXEC));
	wait.fd = fd;
	MUST(read(fd, name, sizeof(name)));
	EXPECT_EQ(0, poll(&wait, 1, 0));
	IN_FORK { ASSERT_OK(syscall(row->set, "renamed", 7)); }
	EXPECT_EQ(1, poll(&wait, 1, 5000));
	EXPECT_EQ(POLLPRI | POLLERR, wait.revents);
}

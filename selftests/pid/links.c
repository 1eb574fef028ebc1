// SPDX-License-Identifier: GPL-2.0-or-later
/* The links in /proc/PID lead into a process: whoever may not trace it may not follow them. */
#include <linux/capability.h>
#include <sys/uio.h>

#include "pid.h"

struct way_in {
	const char *label, *path;
};

ROWS(ways_in, struct way_in) = {
	{ "root", "root" },
	{ "working_directory", "cwd" },
	{ "program", "exe" },
	{ "namespace", "ns/uts" },
	{ "namespace_of_children", "ns/pid_for_children" },
};

TEST_EACH(ways_in, pid, the_links_of_others_are_closed,
	  .says = "a link of /proc/PID can be read and followed by who may trace the process only",
	  .checks = "pid-80", .needs = NEED(admin) | NEED(pidns))
{
	char link[64], target[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/%d/%s", getpid(), row->path);
	EXPECT_LT(0, readlink(link, target, sizeof(target)));
	MUST(close(ASSERT_OK(open(link, O_RDONLY | O_CLOEXEC))));
	AS_NOBODY {
		/* 5.10 gives an empty text for a namespace, and no error. */
		EXPECT(readlink(link, target, sizeof(target)) <= 0);
		EXPECT_ERRNO(EACCES, open(link, O_RDONLY | O_CLOEXEC));
	}
}

struct told_of_memory {
	const char *label;
};

ROWS(told_of_memory, struct told_of_memory) = {
	{ "mem" },
	{ "environ" },
	{ "maps" },
	{ "auxv" },
};

TEST_EACH(told_of_memory, pid, memory_of_others_is_closed,
	  .says = "what proc has of a process's memory is opened by who may trace the process only",
	  .finding = "the memory of a process of the host can be read in the container",
	  .checks = "pid-81", .needs = NEED(admin) | NEED(pidns) | NEED(userns))
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", getpid(), row->label);
	MUST(close(ASSERT_OK(open(path, O_RDONLY | O_CLOEXEC))));
	AS_NOBODY { EXPECT_ERRNO(EACCES, open(path, O_RDONLY | O_CLOEXEC)); }
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EACCES, open(path, O_RDONLY | O_CLOEXEC)); }
}

TEST(pid, memory_of_others_is_not_copied,
     .says = "process_vm_readv copies from processes that the caller may trace only: EPERM",
     .finding = "the memory of a process of the host can be read in the container",
     .checks = "pid-81", .needs = NEED(admin) | NEED(pidns) | NEED(userns))
{
	char secret = 's', copy = 0;
	const struct iovec from = { &secret, 1 }, to = { &copy, 1 };
	pid_t owner = getpid();

	UNSHARED(CLONE_NEWUSER) {
		EXPECT_ERRNO(EPERM, process_vm_readv(owner, &to, 1, &from, 1, 0));
		EXPECT_EQ(0, copy);
		EXPECT_EQ(1, process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	}
	AS_NOBODY { EXPECT_ERRNO(EPERM, process_vm_readv(owner, &to, 1, &from, 1, 0)); }
}

/* The entry of map_files for the first mapping of the caller's own program. */
static const char *first_mapping(void)
{
	unsigned long start, end;

	MUST(sscanf(must_read("/proc/self/maps"), "%lx-%lx", &start, &end) == 2 ? 0 : -1);
	return text("/proc/self/map_files/%lx-%lx", start, end);
}

TEST(pid, a_mapped_file_is_opened_with_a_right_over_the_host,
     .says = "a file in map_files opens with CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE over the "
	     "host, "
	     "and not with those over a user namespace: EPERM",
     .checks = "pid-80", .needs = NEED(root) | NEED(userns))
{
	int file = ASSERT_OK(open(first_mapping(), O_RDONLY | O_CLOEXEC));

	close(file);
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_OK(access(first_mapping(), R_OK));
		must_drop_cap(CAP_CHECKPOINT_RESTORE);
		EXPECT_ERRNO(EPERM, open(first_mapping(), O_RDONLY | O_CLOEXEC));
	}
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_ERRNO(EPERM, open(first_mapping(), O_RDONLY | O_CLOEXEC));
	}
}

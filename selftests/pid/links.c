// SPDX-License-Identifier: GPL-2.0-or-later
/* The links in /proc/PID lead into a process: whoever may not trace it may not follow them. */
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "pid.h"

/* The machine's proc may hide processes (hidepid=), where whoever looks may mount another. */
static void open_proc(void)
{
	must_unshare(CLONE_NEWNS);
	must_private("/");
	if (mount("proc", "/proc", "proc", 0, "hidepid=0"))
		note("the machine's proc it is: %s", strerror(errno));
}

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

	open_proc();
	snprintf(link, sizeof(link), "/proc/%d/%s", getpid(), row->path);
	EXPECT_LT(0, readlink(link, target, sizeof(target)));
	MUST(close(ASSERT_OK(open(link, O_RDONLY | O_CLOEXEC))));
	AS_NOBODY {
		/* 5.10 gives an empty text for a namespace, and no error. */
		EXPECT(readlink(link, target, sizeof(target)) <= 0);
		EXPECT_ERRNO(EACCES, open(link, O_RDONLY | O_CLOEXEC));
	}
}

TEST_EACH(ways_in, pid, the_links_of_the_ended_lead_nowhere,
	  .says = "a link of a process that has ended and was not waited for leads nowhere: ENOENT",
	  .checks = "pid-82", .needs = NEED(pidns))
{
	pid_t ended = must_fork();
	siginfo_t info;

	if (!ended)
		_exit(0);
	MUST(waitid(P_PID, ended, &info, WEXITED | WNOWAIT));
	EXPECT_STREQ("Z", text("%.1s", status_field("State", ended)));
	EXPECT_ERRNO(ENOENT, open(text("/proc/%d/%s", ended, row->path), O_PATH | O_CLOEXEC));
	must_wait(ended);
}

TEST(pid, a_link_goes_with_what_it_led_to,
     .says = "the link of a descriptor or a mapping is gone once that is closed or unmapped: "
	     "ENOENT",
     .checks = "pid-82")
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int file = MUST(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	const char *descriptor = text("/proc/self/fd/%d", file);
	const char *mapping = text("/proc/self/map_files/%lx-%lx", (long)map, (long)(map + size));
	struct stat found;

	ASSERT(map != MAP_FAILED);
	EXPECT_OK(lstat(descriptor, &found));
	EXPECT_OK(lstat(mapping, &found));
	MUST(munmap(map, size));
	MUST(close(file));
	EXPECT_ERRNO(ENOENT, lstat(descriptor, &found));
	EXPECT_ERRNO(ENOENT, lstat(mapping, &found));
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

	open_proc();
	snprintf(path, sizeof(path), "/proc/%d/%s", getpid(), row->label);
	MUST(close(ASSERT_OK(open(path, O_RDONLY | O_CLOEXEC))));
	AS_NOBODY { EXPECT_ERRNO(EACCES, open(path, O_RDONLY | O_CLOEXEC)); }
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EACCES, open(path, O_RDONLY | O_CLOEXEC)); }
}

struct folder {
	const char *label;
};

ROWS(folders, struct folder) = { { "fd" }, { "fdinfo" } };

TEST_EACH(folders, pid, descriptors_belong_to_whom_the_process_is,
	  .says = "the descriptors of a process are shown to root and to the user that it is now",
	  .checks = "pid-81", .needs = NEED(root) | NEED(pidns))
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int go[2], done[2];
	char path[64];
	pid_t pid;

	open_proc();
	must_pipe(go);
	must_pipe(done);
	pid = must_fork();
	if (!pid) {
		hear_go(go[0]);
		must_become_nobody();
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		say_go(done[1]);
		for (;;) pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, row->label);
	MUST(close(ASSERT_OK(open(path, flags))));
	AS_NOBODY { EXPECT_ERRNO(EACCES, open(path, flags)); }
	say_go(go[1]);
	hear_go(done[0]);
	AS_NOBODY { EXPECT_OK(open(path, flags)); }
	MUST(close(ASSERT_OK(open(path, flags))));
	must_kill(pid);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(done[i]);
	}
}

TEST(pid, addresses_of_others_are_not_told,
     .says = "the stat file of proc tells addresses to who may trace the process, to others 1",
     .finding = "proc told the container where memory of a process of the host is",
     .checks = "pid-81", .needs = NEED(admin) | NEED(pidns) | NEED(userns))
{
	static const char start_of_code[] = "%*d (%*[^)]) %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s "
					    "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
					    "%lu";
	pid_t owner = getpid();
	unsigned long start = 0;

	open_proc();
	ASSERT_EQ(1, sscanf(must_read("/proc/%d/stat", owner), start_of_code, &start));
	EXPECT_LT(1, start);
	UNSHARED(CLONE_NEWUSER) {
		ASSERT_EQ(1, sscanf(must_read("/proc/%d/stat", owner), start_of_code, &start));
		EXPECT_EQ(1, start);
	}
	AS_NOBODY {
		ASSERT_EQ(1, sscanf(must_read("/proc/%d/stat", owner), start_of_code, &start));
		EXPECT_EQ(1, start);
	}
}

static long compare(pid_t one, pid_t other)
{
	return syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0);
}

TEST(pid, others_are_not_compared,
     .says = "kcmp compares processes that the caller may trace, both of them: EPERM",
     .checks = "pid-81", .needs = NEED(admin) | NEED(pidns) | NEED(userns) | NEED(kcmp))
{
	pid_t owner = getpid();

	EXPECT_EQ(0, compare(owner, owner));
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_EQ(0, compare(getpid(), getpid()));
		EXPECT_ERRNO(EPERM, compare(owner, getpid()));
		EXPECT_ERRNO(EPERM, compare(getpid(), owner));
	}
	AS_NOBODY { EXPECT_ERRNO(EPERM, compare(owner, owner)); }
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
	     "host, and not with those over a user namespace: EPERM",
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

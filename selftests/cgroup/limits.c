// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits that a container was asked to have: on its memory, its processes, its CPU time. */
#include "../harness/selftest.h"

#include <sys/mman.h>

#define LIMIT_NEEDS NEED(root) | NEED(pidns) | NEED(limits)

enum { MEBIBYTE = 1 << 20, FEW_PROCESSES = 32, LITTLE_MEMORY = 16 * MEBIBYTE };

/* Host side: a limit of the cgroup that the container's first process is in; the root has none. */
static const char *limit_of(pid_t pid, const char *file)
{
	char path[PATH_MAX];
	const char *line = strstr(must_read("/proc/%d/cgroup", pid), "0::");

	MUST_HOLD(line);
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	return exists("/sys/fs/cgroup%s/%s", path, file)
		       ? must_read("/sys/fs/cgroup%s/%s", path, file)
		       : "none\n";
}

struct limit {
	const char *label, *file, *value;
	const char *memory, *pids, *cpus; /* as asked for */
};

ROWS(limits, struct limit) = {
	{ "memory", "memory.max", "67108864\n", .memory = "67108864" },
	{ "processes", "pids.max", "32\n", .pids = "32" },
	{ "half_a_processor", "cpu.max", "50000 100000\n", .cpus = "0.5" },
	{ "two_processors", "cpu.max", "200000 100000\n", .cpus = "2" },
};

TEST_EACH(limits, cgroup, limit_asked_for_is_in_force,
	  .says = "when the command starts its cgroup has the limit that was asked for",
	  .finding = "a limit that was asked for was dropped",
	  .checks = "limits-11 cgroup-25 cgroup-26 cgroup-28", .layer = RUNTIME,
	  .needs = LIMIT_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWPID, .memory = row->memory, .pids = row->pids,
		  .cpus = row->cpus);

	ON_HOST { EXPECT_STREQ(row->value, limit_of(inside_pid(), row->file)); }
}

/* Forks children that wait for the end of `pipe` until no more can be had; how many there are. */
static int fork_until_refused(int pipe[2])
{
	int count = 0;

	for (pid_t pid; count <= FEW_PROCESSES; count++) {
		pid = fork();
		if (pid < 0)
			break;
		if (!pid) {
			char byte;

			close(pipe[1]);
			_exit((int)read(pipe[0], &byte, 1));
		}
	}
	return count;
}

TEST(cgroup, more_processes_than_allowed_are_refused,
     .says = "a container with a limit on processes gets EAGAIN from fork when it is reached",
     .finding = "the container has more processes than it was allowed", .checks = "cgroup-29",
     .layer = RUNTIME, .needs = LIMIT_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWPID, .pids = "32");

	IN_CONTAINER {
		int pipe[2], count;

		must_pipe(pipe);
		count = fork_until_refused(pipe);
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_GT(FEW_PROCESSES, count);
		EXPECT_LT(0, count);
		close(pipe[0]);
		close(pipe[1]);
		while (count-- > 0) EXPECT_EQ(0, must_wait(-1));
	}
}

/*
 * Uses four times the memory that is allowed. Where there is swap, a limit on memory alone
 * pushes some out instead: then what is resident must be within the limit.
 */
static _Noreturn void use_much_memory(void)
{
	const size_t size = 4 * LITTLE_MEMORY, page = sysconf(_SC_PAGESIZE);
	static unsigned char resident[4 * LITTLE_MEMORY / 4096];
	size_t pages = 0;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST_HOLD(memory != MAP_FAILED);
	memset(memory, 1, size);
	MUST(mincore(memory, size, resident));
	for (size_t i = 0; i < size / page; i++) pages += resident[i] & 1;
	_exit(pages * page > LITTLE_MEMORY);
}

/* Host side: what the end of such a process may be instead of SIGKILL, see above. */
static bool has_swap(void)
{
	return strchr(must_read("/proc/swaps"), '/');
}

TEST(cgroup, command_beyond_its_memory_is_reported_as_killed,
     .says = "the runtime of a command that uses too much memory ends with status 137, by itself",
     .finding = "a command that took more memory than allowed was not killed, or not told so",
     .checks = "cgroup-25 cgroup-54", .layer = RUNTIME, .needs = LIMIT_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWPID, .memory = "16777216");

	if (!on_host())
		use_much_memory();
	ON_HOST {
		int status = container_wait(1);

		if (status)
			EXPECT_EXIT(128 + SIGKILL, status);
		else
			EXPECT(has_swap());
	}
}

/* Writes "max" to a file that may be there. */
static void try_to_lift(const char *path)
{
	_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "max", 3) == 3)
		note("%s took it", path);
}

TEST(cgroup, limits_are_not_lifted_from_inside,
     .says = "what is written to the cgroup files in sight, or mounted anew, lifts no limit",
     .finding = "the container lifted its own limit", .checks = "cgroup-52", .layer = RUNTIME,
     .needs = LIMIT_NEEDS | NEED(cgroupns) | NEED(mntns))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP, .pids = "32");

	ON_HOST { EXPECT_STREQ("32\n", limit_of(inside_pid(), "pids.max")); }
	IN_CONTAINER {
		try_to_lift("/sys/fs/cgroup/pids.max");
		if (!mount("none", "/mnt", "cgroup2", 0, NULL))
			try_to_lift("/mnt/pids.max");
	}
	ON_HOST { EXPECT_STREQ("32\n", limit_of(inside_pid(), "pids.max")); }
}

/* The caller's own cgroup, in one that has the controller for processes only. */
FIXTURE(cgroup_of_caller)
{
	char top[64], partial[80], own[96];
};

SETUP(cgroup_of_caller)
{
	snprintf(self->top, sizeof(self->top), "/sys/fs/cgroup/selftest-caller-%d", getpid());
	snprintf(self->partial, sizeof(self->partial), "%s/partial", self->top);
	snprintf(self->own, sizeof(self->own), "%s/own", self->partial);
	must_write("/sys/fs/cgroup/cgroup.subtree_control", "+pids +cpu");
	MUST(mkdir(self->top, 0755));
	must_write(text("%s/cgroup.subtree_control", self->top), "+pids");
	must_mkdir("%s", self->own);
	must_write(text("%s/cgroup.procs", self->own), "0");
}

CLEANUP(cgroup_of_caller)
{
	MUST(rmdir(self->own));
	MUST(rmdir(self->partial));
	MUST(rmdir(self->top));
}

TEST(cgroup, caller_below_the_root_gets_limits,
     .says = "a caller whose own cgroup has processes gets a limit on processes alone, and its "
	     "cgroup stays what it was",
     .finding = "a limit alone cannot be had from a login session, or changes the caller's cgroup",
     .checks = "limits-11 cgroup-28", .layer = RUNTIME, .needs = LIMIT_NEEDS,
     .fixture = USES(cgroup_of_caller))
{
	CONTAINER(.unshare = CLONE_NEWPID, .pids = "32");

	ON_HOST {
		const char *own = FIXED(cgroup_of_caller)->own;

		EXPECT_STREQ("32\n", limit_of(inside_pid(), "pids.max"));
		EXPECT_STREQ("", must_read("%s/cgroup.subtree_control", own));
		EXPECT_STREQ("domain\n", must_read("%s/cgroup.type", own));
	}
}

TEST(cgroup, cgroup_that_lacks_a_controller_stays_as_it_is,
     .says = "an ancestor of the caller's that lacks one controller hands none down, unless used",
     .finding = "the runtime changed a cgroup of its caller's that it then did not use",
     .checks = "limits-11 cgroup-26", .layer = RUNTIME, .needs = LIMIT_NEEDS,
     .fixture = USES(cgroup_of_caller))
{
	CONTAINER(.unshare = CLONE_NEWPID, .pids = "32", .cpus = "0.5");

	ON_HOST {
		const char *partial = FIXED(cgroup_of_caller)->partial;

		EXPECT_STREQ("50000 100000\n", limit_of(inside_pid(), "cpu.max"));
		/* A runtime may widen it, and its parent, and use it. */
		if (!strstr(must_read("/proc/%d/cgroup", inside_pid()), "/partial/"))
			EXPECT_STREQ("", must_read("%s/cgroup.subtree_control", partial));
	}
}

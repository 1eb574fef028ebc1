// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom /proc shows. */
#include "pid.h"

#include <linux/nsfs.h>
#include <pthread.h>

#define OWN_PROC NEED(admin) | NEED(pidns) | NEED(own_proc)

TEST(pid, proc_knows_the_reader_as_one,
     .says = "the container's /proc is its own: /proc/self of the first process leads to 1",
     .finding = "the container's /proc does not show the container's PID namespace",
     .checks = "pid-03 pid-50", .layer = BOTH, .needs = OWN_PROC)
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		EXPECT_STREQ("1", must_readlink("/proc/self"));
		EXPECT_STREQ("1/task/1", must_readlink("/proc/thread-self"));
		EXPECT_STREQ("1", status_field("Pid", 1));
		EXPECT_STREQ("0", status_field("PPid", 1));
		EXPECT_STREQ("1", status_field("NSpid", 1));
	}
}

TEST(pid, proc_lists_the_members_and_nobody_else,
     .says = "the container's /proc lists the container's processes and no other",
     .finding = "the container's /proc lists processes that are not the container's",
     .checks = "pid-03", .layer = BOTH, .needs = OWN_PROC)
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t member;

		MUST_HOLD(exists("/proc/self"));
		EXPECT_EQ(1, count_processes("/proc"));
		EXPECT(exists("/proc/1/status"));
		member = must_idle();
		EXPECT_EQ(2, count_processes("/proc"));
		EXPECT_STREQ("1", status_field("PPid", member));
		must_kill(member);
		EXPECT_EQ(1, count_processes("/proc"));
		EXPECT(!exists("/proc/%d", member));
	}
}

TEST(pid, proc_hides_the_host,
     .says = "a process of the host has no directory in the container's /proc",
     .finding = "a process of the host can be looked up in the container's /proc",
     .checks = "pid-03 pid-06", .layer = BOTH, .needs = OWN_PROC)
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	ON_HOST {
		remember("host", getpid());
		EXPECT(exists("/proc/%d/status", getpid()));
	}
	IN_CONTAINER {
		EXPECT_ERRNO(ENOENT, open(text("/proc/%lld", recall_number("host")), O_PATH));
		EXPECT_ERRNO(ENOENT, open(text("/proc/%lld/root", recall_number("host")), O_PATH));
		MUST_HOLD(exists("/proc/%d", getpid()));
	}
}

TEST(pid, proc_shows_inside_to_the_host,
     .says = "the host's /proc shows the container's processes, with their parents",
     .checks = "pid-72 pid-73", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t member = must_idle();

		remember("member", member);
		give_fd(must_pidfd(member));
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();
		pid_t number = pid_here(pidfd);

		EXPECT_STREQ(text("%d", inside_pid()), status_field("PPid", number));
		EXPECT_STREQ(text("%d\t%lld", number, recall_number("member")),
			     status_field("NSpid", number));
	}
	IN_CONTAINER { EXPECT_SIGNAL(SIGKILL, must_kill(recall_number("member"))); }
}

TEST(pid, the_program_of_one_is_the_containers,
     .says = "/proc/1 is the container's first process, down to its program",
     .finding = "/proc/1 inside is a process of the host", .checks = "pid-03 pid-50",
     .layer = RUNTIME, .needs = NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		struct stat one, self;

		EXPECT_STREQ("/selftest", must_readlink("/proc/1/exe"));
		MUST(stat("/proc/1/root", &one));
		MUST(stat("/", &self));
		EXPECT_EQ(self.st_ino, one.st_ino);
		EXPECT_EQ(self.st_dev, one.st_dev);
		EXPECT_EQ(ns_id(0, "pid"), ns_id(1, "pid"));
	}
}

TEST(pid, an_old_proc_shows_the_old_namespace,
     .says = "in a new PID namespace the old /proc goes on to show the old one", .checks = "pid-73",
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		remember("inside", inside_pid());
		remember("host", getpid());
	}
	IN_CONTAINER {
		EXPECT_EQ(1, getpid());
		EXPECT_STREQ(recall("inside"), must_readlink("/proc/self"));
		EXPECT_STREQ(text("%s\t1", recall("inside")), status_field("NSpid", 0));
		EXPECT(exists("/proc/%s/status", recall("host")));
	}
}

TEST(pid, a_stranger_is_not_in_proc,
     .says = "in the /proc of a PID namespace that the reader is not in there is no self",
     .checks = "pid-03 pid-73", .needs = NEED(admin) | NEED(pidns) | NEED(mntns))
{
	UNSHARED(CLONE_NEWNS) {
		int go[2], done[2];
		pid_t init;

		must_private("/");
		must_tmpfs(scratch());
		must_pipe(go);
		must_pipe(done);
		init = must_clone3(CLONE_NEWPID);
		if (!init) {
			must_mkdir("%s/proc", scratch());
			must_mount("proc", text("%s/proc", scratch()), "proc", 0, NULL);
			EXPECT_STREQ("1", must_readlink("%s/proc/self", scratch()));
			say_go(done[1]);
			hear_go(go[0]);
			_exit(7);
		}
		hear_go(done[0]);
		EXPECT_ERRNO(ENOENT, open(text("%s/proc/self/stat", scratch()), O_RDONLY));
		EXPECT_OK(open(text("%s/proc/1/stat", scratch()), O_RDONLY | O_CLOEXEC));
		EXPECT_EQ(1, count_processes(text("%s/proc", scratch())));
		say_go(go[1]);
		EXPECT_EXIT(7, must_wait(init));
		/* The mount outlives the namespace, empty. */
		EXPECT_EQ(0, count_processes(text("%s/proc", scratch())));
		EXPECT_ERRNO(ENOENT, open(text("%s/proc/1/stat", scratch()), O_RDONLY));
	}
}

TEST(pid, no_visible_process_is_a_strangers,
     .says = "all processes that the container can see are in its PID namespace",
     .finding = "a process of another PID namespace is visible inside", .checks = "pid-03 pid-73",
     .layer = BOTH, .needs = OWN_PROC)
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t member = must_idle();
		uint64_t own = ns_id(0, "pid");

		for (pid_t pid = 1; pid <= 300; pid++)
			if (exists("/proc/%d/ns/pid", pid))
				EXPECT_EQ(own, ns_id(pid, "pid"));
		must_kill(member);
	}
}

TEST(pid, foreign_threads_are_not_listed,
     .says = "/proc/PID/task has the threads of that process and of no other: ENOENT",
     .checks = "pid-57", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t member = must_idle();

		EXPECT_OK(open(text("/proc/1/task/1"), O_PATH | O_CLOEXEC));
		EXPECT_OK(open(text("/proc/%d/task/%d", member, member), O_PATH | O_CLOEXEC));
		EXPECT_ERRNO(ENOENT, open(text("/proc/1/task/%d", member), O_PATH));
		EXPECT_ERRNO(ENOENT, open(text("/proc/%d/task/1", member), O_PATH));
		EXPECT_EQ(1, count_processes("/proc/1/task"));
		must_kill(member);
	}
}

static void *come_and_go(void *unused)
{
	return unused;
}

/* Threads come and go until the pipe says enough. */
static void churn(int enough)
{
	char byte;

	MUST(fcntl(enough, F_SETFL, O_NONBLOCK));
	while (read(enough, &byte, 1) < 0) {
		pthread_t thread;

		if (!pthread_create(&thread, NULL, come_and_go, NULL))
			pthread_join(thread, NULL);
	}
}

TEST(pid, no_thread_is_number_zero,
     .says = "/proc/PID/task never lists a thread 0 while threads come and go", .checks = "pid-57",
     .needs = NEED(pidns))
{
	int enough[2], zeros = 0, empty = 0;
	pid_t busy;

	must_pipe(enough);
	busy = must_fork();
	if (!busy) {
		churn(enough[0]);
		_exit(7);
	}
	for (int round = 0; round < 2000; round++) {
		zeros += exists("/proc/%d/task/0", busy);
		empty += count_processes(text("/proc/%d/task", busy)) == 0;
	}
	EXPECT_EQ(0, zeros);
	EXPECT_EQ(0, empty);
	say_go(enough[1]);
	EXPECT_EXIT(7, must_wait(busy));
	close(enough[0]);
	close(enough[1]);
}

TEST(pid, the_last_number_is_the_namespaces,
     .says = "/proc/loadavg ends with the last PID given out in the reader's namespace",
     .checks = "pid-19 pid-73", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		const char *last = strrchr(must_read("/proc/loadavg"), ' ');

		EXPECT_STREQ(" 1\n", last);
		EXPECT_EQ(2, try_fork());
		last = strrchr(must_read("/proc/loadavg"), ' ');
		EXPECT_STREQ(" 2\n", last);
	}
}

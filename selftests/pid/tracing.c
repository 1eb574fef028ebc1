// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers that tracers, terminals and /proc's lists tell across a PID namespace. */
#include "pid.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <termios.h>

TEST(pid, a_tracer_outside_gets_its_own_numbers,
     .says = "a tracer on the host is told of a fork inside by the new process's number outside",
     .checks = "pid-72", .needs = NEED(admin) | NEED(pidns) | NEED(ptrace))
{
	unsigned long told = 0;
	int go[2], status;
	pid_t init;

	must_pipe(go);
	init = must_clone3(CLONE_NEWPID);
	if (!init) {
		hear_go(go[0]);
		_exit(must_idle() == 2 ? 7 : 8);
	}
	MUST(ptrace(PTRACE_SEIZE, init, NULL, PTRACE_O_TRACEFORK));
	say_go(go[1]);
	EXPECT_EQ(init, waitpid(init, &status, __WALL));
	EXPECT_EQ(SIGTRAP | PTRACE_EVENT_FORK << 8, status >> 8);
	MUST(ptrace(PTRACE_GETEVENTMSG, init, NULL, &told));
	EXPECT_STREQ(text("%lu\t2", told), status_field("NSpid", told));
	EXPECT_STREQ(text("%d", getpid()), status_field("TracerPid", init));
	/* The new process stops before its first instruction. */
	EXPECT_EQ((pid_t)told, waitpid(told, &status, __WALL));
	MUST(ptrace(PTRACE_DETACH, told, NULL, NULL));
	MUST(ptrace(PTRACE_DETACH, init, NULL, NULL));
	EXPECT_EXIT(7, must_wait(init));
	close(go[0]);
	close(go[1]);
}

TEST(pid, a_tracer_outside_is_number_zero,
     .says = "a process traced from the host shows 0 as its tracer inside",
     .finding = "/proc told the container a PID of the host", .checks = "pid-72",
     .needs = NEED(admin) | NEED(pidns) | NEED(userns_proc) | NEED(ptrace))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER { EXPECT_STREQ("0", status_field("TracerPid", 1)); }
	ON_HOST {
		MUST(ptrace(PTRACE_SEIZE, inside_pid(), NULL, NULL));
		EXPECT_STREQ(text("%d", getpid()), status_field("TracerPid", inside_pid()));
	}
	IN_CONTAINER { EXPECT_STREQ("0", status_field("TracerPid", 1)); }
}

TEST(pid, stat_has_the_readers_numbers,
     .says = "/proc/PID/stat gives process, parent, group and session as the reader counts",
     .checks = "pid-50 pid-72", .layer = BOTH, .needs = NEED(admin) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		int pid, parent, group, session;

		if (getsid(0) != 1)
			MUST(setsid());
		ASSERT_EQ(4, sscanf(must_read("/proc/1/stat"), "%d (%*[^)]) %*c %d %d %d", &pid,
				    &parent, &group, &session));
		EXPECT_EQ(1, pid);
		EXPECT_EQ(0, parent);
		EXPECT_EQ(1, group);
		EXPECT_EQ(1, session);
	}
	ON_HOST {
		int pid, parent, group, session;

		ASSERT_EQ(4, sscanf(must_read("/proc/%d/stat", inside_pid()),
				    "%d (%*[^)]) %*c %d %d %d", &pid, &parent, &group, &session));
		EXPECT_EQ(inside_pid(), pid);
		EXPECT_LT(0, parent);
		EXPECT_EQ(inside_pid(), group);
		EXPECT_EQ(inside_pid(), session);
	}
}

TEST(pid, children_have_the_readers_numbers,
     .says = "/proc/PID/task/TID/children lists children by the numbers of that /proc",
     .checks = "pid-72 pid-73", .needs = NEED(admin) | NEED(pidns) | NEED(checkpoint))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		remember("member", must_idle());
		EXPECT_STREQ(text("%lld ", recall_number("member")),
			     must_read("/proc/1/task/1/children"));
		give_fd(must_pidfd(recall_number("member")));
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT_STREQ(text("%d ", pid_here(pidfd)),
			     must_read("/proc/%d/task/%d/children", inside_pid(), inside_pid()));
	}
	IN_CONTAINER { must_kill(recall_number("member")); }
}

TEST(pid, a_terminals_group_is_translated,
     .says = "a terminal's session and foreground group have a number on each side",
     .checks = "pid-02 pid-72", .needs = NEED(admin) | NEED(pidns))
{
	int terminal;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		MUST(setsid());
		terminal = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
		MUST(unlockpt(terminal));
		give_fd(terminal);
		terminal = MUST(open(ptsname(terminal), O_RDWR | O_CLOEXEC));
		MUST(ioctl(terminal, TIOCSCTTY, 0));
		EXPECT_EQ(1, tcgetpgrp(terminal));
		EXPECT_EQ(1, tcgetsid(terminal));
		EXPECT_ERRNO(ESRCH, tcsetpgrp(terminal, 4242));
	}
	ON_HOST {
		_fd_ int master = take_fd();

		EXPECT_EQ(inside_pid(), tcgetpgrp(master));
		EXPECT_EQ(inside_pid(), tcgetsid(master));
	}
}

TEST(pid, the_namespace_tells_its_owner,
     .says = "a PID namespace's descriptor tells the user namespace that owns it",
     .checks = "pid-65", .needs = NEED(admin) | NEED(userns) | NEED(pidns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int pidns =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));
		_fd_ int owner = ASSERT_OK(ioctl(pidns, NS_GET_USERNS));
		struct stat status;

		MUST(fstat(owner, &status));
		EXPECT_EQ(ns_id(inside_pid(), "user"), status.st_ino);
		EXPECT_NE(ns_id(0, "user"), status.st_ino);
	}
}

TEST(pid, a_tracer_inside_gets_its_own_numbers,
     .says = "a tracer inside is told of a fork by the new process's number inside",
     .checks = "pid-72", .needs = NEED(admin) | NEED(pidns) | NEED(ptrace))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		unsigned long told = 0;
		pid_t traced, born;
		int go[2], status;

		must_pipe(go);
		traced = must_fork();
		if (!traced) {
			hear_go(go[0]);
			_exit(must_idle() == getpid() + 1 ? 7 : 8);
		}
		MUST(ptrace(PTRACE_SEIZE, traced, NULL, PTRACE_O_TRACEFORK));
		say_go(go[1]);
		EXPECT_EQ(traced, waitpid(traced, &status, __WALL));
		EXPECT_EQ(SIGTRAP | PTRACE_EVENT_FORK << 8, status >> 8);
		MUST(ptrace(PTRACE_GETEVENTMSG, traced, NULL, &told));
		EXPECT_EQ(traced + 1, told);
		born = MUST(waitpid(-1, &status, __WALL));
		EXPECT_EQ(traced + 1, born);
		MUST(ptrace(PTRACE_DETACH, born, NULL, NULL));
		MUST(ptrace(PTRACE_DETACH, traced, NULL, NULL));
		EXPECT_EXIT(7, must_wait(traced));
		must_kill(born);
	}
}

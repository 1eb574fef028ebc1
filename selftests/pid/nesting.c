// SPDX-License-Identifier: GPL-2.0-or-later
/* PID namespaces within PID namespaces: how deep, who sees whom, and entering. */
#include "pid.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>

/* The inode of the initial PID namespace: 0xEFFFFFFC since it has one, 3.8. */
static bool in_initial_namespace(void)
{
	return ns_id(0, "pid") == 0xEFFFFFFC;
}

/* Goes down one level after the other; remembers how many there were and why no more. */
static void descend(int depth)
{
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD };
	pid_t pid = clone3_with(&args);

	if (!pid) {
		EXPECT_EQ(1, getpid());
		descend(depth + 1);
		_exit(7);
	}
	if (pid > 0) {
		EXPECT_EXIT(7, must_wait(pid));
		return;
	}
	remember("errno", errno);
	remember("depth", depth);
}

TEST(pid, thirty_two_levels_and_no_more,
     .says = "PID namespaces nest 32 deep, and one more is refused with ENOSPC",
     .checks = "pid-14 pid-66", .needs = NEED(admin) | NEED(pidns))
{
	descend(0);
	EXPECT_EQ(ENOSPC, recall_number("errno"));
	/* A test program that runs in a container itself has that much less below it. */
	if (in_initial_namespace())
		EXPECT_EQ(32, recall_number("depth"));
	else
		EXPECT_GT(32, recall_number("depth"));
	UNSHARED(CLONE_NEWPID) { EXPECT(!in_initial_namespace()); }
}

TEST(pid, the_parent_namespace_can_be_asked_for,
     .says = "NS_GET_PARENT leads from the container's PID namespace to the host's",
     .checks = "pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int inner =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));
		_fd_ int outer = ASSERT_OK(ioctl(inner, NS_GET_PARENT));
		struct stat status;

		MUST(fstat(outer, &status));
		EXPECT_EQ(ns_id(0, "pid"), status.st_ino);
		EXPECT_EQ(CLONE_NEWPID, ioctl(inner, NS_GET_NSTYPE));
	}
}

TEST(pid, the_parent_namespace_is_hidden_inside,
     .says = "NS_GET_PARENT inside does not lead out of the container: EPERM",
     .finding = "the container got hold of the host's PID namespace", .checks = "pid-65",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		_fd_ int own = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));

		EXPECT_ERRNO(EPERM, ioctl(own, NS_GET_PARENT));
	}
}

TEST(pid, entering_moves_only_children,
     .says = "setns into a PID namespace keeps the caller's PID; its children are inside",
     .checks = "pid-15 pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			pid_t before = getpid();

			EXPECT_OK(setns(target, CLONE_NEWPID));
			EXPECT_EQ(before, getpid());
			IN_FORK {
				EXPECT_EQ(2, getpid());
				EXPECT_EQ(0, getppid());
				EXPECT_OK(kill(1, 0));
				EXPECT_ERRNO(ESRCH, kill(before, 0));
			}
		}
	}
	IN_CONTAINER { EXPECT_EQ(3, try_fork()); }
}

TEST(pid, entering_by_pidfd,
     .says = "setns with a pidfd and CLONE_NEWPID leads to that process's PID namespace",
     .checks = "pid-15 pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int pidfd = must_pidfd(inside_pid());

		IN_FORK {
			EXPECT_OK(setns(pidfd, CLONE_NEWPID));
			EXPECT_EQ(ns_id(inside_pid(), "pid"), ns_id(0, "pid_for_children"));
			IN_FORK { EXPECT_EQ(2, getpid()); }
		}
	}
}

TEST(pid, no_way_up,
     .says = "setns to a PID namespace above fails with EINVAL; to the own one it may",
     .finding = "a process of the container got back into the host's PID namespace",
     .checks = "pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		_fd_ int above = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));

		EXPECT_OK(setns(above, CLONE_NEWPID));
		UNSHARED(CLONE_NEWPID) {
			_fd_ int own = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));

			EXPECT_ERRNO(EINVAL, setns(above, CLONE_NEWPID));
			EXPECT_ERRNO(EINVAL, setns(above, 0));
			EXPECT_OK(setns(own, CLONE_NEWPID));
		}
	}
}

TEST(pid, no_way_out,
     .says = "a container with a descriptor of the host's PID namespace cannot enter it",
     .finding = "a process of the container got back into the host's PID namespace",
     .checks = "pid-65", .needs = NEED(admin) | NEED(pidns))
{
	_fd_ int outer = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(-1, setns(outer, CLONE_NEWPID));
		/* No descendant; for a normal user, not even one to ask for. */
		EXPECT(errno == EINVAL || errno == EPERM);
		EXPECT_EQ(2, try_fork());
	}
}

TEST(pid, no_way_aside,
     .says = "setns to a sibling PID namespace fails with EINVAL, from above it may",
     .finding = "a process of one container got into another's PID namespace", .checks = "pid-65",
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/pid", pid_of(a)), O_RDONLY | O_CLOEXEC));

		give_fd(target);
		IN_FORK { EXPECT_OK(setns(target, CLONE_NEWPID)); }
	}
	IN(b) {
		_fd_ int target = take_fd();

		EXPECT_ERRNO(EINVAL, setns(target, CLONE_NEWPID));
	}
	IN(a) { close(take_fd()); }
}

TEST(pid, a_dead_namespace_takes_nobody_in,
     .says = "in a PID namespace whose PID 1 has ended nobody can be put: ENOMEM",
     .checks = "pid-16 pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			MUST(setns(target, CLONE_NEWPID));
			EXPECT_EQ(0, try_fork() < 0);
		}
		container_stop(1);
		IN_FORK {
			EXPECT_OK(setns(target, CLONE_NEWPID));
			EXPECT_ERRNO(ENOMEM, try_fork());
		}
	}
}

TEST(pid, entering_needs_the_capability,
     .says = "setns into a PID namespace without CAP_SYS_ADMIN fails with EPERM",
     .checks = "pid-23 pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));

		AS_NOBODY { EXPECT_ERRNO(EPERM, setns(target, CLONE_NEWPID)); }
		IN_FORK { EXPECT_OK(setns(target, CLONE_NEWPID)); }
	}
}

TEST(pid, grandparents_see_grandchildren,
     .says = "the host signals a process two PID namespaces down; that one cannot signal back",
     .checks = "pid-06 pid-72", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST { remember("host", getpid()); }
	IN_CONTAINER {
		int ready[2];
		pid_t inner;

		must_pipe(ready);
		inner = must_clone3(CLONE_NEWPID);
		if (!inner) {
			EXPECT_ERRNO(ESRCH, kill(recall_number("host"), 0));
			EXPECT_ERRNO(ESRCH, kill(2, 0));
			EXPECT_OK(kill(1, 0));
			say_go(ready[1]);
			for (;;) pause();
		}
		hear_go(ready[0]);
		give_fd(must_pidfd(inner));
		remember("inner", inner);
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT_OK(kill(pid_here(pidfd), SIGKILL));
	}
	IN_CONTAINER { EXPECT_SIGNAL(SIGKILL, must_wait(recall_number("inner"))); }
}

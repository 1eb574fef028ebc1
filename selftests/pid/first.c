// SPDX-License-Identifier: GPL-2.0-or-later
/* The first process of a PID namespace, and the ways to get one. */
#include "pid.h"

#include <linux/capability.h>
#include <pthread.h>

TEST(pid, the_first_process_is_one,
     .says = "the first process of the container is PID 1 and its parent is PID 0",
     .finding = "the container's first process is not PID 1", .checks = "pid-01 pid-50",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(1, getpid());
		EXPECT_EQ(1, syscall(SYS_gettid));
		EXPECT_EQ(0, getppid());
	}
}

TEST(pid, the_namespace_is_its_own, .says = "the container's PID namespace is not the host's",
     .finding = "the container runs in the host's PID namespace", .checks = "pid-01 pid-50",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST { EXPECT_NE(ns_id(0, "pid"), ns_id(inside_pid(), "pid")); }
	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
}

TEST(pid, one_process_has_two_numbers,
     .says = "the host knows PID 1 of the container by another number, and lists both",
     .checks = "pid-50 pid-72", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
	ON_HOST {
		EXPECT_LT(1, inside_pid());
		EXPECT_STREQ(text("%d\t1", inside_pid()), status_field("NSpid", inside_pid()));
		EXPECT_STREQ(text("%d\t1", inside_pid()), status_field("NStgid", inside_pid()));
	}
}

TEST(pid, each_container_has_a_first,
     .says = "two containers each have a PID 1, in two PID namespaces",
     .finding = "two containers share one PID namespace", .checks = "pid-01 pid-50", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) { EXPECT_EQ(1, getpid()); }
	IN(b) { EXPECT_EQ(1, getpid()); }
	ON_HOST {
		EXPECT_NE(pid_of(a), pid_of(b));
		EXPECT_NE(ns_id(pid_of(a), "pid"), ns_id(pid_of(b), "pid"));
	}
}

TEST(pid, counting_starts_behind_one,
     .says = "the processes after the first are numbered 2, 3, 4 in a fresh PID namespace",
     .checks = "pid-01", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(2, try_fork());
		EXPECT_EQ(3, try_fork());
		IN_FORK {
			EXPECT_EQ(4, getpid());
			EXPECT_EQ(1, getppid());
		}
	}
}

TEST(pid, session_and_group_start_at_zero,
     .says = "PID 1 starts in a session and group from outside, 0, and setsid makes both 1",
     .checks = "pid-02", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(0, getsid(0));
		EXPECT_EQ(0, getpgid(0));
		EXPECT_EQ(1, ASSERT_OK(setsid()));
		EXPECT_ERRNO(EPERM, setsid());
		EXPECT_EQ(1, getsid(0));
		EXPECT_EQ(1, getpgid(0));
	}
}

TEST(pid, any_user_is_one, .says = "the first process is PID 1 whoever it runs as",
     .checks = "pid-01 pid-51", .needs = NEED(admin) | NEED(pidns))
{
	UNSHARED(CLONE_NEWPID) {
		must_become_nobody();
		EXPECT_EQ(1, getpid());
		EXPECT_EQ(0, getppid());
		EXPECT_EQ(2, try_fork());
	}
}

TEST(pid, unshare_moves_only_children,
     .says = "unshare(CLONE_NEWPID) keeps the caller's PID; its children are 1, 2 and so on",
     .checks = "pid-15", .needs = NEED(admin) | NEED(pidns))
{
	pid_t before = getpid(), first;
	uint64_t own = ns_id(0, "pid");
	int ready[2];

	must_pipe(ready);
	must_unshare(CLONE_NEWPID);
	EXPECT_EQ(before, getpid());
	EXPECT_EQ(own, ns_id(0, "pid"));
	first = must_fork();
	if (!first) {
		EXPECT_EQ(1, getpid());
		EXPECT_EQ(0, getppid());
		EXPECT_NE(own, ns_id(0, "pid"));
		say_go(ready[1]);
		for (;;) pause();
	}
	hear_go(ready[0]);
	IN_FORK {
		EXPECT_EQ(2, getpid());
		EXPECT_EQ(0, getppid());
	}
	EXPECT_EQ(ns_id(first, "pid"), ns_id(0, "pid_for_children"));
	EXPECT_SIGNAL(SIGKILL, must_kill(first));
	close(ready[0]);
	close(ready[1]);
}

TEST(pid, after_init_nobody_follows,
     .says = "once PID 1 has ended no process can be created in its namespace: ENOMEM",
     .checks = "pid-16", .needs = NEED(admin) | NEED(pidns))
{
	must_unshare(CLONE_NEWPID);
	EXPECT_LT(0, try_fork());
	EXPECT_ERRNO(ENOMEM, try_fork());
	EXPECT_ERRNO(ENOMEM, try_fork());
}

static void *nothing(void *unused)
{
	return unused;
}

TEST(pid, no_thread_after_unshare,
     .says = "after unshare(CLONE_NEWPID) neither a thread nor a second unshare: EINVAL",
     .checks = "pid-64", .needs = NEED(admin) | NEED(pidns))
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, nothing, NULL));
	pthread_join(thread, NULL);
	must_unshare(CLONE_NEWPID);
	EXPECT_EQ(EINVAL, pthread_create(&thread, NULL, nothing, NULL));
	EXPECT_ERRNO(EINVAL, unshare(CLONE_NEWPID));
	EXPECT_OK(unshare(CLONE_NEWUTS));
}

TEST(pid, init_has_no_siblings,
     .says = "PID 1 cannot create a sibling with CLONE_PARENT: EINVAL; its children can",
     .checks = "pid-25", .needs = NEED(admin) | NEED(pidns))
{
	struct clone_args args = { .flags = CLONE_PARENT };

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_ERRNO(EINVAL, clone3_with(&args));
		IN_FORK {
			pid_t sibling = ASSERT_OK(clone3_with(&args));

			if (!sibling)
				_exit(getppid() == 1 ? 7 : 8);
			remember("sibling", sibling);
			EXPECT_ERRNO(ECHILD, waitpid(sibling, NULL, 0));
		}
		EXPECT_EXIT(7, must_wait(recall_number("sibling")));
	}
}

struct way {
	const char *label;
	long call;
};

ROWS(ways, struct way) = {
	{ "unshare", SYS_unshare },
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
};

/* The call's result; a process that it created ends at once and is reaped. */
static long create(const struct way *way, uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid;

	if (way->call == SYS_unshare)
		return unshare((int)flags);
	if (way->call == SYS_clone)
		pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
	else
		pid = clone3_with(&args);
	if (!pid)
		_exit(getpid() == 1 ? 7 : 8);
	if (pid > 0)
		EXPECT_EXIT(7, must_wait(pid));
	return pid;
}

TEST_EACH(ways, pid, creating_needs_the_capability,
	  .says = "without CAP_SYS_ADMIN a new PID namespace is refused with EPERM",
	  .checks = "pid-23", .needs = NEED(admin) | NEED(pidns))
{
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, create(row, CLONE_NEWPID));
	}
	IN_FORK { EXPECT_OK(create(row, CLONE_NEWPID)); }
}

TEST_EACH(ways, pid, a_user_namespace_comes_first,
	  .says = "anybody may create a PID namespace along with a user namespace that owns it",
	  .checks = "pid-23", .needs = NEED(free_userns) | NEED(admin) | NEED(userns) | NEED(pidns))
{
	AS_NOBODY {
		EXPECT_ERRNO(EPERM, create(row, CLONE_NEWPID));
		EXPECT_OK(create(row, CLONE_NEWPID | CLONE_NEWUSER));
	}
}

TEST(pid, the_number_of_namespaces_is_limited,
     .says = "user.max_pid_namespaces limits the PID namespaces of a user namespace: ENOSPC",
     .checks = "pid-66", .needs = NEED(admin) | NEED(userns) | NEED(pidns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_pid_namespaces", "0");
		EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWPID));
		must_write("/proc/sys/user/max_pid_namespaces", "1");
		UNSHARED(CLONE_NEWPID) { EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWPID)); }
	}
}

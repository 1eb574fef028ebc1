// SPDX-License-Identifier: GPL-2.0-or-later
/* Orphans, and who reaps them. */
#include "pid.h"

#include <pthread.h>

/*
 * Makes an orphan: a process whose parent has ended. It remembers its new
 * parent's pid under "parent" and ends with status 42 once `go`, if any, is said.
 */
static pid_t must_orphan(int go)
{
	int ready[2];
	pid_t middle;

	must_pipe(ready);
	must_block(SIGUSR1);
	middle = must_fork();
	if (!middle) {
		pid_t orphan = must_fork();

		if (orphan) {
			remember("orphan", orphan);
			hear_go(ready[0]);
			_exit(0);
		}
		/* The signal comes when the new parent is known. */
		MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
		say_go(ready[1]);
		must_await(SIGUSR1);
		remember("parent", getppid());
		say_go(ready[1]);
		if (go >= 0)
			hear_go(go);
		_exit(42);
	}
	EXPECT_EXIT(0, must_wait(middle));
	hear_go(ready[0]);
	close(ready[0]);
	close(ready[1]);
	return recall_number("orphan");
}

TEST(pid, orphans_go_to_init,
     .says = "a process whose parent has ended becomes a child of PID 1, which reaps it",
     .finding = "an orphan of the container was not given to its PID 1", .checks = "pid-62",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t orphan = must_orphan(-1);

		EXPECT_EXIT(42, must_wait(orphan));
		EXPECT_EQ(1, recall_number("parent"));
	}
}

TEST(pid, a_subreaper_outside_gets_nothing,
     .says = "an orphan goes to PID 1 of its namespace though the host side is a subreaper",
     .finding = "an orphan of the container was given to a process of the host", .checks = "pid-62",
     .needs = NEED(admin) | NEED(pidns))
{
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		int go[2];
		pid_t orphan;

		must_pipe(go);
		orphan = must_orphan(go[0]);
		remember("go", go[1]);
		give_fd(must_pidfd(orphan));
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT_STREQ(text("%d", inside_pid()), status_field("PPid", pid_here(pidfd)));
		EXPECT_ERRNO(ECHILD, waitpid(pid_here(pidfd), NULL, WNOHANG));
	}
	IN_CONTAINER {
		say_go(recall_number("go"));
		EXPECT_EXIT(42, must_wait(recall_number("orphan")));
		EXPECT_EQ(1, recall_number("parent"));
	}
}

TEST(pid, a_subreaper_inside_comes_first,
     .says = "an orphan goes to the nearest subreaper inside before it goes to PID 1",
     .checks = "pid-62", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		IN_FORK {
			MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
			remember("subreaper", getpid());
			EXPECT_EXIT(42, must_wait(must_orphan(-1)));
		}
		EXPECT_EQ(recall_number("subreaper"), recall_number("parent"));
		EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
	}
}

TEST(pid, init_may_disown_its_children,
     .says = "while PID 1 ignores SIGCHLD orphans vanish without a zombie",
     .checks = "pid-62 pid-76", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		_fd_ int pidfd = -EBADF;
		int go[2];
		pid_t orphan;

		must_pipe(go);
		orphan = must_orphan(go[0]);
		pidfd = must_pidfd(orphan);
		signal(SIGCHLD, SIG_IGN);
		say_go(go[1]);
		/* waitpid waits for all children to end, and then there is none. */
		EXPECT_ERRNO(ECHILD, waitpid(orphan, NULL, 0));
		EXPECT(ended(pidfd));
		EXPECT(vanishes_within(orphan, PATIENCE_MS));
		EXPECT(!vanishes_within(getpid(), 0));
		signal(SIGCHLD, SIG_DFL);
	}
}

TEST(pid, a_zombie_keeps_its_number,
     .says = "an orphan that PID 1 has not waited for is still there as a zombie, then gone",
     .checks = "pid-62 pid-76", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		siginfo_t info = { .si_pid = 0 };
		pid_t orphan = must_orphan(-1);

		MUST(waitid(P_PID, orphan, &info, WEXITED | WNOWAIT));
		EXPECT_EQ(orphan, info.si_pid);
		EXPECT_EQ(42, info.si_status);
		EXPECT_OK(kill(orphan, 0));
		EXPECT_EXIT(42, must_wait(orphan));
		EXPECT_ERRNO(ESRCH, kill(orphan, 0));
	}
}

TEST(pid, a_guest_keeps_its_outer_parent,
     .says = "who was put in from outside has parent 0, and as an orphan goes back outside",
     .checks = "pid-62 pid-65", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));

		MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
		IN_FORK {
			int ready[2];

			must_pipe(ready);
			MUST(setns(target, CLONE_NEWPID));
			if (!must_fork()) {
				must_block(SIGUSR1);
				MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
				EXPECT_EQ(0, getppid());
				say_go(ready[1]);
				EXPECT_EQ(0, must_await(SIGUSR1).si_pid);
				_exit(getppid() ? 41 : 42);
			}
			hear_go(ready[0]);
		}
		EXPECT_EXIT(42, must_wait(-1));
	}
	IN_CONTAINER { EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG)); }
}

/* Goes on when the leader of its thread group has ended. */
static void *outlive_the_leader(void *done)
{
	char state = 0;

	/* /proc/self is the leader: a zombie until the whole group has ended. */
	while (state != 'Z') {
		sched_yield();
		sscanf(must_read("/proc/self/stat"), "%*d (%*[^)]) %c", &state);
	}
	EXPECT_LT(1, try_fork());
	_exit(*(int *)done);
}

TEST(pid, init_is_its_whole_thread_group,
     .says = "the namespace lives on when the first thread of PID 1 ends before the others",
     .checks = "pid-63", .needs = NEED(admin) | NEED(pidns))
{
	int status = 7;
	pid_t init = must_clone3(CLONE_NEWPID);

	if (!init) {
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, outlive_the_leader, &status) ? -1 : 0);
		syscall(SYS_exit, 0);
	}
	EXPECT_EXIT(7, must_wait(init));
}

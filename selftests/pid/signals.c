// SPDX-License-Identifier: GPL-2.0-or-later
/* What signals do to PID 1: from inside, and from above. */
#include "pid.h"

struct signal_row {
	const char *label;
	int sig;
};

ROWS(deadly, struct signal_row) = {
	{ "hangup", SIGHUP },        { "interrupt", SIGINT },    { "quit", SIGQUIT },
	{ "abort", SIGABRT },        { "kill", SIGKILL },        { "segfault", SIGSEGV },
	{ "user_defined", SIGUSR1 }, { "broken_pipe", SIGPIPE }, { "alarm", SIGALRM },
	{ "terminate", SIGTERM },    { "stop", SIGSTOP },        { "realtime", 40 },
};

TEST_EACH(deadly, pid, init_is_immune_from_inside,
	  .says = "a signal without handler from inside, even SIGKILL, does nothing to PID 1",
	  .finding = "a process of the container can kill or stop its PID 1",
	  .checks = "pid-04 pid-59", .layer = BOTH, .timeout = 10,
	  .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		/* Never meant for the machine's own init. */
		ASSERT_EQ(1, getpid());
		signal(row->sig, SIG_DFL);
		IN_FORK { EXPECT_OK(kill(1, row->sig)); }
		EXPECT_OK(kill(1, row->sig));
		EXPECT_OK(syscall(SYS_tgkill, 1, 1, row->sig));
	}
	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
}

TEST_EACH(deadly, pid, others_are_not_immune,
	  .says = "the same signals end or stop any process of the container but PID 1",
	  .checks = "pid-04 pid-59", .layer = BOTH, .timeout = 10,
	  .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t other;
		int status;

		signal(row->sig, SIG_DFL);
		other = must_idle();
		EXPECT_OK(kill(other, row->sig));
		EXPECT_EQ(other, waitpid(other, &status, WUNTRACED));
		if (row->sig == SIGSTOP) {
			EXPECT(WIFSTOPPED(status));
			must_kill(other);
		} else {
			EXPECT_SIGNAL(row->sig, status);
		}
	}
}

ROWS(polite, struct signal_row) = {
	{ "hangup", SIGHUP },    { "interrupt", SIGINT },     { "quit", SIGQUIT },
	{ "segfault", SIGSEGV }, { "user_defined", SIGUSR1 }, { "terminate", SIGTERM },
};

TEST_EACH(polite, pid, init_ignores_the_host_politely,
	  .says = "a signal without handler sent by the host does nothing to PID 1, either",
	  .finding = "PID 1 died of a signal that it has no handler for", .checks = "pid-58 pid-77",
	  .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { signal(row->sig, SIG_DFL); }
	ON_HOST { EXPECT_OK(kill(inside_pid(), row->sig)); }
	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
}

static volatile sig_atomic_t handled;

static void handle(int sig)
{
	handled = sig;
}

TEST_EACH(polite, pid, init_obeys_its_handlers,
	  .says = "a signal that PID 1 has a handler for is delivered, from host and from inside",
	  .checks = "pid-58 pid-77", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { signal(row->sig, handle); }
	ON_HOST { EXPECT_OK(kill(inside_pid(), row->sig)); }
	IN_CONTAINER {
		EXPECT_EQ(row->sig, handled);
		handled = 0;
		ASSERT_EQ(1, getpid());
		IN_FORK { EXPECT_OK(kill(1, row->sig)); }
		EXPECT_EQ(row->sig, handled);
	}
}

TEST(pid, the_host_can_always_kill,
     .says = "SIGKILL from the host ends PID 1, whatever it blocks or ignores",
     .checks = "pid-05 pid-58", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		sigset_t all;

		sigfillset(&all);
		EXPECT_OK(sigprocmask(SIG_BLOCK, &all, NULL));
	}
	ON_HOST {
		_fd_ int pidfd = must_pidfd(inside_pid());

		EXPECT(!ended(pidfd));
		EXPECT_OK(kill(inside_pid(), SIGKILL));
		EXPECT(ends(pidfd));
		container_wait(1);
	}
}

TEST(pid, the_host_can_stop_init,
     .says = "SIGSTOP from the host stops PID 1, and SIGCONT lets it go on", .checks = "pid-58",
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		siginfo_t info;

		MUST(kill(inside_pid(), SIGSTOP));
		MUST(waitid(P_PID, inside_pid(), &info, WSTOPPED));
		EXPECT_EQ(CLD_STOPPED, info.si_code);
		EXPECT_EQ(inside_pid(), info.si_pid);
		MUST(kill(inside_pid(), SIGCONT));
		MUST(waitid(P_PID, inside_pid(), &info, WCONTINUED));
		EXPECT_EQ(CLD_CONTINUED, info.si_code);
	}
	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
}

TEST(pid, a_sender_above_is_number_zero, .says = "a signal from the host names 0 as its sender",
     .finding = "a signal told the container a PID of the host", .checks = "pid-09", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { must_block(SIGUSR1); }
	ON_HOST { EXPECT_OK(kill(inside_pid(), SIGUSR1)); }
	IN_CONTAINER {
		siginfo_t info = must_await(SIGUSR1);

		EXPECT_EQ(SI_USER, info.si_code);
		EXPECT_EQ(0, info.si_pid);
	}
}

TEST(pid, a_queued_value_comes_without_a_number,
     .says = "a signal that the host queues brings its value, and 0 as its sender",
     .checks = "pid-09", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { must_block(SIGUSR2); }
	ON_HOST { EXPECT_OK(sigqueue(inside_pid(), SIGUSR2, (union sigval){ .sival_int = 4711 })); }
	IN_CONTAINER {
		siginfo_t info = must_await(SIGUSR2);

		EXPECT_EQ(SI_QUEUE, info.si_code);
		EXPECT_EQ(4711, info.si_value.sival_int);
		EXPECT_EQ(0, info.si_pid);
	}
}

TEST(pid, a_sender_inside_is_its_number,
     .says = "a signal from inside names its sender as the container numbers it",
     .checks = "pid-10", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		siginfo_t info;

		ASSERT_EQ(1, getpid());
		must_block(SIGUSR1);
		IN_FORK {
			remember("sender", getpid());
			EXPECT_OK(kill(1, SIGUSR1));
		}
		EXPECT_EQ(recall_number("sender"), must_await(SIGUSR1).si_pid);
		EXPECT_OK(kill(getpid(), SIGUSR1));
		info = must_await(SIGUSR1);
		EXPECT_EQ(1, info.si_pid);
		EXPECT_EQ(SI_USER, info.si_code);
	}
}

TEST(pid, a_childs_end_names_it_in_the_parents_numbers,
     .says = "SIGCHLD names the ended PID 1 as the host numbers it, with the way it ended",
     .checks = "pid-09 pid-63", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		siginfo_t info;

		must_block(SIGCHLD);
		MUST(kill(inside_pid(), SIGKILL));
		info = must_await(SIGCHLD);
		EXPECT_EQ(inside_pid(), info.si_pid);
		EXPECT_EQ(CLD_KILLED, info.si_code);
		EXPECT_EQ(SIGKILL, info.si_status);
		EXPECT_SIGNAL(SIGKILL, container_wait(1));
	}
}

TEST(pid, a_blocked_signal_waits_for_its_handler,
     .says = "a signal that PID 1 blocks stays pending and goes to the handler set meanwhile",
     .checks = "pid-11", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	sigset_t pending;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { must_block(SIGUSR1); }
	ON_HOST { EXPECT_OK(kill(inside_pid(), SIGUSR1)); }
	IN_CONTAINER {
		MUST(sigpending(&pending));
		EXPECT(sigismember(&pending, SIGUSR1));
		signal(SIGUSR1, handle);
		EXPECT_EQ(0, handled);
		MUST(sigprocmask(SIG_SETMASK, &(const sigset_t){ 0 }, NULL));
		EXPECT_EQ(SIGUSR1, handled);
	}
}

TEST(pid, a_blocked_signal_without_handler_is_dropped,
     .says = "a signal that PID 1 unblocks without a handler is dropped, not obeyed",
     .checks = "pid-11 pid-58", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	sigset_t pending;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { must_block(SIGTERM); }
	ON_HOST { EXPECT_OK(kill(inside_pid(), SIGTERM)); }
	IN_CONTAINER {
		MUST(sigpending(&pending));
		EXPECT(sigismember(&pending, SIGTERM));
		MUST(sigprocmask(SIG_SETMASK, &(const sigset_t){ 0 }, NULL));
		MUST(sigpending(&pending));
		EXPECT(!sigismember(&pending, SIGTERM));
		EXPECT_EQ(1, getpid());
	}
}

/* The guard: without a PID namespace kill(-1) would be for everybody. */
TEST(pid, alone_means_nobody, .says = "kill(-1) by a PID 1 that is alone finds no process: ESRCH",
     .finding = "kill(-1) from inside reached processes outside", .checks = "pid-07", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		ASSERT_EQ(1, getpid());
		EXPECT_ERRNO(ESRCH, kill(-1, 0));
		EXPECT_ERRNO(ESRCH, kill(-1, SIGCONT));
		IN_FORK { EXPECT_ERRNO(ESRCH, kill(-1, SIGCONT)); }
	}
}

TEST(pid, everybody_is_everybody_inside,
     .says = "kill(-1) by PID 1 reaches all other members and neither itself nor the host",
     .finding = "kill(-1) from inside reached processes outside", .checks = "pid-07 pid-08",
     .needs = NEED(admin) | NEED(pidns))
{
	enum { MEMBERS = 10 };
	pid_t witness = must_idle(), member[MEMBERS];

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		ASSERT_EQ(1, getpid());
		for (int i = 0; i < MEMBERS; i++) member[i] = must_idle();
		EXPECT_OK(kill(-1, SIGUSR1));
		for (int i = 0; i < MEMBERS; i++) EXPECT_SIGNAL(SIGUSR1, must_wait(member[i]));
		EXPECT_ERRNO(ESRCH, kill(-1, SIGKILL));
	}
	ON_HOST {
		EXPECT_EQ(0, waitpid(witness, NULL, WNOHANG));
		EXPECT_SIGNAL(SIGKILL, must_kill(witness));
	}
}

TEST(pid, a_group_from_outside_cannot_be_named,
     .says = "a process group of the host cannot be signalled by number from inside: ESRCH",
     .finding = "the container can signal a process group of the host", .checks = "pid-06",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		remember("group", getpgid(0));
		EXPECT_OK(kill(-getpgid(0), 0));
	}
	IN_CONTAINER { EXPECT_ERRNO(ESRCH, kill(-recall_number("group"), 0)); }
}

TEST(pid, the_group_is_the_containers,
     .says = "the first process is in a process group and a session of the container",
     .finding = "kill(0) from inside reaches processes of the host", .checks = "pid-02 pid-06",
     .layer = RUNTIME, .needs = NEED(pidns) | NEED(own_session))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_NE(0, getpgid(0));
		EXPECT_NE(0, getsid(0));
	}
}

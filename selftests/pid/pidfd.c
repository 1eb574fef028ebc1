// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes by descriptor: opening, polling, waiting, signalling. */
#include "pid.h"

#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>

TEST(pid, clone_gives_a_pidfd,
     .says = "CLONE_PIDFD gives a close-on-exec pidfd of a PID 1, which can be used outside",
     .checks = "pid-27", .needs = NEED(admin) | NEED(pidns))
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&pidfd };
	pid_t pid = MUST(clone3_with(&args));

	if (!pid)
		for (;;) pause();
	EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
	EXPECT_EQ(pid, pid_here(pidfd));
	EXPECT(!ended(pidfd));
	EXPECT_OK(pidfd_send(pidfd, SIGKILL, NULL, 0));
	EXPECT_SIGNAL(SIGKILL, must_wait(pid));
	EXPECT(ended(pidfd));
	close(pidfd);
}

struct opening {
	const char *label;
	pid_t pid;
	unsigned flags;
	int want; /* errno, 0 = success */
};

ROWS(openings, struct opening) = {
	{ "itself", 1, 0, 0 },
	{ "nonblocking", 1, O_NONBLOCK, 0 },
	{ "nobody", 2, 0, ESRCH },
	{ "zero", 0, 0, EINVAL },
	{ "negative", -1, 0, EINVAL },
	{ "unknown_flag", 1, 0x40000000, EINVAL },
	{ "close_on_exec_is_no_flag", 1, O_CLOEXEC, EINVAL },
};

TEST_EACH(openings, pid, pidfd_open_checks_its_arguments,
	  .says = "pidfd_open takes a PID of the namespace and known flags; close-on-exec is set",
	  .checks = "pid-28", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		int pidfd = syscall(SYS_pidfd_open, row->pid, row->flags);

		EXPECT_EQ(row->want, pidfd < 0 ? errno : 0);
		if (!row->want)
			EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
	}
}

TEST(pid, a_pidfd_is_ready_when_its_process_ends,
     .says = "a pidfd polls readable from its process's end on, not before and not by a stop",
     .checks = "pid-29", .needs = NEED(pidns))
{
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid);
	siginfo_t info;

	EXPECT(!ended(pidfd));
	MUST(kill(pid, SIGSTOP));
	MUST(waitid(P_PID, pid, &info, WSTOPPED));
	EXPECT(!ended(pidfd));
	MUST(kill(pid, SIGKILL));
	EXPECT(ends(pidfd));
	/* A zombie first, gone then: ready both times. */
	EXPECT_OK(kill(pid, 0));
	must_wait(pid);
	EXPECT_ERRNO(ESRCH, kill(pid, 0));
	EXPECT(ended(pidfd));
}

static void *wait_for_go(void *fd)
{
	hear_go(*(int *)fd);
	return NULL;
}

TEST(pid, the_last_thread_counts,
     .says = "a pidfd stays unready while a thread outlives the first thread of its process",
     .checks = "pid-29", .needs = NEED(pidns))
{
	_fd_ int pidfd = -EBADF;
	char state = 0;
	int go[2];
	pid_t pid;

	must_pipe(go);
	pid = must_fork();
	if (!pid) {
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, wait_for_go, &go[0]) ? -1 : 0);
		syscall(SYS_exit, 0);
	}
	pidfd = must_pidfd(pid);
	while (state != 'Z') {
		sched_yield();
		sscanf(must_read("/proc/%d/stat", pid), "%*d (%*[^)]) %c", &state);
	}
	EXPECT(!ended(pidfd));
	say_go(go[1]);
	EXPECT(ends(pidfd));
	EXPECT_EXIT(0, must_wait(pid));
	close(go[0]);
	close(go[1]);
}

TEST(pid, waitid_takes_a_pidfd,
     .says = "waitid(P_PIDFD) reaps the process of the pidfd, once, and only a child of one's own",
     .checks = "pid-30", .needs = NEED(pidns))
{
	siginfo_t info = { .si_pid = 0 };
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid);

	EXPECT_OK(waitid(WAIT_PIDFD, pidfd, &info, WEXITED | WNOHANG));
	EXPECT_EQ(0, info.si_pid);
	IN_FORK { EXPECT_ERRNO(ECHILD, waitid(WAIT_PIDFD, pidfd, &info, WEXITED)); }
	MUST(kill(pid, SIGTERM));
	EXPECT_OK(waitid(WAIT_PIDFD, pidfd, &info, WEXITED));
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(CLD_KILLED, info.si_code);
	EXPECT_EQ(SIGTERM, info.si_status);
	EXPECT_ERRNO(ECHILD, waitid(WAIT_PIDFD, pidfd, &info, WEXITED));
}

TEST(pid, a_nonblocking_pidfd_does_not_wait,
     .says = "waitid on a nonblocking pidfd gives EAGAIN while the process runs, 0 with WNOHANG",
     .checks = "pid-30", .needs = NEED(pidns))
{
	siginfo_t info = { .si_pid = 0 };
	pid_t pid = must_idle();
	_fd_ int pidfd = MUST(syscall(SYS_pidfd_open, pid, O_NONBLOCK));

	EXPECT_ERRNO(EAGAIN, waitid(WAIT_PIDFD, pidfd, &info, WEXITED));
	EXPECT_OK(waitid(WAIT_PIDFD, pidfd, &info, WEXITED | WNOHANG));
	EXPECT_EQ(0, info.si_pid);
	MUST(kill(pid, SIGKILL));
	EXPECT(ends(pidfd));
	EXPECT_OK(waitid(WAIT_PIDFD, pidfd, &info, WEXITED));
	EXPECT_EQ(pid, info.si_pid);
}

TEST(pid, waitid_refuses_other_descriptors,
     .says = "waitid(P_PIDFD) refuses what is no pidfd with EBADF or EINVAL", .checks = "pid-30",
     .needs = NEED(pidns))
{
	_fd_ int file = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	siginfo_t info;

	EXPECT_ERRNO(EBADF, waitid(WAIT_PIDFD, file, &info, WEXITED));
	EXPECT_ERRNO(EBADF, waitid(WAIT_PIDFD, 9999, &info, WEXITED));
	EXPECT_ERRNO(EINVAL, waitid(WAIT_PIDFD, (id_t)-1, &info, WEXITED));
}

TEST(pid, a_pidfd_never_hits_the_successor,
     .says = "a pidfd of a reaped process does not reach the next one of that number: ESRCH",
     .finding = "a pidfd reached a process that was given a used number", .checks = "pid-31",
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		_fd_ int old = -EBADF;

		EXPECT_EQ(100, must_idle_as(100));
		old = must_pidfd(100);
		must_kill(100);
		EXPECT_EQ(100, must_idle_as(100));
		EXPECT_ERRNO(ESRCH, pidfd_send(old, SIGKILL, NULL, 0));
		EXPECT_ERRNO(ESRCH, pidfd_send(old, 0, NULL, 0));
		EXPECT_OK(kill(100, SIGTERM));
		EXPECT_SIGNAL(SIGTERM, must_wait(100));
	}
}

TEST(pid, a_pidfd_signals_a_zombie_but_not_a_ghost,
     .says = "pidfd_send_signal succeeds on a zombie and gives ESRCH once it is reaped",
     .checks = "pid-31", .needs = NEED(pidns))
{
	pid_t pid = must_fork();
	_fd_ int pidfd = -EBADF;

	if (!pid)
		_exit(0);
	pidfd = must_pidfd(pid);
	EXPECT(ends(pidfd));
	EXPECT_OK(pidfd_send(pidfd, SIGKILL, NULL, 0));
	EXPECT_EXIT(0, must_wait(pid));
	EXPECT_ERRNO(ESRCH, pidfd_send(pidfd, SIGKILL, NULL, 0));
}

TEST(pid, pidfd_signals_carry_a_value,
     .says = "pidfd_send_signal with siginfo delivers code and value like rt_sigqueueinfo",
     .checks = "pid-27 pid-33", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		must_block(SIGUSR1);
		give_fd(must_pidfd(1));
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();
		siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

		info.si_value.sival_int = 4711;
		EXPECT_OK(pidfd_send(pidfd, SIGUSR1, &info, 0));
	}
	IN_CONTAINER {
		siginfo_t info = must_await(SIGUSR1);

		EXPECT_EQ(SI_QUEUE, info.si_code);
		EXPECT_EQ(4711, info.si_value.sival_int);
		EXPECT_EQ(0, info.si_pid);
	}
}

TEST(pid, pidfd_signals_are_checked,
     .says = "pidfd_send_signal refuses unknown flags, other descriptors, forged signal infos",
     .checks = "pid-32", .needs = NEED(pidns))
{
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid), file = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	siginfo_t other = { .si_signo = SIGUSR2, .si_code = SI_QUEUE };
	siginfo_t kernels = { .si_signo = SIGCONT, .si_code = SI_USER };

	EXPECT_ERRNO(EINVAL, pidfd_send(pidfd, 0, NULL, 0x40000000));
	EXPECT_ERRNO(EBADF, pidfd_send(file, 0, NULL, 0));
	EXPECT_ERRNO(EBADF, pidfd_send(9999, 0, NULL, 0));
	EXPECT_ERRNO(EINVAL, pidfd_send(pidfd, 65, NULL, 0));
	EXPECT_ERRNO(EINVAL, pidfd_send(pidfd, SIGCONT, &other, 0));
	EXPECT_ERRNO(EPERM, pidfd_send(pidfd, SIGCONT, &kernels, 0));
	EXPECT_OK(pidfd_send(pidfd, 0, NULL, 0));
	EXPECT_SIGNAL(SIGKILL, must_kill(pid));
}

TEST(pid, a_pidfd_gives_no_right,
     .says = "holding a pidfd does not give the right to signal its process: EPERM",
     .checks = "pid-32", .needs = NEED(root) | NEED(pidns))
{
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid);

	AS_NOBODY { EXPECT_ERRNO(EPERM, pidfd_send(pidfd, SIGTERM, NULL, 0)); }
	IN_FORK { EXPECT_OK(pidfd_send(pidfd, 0, NULL, 0)); }
	EXPECT_SIGNAL(SIGKILL, must_kill(pid));
}

TEST(pid, init_is_immune_to_its_pidfd,
     .says = "SIGKILL by pidfd from inside does nothing to PID 1, from the host it kills",
     .finding = "a process of the container can kill its PID 1 by pidfd", .checks = "pid-04 pid-27",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		_fd_ int pidfd = must_pidfd(1);

		/* Never meant for the machine's own init. */
		ASSERT_EQ(1, getpid());
		EXPECT_OK(pidfd_send(pidfd, SIGKILL, NULL, 0));
		IN_FORK { EXPECT_OK(pidfd_send(pidfd, SIGKILL, NULL, 0)); }
		give_fd(pidfd);
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT(!ended(pidfd));
		EXPECT_EQ(inside_pid(), pid_here(pidfd));
		EXPECT_OK(pidfd_send(pidfd, SIGKILL, NULL, 0));
		EXPECT(ends(pidfd));
		container_wait(1);
	}
}

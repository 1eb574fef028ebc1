// SPDX-License-Identifier: GPL-2.0-or-later
/* clone3's arguments where PIDs are concerned: sizes, pointers, flags, signal handlers. */
#include "pid.h"

/* A structure of a later kernel: the known part and room behind it. */
struct later_args {
	struct clone_args known;
	char tail[4096];
};

static long clone3_sized(void *args, size_t size)
{
	long pid;

	fflush(NULL);
	pid = syscall(SYS_clone3, args, size);
	if (!pid)
		_exit(getpid() == 1 ? 7 : 8);
	if (pid > 0)
		EXPECT_EXIT(7, must_wait(pid));
	return pid;
}

struct size_row {
	const char *label;
	size_t size;
	size_t set; /* offset of a byte of the tail that is not zero; 0 = none */
	int want;   /* errno, 0 = success */
};

ROWS(sizes, struct size_row) = {
	{ "none", 0, 0, EINVAL },
	{ "below_the_first", 56, 0, EINVAL },
	{ "first", 64, 0, 0 },
	{ "second", 80, 0, 0 },
	{ "third", 88, 0, 0 },
	{ "later_and_zero", 128, 0, 0 },
	{ "later_and_set", 128, 127, E2BIG },
	{ "a_page", 4096, 0, 0 },
	{ "above_a_page", 4104, 0, E2BIG },
};

TEST_EACH(sizes, pid, the_size_of_arguments_is_checked,
	  .says = "clone3 takes its structure in any size from 64 bytes on if the rest is zero",
	  .checks = "pid-24", .needs = NEED(admin) | NEED(pidns))
{
	struct later_args args = { .known = { .flags = CLONE_NEWPID, .exit_signal = SIGCHLD } };

	if (row->set)
		((char *)&args)[row->set] = 1;
	if (row->want)
		EXPECT_ERRNO(row->want, clone3_sized(&args, row->size));
	else
		EXPECT_OK(clone3_sized(&args, row->size));
}

struct argument {
	const char *label;
	struct clone_args args;
	int want;
};

#define BAD_ADDRESS ((uintptr_t)-4096)

ROWS(arguments, struct argument) = {
	{ "plain", { .exit_signal = SIGCHLD }, 0 },
	{ "unknown_flag", { .flags = 1ULL << 63, .exit_signal = SIGCHLD }, EINVAL },
	{ "detached", { .flags = CLONE_DETACHED, .exit_signal = SIGCHLD }, EINVAL },
	{ "signal_too_large", { .exit_signal = 65 }, EINVAL },
	{ "signal_negative", { .exit_signal = (__u64)-1 }, EINVAL },
	{ "signal_in_flags", { .flags = SIGCHLD }, EINVAL },
	{ "handlers_without_memory", { .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD }, EINVAL },
	{ "thread_without_handlers", { .flags = CLONE_THREAD | CLONE_VM }, EINVAL },
	{ "thread_in_new_namespace",
	  { .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID },
	  EINVAL },
	{ "root_and_new_mounts",
	  { .flags = CLONE_FS | CLONE_NEWNS, .exit_signal = SIGCHLD },
	  EINVAL },
	{ "stack_without_size", { .stack = 4096, .exit_signal = SIGCHLD }, EINVAL },
	{ "size_without_stack", { .stack_size = 4096, .exit_signal = SIGCHLD }, EINVAL },
	{ "pidfd_nowhere",
	  { .flags = CLONE_PIDFD, .pidfd = BAD_ADDRESS, .exit_signal = SIGCHLD },
	  EFAULT },
	{ "set_tid_without_size", { .set_tid = 4096, .exit_signal = SIGCHLD }, EINVAL },
	{ "set_tid_without_array", { .set_tid_size = 1, .exit_signal = SIGCHLD }, EINVAL },
	{ "set_tid_nowhere",
	  { .set_tid = BAD_ADDRESS, .set_tid_size = 1, .exit_signal = SIGCHLD },
	  EFAULT },
};

TEST_EACH(arguments, pid, arguments_are_checked_together,
	  .says = "clone3 refuses arguments that contradict each other or lead nowhere",
	  .checks = "pid-21 pid-25", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		struct clone_args args = row->args;
		pid_t pid = clone3_with(&args);

		if (!pid)
			_exit(7);
		EXPECT_EQ(row->want, pid < 0 ? errno : 0);
		if (pid > 0)
			EXPECT_EXIT(7, must_wait(pid));
		/* A refusal leaves no process behind. */
		EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, WNOHANG));
	}
}

TEST(pid, arguments_have_an_address,
     .says = "clone3 with a structure at a bad address gives EFAULT", .checks = "pid-25",
     .needs = NEED(pidns))
{
	EXPECT_ERRNO(EFAULT, clone3_sized(NULL, 64));
	EXPECT_ERRNO(EFAULT, clone3_sized((void *)BAD_ADDRESS, 64));
}

static void handle(int sig)
{
	(void)sig;
}

TEST(pid, handlers_can_be_cleared,
     .says = "CLONE_CLEAR_SIGHAND resets handlers in the new process and keeps what is ignored",
     .checks = "pid-26", .needs = NEED(admin) | NEED(pidns))
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_CLEAR_SIGHAND,
				   .exit_signal = SIGCHLD };
	struct sigaction action;
	pid_t pid;

	signal(SIGUSR1, handle);
	signal(SIGUSR2, SIG_IGN);
	pid = MUST(clone3_with(&args));
	if (!pid) {
		MUST(sigaction(SIGUSR1, NULL, &action));
		EXPECT(action.sa_handler == SIG_DFL);
		MUST(sigaction(SIGUSR2, NULL, &action));
		EXPECT(action.sa_handler == SIG_IGN);
		_exit(7);
	}
	EXPECT_EXIT(7, must_wait(pid));
	MUST(sigaction(SIGUSR1, NULL, &action));
	EXPECT(action.sa_handler == handle);
	IN_FORK {
		MUST(sigaction(SIGUSR1, NULL, &action));
		EXPECT(action.sa_handler == handle);
	}
	args.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
	EXPECT_ERRNO(EINVAL, clone3_with(&args));
}

TEST(pid, the_parent_hears_the_signal_it_chose,
     .says = "exit_signal decides what the parent of a PID 1 is told with", .checks = "pid-25",
     .needs = NEED(admin) | NEED(pidns))
{
	struct clone_args args = { .flags = CLONE_NEWPID, .exit_signal = SIGUSR1 };
	siginfo_t info;
	pid_t pid;

	must_block(SIGUSR1);
	pid = MUST(clone3_with(&args));
	if (!pid)
		_exit(7);
	info = must_await(SIGUSR1);
	EXPECT_EQ(pid, info.si_pid);
	EXPECT_EQ(CLD_EXITED, info.si_code);
	EXPECT_EQ(7, info.si_status);
	EXPECT_EQ(pid, waitpid(pid, NULL, __WALL));
}

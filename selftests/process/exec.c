// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process leaves behind when it executes another program. */
#include "../harness/selftest.h"

#include <pthread.h>
#include <sys/ptrace.h>
#include <time.h>

enum { KEPT = 100 };

/* Executes this program under another name, and stops there to be looked at. */
static void *execute_and_stop(void *unused)
{
	(void)unused;
	MUST(ptrace(PTRACE_TRACEME));
	MUST(execl("/proc/self/exe", "again", "--list", NULL));
	return NULL;
}

/* Waits until a process that is traced stops: by a signal, or because it has executed. */
static void await_stop(pid_t pid)
{
	int status;

	MUST_HOLD(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
}

struct who {
	const char *label;
	bool first; /* the thread that was there from the beginning executes the program */
};

ROWS(threads, struct who) = {
	{ "first", true },
	{ "second", false },
};

TEST_EACH(threads, process, execve_ends_the_other_threads,
	  .says = "of a process that executes a program one thread is left, and it has the "
		  "process's number",
	  .finding = "a thread goes on with the memory and the rights of the program before",
	  .checks = "process-45", .needs = NEED(ptrace))
{
	pid_t pid = must_fork();
	pthread_t second;

	if (!pid && row->first) {
		must_thread();
		execute_and_stop(NULL);
	} else if (!pid) {
		MUST_HOLD(!pthread_create(&second, NULL, execute_and_stop, NULL));
		for (;;) pause();
	}
	await_stop(pid);
	EXPECT_STREQ("1", status_field("Threads", pid));
	EXPECT_STREQ("again", must_read("/proc/%d/cmdline", pid));
	must_evict(pid);
}

static int by_open(void)
{
	return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static int by_fcntl(void)
{
	int fd = MUST(dup(STDIN_FILENO));

	MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
	return fd;
}

static int by_dup(void)
{
	return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, KEPT + 10);
}

struct way {
	const char *label;
	int (*open)(void);
};

ROWS(ways, struct way) = {
	{ "open", by_open },
	{ "fcntl", by_fcntl },
	{ "dup", by_dup },
};

TEST_EACH(ways, process, execve_closes_what_is_to_be_closed,
	  .says = "execve closes the descriptors that are marked so, and no other",
	  .finding = "a program gets descriptors that were not meant for it",
	  .checks = "process-46", .needs = NEED(ptrace))
{
	int numbers[2];
	int marked = -1;
	pid_t pid;

	must_pipe(numbers);
	pid = must_fork();
	if (!pid) {
		MUST(dup2(STDIN_FILENO, KEPT));
		marked = MUST(row->open());
		MUST(write(numbers[1], &marked, sizeof(marked)));
		execute_and_stop(NULL);
	}
	close(numbers[1]);
	MUST_HOLD(read(numbers[0], &marked, sizeof(marked)) == sizeof(marked));
	await_stop(pid);
	EXPECT(exists("/proc/%d/fd/%d", pid, KEPT));
	EXPECT(!exists("/proc/%d/fd/%d", pid, marked));
	must_evict(pid);
	close(numbers[0]);
}

TEST(process, execve_leaves_a_shared_table_of_descriptors,
     .says = "who shares a table of descriptors and executes a program has one of his own then",
     .finding = "a program's descriptors are changed by another process", .checks = "process-46",
     .needs = NEED(ptrace))
{
	pid_t pid = must_clone3(CLONE_FILES);

	if (!pid) {
		MUST(ptrace(PTRACE_TRACEME));
		MUST(raise(SIGSTOP));
		MUST(execl("/proc/self/exe", "again", "--list", NULL));
	}
	await_stop(pid);
	MUST(dup2(STDIN_FILENO, KEPT));
	EXPECT(exists("/proc/%d/fd/%d", pid, KEPT));
	MUST(close(KEPT));
	MUST(ptrace(PTRACE_CONT, pid, NULL, NULL));
	await_stop(pid);
	MUST(dup2(STDIN_FILENO, KEPT));
	EXPECT(exists("/proc/%d/fd/%d", pid, STDIN_FILENO));
	EXPECT(!exists("/proc/%d/fd/%d", pid, KEPT));
	MUST(close(KEPT));
	must_evict(pid);
}

TEST(process, execve_ends_the_timers, .says = "a timer of timer_create(2) is gone after execve",
     .finding = "a program is sent signals by timers of the one before", .checks = "process-47",
     .needs = NEED(ptrace) | NEED(checkpoint))
{
	pid_t pid = must_fork();

	if (!pid) {
		timer_t timer;

		MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer));
		EXPECT_CONTAINS("ID: ", must_read("/proc/self/timers"));
		execute_and_stop(NULL);
	}
	await_stop(pid);
	EXPECT_STREQ("", must_read("/proc/%d/timers", pid));
	must_evict(pid);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* See pid.h. */
#include "pid.h"

#include <dirent.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>

pid_t clone3_with(struct clone_args *args)
{
	fflush(NULL);
	return syscall(SYS_clone3, args, sizeof(*args));
}

pid_t try_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid > 0)
		must_wait(pid);
	return pid;
}

static _Noreturn void be_idle(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	for (;;) pause();
}

pid_t must_idle(void)
{
	pid_t pid = must_fork();

	if (!pid)
		be_idle();
	return pid;
}

pid_t must_idle_as(pid_t number)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&number,
				   .set_tid_size = 1 };
	pid_t pid = MUST(clone3_with(&args));

	if (!pid)
		be_idle();
	return pid;
}

int must_kill(pid_t pid)
{
	MUST(kill(pid, SIGKILL));
	return must_wait(pid);
}

static bool readable_within(int fd, int ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return MUST(poll(&wait, 1, ms)) == 1 && (wait.revents & POLLIN);
}

bool ended(int pidfd)
{
	return readable_within(pidfd, 0);
}

bool ends(int pidfd)
{
	return readable_within(pidfd, PATIENCE_MS);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool vanishes_within(pid_t pid, int ms)
{
	long long limit = now_ms() + ms;

	while (!kill(pid, 0) && now_ms() < limit) sched_yield();
	return kill(pid, 0) && errno == ESRCH;
}

void say_go(int fd)
{
	MUST(write(fd, "", 1));
}

void hear_go(int fd)
{
	char byte;

	if (MUST(read(fd, &byte, 1)) != 1)
		broken("the other end is closed");
}

void must_block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

siginfo_t must_await(int sig)
{
	const struct timespec patience = { .tv_sec = PATIENCE_MS / 1000 };
	siginfo_t info;
	sigset_t set;

	memset(&info, 0, sizeof(info));
	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigtimedwait(&set, &info, &patience));
	return info;
}

pid_t pid_here(int pidfd)
{
	const char *line = strstr(must_read("/proc/self/fdinfo/%d", pidfd), "Pid:");

	if (!line)
		broken("descriptor %d is no pidfd", pidfd);
	return strtol(line + strlen("Pid:"), NULL, 10);
}

int pidfd_send(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, info, flags);
}

int pidfd_take(int pidfd, int fd)
{
	return syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

int count_processes(const char *proc)
{
	DIR *directory = opendir(proc);
	struct dirent *entry;
	int count = 0;

	if (!directory)
		broken("cannot read the directory %s", proc);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	closedir(directory);
	return count;
}

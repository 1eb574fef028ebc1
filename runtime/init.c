// SPDX-License-Identifier: GPL-2.0-or-later
#include "init.h"

#include "fault.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* sigprocmask(2) passes over these: bit N - 1 is signal N. */
static const uint64_t unblockable = 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1);

/* 6.3; before, every memfd can be executed. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 1;
	off_t at = 0;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	while (at < st.st_size && n > 0)
		n = sendfile(to, from, &at, (size_t)(st.st_size - at));
	close(from);
	if (n < 0)
		return -errno;
	return at == st.st_size ? 0 : -EIO;
}

int init_host(struct container *c)
{
	static const char name[] = "bulkhead-init";
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int ret;

	if (!c->plan->init)
		return 0;
	c->init_fd = memfd_create(name, flags | MFD_EXEC);
	if (c->init_fd < 0 && errno == EINVAL)
		c->init_fd = memfd_create(name, flags);
	if (c->init_fd < 3)
		return fail(&c->fault, STEP_init, "a sealed copy of bulkhead",
			    c->init_fd < 0 ? errno : LIE);
	ret = copy_self(c->init_fd);
	if (ret == 0 && fcntl(c->init_fd, F_ADD_SEALS, SEALS) < 0)
		ret = -errno;
	if (ret == 0 && (fcntl(c->init_fd, F_GET_SEALS) & SEALS) != SEALS)
		ret = LIE;
	return ret ? fail(&c->fault, STEP_init, "a sealed copy of bulkhead", ret) : 0;
}

char **init_argv(const struct plan *p, char *path)
{
	size_t n = 0;
	char **argv;

	while (p->argv[n])
		n++;
	argv = must_have(calloc(n + 4, sizeof(*argv)));
	argv[0] = (char *)"bulkhead";
	argv[1] = (char *)INIT_VERB;
	argv[2] = path;
	for (size_t i = 0; i < n; i++)
		argv[3 + i] = p->argv[i];
	return argv;
}

/* The C library keeps a few signals for itself; an init forwards those, too. */
static long set_signal_mask(uint64_t mask)
{
	uint64_t now = ~mask;
	long ret = RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));

	if (ret == 0)
		ret = RAW4(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now));
	if (ret == 0 && (now ^ mask) & ~unblockable)
		ret = LIE;
	return ret;
}

static int wait_for_signal(void)
{
	const uint64_t all = ~0ULL;

	return (int)RAW4(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof(all));
}

/* Reports a failure; returns the exit status that it gives. */
static int cannot(enum step step, const char *object, long why)
{
	struct fault fault = { .why = 0 };

	fail(&fault, step, object, why);
	fault_print(&fault, NULL);
	return fault_status(&fault);
}

/* The command gets a process group of its own: Ctrl-C then reaches it once, not twice. */
static void be_command(char **argv)
{
	long ret;

	setpgid(0, 0);
	if (isatty(STDIN_FILENO))
		tcsetpgrp(STDIN_FILENO, getpid());
	ret = set_signal_mask(0);
	if (ret)
		_exit(cannot(STEP_signals, "rt_sigprocmask", ret));
	ret = RAW3(SYS_execve, argv[0], argv + 1, environ);
	_exit(cannot(STEP_execute, argv[1], ret ? ret : LIE));
}

/* Who has died, or at most 0. Asks twice, since nothing would wake us again. */
static pid_t next_dead(int *status)
{
	pid_t pid = waitpid(-1, status, WNOHANG);

	return pid > 0 ? pid : waitpid(-1, status, WNOHANG);
}

/*
 * What a terminal and its shell send to a process group is for the command's group; until
 * it has one (be_command()), the command is alone.
 */
static void forward(pid_t command, int sig)
{
	bool for_the_group = sig == SIGINT || sig == SIGQUIT || sig == SIGTSTP || sig == SIGCONT;

	if (!for_the_group || kill(-command, sig) < 0)
		kill(command, sig);
}

/* Reaps whoever has died. Returns the exit status of @command, or -1 while it lives. */
static int reap(pid_t command)
{
	int status, result = -1;
	pid_t pid;

	while ((pid = next_dead(&status)) > 0) {
		if (pid != command)
			continue;
		result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return result;
}

int init_main(char **argv)
{
	const pid_t self = getpid();
	int sig, status = -1;
	long command = set_signal_mask(~0ULL);

	if (command)
		return cannot(STEP_signals, "rt_sigprocmask", command);
	/* Not clone3(), which the filter cannot look into, nor fork(), which tells of no lie. */
	command = RAW5(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (command == 0 && getpid() == self)
		command = -NOT_NEW;
	if (command == 0)
		be_command(argv);
	if (command < 0)
		return cannot(STEP_start_under_init, argv[1], command);
	while (status < 0) {
		sig = wait_for_signal();
		if (sig == SIGCHLD)
			status = reap((pid_t)command);
		else if (sig > 0)
			forward((pid_t)command, sig);
	}
	return status;
}

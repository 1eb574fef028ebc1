// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include "clone.h"
#include "room.h"
#include "sys.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static ROOM char helper_stack[16384] __attribute__((aligned(16)));

struct helper {
	const char *path;
	char **argv;
	int born; /* clone.h */
	long why; /* execve() failed: -errno */
};

/* Not there, or not for this user: the search goes on, as that of execvp(3) does. */
static bool is_elsewhere(int ret)
{
	return ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES;
}

int helper_find(const char *name, char *path, size_t room)
{
	const char *dir = getenv("PATH"), *end;
	int ret = -ENOENT;

	for (; dir && is_elsewhere(ret); dir = *end ? end + 1 : NULL) {
		end = strchrnul(dir, ':');
		if (end == dir) /* the current directory: no place for a program of the host */
			continue;
		snprintf(path, room, "%.*s/%s", (int)(end - dir), dir, name);
		ret = (int)RAW3(SYS_faccessat, AT_FDCWD, path, X_OK);
	}
	return is_elsewhere(ret) ? -ENOENT : ret;
}

/* On our memory, and with the caller's signals open to it: Ctrl-C ends it. */
static void helper_main(void *arg)
{
	struct helper *h = arg;
	const uint64_t none = 0;

	RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	h->why = RAW3(SYS_execve, h->path, h->argv, environ);
	RAW1(SYS_exit_group, 127);
	__builtin_unreachable();
}

long helper_run(const char *path, char **argv)
{
	static struct helper h;
	struct clone_args args = {
		.flags = CLONE_VM,
		.stack = (uintptr_t)helper_stack,
		.stack_size = sizeof(helper_stack),
		.exit_signal = SIGCHLD,
	};
	int status = -1;
	long ret, pid;

	h = (struct helper){ .path = path, .argv = argv };
	pid = clone3_call(&args, &h.born, helper_main, &h);
	if (pid < 0)
		return pid;
	ret = RAW4(SYS_wait4, pid, &status, __WALL, NULL);
	if (ret != pid)
		return ret < 0 ? ret : LIE;
	if (h.why)
		return h.why;
	return status == 0 ? 0 : NO_MAP_HELPER;
}

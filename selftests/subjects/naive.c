// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The negative control: what the usual hundred lines of container tutorial do and
 * no more. New UTS, PID and mount namespaces, the root bound onto itself,
 * pivot_root with the old root left mounted at /oldrootfs, exec. It is kept wrong
 * on purpose: the suite must find all that it leaves open. Not for use.
 *
 *	naive ROOTFS COMMAND [ARG]...
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../common/compat.h"

#include <linux/sched.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "naive: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void inside(const char *rootfs, char **command)
{
	if (mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL))
		die("bind the root");
	if (chdir(rootfs))
		die("enter the root");
	if (mkdir("oldrootfs", 0700) && errno != EEXIST)
		die("make /oldrootfs");
	if (syscall(SYS_pivot_root, ".", "oldrootfs"))
		die("pivot_root");
	if (chdir("/"))
		die("enter /");
	execv(command[0], command);
	die("execute the command");
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS,
				   .exit_signal = SIGCHLD };
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: naive ROOTFS COMMAND [ARG]...\n");
		return 1;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (!pid)
		inside(argv[1], argv + 2);
	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	return status ? 1 : 0;
}

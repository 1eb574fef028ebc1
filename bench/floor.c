// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor [--hardened] NS[,NS...] ROOTFS COMMAND [ARG]...
 *
 * The least that a container costs on this kernel: COMMAND as PID 1 of new namespaces on
 * ROOTFS with its own /proc, the old root detached. No hardening (but with --hardened, see
 * hardened.c), no clean-up, no signals: the yardstick that bench.py holds the runtimes
 * against. The new process shares the caller's memory until it executes (CLONE_VM |
 * CLONE_VFORK), so no page table is copied.
 */
#include "hardened.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define FAILED        125

static const struct {
	const char *name;
	int flag;
} namespaces[] = {
	{ "mnt", CLONE_NEWNS },  { "pid", CLONE_NEWPID }, { "uts", CLONE_NEWUTS },
	{ "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP },
};

struct want {
	bool hardened;
	int namespaces;
	const char *rootfs;
	char **command;
};

static char stack[65536] __attribute__((aligned(16)));

int must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: cannot %s: %s\n", what, strerror(errno));
		_exit(FAILED);
	}
	return result;
}

static int inside(void *data)
{
	const struct want *want = data;

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
	must(mount(want->rootfs, want->rootfs, NULL, MS_BIND, NULL), "bind the rootfs");
	must(chdir(want->rootfs), "enter the rootfs");
	must(mount("proc", "proc", "proc", 0, NULL), "mount proc");
	if (want->hardened)
		harden_mounts(want->namespaces & CLONE_NEWCGROUP);
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "detach the old root");
	if (want->hardened)
		harden_process();
	must(execv(want->command[0], want->command), "execute the command");
	return FAILED;
}

/* The clone(2) flags for LIST, names separated by commas. */
static int parse_namespaces(char *list)
{
	int flags = 0;

	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < ARRAY_SIZE(namespaces) && strcmp(name, namespaces[i].name) != 0)
			i++;
		if (i == ARRAY_SIZE(namespaces)) {
			fprintf(stderr, "floor: no such namespace \"%s\"\n", name);
			exit(FAILED);
		}
		flags |= namespaces[i].flag;
	}
	return flags;
}

int main(int argc, char **argv)
{
	struct want want = { .hardened = argc > 1 && strcmp(argv[1], "--hardened") == 0 };
	int flags, status;
	pid_t pid;

	argv += want.hardened;
	argc -= want.hardened;
	if (argc < 4) {
		fputs("usage: floor [--hardened] NS[,NS...] ROOTFS COMMAND [ARG]...\n", stderr);
		return FAILED;
	}
	want.namespaces = parse_namespaces(argv[1]);
	want.rootfs = argv[2];
	want.command = argv + 3;
	flags = want.namespaces | CLONE_VM | CLONE_VFORK | SIGCHLD;
	pid = must(clone(inside, stack + sizeof(stack), flags, &want), "create namespaces");
	must(waitpid(pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

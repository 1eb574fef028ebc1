// SPDX-License-Identifier: GPL-2.0-or-later
#include "leftovers.h"

#include "dirents.h"
#include "sys.h"
#include "text.h"

#include <sched.h>
#include <signal.h>

/* Writes "/proc/PID/ns/mnt" to @path. */
static void name_mount_namespace(char *path, size_t room, int pid)
{
	*path = '\0';
	text_add(path, room, "/proc/");
	text_add_number(path, room, (uint64_t)pid);
	text_add(path, room, "/ns/mnt");
}

/* The inode number of what @path under @dir is, or 0. */
static uint64_t inode(int dir, const char *path)
{
	struct statx stx = { .stx_ino = 0 };

	sys_statx(dir, path, AT_EMPTY_PATH, STATX_INO, &stx);
	return stx.stx_ino;
}

/* While it is open no other namespace can have its number. */
int leftovers_note(struct container *c)
{
	uint64_t theirs, ours;
	char path[40];

	if (c->plan->namespaces & CLONE_NEWPID)
		return 0;
	ours = inode(AT_FDCWD, "/proc/self/ns/mnt");
	name_mount_namespace(path, sizeof(path), c->pid);
	c->mnt_ns_file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	theirs = c->mnt_ns_file < 0 ? 0 : inode(c->mnt_ns_file, "");
	if (!theirs || !ours)
		return fail(&c->fault, STEP_supervise, path, ENOENT);
	if (theirs == ours) /* to end its processes would end the host's */
		return fail(&c->fault, STEP_host_mntns, path, HOST_NAMESPACE);
	c->mnt_ns = theirs;
	return 0;
}

static int number(const char *digits)
{
	int n = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = 10 * n + (*digits - '0');
	return n;
}

/* By pidfd: a number may be another process's by the time that it is killed. */
static bool kill_if_in(int pid, uint64_t mnt_ns)
{
	char path[40];
	int pidfd = raw_new_fd(RAW2(SYS_pidfd_open, pid, 0));
	bool killed = false;

	if (pidfd < 0)
		return false;
	name_mount_namespace(path, sizeof(path), pid);
	if (inode(AT_FDCWD, path) == mnt_ns)
		killed = RAW4(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
	sys_close(pidfd);
	return killed;
}

/* One pass over /proc; returns how many processes were killed. */
static int kill_pass(uint64_t mnt_ns)
{
	char buf[4096] __attribute__((aligned(8))) = "";
	int killed = 0, proc = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	while ((n = RAW3(SYS_getdents64, proc, buf, sizeof(buf))) > 0) {
		const struct dir_entry *e;

		for (long at = 0; at < n; at += e->size) {
			e = (const struct dir_entry *)(buf + at);
			if (number(e->name) > 1)
				killed += kill_if_in(number(e->name), mnt_ns);
		}
	}
	sys_close(proc);
	return killed;
}

/* A process may fork while we look: look again until there is nobody. */
void leftovers_kill(struct container *c)
{
	if (!c->mnt_ns)
		return;
	while (kill_pass(c->mnt_ns) > 0)
		RAW1(SYS_sched_yield, 0);
	sys_close(c->mnt_ns_file); /* the mounts go with the namespace */
	c->mnt_ns = 0;
}

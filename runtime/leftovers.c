// SPDX-License-Identifier: GPL-2.0-or-later
#include "leftovers.h"

#include "dirents.h"
#include "sys.h"
#include "text.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Writes "/proc/PID@file" to @path. */
static void name_file_of(char *path, size_t room, int pid, const char *file)
{
	*path = '\0';
	text_add(path, room, "/proc/");
	text_add_number(path, room, (uint64_t)pid);
	text_add(path, room, file);
}

/* The inode number of what @path under @dir is, or 0. */
static uint64_t inode(int dir, const char *path)
{
	struct statx stx = { .stx_ino = 0 };

	sys_statx(dir, path, AT_EMPTY_PATH, STATX_INO, &stx);
	return stx.stx_ino;
}

/*
 * Who leaves the mount namespace still descends from bulkhead, which adopts it when its
 * parent ends. But not where bulkhead has children already, of the program that it was
 * before execve(2): theirs would be taken for the container's.
 */
int leftovers_adopt(struct container *c)
{
	siginfo_t info = { .si_pid = 0 };
	int ret, adopts = 0;

	if (c->plan->namespaces & CLONE_NEWPID)
		return 0;
	ret = (int)RAW5(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);
	if (ret != -ECHILD)
		return 0;
	ret = sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0);
	if (ret == 0)
		ret = sys_prctl(PR_GET_CHILD_SUBREAPER, (uintptr_t)&adopts, 0);
	if (ret < 0 || !adopts)
		return fail(&c->fault, STEP_prepare_host, "PR_SET_CHILD_SUBREAPER",
			    ret ? ret : LIE);
	c->adopts = true;
	return 0;
}

void leftovers_reap(const struct container *c)
{
	siginfo_t info;

	if (!c->adopts)
		return;
	for (;;) {
		info.si_pid = 0;
		RAW5(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL);
		if (info.si_pid <= 0 || info.si_pid == c->pid)
			return;
		if (RAW4(SYS_wait4, info.si_pid, NULL, WNOHANG, NULL) < 0)
			return;
	}
}

/* While it is open no other namespace can have its number. */
int leftovers_note(struct container *c)
{
	uint64_t theirs, ours;
	char path[40];

	if (c->plan->namespaces & CLONE_NEWPID)
		return 0;
	ours = inode(AT_FDCWD, "/proc/self/ns/mnt");
	name_file_of(path, sizeof(path), c->pid, "/ns/mnt");
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

/* The parent of a process is the fourth field of its stat (proc(5)). */
static int parent_of(int pid)
{
	char path[40], stat[256];
	const char *at;
	int fd;
	long n;

	name_file_of(path, sizeof(path), pid, "/stat");
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = sys_read(fd, stat, sizeof(stat) - 1);
	sys_close(fd);
	stat[n > 0 ? n : 0] = '\0';
	at = strrchr(stat, ')');
	return at && strlen(at) > 4 ? number(at + 4) : 0;
}

/* The janitor adopts nobody, and bulkhead's number may be another's by then. */
static bool is_adopted(const struct container *c, int pid)
{
	return c->adopts && sys_getpid() == c->host_pid && pid != c->janitor &&
	       parent_of(pid) == c->host_pid;
}

static bool is_left(const struct container *c, int pid)
{
	char path[40];

	name_file_of(path, sizeof(path), pid, "/ns/mnt");
	return inode(AT_FDCWD, path) == c->mnt_ns || is_adopted(c, pid);
}

/* By pidfd: a number may be another process's by the time that it is killed. */
static bool kill_if_left(const struct container *c, int pid)
{
	int pidfd = raw_new_fd(RAW2(SYS_pidfd_open, pid, 0));
	bool killed = false;

	if (pidfd < 0)
		return false;
	if (is_left(c, pid))
		killed = RAW4(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
	sys_close(pidfd);
	return killed;
}

/* One pass over /proc; returns how many processes were killed. */
static int kill_pass(const struct container *c)
{
	char buf[4096] __attribute__((aligned(8))) = "";
	int killed = 0, proc = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	while ((n = RAW3(SYS_getdents64, proc, buf, sizeof(buf))) > 0) {
		const struct dir_entry *e;

		for (long at = 0; at < n; at += e->size) {
			e = (const struct dir_entry *)(buf + at);
			if (number(e->name) > 1)
				killed += kill_if_left(c, number(e->name));
		}
	}
	sys_close(proc);
	return killed;
}

/*
 * A process may fork while we look: look again until there is nobody. As with a PID
 * namespace, the end waits for a process that cannot die yet (frozen, or in the kernel):
 * in sleeps that grow from a tenth of a millisecond to a tenth of a second.
 */
void leftovers_kill(struct container *c)
{
	enum { SHORTEST = 100000, LONGEST = 100000000 };
	struct timespec pause = { .tv_nsec = SHORTEST };

	if (!c->mnt_ns)
		return;
	while (kill_pass(c) > 0) {
		leftovers_reap(c);
		RAW2(SYS_nanosleep, &pause, NULL);
		if (pause.tv_nsec < LONGEST)
			pause.tv_nsec += pause.tv_nsec / 4;
	}
	c->mnt_ns = 0; /* before its number can be another's: the janitor may come after us */
	sys_close(c->mnt_ns_file);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User namespaces that a test makes, maps and enters step by step. */
#ifndef USER_USER_H
#define USER_USER_H

#include <linux/securebits.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "../harness/selftest.h"

#define USER_NEEDS NEED(admin) | NEED(userns)

/* The id of what is not mapped, here and for the reader: proc_sys_kernel(5), overflowuid. */
enum { UNMAPPED = 65534 };

/* One write(2) to /proc/PID/FILE: 0, or -1 with its errno. */
static inline int put(pid_t pid, const char *file, const char *content)
{
	_fd_ int fd = MUST(open(text("/proc/%d/%s", pid, file), O_WRONLY | O_CLOEXEC));

	return write(fd, content, strlen(content)) < 0 ? -1 : 0;
}

static inline int open_userns(pid_t pid)
{
	return MUST(open(text("/proc/%d/ns/user", pid), O_RDONLY | O_CLOEXEC));
}

/* The caller goes into that process's user namespace, and has all capabilities there. */
static inline void must_enter(pid_t pid)
{
	_fd_ int userns = open_userns(pid);

	MUST(setns(userns, CLONE_NEWUSER));
}

/* A process in a new user namespace with that map for uids and gids. */
static inline pid_t must_settle_with(const char *map)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	MUST(put(owner, "uid_map", map));
	MUST(put(owner, "gid_map", map));
	return owner;
}

/* What one process may do to another: 0, or -1 with its errno. */
struct act {
	const char *label; /* the system call */
	long (*act)(pid_t pid);
};

static inline long by_priority(pid_t pid)
{
	return setpriority(PRIO_PROCESS, pid, 19);
}

/* All ids of the caller's become that one, and its files in /proc stay its own. */
static inline void must_become(unsigned id)
{
	MUST(setresgid(id, id, id));
	MUST(setresuid(id, id, id));
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* A process with all its ids that one, which waits to be killed. */
static inline pid_t must_stay_as(unsigned id)
{
	int go[2];
	pid_t pid;
	char byte;

	must_pipe(go);
	pid = must_fork();
	if (!pid) {
		must_become(id);
		MUST(write(go[1], "", 1));
		for (;;) pause();
	}
	MUST(read(go[0], &byte, 1));
	close(go[0]);
	close(go[1]);
	return pid;
}

/* N lines of one id each, none beside the other: id I inside is 1000 + 2 I outside. */
static inline const char *scattered(unsigned lines)
{
	static char map[4096];
	size_t used = 0;

	for (unsigned id = 0; id < lines; id++)
		used += snprintf(map + used, sizeof(map) - used, "%u %u 1\n", id, 1000 + 2 * id);
	return map;
}

/*
 * Runs a program as that uid and stops it once it is there, to be looked at and killed. The
 * tracer counts with the capabilities that the program's process had when it asked to be traced:
 * they must outlast the change of uid, or set-user-ID would be ignored for lack of them.
 */
static inline pid_t must_exec(const char *path, uid_t uid)
{
	pid_t pid = must_fork();
	int status;

	if (!pid) {
		MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
		MUST(setresuid(uid, uid, uid));
		MUST(ptrace(PTRACE_TRACEME));
		MUST(execl(path, "again", "--list", NULL));
	}
	MUST_HOLD(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	return pid;
}

/* uid_map and gid_map have a call, a line of status and a getter each. */
struct id_kind {
	const char *label; /* "uid", "gid" */
	const char *map, *field;
	int (*set)(unsigned real, unsigned effective, unsigned saved);
	unsigned (*get)(void);
	unsigned (*get_effective)(void);
};

#define ID_KINDS                                                                                   \
	{ "uid", "uid_map", "Uid", setresuid, getuid, geteuid },                                   \
	{                                                                                          \
		"gid", "gid_map", "Gid", setresgid, getgid, getegid                                \
	}

#endif

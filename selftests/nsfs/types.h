/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eight types of namespaces, and one of each to look at. */
#ifndef NSFS_TYPES_H
#define NSFS_TYPES_H

#include <sys/sysmacros.h>

#include "../harness/selftest.h"

struct ns_type {
	const char *label; /* as in /proc/PID/ns */
	uint64_t flag;
};

#define ALL_NS_TYPES                                                                               \
	{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET },                 \
		{ "cgroup", CLONE_NEWCGROUP }, { "pid", CLONE_NEWPID }, { "mnt", CLONE_NEWNS },    \
		{ "user", CLONE_NEWUSER }, { "time", CLONE_NEWTIME },

#define TYPE_NEEDS                                                                                 \
	NEED(admin) | NEED(utsns) | NEED(ipcns) | NEED(netns) | NEED(cgroupns) | NEED(pidns) |     \
		NEED(mntns) | NEED(userns) | NEED(timens)

/* A namespace file of a process; 0 = the caller. */
static inline int open_ns(pid_t pid, const char *label)
{
	return MUST(
		open(text("/proc/%d/ns/%s", pid ? pid : getpid(), label), O_RDONLY | O_CLOEXEC));
}

/* A process in a new namespace of that type, which waits for must_evict(). */
static inline pid_t must_settle(uint64_t flag)
{
	pid_t pid = must_clone3(flag);

	if (!pid)
		for (;;) pause();
	return pid;
}

static inline void must_evict(pid_t pid)
{
	MUST(kill(pid, SIGKILL));
	must_wait(pid);
}

static inline uint64_t inode(int fd)
{
	struct stat status = { 0 };

	MUST(fstat(fd, &status));
	return status.st_ino;
}

#endif

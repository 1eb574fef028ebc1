/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eight types of namespaces, and one of each to look at. */
#ifndef NSFS_TYPES_H
#define NSFS_TYPES_H

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
	const char *path =
		pid ? text("/proc/%d/ns/%s", pid, label) : text("/proc/self/ns/%s", label);

	return MUST(open(path, O_RDONLY | O_CLOEXEC));
}

#endif

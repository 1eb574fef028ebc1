/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what the caller asked for, parsed and validated, immutable from the
 * first side effect on. What exists (descriptors, pids) is in struct container.
 */
#ifndef RUNTIME_PLAN_H
#define RUNTIME_PLAN_H

#include <linux/filter.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fixed bounds, each checked where the value is parsed. */
enum {
	HOSTNAME_ROOM = 64,       /* bytes, sethostname(2): __NEW_UTS_LEN */
	ID_MAP_ROOM = 340,        /* lines, user_namespaces(7), Linux 4.15 */
	FILTER_ROOM = 4096,       /* instructions, BPF_MAXINSNS */
	COMMAND_PATH_ROOM = 4096, /* bytes, PATH_MAX */
};

/* One line of /proc/PID/uid_map: COUNT ids from INSIDE on are HOST on the host. */
struct id_map {
	uint32_t inside, host, count;
};

struct id_maps {
	size_t n;
	struct id_map *line; /* room for ID_MAP_ROOM */
};

struct bind {
	const char *source; /* path on the host */
	const char *target; /* absolute path inside */
	bool read_only;
};

struct tmpfs {
	const char *target; /* absolute path inside */
	uint64_t size;      /* bytes; 0: none was asked for */
};

/* Limits of cgroup v2; 0 means that none was asked for. */
struct limits {
	uint64_t memory;         /* bytes */
	uint64_t pids;           /* tasks */
	uint64_t cpu_quota_usec; /* of each CPU_PERIOD_USEC */
};

enum { CPU_PERIOD_USEC = 100000 };

/* Offsets that a time namespace adds to the host's clocks. */
struct clock_offsets {
	bool asked;
	int64_t monotonic, boottime; /* seconds */
};

struct plan {
	bool rootless;       /* the caller is not root: a user namespace is a must */
	bool nested;         /* the caller's user namespace is not the initial one */
	bool stage_only;     /* `child`: somebody else made the namespaces */
	uint64_t namespaces; /* CLONE_NEW*: those that the container does not share */

	const char *rootfs; /* NULL when there are only layers */
	const char **layers;
	size_t n_layers; /* lowest first */
	const char *upper;
	bool read_only;

	const char *hostname, *domainname; /* domainname may be NULL */
	struct id_maps uids, gids;
	struct clock_offsets clocks;

	struct bind *binds;
	size_t n_binds;
	struct tmpfs *tmpfs;
	size_t n_tmpfs;

	char **argv; /* the command */
	char **env;
	size_t n_env;
	const char *workdir;
	uint32_t uid, gid;

	struct limits limits;
	uint64_t caps; /* bit N: CAP_N is kept */
	const struct sock_filter *filter;
	size_t n_filter; /* 0: none */

	bool init, tty;
};

/* True when the plan asks for a limit, and so for a cgroup of the container's own. */
static inline bool plan_has_limits(const struct plan *p)
{
	return p->limits.memory || p->limits.pids || p->limits.cpu_quota_usec;
}

/*
 * True when the container's root is not the machine's: then mknod(2) is forbidden, and a
 * new procfs or sysfs is allowed only while the host's own is in sight.
 */
static inline bool plan_is_in_userns(const struct plan *p)
{
	return (p->namespaces & CLONE_NEWUSER) || p->rootless || p->nested;
}

/* The command of a user that is not root starts without capabilities, as execve(2) has it. */
static inline uint64_t plan_effective_caps(const struct plan *p)
{
	return p->uid == 0 ? p->caps : 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The duet: host and container run the same function; a block is executed by
 * its side while the others wait for the block's token, which carries its line.
 * So top to bottom is time. Locals are per side: what must cross goes over the
 * board (remember, recall) or as a descriptor (give_fd, take_fd). No break,
 * continue, goto or return out of a block.
 */
#ifndef HARNESS_DUET_H
#define HARNESS_DUET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a container is made of. Raw: clone3 with .unshare, then the rest by plain
 * system calls. Through a subject: the adapter's options; .unshare then says
 * which namespaces the subject must provide.
 */
struct container {
	int name;               /* a, b, c or d when there are several; comes first, bare */
	uint64_t unshare;       /* CLONE_NEW* flags */
	const char *hostname;   /* the container's hostname */
	const char *domainname; /* its NIS domainname */
	const char *bind[4];    /* "SOURCE:DESTINATION[:ro]" */
	const char *tmpfs[4];   /* mount points of fresh tmpfs; subject: or "POINT:size=BYTES" */
	const char *env[4];     /* "NAME=value" */
	const char *memory;     /* bytes; subject only */
	const char *pids;       /* number of tasks; subject only */
	const char *cpus;       /* number of CPUs; subject only */
	const char *rootfs;     /* subject only: another root than --rootfs, absolute */
	const char *share;      /* subject only: the host's namespaces to keep, "uts,pid"; with
				   "mnt", alone, the test puts its program into the root */
	const char *join;       /* subject only: another's namespace, "pid:PATH" */
	const char *user;       /* subject only: "UID:GID" */
	const char *sysctl[4];  /* subject only: "name=value" */
	const char *oci[4];    /* subject only: what subjects/oci.sh can put into a configuration */
	bool userns;           /* a user namespace, the caller's id mapped to 0 */
	bool read_only;        /* a read-only root; subject only */
	bool proc;             /* raw: a fresh /proc (with CLONE_NEWNS | CLONE_NEWPID) */
	bool keep_propagation; /* raw: leave the mount tree as cloned, not private */
	const char *uid_map;   /* raw, with a user namespace: instead of "0 CALLER 1" */
	const char *gid_map;   /* the same for groups */
};

/* A process that was added to a running container. */
struct added {
	pid_t pid;    /* as the host numbers it */
	pid_t inside; /* as it numbers itself */
	pid_t runtime;
	int socket;
};

/*
 * Host side, through a subject that provides "exec", else the test is skipped: adds a
 * process to the container, which stays until added_end() ends it and waits.
 */
#define must_add(side) AT_(must_add_(side))
struct added must_add_(int side);
void added_end(const struct added *added);

/* CONTAINER(.unshare = ...), or with more than one CONTAINER(a, .unshare = ...). */
#define CONTAINER(...)                                                                             \
	({                                                                                         \
		enum { CONTAINER_NAMES_ };                                                         \
		container_start(__FILE__, __LINE__, &(const struct container){ __VA_ARGS__ });     \
	})
#define CONTAINER_NAMES_ only_, a, b, c, d, end_
enum { MAX_CONTAINERS = 4 };

/* One side's block; the other sides wait until it is done. */
#define ON_HOST      BLOCK_(0)
#define IN_CONTAINER BLOCK_(1)
#define IN(name)                                                                                   \
	BLOCK_(({                                                                                  \
		enum { CONTAINER_NAMES_ };                                                         \
		name;                                                                              \
	}))
#define BLOCK_(side) BLOCK_ONCE_(side, UNIQUE_(__LINE__))
#define BLOCK_ONCE_(side, go)                                                                      \
	for (bool go = block_enter(side, __FILE__, __LINE__); go;                                  \
	     go = block_leave(__FILE__, __LINE__))
#define UNIQUE_(line)      UNIQUE_LINE_(line) /* so that blocks nest without shadowing */
#define UNIQUE_LINE_(line) go_##line

/*
 * Through a subject: whether such a container starts at all. Its command does nothing; it
 * has ended when this returns. Where a runtime may refuse, CONTAINER() stands in an `if` of
 * this: inside it is true.
 */
#define CONTAINER_STARTS(...)                                                                      \
	container_starts(__FILE__, __LINE__, &(const struct container){ __VA_ARGS__ })
bool container_starts(const char *file, int line, const struct container *want);

void container_start(const char *file, int line, const struct container *want);
bool block_enter(int side, const char *file, int line);
bool block_leave(const char *file, int line);

/*
 * Across the sides: a value under a key, the newest wins. Recalling a key that
 * nobody remembered is BROKEN.
 */
#define remember(key, value)                                                                       \
	AT_(_Generic((value),                                                                      \
		    char *: remember_text_,                                                        \
		    const char *: remember_text_,                                                  \
		    default: remember_number_)(key, value))
#define recall(key)        AT_(recall_(key))
#define recall_number(key) AT_(recall_number_(key))
void remember_text_(const char *key, const char *value);
void remember_number_(const char *key, long long value);
const char *recall_(const char *key);
long long recall_number_(const char *key);

/*
 * Across the sides: a descriptor. The giver calls give_fd() in its block; each
 * other side finds it in its next blocks with take_fd(), in the order given, and
 * closes it. Between two containers it passes through the host.
 */
#define give_fd(fd) AT_(give_fd_(fd))
#define take_fd()   AT_(take_fd_())
void give_fd_(int fd);
int take_fd_(void);

/* The container's first process as the host's PID namespace numbers it. */
#define inside_pid() container_pid(1)
#define pid_of(name_)                                                                              \
	container_pid(({                                                                           \
		enum { CONTAINER_NAMES_ };                                                         \
		name_;                                                                             \
	}))
#define container_pid(side) AT_(container_pid_(side))
pid_t container_pid_(int side);

/* Host side: wait for the container's first process to end. Returns its wait status. */
#define container_wait(side) AT_(container_wait_(side))
int container_wait_(int side);

/* Host side: SIGKILL to the container's first process, then container_wait(). */
#define container_stop(side) AT_(container_stop_(side))
int container_stop_(int side);

/* Host side, through a subject: the adapter, the root directory of --rootfs, the `name=`. */
const char *subject_adapter(void);
const char *subject_rootfs(void);
const char *subject_name(void);

/* True when this process of the test is on the host side. */
bool on_host(void);

/* True when the test runs through a subject, false when it runs raw. */
bool through_subject(void);

/*
 * IN_FORK { ... }: a forked process runs the block while this one waits for it; a
 * block that crashes or ends early is a failure. AS_NOBODY { ... }: the same as
 * an unprivileged user: no capability and, where the caller may change it, uid
 * and gid 65534. UNSHARED(flags) { ... }: the same in fresh namespaces; flags
 * with CLONE_NEWPID make the block's process PID 1.
 */
#define IN_FORK              FORK_(0, false)
#define AS_NOBODY            FORK_(0, true)
#define UNSHARED(flags)      FORK_(flags, false)
#define FORK_(flags, nobody) FORK_ONCE_(flags, nobody, UNIQUE_(__LINE__))
#define FORK_ONCE_(flags, nobody, go)                                                              \
	for (bool go = fork_enter(flags, nobody, __FILE__, __LINE__); go; go = fork_leave())
bool fork_enter(uint64_t flags, bool nobody, const char *file, int line);
bool fork_leave(void); /* ends the process; bool only for the loop above */

#endif

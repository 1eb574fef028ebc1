/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers to set the stage and to look at the world. The must_* ones are BROKEN
 * with the caller's file and line when they cannot do their work. Returned
 * strings live in static buffers of which the last four calls stay valid.
 */
#ifndef HARNESS_WORLD_H
#define HARNESS_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/sched.h>

/* Closes on leaving the scope: _fd_ int fd = MUST(open(...)); starts as -EBADF otherwise. */
#define _fd_ __attribute__((cleanup(close_fd)))
void close_fd(const int *fd);

/* Remembers the caller's place for the BROKEN message of the helper that follows. */
void stand_at(const char *file, int line);
#define AT_(call) (stand_at(__FILE__, __LINE__), call)

/* Looking. */
const char *hostname(void);                                 /* gethostname(2) */
const char *domainname(void);                               /* getdomainname(2) */
#define must_read(...)     AT_(must_read_(__VA_ARGS__))     /* (path format, ...): text of a file */
#define must_readlink(...) AT_(must_readlink_(__VA_ARGS__)) /* (path format, ...) */
#define ns_id(pid, name)   AT_(ns_id_(pid, name)) /* inode of /proc/PID/ns/NAME; pid 0 = self */
#define inode(fd)          AT_(inode_(fd))        /* of an open file, or the id of its namespace */
bool exists(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *must_read_(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *must_readlink_(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t ns_id_(pid_t pid, const char *name);
uint64_t inode_(int fd);

/*
 * status_field("NSpid", pid): the rest of that line of /proc/PID/status; pid 0 = self.
 * mounted_at(path): the last /proc/self/mountinfo line whose mount point is path, or NULL.
 */
#define status_field(field, pid) AT_(status_field_(field, pid))
#define mounted_at(path)         AT_(mounted_at_(path))
const char *status_field_(const char *field, pid_t pid);
const char *mounted_at_(const char *path);

/* Doing. */
#define must_write(path, ...)      AT_(must_write_(path, __VA_ARGS__))  /* no O_CREAT */
#define must_create(path, ...)     AT_(must_create_(path, __VA_ARGS__)) /* O_CREAT | O_TRUNC */
#define must_mkdir(...)            AT_(must_mkdir_(__VA_ARGS__))        /* with its parents */
#define must_unshare(flags)        AT_(must_unshare_(flags))
#define must_fork()                AT_(must_fork_())
#define must_clone3(flags)         AT_(must_clone3_(flags)) /* like fork, with CLONE_* flags */
#define must_wait(pid)             AT_(must_wait_(pid))     /* wait status */
#define must_pipe(ends)            AT_(must_pipe_(ends))    /* int ends[2], O_CLOEXEC */
#define must_pidfd(pid)            AT_(must_pidfd_(pid))
#define must_mount(...)            AT_(must_mount_(__VA_ARGS__))
#define must_private(path)         AT_(must_private_(path))         /* recursively MS_PRIVATE */
#define must_tmpfs(path)           AT_(must_tmpfs_(path))           /* mkdir -p and mount */
#define must_copy_self(path, mode) AT_(must_copy_self_(path, mode)) /* this program */
#define must_map_root(pid, id)     AT_(must_map_root_(pid, id)) /* uid and gid 0 -> id, one id */
void must_write_(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
void must_create_(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *must_mkdir_(const char *format, ...) __attribute__((format(printf, 1, 2)));
void must_unshare_(uint64_t flags);
pid_t must_fork_(void);
pid_t must_clone3_(uint64_t flags);
int must_wait_(pid_t pid);
void must_pipe_(int ends[2]);
int must_pidfd_(pid_t pid);
void must_mount_(const char *source, const char *target, const char *type, unsigned long flags,
		 const char *data);
void must_private_(const char *path);
void must_tmpfs_(const char *path);
void must_copy_self_(const char *path, mode_t mode);
void must_map_root_(pid_t pid, unsigned id);

/*
 * A mount namespace of the caller's own, private, with a fresh tmpfs as working directory: the
 * stage of a test that needs files. It vanishes with the test's processes.
 */
#define own_stage() AT_(own_stage_())
void own_stage_(void);

/* A process in new namespaces (CLONE_* flags) that waits for must_evict(), which ends it. */
#define must_settle(flags) AT_(must_settle_(flags))
#define must_evict(pid)    AT_(must_evict_(pid))
pid_t must_settle_(uint64_t flags);
void must_evict_(pid_t pid);

/*
 * A descriptor of /proc/PID/FILE, as "ns/uts", of a process that was in new namespaces (CLONE_*
 * flags) and has ended: all that holds them now.
 */
#define must_deserted(flags, file) AT_(must_deserted_(flags, file))
int must_deserted_(uint64_t flags, const char *file);

/*
 * A thread beside the caller, which does nothing until end_thread(): what only a process of one
 * thread may do is refused meanwhile, and a little longer, until the kernel has done with it.
 */
#define must_thread()      AT_(must_thread_())
#define end_thread(thread) AT_(end_thread_(thread))
struct beside {
	unsigned long id; /* pthread_t */
	int go;
};
struct beside must_thread_(void);
void end_thread_(const struct beside *thread);

/*
 * Waits until the kernel has done what it puts off, as freeing what nobody uses: an RCU grace
 * period, membarrier(2). It may need several; the caller looks again.
 */
void let_kernel_catch_up(void);

/* Gives up every capability and, where possible, uid and gid 0 for 65534. */
#define must_become_nobody() AT_(must_become_nobody_())
void must_become_nobody_(void);

/* Gives up one capability (linux/capability.h) in all sets, bounding included. */
#define must_drop_cap(cap) AT_(must_drop_cap_(cap))
void must_drop_cap_(int cap);

/*
 * The test's scratch directory: the working directory of the host side when the
 * body starts, empty, its own. It must be empty again when the test ends: what
 * is left there counts as left behind.
 */
const char *scratch(void);

/*
 * A small root file system made for the test: fills the empty directory `root`
 * (made if absent) with a fresh tmpfs and the directories bin dev etc oldroot
 * proc sys tmp. In a mount namespace of the test's own, or it leaks a mount.
 */
#define must_tree(root) AT_(must_tree_(root))
void must_tree_(const char *root);

#endif

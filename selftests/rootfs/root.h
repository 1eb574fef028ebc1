/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's root and the host's, for tests that ask whether one leads to the
 * other. The host side calls host_remember() first, the inside root_enter().
 */
#ifndef ROOTFS_ROOT_H
#define ROOTFS_ROOT_H

#include "../mnt/mountinfo.h"

#include <dirent.h>

/* A container with a root of its own; raw, with what root_enter() needs. */
#define ROOT_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID)
#define ROOT_NEEDS      NEED(admin) | NEED(mntns) | NEED(pidns)

static inline bool same_file(const char *key, const struct stat *status)
{
	return (dev_t)recall_number(text("%s_dev", key)) == status->st_dev &&
	       (ino_t)recall_number(text("%s_ino", key)) == status->st_ino;
}

/* Is this file the host's root or scratch directory? */
static inline bool is_host(const struct stat *status)
{
	return same_file("root", status) || same_file("stage", status);
}

/* Host side: which files are the host's root and scratch directory. */
static inline void host_remember(void)
{
	struct stat root, stage;

	MUST(stat("/", &root));
	MUST(stat(scratch(), &stage));
	remember("raw", !through_subject());
	remember("root_dev", root.st_dev);
	remember("root_ino", root.st_ino);
	remember("stage_dev", stage.st_dev);
	remember("stage_ino", stage.st_ino);
	MUST_HOLD(is_host(&root) && is_host(&stage));
}

/* True when a path, with symlinks followed, is the same file as the container's root. */
static inline bool is_root(const char *path)
{
	struct stat root, other;

	MUST(stat("/", &root));
	return !stat(path, &other) && root.st_dev == other.st_dev && root.st_ino == other.st_ino;
}

/*
 * Inside: the container's root. Through a subject it is there; raw, a small tmpfs
 * becomes the root the way a runtime does it, with a /proc.
 */
static inline void root_enter(void)
{
	if (recall_number("raw")) {
		must_tree(scratch());
		MUST(chdir(scratch()));
		must_mount("proc", "proc", "proc", 0, NULL);
		MUST(syscall(SYS_pivot_root, ".", "."));
		MUST(umount2(".", MNT_DETACH));
		MUST(chdir("/"));
	}
	MUST_HOLD(!is_root("/proc"));
}

/* Inside: root_enter(), and /proc has to be there: without it the claim cannot be kept. */
static inline void root_enter_with_proc(void)
{
	root_enter();
	ASSERT(exists("/proc/self/mountinfo"));
}

#endif

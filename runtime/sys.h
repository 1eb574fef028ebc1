/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of the inside, by their names in man section 2, each with the
 * kernel that brought it. All return -errno (see raw.h); those that give a
 * descriptor never give 0, 1 or 2.
 */
#ifndef RUNTIME_SYS_H
#define RUNTIME_SYS_H

#include "raw.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/statfs.h>

/* <sys/mount.h> and <linux/mount.h> exclude each other in glibc 2.36; umount2(2). */
#define MNT_DETACH 2

static inline int sys_mount(const char *source, const char *target, const char *type,
			    unsigned long flags, const char *data)
{
	return (int)RAW5(SYS_mount, source, target, type, flags, data);
}

static inline int sys_umount2(const char *target, int flags)
{
	return (int)RAW2(SYS_umount2, target, flags);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)RAW2(SYS_pivot_root, new_root, put_old);
}

/* 5.2 */
static inline int sys_open_tree(int dir, const char *path, unsigned int flags)
{
	return raw_new_fd(RAW3(SYS_open_tree, dir, path, flags));
}

/* 5.2: attaches the tree @from at the directory or file @path. */
static inline int sys_attach_tree(int from, int dir, const char *path, unsigned int flags)
{
	return (int)RAW5(SYS_move_mount, from, "", dir, path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}

/* 5.12; the caller falls back on ENOSYS. */
static inline int sys_mount_setattr(int dir, const char *path, unsigned int flags,
				    const struct mount_attr *attr)
{
	return (int)RAW5(SYS_mount_setattr, dir, path, flags, attr, sizeof(*attr));
}

static inline int sys_openat(int dir, const char *path, int flags, unsigned int mode)
{
	return raw_new_fd(RAW4(SYS_openat, dir, path, flags, mode));
}

/* 5.6 */
static inline int sys_openat2(int dir, const char *path, const struct open_how *how)
{
	return raw_new_fd(RAW4(SYS_openat2, dir, path, how, sizeof(*how)));
}

static inline int sys_close(int fd)
{
	return (int)RAW1(SYS_close, fd);
}

static inline int sys_mkdirat(int dir, const char *path, unsigned int mode)
{
	return (int)RAW3(SYS_mkdirat, dir, path, mode);
}

static inline int sys_mknodat(int dir, const char *path, unsigned int mode, unsigned int dev)
{
	return (int)RAW4(SYS_mknodat, dir, path, mode, dev);
}

static inline int sys_symlinkat(const char *target, int dir, const char *path)
{
	return (int)RAW3(SYS_symlinkat, target, dir, path);
}

static inline int sys_readlinkat(int dir, const char *path, char *buf, size_t room)
{
	return (int)RAW4(SYS_readlinkat, dir, path, buf, room);
}

static inline int sys_fchdir(int fd)
{
	return (int)RAW1(SYS_fchdir, fd);
}

static inline int sys_chdir(const char *path)
{
	return (int)RAW1(SYS_chdir, path);
}

/* 4.11; STATX_MNT_ID since 5.8. */
static inline int sys_statx(int dir, const char *path, int flags, unsigned int mask,
			    struct statx *stx)
{
	return (int)RAW5(SYS_statx, dir, path, flags, mask, stx);
}

/* The id of the mount that @path under @dir (or @dir itself) lies on; 0 or -errno. */
static inline int sys_mount_id(int dir, const char *path, uint64_t *id)
{
	struct statx stx = { .stx_mask = 0 };
	int ret = sys_statx(dir, path, AT_EMPTY_PATH, STATX_MNT_ID, &stx);

	*id = stx.stx_mnt_id;
	if (ret < 0)
		return ret;
	return stx.stx_mask & STATX_MNT_ID ? 0 : -EOPNOTSUPP;
}

static inline int sys_statfs(const char *path, struct statfs *st)
{
	return (int)RAW2(SYS_statfs, path, st);
}

static inline int sys_fstatfs(int fd, struct statfs *st)
{
	return (int)RAW2(SYS_fstatfs, fd, st);
}

static inline long sys_read(int fd, void *buf, size_t n)
{
	return RAW3(SYS_read, fd, buf, n);
}

static inline long sys_write(int fd, const void *buf, size_t n)
{
	return RAW3(SYS_write, fd, buf, n);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b)
{
	return (int)RAW5(SYS_prctl, option, a, b, 0, 0);
}

/* rt_sigaction(2) with SIG_DFL. */
static inline int sys_default_action(int sig)
{
	const uint64_t by_default[4] = {
		0
	}; /* the kernel's struct sigaction, not the C library's */

	return (int)RAW4(SYS_rt_sigaction, sig, by_default, NULL, sizeof(uint64_t));
}

static inline int sys_getpid(void)
{
	return (int)RAW1(SYS_getpid, 0);
}

#endif

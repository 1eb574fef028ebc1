/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mount trees made read-only, or closed for devices, whole. All return 0 or -errno. */
#ifndef RUNTIME_READONLY_H
#define RUNTIME_READONLY_H

/* The whole detached @tree. -ENOSYS before 5.12: attach it, then read_only_by_mountinfo(). */
int read_only_tree(int tree);

/* Likewise: no device node of @tree opens (MS_NODEV). */
int no_devices_tree(int tree);

/* The mount at @path alone, on every kernel. */
int read_only_mount(const char *path);

/*
 * Every mount at or below @path, one by one; @proc is the root of a procfs. Not atomic: nothing else may
 * run inside yet. With "/" the kernel's file systems are left alone.
 */
int read_only_by_mountinfo(int proc, const char *path);
int no_devices_by_mountinfo(int proc, const char *path);

#endif

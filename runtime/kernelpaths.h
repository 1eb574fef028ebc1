/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of the kernel's file systems that a container must not read or write. */
#ifndef RUNTIME_KERNELPATHS_H
#define RUNTIME_KERNELPATHS_H

#include <stddef.h>

/* A path, and what covers it: /dev/null, an empty directory, or itself, read-only. */
struct kernel_path {
	const char *path;
	enum { HIDE_FILE, HIDE_DIR, READ_ONLY } how;
};

extern const struct kernel_path proc_paths[];
extern const size_t proc_path_count;

extern const struct kernel_path sys_paths[];
extern const size_t sys_path_count;

/*
 * Likewise below /sys, but absent from most virtual machines and costly to look for (as is
 * thermal_throttle of each CPU: mask.c).
 */
extern const struct kernel_path rare_paths[];
extern const size_t rare_path_count;

#endif

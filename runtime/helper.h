/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs of the host that help us: newuidmap(1) and newgidmap(1). */
#ifndef RUNTIME_HELPER_H
#define RUNTIME_HELPER_H

#include <stddef.h>

enum { HELPER_PATH_ROOM = 4096 };

/*
 * helper_find - the path of the program @name, by the caller's PATH. Returns 0, -ENOENT when
 * it is not installed, or -errno when that cannot be told.
 */
int helper_find(const char *name, char *path, size_t room);

/*
 * helper_run - executes @path with @argv and the caller's environment, and waits for its
 * end. Returns 0 when it has succeeded, -errno, or a reason of our own (fault.h).
 */
long helper_run(const char *path, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories of ours, taken down again. Calls the kernel only: for the janitor, too. */
#ifndef RUNTIME_TREE_H
#define RUNTIME_TREE_H

#include <stdbool.h>

/*
 * Removes the directory @name under @dir with all directories below it and, with @files,
 * all else. Follows no symlink. What cannot be removed stays.
 */
void tree_remove(int dir, const char *name, bool files);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that outlive the first one. The kernel ends them with the PID namespace;
 * with --share pid nobody does, but they still share its mount namespace, or descend from
 * bulkhead. What has left that namespace escapes if bulkhead itself is killed.
 */
#ifndef RUNTIME_LEFTOVERS_H
#define RUNTIME_LEFTOVERS_H

#include "container.h"

/* Makes bulkhead adopt the container's orphans, with --share pid; call before any exists. */
int leftovers_adopt(struct container *c);

/* Waits for those of them that have died. */
void leftovers_reap(const struct container *c);

/* Opens the first process's mount namespace, with --share pid; call before it can end. */
int leftovers_note(struct container *c);

/* Kills every process of that namespace, and adopted one. Calls the kernel only. */
void leftovers_kill(struct container *c);

#endif

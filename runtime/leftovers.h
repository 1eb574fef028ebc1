/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that outlive the first one. The kernel ends them with the PID namespace;
 * with --share pid nobody does, but they still share its mount namespace.
 */
#ifndef RUNTIME_LEFTOVERS_H
#define RUNTIME_LEFTOVERS_H

#include "container.h"

/* Opens the first process's mount namespace, with --share pid; call before it can end. */
int leftovers_note(struct container *c);

/* Kills every process of that namespace and closes it. Calls the kernel only. */
void leftovers_kill(struct container *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The janitor: a second process that waits for bulkhead's death. A command can undo
 * PR_SET_PDEATHSIG (changing its ids does), and nobody else removes a cgroup when
 * bulkhead is killed with SIGKILL. It shares bulkhead's memory and descriptors, so it
 * costs a few kilobytes.
 */
#ifndef RUNTIME_JANITOR_H
#define RUNTIME_JANITOR_H

#include "container.h"

/* Opens c->host_pidfd, of bulkhead itself, unless it is open. Returns 0 or -errno. */
int janitor_open_host(struct container *c);

/* Starts the janitor, unless it runs already. */
int janitor_start(struct container *c);

/* Ends it and waits for it: bulkhead has cleaned up itself. */
void janitor_stop(struct container *c);

/* Removes all that the container had on the host besides processes. */
void janitor_sweep(struct container *c);

#endif

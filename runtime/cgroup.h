/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroup v2 of a container with limits. */
#ifndef RUNTIME_CGROUP_H
#define RUNTIME_CGROUP_H

#include "container.h"

/*
 * Creates a cgroup with the plan's limits and opens it as c->cgroup, or does nothing
 * when no limit was asked for. Starts the janitor first: from here on there is
 * something to clean up.
 */
int cgroup_host(struct container *c);

/*
 * Kills what is left in the cgroup and removes it; for bulkhead and janitor alike, and
 * harmless when repeated. Calls the kernel only, so that the janitor may use it.
 */
void cgroup_remove(struct container *c);

#endif

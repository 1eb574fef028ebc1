/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a container from the first step to the last. */
#ifndef RUNTIME_CREATE_H
#define RUNTIME_CREATE_H

#include "container.h"

/* `run`: creates the container, supervises it, cleans up; returns the exit status. */
int container_run(struct container *c);

/*
 * `child`: the inside only, in this process, in namespaces that somebody else made.
 * Returns, with the exit status, only on failure.
 */
int container_stage(struct container *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work directory that overlayfs needs beside --upper: DIR.work, there for as long as
 * the container is. Whoever uses it holds a lock on it (flock(2)), which the kernel lets
 * go with the last process: one without lock is left of a bulkhead that was killed
 * together with its janitor, and the next takes it over.
 */
#ifndef RUNTIME_UPPER_H
#define RUNTIME_UPPER_H

#include "container.h"

/* Makes and locks it; needs the janitor, who removes it when bulkhead is killed. */
int upper_work_make(struct container *c);

/* Removes it, if it is ours. */
void upper_work_remove(struct container *c);

#endif

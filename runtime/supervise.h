/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bulkhead while the command runs: forwards signals, carries the terminal, waits. */
#ifndef RUNTIME_SUPERVISE_H
#define RUNTIME_SUPERVISE_H

#include "container.h"

/*
 * Blocks every signal, those too that the C library keeps for itself and unblocks when it
 * starts a process. Returns 0 or -errno.
 */
long supervise_block_signals(void);

/* Blocks every signal and opens the descriptor that they arrive at from now on. */
int supervise_prepare(struct container *c);

/* Waits for the end of the container. Returns the exit status of the command. */
int supervise(struct container *c);

/* Kills the first process, if there is one, and waits for it: a host step has failed. */
void supervise_abort(struct container *c);

/* Gives the caller's terminal back as it was. */
void supervise_restore(struct container *c);

#endif

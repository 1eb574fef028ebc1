/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's half of --tty. The container has a terminal of its own (tty.c), whose
 * master comes over the channel; bulkhead carries bytes between it and the caller's
 * stdio. The caller's terminal itself is never inside, so nothing inside can push input
 * into it (TIOCSTI) or take it over. Without --tty each call does nothing.
 */
#ifndef RUNTIME_TERMINAL_H
#define RUNTIME_TERMINAL_H

#include "container.h"

#include <poll.h>

/* Notes the size of the caller's terminal, for the container's to start with. */
void terminal_measure(struct container *c);

/* Takes the master over, and the caller's terminal. */
void terminal_adopt(struct container *c, int master);

/*
 * Puts the caller's terminal into raw mode, again if need be. In the background we are
 * stopped until the shell brings us to the foreground.
 */
void terminal_take(struct container *c);

/* Says in p[0..2] what to poll for: stdin, stdout, master. */
void terminal_want(struct container *c, struct pollfd p[3]);

/*
 * Moves the bytes that poll promised. Returns the signal that a key has just sent to the
 * process group of the container's first process, or 0.
 */
int terminal_carry(struct container *c, const struct pollfd p[3]);

/*
 * Passes on what the command wrote last, as far as it can be without waiting. Returns the
 * descriptor that must be writable before it can go on, or -1 when all has been passed.
 */
int terminal_drain(struct container *c);

/* Gives the container's terminal the size of the caller's. */
void terminal_resize(struct container *c);

/* Puts the caller's terminal back as it was. */
void terminal_restore(struct container *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channel between host and inside: a SOCK_SEQPACKET pair, closed on exec. */
#ifndef RUNTIME_MEET_H
#define RUNTIME_MEET_H

#include "container.h"

/* Opens c->channel. */
int host_open_channel(struct container *c);

/*
 * True when the inside must wait for MEET_RELEASED: its id maps are not written, or its
 * mount namespace is not noted (leftovers.h), before the host side has done so.
 */
bool meet_is_awaited(const struct plan *p);

/* The meeting in words, for an error. */
const char *meet_words(enum meeting meeting);

/* Says @meeting to the other end of @fd. Returns 0 or -errno. */
int meet_say(int fd, enum meeting meeting, const struct fault *fault);

/* Says MEET_TERMINAL and hands over the descriptor @terminal. Returns 0 or -errno. */
int meet_give_terminal(int fd, int terminal);

/*
 * Waits for @meeting from the other end. Returns 0, or -errno: -EPIPE at end of file,
 * -EPROTO when the other side is out of step.
 */
int meet_wait(int fd, enum meeting meeting);

/*
 * Reads the next message without waiting. @terminal receives a descriptor that came
 * with it, or -1. Returns 1, 0 when there is none (or the other end is gone), or -errno.
 */
int meet_poll(int fd, struct message *m, int *terminal);

#endif

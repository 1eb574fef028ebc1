/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices by rtnetlink(7), in the caller's network namespace. Each call waits for the
 * kernel's answer: 0, or -1 with errno as the kernel gave it.
 */
#ifndef HARNESS_LINK_H
#define HARNESS_LINK_H

#include <stdbool.h>

/* A device of that kind ("dummy", "veth"); a veth's other end is called `peer`, else NULL. */
int link_add(const char *kind, const char *name, const char *peer);

/* The device goes to the network namespace of the descriptor, with a new name if that is not NULL. */
int link_move(const char *name, int netns, const char *new_name);

int link_remove(const char *name);

/* Up, or down. */
int link_set(const char *name, bool up);

/* Gives the device an IPv4 address of that many leading bits, "192.0.2.1". */
int link_address(const char *name, const char *address, unsigned bits);

/* Gives the network namespace of the descriptor a number, by which this one knows it. */
int netns_number(int netns, int number);

/* By what number this network namespace knows that of the descriptor; -1 for none. */
int netns_numbered(int netns);

#endif

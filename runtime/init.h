/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --init: a PID 1 that reaps orphans and forwards signals. It is a sealed copy of
 * bulkhead, so that /proc/1/exe inside is not the host's binary (CVE-2019-5736).
 */
#ifndef RUNTIME_INIT_H
#define RUNTIME_INIT_H

#include "container.h"

/* The verb that the copy is executed with: not for users, and in no help text. */
#define INIT_VERB "init-of-container"

/* Makes the sealed copy, c->init_fd, when the plan wants an init. */
int init_host(struct container *c);

/* The argument vector of the copy; @path is where the command will be found. */
char **init_argv(const struct plan *p, char *path);

/* Life as PID 1: executes argv[0] as a child with the arguments argv[1..]. */
int init_main(char **argv);

#endif

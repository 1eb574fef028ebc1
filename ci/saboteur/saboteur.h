/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CI_SABOTEUR_H
#define CI_SABOTEUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A system call at its entry: the number and the arguments, as the kernel got them. */
struct call {
	pid_t pid;
	uint64_t number, argument[6];
};

/*
 * The call as text, `mount("proc", "/proc", "proc", 0xe, NULL)`. False for a call that
 * nothing depends on: one that is not in the table, or that changes no state of isolation.
 */
bool call_text(const struct call *call, char *text, size_t size);

/* Takes CLONE_* flags out of a clone, clone3 or unshare that is about to be made. */
bool call_clear(const struct call *call, uint64_t flags);

/* Makes no call of the one that is about to be made; then gives it another result. */
bool call_skip(pid_t pid);
bool call_result(pid_t pid, long value);

#endif

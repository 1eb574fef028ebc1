/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: one table, from which parsing, --help and `features` derive. */
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include "plan.h"

#include <stdio.h>

enum verb {
	VERB_RUN = 1,
	VERB_CHILD = 2,
};

/*
 * options_parse - read the arguments after the verb, NULL-terminated, into @p (zeroed).
 * Strings of @p point into @argv. Returns 0; 1 when --help was asked for; or -1 after
 * printing what is wrong with them.
 */
int options_parse(enum verb verb, char **argv, struct plan *p);

/* The table, as the help text. */
void options_help(FILE *to);

/* Calls @each with the name of every option, in the order of the table. */
void options_each_name(void (*each)(const char *name, void *arg), void *arg);

#endif

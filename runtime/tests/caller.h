/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the command line to the plan, with a caller who is made up: each test says whether
 * root or a user calls, and what subordinate ids that user has. For test_options.c and
 * test_refusals.c, each of which is a program of its own.
 */
#ifndef RUNTIME_TESTS_CALLER_H
#define RUNTIME_TESTS_CALLER_H

#include "../identity.h"
#include "../options.h"
#include "../subid.h"

#include <unistd.h>

static uint32_t caller;
static unsigned int subordinate_ids;

static uint32_t made_up_uid(void)
{
	return caller;
}

static int fake_subid_maps(const char *file, const char *helper, uint32_t own, struct id_maps *maps)
{
	(void)file;
	(void)helper;
	maps->line[0] = (struct id_map){ 0, own, 1 };
	maps->line[1] = (struct id_map){ 1, 100000, subordinate_ids };
	maps->n = subordinate_ids ? 2 : 1;
	return 0;
}

#define caller_uid made_up_uid
#define subid_maps fake_subid_maps
#include "../request.c"
#undef caller_uid
#undef subid_maps

#include "unit.h"

enum { USER = 1000 };

static struct plan plan;

/* Splits @line at blanks, as a shell would without quotes. */
static char **words(const char *line)
{
	static char *argv[64];
	size_t n = 0;

	for (char *word = strtok(unit_copy(line), " "); word; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
	return argv;
}

static void as_root(void)
{
	memset(&plan, 0, sizeof(plan));
	caller = 0;
	subordinate_ids = 0;
	setenv("TERM", "vt100", 1);
}

#endif

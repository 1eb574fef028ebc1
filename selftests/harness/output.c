// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a test's processes write to stdout and stderr: one pipe for the program,
 * emptied after each run, so nothing a test prints can pass for a result line.
 */
#include "harness.h"

enum { KEEP = 16384 };

static int ends[2];
static char kept[KEEP + 1];
static size_t used;

void output_open(void)
{
	if (pipe2(ends, O_CLOEXEC)) {
		perror("selftest: cannot make a pipe");
		exit(1);
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

int output_fd(void)
{
	return ends[0];
}

/* In a test's process: its stdout and stderr lead into the pipe, stdin is empty. */
void output_take(void)
{
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup2(empty, 0);
	dup2(ends[1], 1);
	dup2(ends[1], 2);
	close(empty);
	close(ends[0]);
	close(ends[1]);
}

/* Keeps the beginning and forgets the rest: a test that floods must not fill memory. */
void output_drain(void)
{
	char flood[4096];
	ssize_t got;

	while ((got = read(ends[0], flood, sizeof(flood))) > 0) {
		size_t room = KEEP - used, part = (size_t)got < room ? (size_t)got : room;

		memcpy(kept + used, flood, part);
		used += part;
	}
}

const char *output_text(void)
{
	kept[used] = 0;
	used = 0;
	return kept;
}

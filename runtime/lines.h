/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file line by line, without heap or errno. */
#ifndef RUNTIME_LINES_H
#define RUNTIME_LINES_H

#include <stddef.h>

enum { LINE_ROOM = 2 * 4096 + 512 }; /* two paths and more: a line of mountinfo */

/* Open @fd and zero the rest; close @fd afterwards. */
struct lines {
	int fd;
	size_t have, used; /* bytes of buf: read, and given out */
	int error;         /* -errno of a read that failed, -E2BIG for too long a line, or 0 */
	char buf[LINE_ROOM];
};

/*
 * lines_next - the next line, without its newline; NULL at the end or after an error,
 * which l->error tells apart. The line is the caller's to change until the next call.
 */
char *lines_next(struct lines *l);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "lines.h"

#include "sys.h"

#include <string.h>

/*
 * Reads more behind what is there; false at the end of the file and on an error. The end
 * is asked for twice: a read that was lost must not cut a file short.
 */
static int more(struct lines *l)
{
	long n;

	memmove(l->buf, l->buf + l->used, l->have - l->used);
	l->have -= l->used;
	l->used = 0;
	if (l->have == sizeof(l->buf) - 1) {
		l->error = -E2BIG;
		return 0;
	}
	n = sys_read(l->fd, l->buf + l->have, sizeof(l->buf) - 1 - l->have);
	if (n == 0)
		n = sys_read(l->fd, l->buf + l->have, sizeof(l->buf) - 1 - l->have);
	if (n < 0)
		l->error = (int)n;
	else
		l->have += (size_t)n;
	return n > 0;
}

char *lines_next(struct lines *l)
{
	char *line, *end;

	while (!l->error) {
		line = l->buf + l->used;
		end = memchr(line, '\n', l->have - l->used);
		if (end || (!more(l) && !l->error && l->have)) {
			line = l->buf + l->used;
			end = end ? end : l->buf + l->have;
			*end = '\0';
			l->used = end < l->buf + l->have ? (size_t)(end - l->buf) + 1 : l->have;
			return line;
		}
		if (!l->have)
			return NULL;
	}
	return NULL;
}

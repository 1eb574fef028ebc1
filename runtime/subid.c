// SPDX-License-Identifier: GPL-2.0-or-later
#include "subid.h"

#include "helper.h"
#include "identity.h"
#include "lines.h"
#include "sys.h"
#include "text.h"
#include "values.h"

#include <string.h>

static bool overlaps(const struct id_map *a, const struct id_map *b)
{
	return a->host < (uint64_t)b->host + b->count && b->host < (uint64_t)a->host + a->count;
}

/* Appends a range; one that the kernel would refuse, and with it the whole map, is skipped. */
static void add_range(struct id_maps *maps, const char *start, const char *count)
{
	const struct id_map *last = &maps->line[maps->n - 1];
	struct id_map new = { .inside = last->inside + last->count };
	uint64_t first, n;

	if (maps->n == ID_MAP_ROOM || parse_number(start, 0, UINT32_MAX, &first) ||
	    parse_number(count, 1, UINT32_MAX - new.inside, &n) || first + n > UINT32_MAX)
		return;
	new.host = (uint32_t)first;
	new.count = (uint32_t)n;
	for (size_t i = 0; i < maps->n; i++)
		if (overlaps(&maps->line[i], &new))
			return;
	maps->line[maps->n++] = new;
}

/* Cuts a line at its colons into @n fields; false when it has fewer. */
static bool split(char *line, char *field[], int n)
{
	for (int i = 0; i < n; i++)
		field[i] = strsep(&line, ":");
	return field[n - 1] != NULL;
}

/* A file that is not there has no lines; one that cannot be read is an error. */
static int end_of(struct lines *l)
{
	if (l->fd == -ENOENT)
		return 0;
	if (l->fd < 0)
		return l->fd;
	sys_close(l->fd);
	return l->error;
}

/*
 * The caller's login name, from /etc/passwd alone: a static program has no other source
 * of names. "" when it has none.
 */
static int login_name(const char *uid, char *name, size_t room)
{
	struct lines l = { .fd = sys_openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0) };
	char *line, *field[3];

	*name = '\0';
	while (l.fd >= 0 && !*name && (line = lines_next(&l)))
		if (split(line, field, 3) && strcmp(field[2], uid) == 0)
			text_add(name, room, field[0]);
	return end_of(&l);
}

static int read_ranges(const char *file, const char *name, const char *uid, struct id_maps *maps)
{
	struct lines l = { .fd = sys_openat(AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0) };
	char *line, *field[3];

	while (l.fd >= 0 && (line = lines_next(&l)))
		if (split(line, field, 3) &&
		    (strcmp(field[0], name) == 0 || strcmp(field[0], uid) == 0))
			add_range(maps, field[1], field[2]);
	return end_of(&l);
}

int subid_maps(const char *file, const char *helper, uint32_t own, struct id_maps *maps)
{
	char path[HELPER_PATH_ROOM], name[64], uid[16] = "";
	int ret;

	maps->line[0] = (struct id_map){ 0, own, 1 };
	maps->n = 1;
	ret = helper_find(helper, path, sizeof(path));
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	text_add_number(uid, sizeof(uid), caller_uid());
	ret = login_name(uid, name, sizeof(name));
	return ret < 0 ? ret : read_ranges(file, *name ? name : uid, uid, maps);
}

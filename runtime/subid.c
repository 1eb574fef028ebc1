// SPDX-License-Identifier: GPL-2.0-or-later
#include "subid.h"

#include "values.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_installed(const char *helper)
{
	const char *dir = getenv("PATH"), *end;
	char path[4096];

	for (; dir && *dir; dir = *end ? end + 1 : NULL) {
		end = strchrnul(dir, ':');
		snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dir), dir, helper);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

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

/* Cuts "NAME-OR-UID:START:COUNT" into its three fields; false when it is not that. */
static bool split(char *line, char *field[3])
{
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 3; i++)
		field[i] = strsep(&line, ":");
	return field[0] && field[1] && field[2] && !line;
}

static void read_ranges(FILE *f, const char *name, const char *uid, struct id_maps *maps)
{
	char *line = NULL, *field[3];
	size_t room = 0;

	while (getline(&line, &room, f) > 0)
		if (split(line, field) &&
		    (strcmp(field[0], name) == 0 || strcmp(field[0], uid) == 0))
			add_range(maps, field[1], field[2]);
	free(line);
}

/* From /etc/passwd alone: a static program has no other source of names. */
static const char *login_name(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	while (f && (pw = fgetpwent(f)) && pw->pw_uid != geteuid())
		;
	if (f)
		fclose(f);
	return pw ? pw->pw_name : NULL;
}

void subid_maps(const char *file, const char *helper, uint32_t own, struct id_maps *maps)
{
	const char *name = login_name();
	char uid[16];
	FILE *f;

	maps->line[0] = (struct id_map){ 0, own, 1 };
	maps->n = 1;
	snprintf(uid, sizeof(uid), "%u", geteuid());
	f = is_installed(helper) ? fopen(file, "re") : NULL;
	if (!f)
		return;
	read_ranges(f, name ? name : uid, uid, maps);
	fclose(f);
}

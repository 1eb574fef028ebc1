// SPDX-License-Identifier: GPL-2.0-or-later
#include "subid.h"

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

/* A line is "NAME-OR-UID:START:COUNT". */
static bool is_ours(const char *line, const char *name, const char *uid)
{
	size_t n = strcspn(line, ":");

	return (strlen(name) == n && strncmp(line, name, n) == 0) ||
	       (strlen(uid) == n && strncmp(line, uid, n) == 0);
}

static void add_range(struct id_maps *maps, const char *line)
{
	const struct id_map *last = &maps->line[maps->n - 1];
	unsigned long start, count;

	if (maps->n == ID_MAP_ROOM ||
	    sscanf(line + strcspn(line, ":"), ":%lu:%lu", &start, &count) != 2 || !count ||
	    start + count > UINT32_MAX || last->inside + last->count + count > UINT32_MAX)
		return;
	maps->line[maps->n++] =
		(struct id_map){ last->inside + last->count, (uint32_t)start, (uint32_t)count };
}

void subid_maps(const char *file, const char *helper, uint32_t own, struct id_maps *maps)
{
	const struct passwd *pw = getpwuid(geteuid());
	char line[256], uid[16];
	FILE *f;

	maps->line[0] = (struct id_map){ 0, own, 1 };
	maps->n = 1;
	snprintf(uid, sizeof(uid), "%u", geteuid());
	f = is_installed(helper) ? fopen(file, "re") : NULL;
	while (f && fgets(line, sizeof(line), f))
		if (is_ours(line, pw ? pw->pw_name : "", uid))
			add_range(maps, line);
	if (f)
		fclose(f);
}

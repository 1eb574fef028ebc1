/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's mount table, read from /proc/self/mountinfo (proc(5)):
 * ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG]... - TYPE SOURCE SUPEROPTIONS
 * A relative path means one of the stage, the working directory of most tests.
 */
#ifndef MNT_MOUNTINFO_H
#define MNT_MOUNTINFO_H

#include "../harness/selftest.h"

/* One line of the table; `id` is 0 where nothing is mounted. */
struct mount_line {
	int id, parent;
	char root[256];    /* the mount's root within its file system */
	char options[256]; /* per-mount options, "rw,nosuid,relatime" */
	char tags[96];     /* propagation, "shared:7 master:3"; empty = private */
	char type[64], source[256], super[512];
};

/* "name" of the stage as an absolute path; an absolute path as it is. */
static inline const char *full(const char *path)
{
	return path[0] == '/' ? path : text("%s/%s", scratch(), path);
}

static inline void line_parse(const char *text, struct mount_line *line)
{
	const char *dash = strstr(text, " - ");
	int used = 0;

	if (!dash || sscanf(text, "%d %d %*s %255s %*s %255s%n", &line->id, &line->parent,
			    line->root, line->options, &used) != 4)
		broken("cannot understand the mountinfo line \"%s\"", text);
	if (text + used < dash)
		snprintf(line->tags, sizeof(line->tags), "%.*s", (int)(dash - text - used - 1),
			 text + used + 1);
	sscanf(dash + 3, "%63s %255s %511s", line->type, line->source, line->super);
}

/* The topmost mount at a path; all zero when there is none. */
static inline struct mount_line mount_at(const char *path)
{
	struct mount_line line = { 0 };
	const char *found = mounted_at(full(path));

	if (found)
		line_parse(found, &line);
	return line;
}

static inline bool is_mounted(const char *path)
{
	return mounted_at(full(path));
}

/* The number behind "shared", "master" or "propagate_from" at a path, 0 for none. */
static inline int group_at(const char *tag, const char *path)
{
	struct mount_line line = mount_at(path);
	const char *at = strstr(line.tags, tag);

	return at ? (int)strtol(at + strlen(tag) + 1, NULL, 10) : 0;
}

/* How many mounts the caller sees at or below a path ("" = everywhere). */
static inline unsigned mounts_below(const char *prefix)
{
	const char *line = must_read("/proc/self/mountinfo");
	unsigned count = 0;

	for (; *line; line += strcspn(line, "\n") + 1) {
		char at[PATH_MAX];

		count += sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1 &&
			 !strncmp(at, prefix, strlen(prefix));
	}
	return count;
}

/* True when a per-mount option stands in the comma-separated list. */
static inline bool has_option(const char *list, const char *option)
{
	size_t length = strlen(option);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		if (!strncmp(list, option, length) && (!list[length] || list[length] == ','))
			return true;
	return false;
}

#endif

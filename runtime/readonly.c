// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mount trees made read-only, or closed for devices, whole. mount_setattr(2) does it at
 * once since Linux 5.12; before, each mount at or below the path is remounted, and the
 * list of them is /proc/self/mountinfo.
 */
#include "readonly.h"

#include "lines.h"
#include "sys.h"

#include <stdbool.h>
#include <string.h>

/* The flags that a remount must repeat, or a user namespace refuses it (EPERM). */
static unsigned long kept_flags(const struct statfs *st)
{
	unsigned long have = (unsigned long)st->f_flags, keep = 0;
	static const struct {
		unsigned long st, ms;
	} pairs[] = {
		{ 0x0001, MS_RDONLY },   { 0x0002, MS_NOSUID },  { 0x0004, MS_NODEV },
		{ 0x0008, MS_NOEXEC },   { 0x0400, MS_NOATIME }, { 0x0800, MS_NODIRATIME },
		{ 0x1000, MS_RELATIME },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (have & pairs[i].st)
			keep |= pairs[i].ms;
	return keep;
}

/* @add: MS_RDONLY or MS_NODEV. */
static int remount(const char *path, unsigned long add)
{
	struct statfs st = { .f_flags = 0 };
	int ret = sys_statfs(path, &st);

	if (ret < 0)
		return ret;
	return sys_mount("none", path, NULL, MS_REMOUNT | MS_BIND | add | kept_flags(&st), NULL);
}

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (n == 1)
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_kernelfs(const char *path)
{
	return is_below(path, "/proc") || is_below(path, "/sys") || is_below(path, "/dev");
}

/* The kernel writes blanks and backslashes as three octal digits: proc(5), mountinfo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* The fifth field of a line of mountinfo, cut out in place; NULL when there is none. */
static char *mount_point(char *line)
{
	char *end;

	for (int field = 1; field < 5; field++) {
		line = strchr(line, ' ');
		if (!line)
			return NULL;
		line++;
	}
	end = strchr(line, ' ');
	if (!end)
		return NULL;
	*end = '\0';
	unescape(line);
	return line;
}

static int remount_line(char *line, const char *top, unsigned long add)
{
	char *path = mount_point(line);

	if (!path)
		return -EIO;
	if (!is_below(path, top) || (is_kernelfs(path) && !is_kernelfs(top)))
		return 0;
	return remount(path, add);
}

static int walk_mountinfo(int proc, const char *top, unsigned long add)
{
	struct lines l = { .fd = sys_openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC, 0) };
	int err = l.fd < 0 ? l.fd : 0;
	char *line;

	while (!err && (line = lines_next(&l)))
		err = remount_line(line, top, add);
	sys_close(l.fd);
	return err ? err : l.error;
}

int read_only_tree(int tree)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
}

int no_devices_tree(int tree)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV };

	return sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
}

int read_only_mount(const char *path)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int ret = sys_mount_setattr(AT_FDCWD, path, 0, &attr);

	return ret == -ENOSYS ? remount(path, MS_RDONLY) : ret;
}

int read_only_by_mountinfo(int proc, const char *path)
{
	return walk_mountinfo(proc, path, MS_RDONLY);
}

int no_devices_by_mountinfo(int proc, const char *path)
{
	return walk_mountinfo(proc, path, MS_NODEV);
}

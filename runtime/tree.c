// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.h"

#include "dirents.h"
#include "sys.h"

static int open_directory(int dir, const char *name)
{
	int fd = sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

	/* Overlayfs leaves a directory of ours without any permission. */
	if (fd == -EACCES || fd == -EPERM) {
		RAW3(SYS_fchmodat, dir, name, 0700);
		fd = sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	}
	return fd;
}

static void remove_entry(int dir, const struct dir_entry *e, bool files)
{
	if (dir_entry_is_dots(e))
		return;
	if (e->type == DIR_ENTRY_DIRECTORY)
		tree_remove(dir, e->name, files);
	else if (files)
		RAW3(SYS_unlinkat, dir, e->name, 0);
}

void tree_remove(int dir, const char *name, bool files)
{
	char buf[2048] __attribute__((aligned(8))) = "";
	int fd = open_directory(dir, name);
	long n;

	while ((n = RAW3(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		const struct dir_entry *e;

		for (long at = 0; at < n; at += e->size) {
			e = (const struct dir_entry *)(buf + at);
			remove_entry(fd, e, files);
		}
	}
	sys_close(fd);
	RAW3(SYS_unlinkat, dir, name, AT_REMOVEDIR);
}

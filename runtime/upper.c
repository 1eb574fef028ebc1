// SPDX-License-Identifier: GPL-2.0-or-later
#include "upper.h"

#include "dirents.h"
#include "sys.h"
#include "text.h"
#include "tree.h"

#include <string.h>
#include <sys/file.h>

/* Overlayfs makes its directories without any permission: nobody else has such. */
static bool is_of_overlayfs(int dir, const struct dir_entry *e)
{
	struct statx stx = { .stx_mode = 0 };

	if (dir_entry_is_dots(e))
		return true;
	if (strcmp(e->name, "work") != 0 && strcmp(e->name, "index") != 0)
		return false;
	return sys_statx(dir, e->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_MODE, &stx) == 0 &&
	       stx.stx_mode == S_IFDIR;
}

/* Does it hold what overlayfs leaves there, or nothing? Else it is somebody's data. */
static int check_contents(int dir)
{
	char buf[1024] __attribute__((aligned(8))) = "";
	const struct dir_entry *e;
	long n;

	while ((n = RAW3(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n; at += e->size) {
			e = (const struct dir_entry *)(buf + at);
			if (!is_of_overlayfs(dir, e))
				return -EEXIST;
		}
	return (int)n;
}

/* Whoever had the lock before may have removed the directory since we opened it. */
static int check_name(int dir, const char *path)
{
	struct statx ours = { .stx_ino = 0 }, there = { .stx_ino = 1 };
	int ret = sys_statx(dir, "", AT_EMPTY_PATH, STATX_INO, &ours);

	if (ret == 0)
		ret = sys_statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, &there);
	if (ret == 0 &&
	    (ours.stx_ino != there.stx_ino || ours.stx_dev_major != there.stx_dev_major ||
	     ours.stx_dev_minor != there.stx_dev_minor))
		ret = -EBUSY;
	return ret;
}

/* Returns a descriptor of the directory, locked; -EBUSY when a container works there. */
static int take(const char *path, bool is_new)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	int ret = fd < 0 ? fd : (int)RAW2(SYS_flock, fd, LOCK_EX | LOCK_NB);

	if (ret == 0 && !is_new)
		ret = check_name(fd, path);
	if (ret == 0 && !is_new)
		ret = check_contents(fd);
	if (ret == 0)
		return fd;
	sys_close(fd);
	return ret == -EAGAIN ? -EBUSY : ret;
}

int upper_work_make(struct container *c)
{
	int ret;

	/* Noted before it exists, so that whoever is left removes it. */
	text_add(c->work_path, sizeof(c->work_path), c->plan->upper);
	text_add(c->work_path, sizeof(c->work_path), UPPER_WORK_SUFFIX);
	if (strlen(c->work_path) == sizeof(c->work_path) - 1)
		return fail(&c->fault, STEP_find_upper, c->plan->upper, ENAMETOOLONG);
	ret = sys_mkdirat(AT_FDCWD, c->work_path, 0700);
	if (ret == 0 || ret == -EEXIST)
		ret = c->work = take(c->work_path, ret == 0);
	return ret < 0 ? fail(&c->fault, STEP_find_upper, c->work_path, ret) : 0;
}

/* Until it is known to be gone: a call may fail in passing, or be lost. */
void upper_work_remove(struct container *c)
{
	enum { PASSES = 3 };

	if (!*c->work_path)
		return;
	if (c->work < 0) { /* not locked: whoever works there has something in it */
		RAW3(SYS_unlinkat, AT_FDCWD, c->work_path, AT_REMOVEDIR);
		return;
	}
	RAW3(SYS_unlinkat, c->work, "work", AT_REMOVEDIR);
	for (int i = 0; i < PASSES; i++) {
		long ret = RAW3(SYS_unlinkat, AT_FDCWD, c->work_path, AT_REMOVEDIR);

		if (ret == -ENOENT)
			return;
		if (ret < 0)
			tree_remove(AT_FDCWD, c->work_path, true);
	}
}

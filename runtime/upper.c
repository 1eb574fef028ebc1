// SPDX-License-Identifier: GPL-2.0-or-later
#include "upper.h"

#include "dirents.h"
#include "sys.h"
#include "text.h"
#include "tree.h"

#include <string.h>
#include <sys/file.h>

/*
 * How a directory that bulkhead has made is told from one that a user has: with the
 * sticky bit, for the owner alone.
 */
enum { OUR_MARK = S_ISVTX, NOT_OURS = S_IRWXG | S_IRWXO };

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

/*
 * Is the open directory @dir what @path names? Whoever had the lock before may have
 * removed it since we opened it: then it is -ENOENT, or -EBUSY as another has the name.
 */
static int check_name(int dir, const char *path)
{
	struct statx ours = { .stx_mask = 0 }, there = { .stx_mask = 0 };
	int ret = sys_statx(dir, "", AT_EMPTY_PATH, STATX_INO, &ours);

	if (ret == 0)
		ret = sys_statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, &there);
	if (ret < 0)
		return ret;
	if (!(ours.stx_mask & there.stx_mask & STATX_INO))
		return -LIE;
	return ours.stx_ino == there.stx_ino && ours.stx_dev_major == there.stx_dev_major &&
			       ours.stx_dev_minor == there.stx_dev_minor
		       ? 0
		       : -EBUSY;
}

/* A directory that bulkhead has not made may be empty, and still somebody's. */
static int check_mark(int dir)
{
	struct statx stx = { .stx_mode = 0 };
	int ret = sys_statx(dir, "", AT_EMPTY_PATH, STATX_MODE, &stx);

	if (ret < 0)
		return ret;
	return stx.stx_mode & OUR_MARK && !(stx.stx_mode & NOT_OURS) ? 0 : -EEXIST;
}

/*
 * Opens and locks the directory; -EBUSY when another container works there. The janitor
 * goes on with the descriptor, and so with the lock, of a bulkhead that is killed in here.
 */
static int take(struct container *c)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int ret;

	if (c->work < 0)
		c->work = sys_openat(AT_FDCWD, c->work_path, flags, 0);
	ret = c->work < 0 ? c->work : (int)RAW2(SYS_flock, c->work, LOCK_EX | LOCK_NB);
	if (ret == 0)
		ret = check_name(c->work, c->work_path);
	if (ret == 0)
		ret = check_mark(c->work);
	if (ret == 0)
		ret = check_contents(c->work);
	if (ret == 0) {
		c->works = true;
		return 0;
	}
	sys_close(c->work);
	c->work = -1;
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
	ret = sys_mkdirat(AT_FDCWD, c->work_path, OUR_MARK | 0700);
	if (ret == 0 || ret == -EEXIST)
		ret = take(c);
	return ret < 0 ? fail(&c->fault, STEP_find_upper, c->work_path, ret) : 0;
}

/*
 * Until it is known to be gone: a call may fail in passing, or be lost. Only who has the
 * lock may remove it, so what the name was before the removal it is at the removal.
 */
void upper_work_remove(struct container *c)
{
	enum { PASSES = 3 };

	if (!*c->work_path)
		return;
	if (!c->works && take(c) < 0) /* made, perhaps, and not taken yet */
		return;
	RAW3(SYS_unlinkat, c->work, "work", AT_REMOVEDIR);
	for (int i = 0; i < PASSES; i++) {
		int ret = check_name(c->work, c->work_path);

		if (ret == -ENOENT || ret == -EBUSY)
			return;
		if (ret == 0 && RAW3(SYS_unlinkat, AT_FDCWD, c->work_path, AT_REMOVEDIR) < 0)
			tree_remove(AT_FDCWD, c->work_path, true);
	}
}

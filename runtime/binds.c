// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bind mounts and tmpfs that the caller asked for. A source is opened while the host is
 * in sight; its target is resolved when the host no longer is: no symlink in the rootfs
 * can lead the target out, and none in the source can be swapped after the check.
 */
#include "newfs.h"
#include "readonly.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/resource.h>

int binds_host(struct container *c)
{
	const struct plan *p = c->plan;

	for (size_t i = 0; i < p->n_binds; i++) {
		int fd = sys_openat(AT_FDCWD, p->binds[i].source, O_PATH | O_CLOEXEC, 0);

		if (fd < 0)
			return fail(&c->fault, STEP_find_bind, p->binds[i].source, fd);
		sys_close(fd);
	}
	return 0;
}

bool binds_cover(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_tmpfs; i++)
		if (strcmp(p->tmpfs[i].target, path) == 0)
			return true;
	for (size_t i = 0; i < p->n_binds; i++)
		if (strcmp(p->binds[i].target, path) == 0)
			return true;
	return false;
}

/* Every source is a descriptor until the root is switched; the limit is put back then. */
static int raise_descriptor_limit(struct inside *in, struct rlimit64 *before)
{
	struct rlimit64 more;
	int ret = (int)RAW4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, before);

	if (ret < 0)
		return fail(&in->fault, STEP_find_bind, in->plan->binds[0].source, ret);
	more = *before;
	if (more.rlim_cur < in->plan->n_binds + 64)
		more.rlim_cur = more.rlim_max;
	ret = (int)RAW4(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, NULL);
	return ret < 0 ? fail(&in->fault, STEP_find_bind, in->plan->binds[0].source, ret) : 0;
}

static int open_source(struct inside *in, const struct bind *b, int *tree)
{
	int ret = 0;

	*tree = sys_open_tree(AT_FDCWD, b->source,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (*tree >= 0 && b->read_only)
		ret = read_only_tree(*tree);
	if (ret == -ENOSYS)
		in->by_mountinfo = true;
	if (*tree < 0 || (ret < 0 && ret != -ENOSYS))
		return fail(&in->fault, STEP_find_bind, b->source, *tree < 0 ? *tree : ret);
	return 0;
}

int binds_open(struct inside *in)
{
	const struct plan *p = in->plan;

	if (!p->n_binds)
		return 0;
	TRY(raise_descriptor_limit(in, &in->descriptor_limit));
	for (size_t i = 0; i < p->n_binds; i++)
		TRY(open_source(in, &p->binds[i], &in->bind_trees[i]));
	return 0;
}

/* Opens @path as it is inside; no magic link of /proc is a target. */
static int open_target(const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_NO_MAGICLINKS };

	return sys_openat2(AT_FDCWD, path, &how);
}

/* Makes every missing directory on the way to @path, and @path itself like the source. */
static int make_target(const char *path, bool is_dir)
{
	char part[COMMAND_PATH_ROOM];
	size_t n = strlen(path);
	int ret = 0;

	for (size_t i = 1; i <= n && ret == 0; i++) {
		bool last = i == n;

		if (!last && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (last && !is_dir)
			ret = sys_mknodat(AT_FDCWD, part, S_IFREG | 0644, 0);
		else
			ret = sys_mkdirat(AT_FDCWD, part, 0755);
		if (ret == -EEXIST)
			ret = 0;
	}
	return ret;
}

static bool is_directory(int fd)
{
	struct statx stx = { .stx_mode = 0 };

	sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx);
	return (stx.stx_mode & S_IFMT) == S_IFDIR;
}

/* One of our own mounts, however the caller or a link of the rootfs has spelled it. */
static bool is_ours(int fd)
{
	static const char *const ours[] = { "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts" };
	struct statx target = { .stx_attributes = 0 }, own;

	sys_statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &target);
	if (!(target.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (sys_statx(AT_FDCWD, ours[i], 0, STATX_MNT_ID, &own) == 0 &&
		    own.stx_mnt_id == target.stx_mnt_id)
			return true;
	return false;
}

/* A target in /proc would hide what tools and kernel trust (CVE-2019-16884). */
static int find_target(struct inside *in, const char *path, bool is_dir)
{
	struct statfs st = { .f_type = PROC_SUPER_MAGIC };
	int fd = open_target(path), ret;

	if (fd == -ENOENT) {
		ret = make_target(path, is_dir);
		if (ret < 0)
			return fail(&in->fault, STEP_make_target, path, ret);
		fd = open_target(path);
	}
	if (fd < 0)
		return fail(&in->fault, STEP_check_target, path, fd);
	ret = sys_fstatfs(fd, &st);
	if (ret == 0 && st.f_type == PROC_SUPER_MAGIC)
		ret = IS_KERNEL_FS;
	else if (ret == 0 && is_ours(fd))
		ret = WOULD_HIDE;
	else if (ret == 0 && is_dir != is_directory(fd))
		ret = is_dir ? ENOTDIR : EISDIR;
	if (ret == 0)
		return fd;
	sys_close(fd);
	return fail(&in->fault, STEP_check_target, path, ret);
}

int binds_targets(struct inside *in)
{
	const struct plan *p = in->plan;

	if (!p->read_only)
		return 0;
	for (size_t i = 0; i < p->n_tmpfs + p->n_binds; i++) {
		bool tmpfs = i < p->n_tmpfs;
		const struct bind *b = &p->binds[i - p->n_tmpfs];
		int fd = tmpfs ? find_target(in, p->tmpfs[i].target, true)
			       : find_target(in, b->target,
					     is_directory(in->bind_trees[i - p->n_tmpfs]));

		TRY(fd);
		sys_close(fd);
	}
	return 0;
}

/* Afterwards, @path must lead to the mount @id. */
static int check_attached(struct inside *in, const char *path, uint64_t id)
{
	uint64_t now = 0;
	int fd = open_target(path), ret = fd;

	if (fd >= 0) {
		ret = sys_mount_id(fd, "", &now);
		sys_close(fd);
	}
	if (ret < 0 || now != id)
		return fail(&in->fault, STEP_mount, path, ret < 0 ? ret : LIE);
	return 0;
}

/* Returns a tmpfs that is not attached yet. */
static int make_tmpfs(const struct tmpfs *t)
{
	char size[24] = "";
	const struct newfs_option options[] = { { "mode", "1777" },
						{ t->size ? "size" : NULL, size },
						{ NULL, NULL } };

	text_add_number(size, sizeof(size), t->size);
	return newfs_make("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* At the directory that was looked at, whatever its path leads to by now. */
static int attach_at(int tree, int target, uint64_t *id)
{
	int ret = sys_mount_id(tree, "", id);

	if (ret == 0)
		ret = sys_attach_tree(tree, target, "", MOVE_MOUNT_T_EMPTY_PATH);
	sys_close(target);
	sys_close(tree);
	return ret;
}

static int attach_tmpfs(struct inside *in, const struct tmpfs *t)
{
	int ret, tree, target = find_target(in, t->target, true);
	uint64_t id = 0;

	TRY(target);
	ret = tree = make_tmpfs(t);
	if (tree >= 0)
		ret = attach_at(tree, target, &id);
	if (ret < 0)
		return fail(&in->fault, STEP_mount, t->target, ret);
	return check_attached(in, t->target, id);
}

static int check_read_only(struct inside *in, const struct bind *b)
{
	struct statfs st = { .f_flags = 0 };
	int ret = 0;

	if (!b->read_only)
		return 0;
	if (in->by_mountinfo)
		ret = read_only_by_mountinfo(in->fs[PROC], b->target);
	if (ret == 0)
		ret = sys_statfs(b->target, &st);
	if (ret < 0 || !(st.f_flags & MS_RDONLY))
		return fail(&in->fault, STEP_protect, b->target, ret ? ret : LIE);
	return 0;
}

static int attach_bind(struct inside *in, const struct bind *b, int tree)
{
	int ret, target = find_target(in, b->target, is_directory(tree));
	uint64_t id = 0;

	TRY(target);
	ret = attach_at(tree, target, &id);
	if (ret < 0)
		return fail(&in->fault, STEP_find_bind, b->source, ret);
	TRY(check_attached(in, b->target, id));
	return check_read_only(in, b);
}

int binds_attach(struct inside *in)
{
	const struct plan *p = in->plan;

	for (size_t i = 0; i < p->n_tmpfs; i++)
		TRY(attach_tmpfs(in, &p->tmpfs[i]));
	for (size_t i = 0; i < p->n_binds; i++)
		TRY(attach_bind(in, &p->binds[i], in->bind_trees[i]));
	if (p->n_binds && RAW4(SYS_prlimit64, 0, RLIMIT_NOFILE, &in->descriptor_limit, NULL) < 0)
		return fail(&in->fault, STEP_find_bind, p->binds[0].source, EPERM);
	return 0;
}

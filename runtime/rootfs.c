// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch of the root. pivot_root(".", ".") stacks the old root on the new one
 * without needing a directory for it, and a lazy unmount of the top takes the host
 * away (pivot_root(2), NOTES).
 */
#include "readonly.h"
#include "steps.h"
#include "sys.h"

#include <linux/magic.h>

enum {
	DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC,
	CLONE_ALL = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
};

static int must_be_directory(struct container *c, const char *path, enum step step)
{
	int fd = sys_openat(AT_FDCWD, path, DIRECTORY, 0);

	if (fd < 0)
		return fail(&c->fault, step, path, fd);
	sys_close(fd);
	return 0;
}

int rootfs_host(struct container *c)
{
	const struct plan *p = c->plan;

	if (p->rootfs)
		TRY(must_be_directory(c, p->rootfs, STEP_find_rootfs));
	for (size_t i = 0; i < p->n_layers; i++)
		TRY(must_be_directory(c, p->layers[i], STEP_find_layer));
	if (p->upper)
		TRY(must_be_directory(c, p->upper, STEP_find_upper));
	return 0;
}

/* With --read-only: all of the tree but its top, see rootfs_protect(). */
static int cover_submounts(struct inside *in)
{
	const struct mount_attr open_top = { .attr_clr = MOUNT_ATTR_RDONLY };
	struct statfs st = { .f_flags = MS_RDONLY };
	int ret = sys_fstatfs(in->tree, &st);

	if (ret == 0)
		ret = read_only_tree(in->tree);
	if (ret == -ENOSYS)
		return 0;
	if (ret == 0 && !(st.f_flags & MS_RDONLY))
		ret = sys_mount_setattr(in->tree, "", AT_EMPTY_PATH, &open_top);
	in->submounts_covered = ret == 0;
	return ret;
}

/* The devices of a container are those of its /dev: what an image brings, or a command makes, is none. */
static int close_devices(struct inside *in)
{
	int ret = no_devices_tree(in->tree);

	in->devices_closed = ret == 0;
	return ret == -ENOSYS ? 0 : ret;
}

int rootfs_open(struct inside *in)
{
	const char *path = in->plan->rootfs;
	int ret = 0;

	if (in->plan->n_layers)
		return layers_open(in);
	/* Once: root of a user namespace need not be able to follow the path again. */
	in->root_at = sys_openat(AT_FDCWD, path, DIRECTORY, 0);
	if (in->root_at < 0)
		return fail(&in->fault, STEP_open_root, path, in->root_at);
	in->tree = sys_open_tree(in->root_at, "", CLONE_ALL | AT_EMPTY_PATH);
	if (in->tree >= 0)
		ret = close_devices(in);
	if (ret == 0 && in->plan->read_only)
		ret = cover_submounts(in);
	if (in->tree < 0 || ret < 0)
		return fail(&in->fault, STEP_open_root, path, in->tree < 0 ? in->tree : ret);
	return 0;
}

int rootfs_attach(struct inside *in)
{
	const char *path = in->plan->rootfs;
	int ret;

	if (in->plan->n_layers)
		return layers_attach(in);
	ret = sys_attach_tree(in->tree, in->root_at, "", MOVE_MOUNT_T_EMPTY_PATH);
	sys_close(in->root_at);
	return ret < 0 ? fail(&in->fault, STEP_attach_root, path, ret) : 0;
}

static const char *name_of_root(const struct plan *p)
{
	return p->n_layers ? p->layers[0] : p->rootfs;
}

int rootfs_pivot(struct inside *in)
{
	const char *name = name_of_root(in->plan);
	uint64_t here = 0;
	int ret;

	ret = sys_mount_id(in->tree, "", &in->root_mnt);
	if (ret == 0)
		ret = sys_fchdir(in->tree);
	if (ret < 0)
		return fail(&in->fault, STEP_attach_root, name, ret);
	sys_close(in->tree);

	TRY(mntns_inside(in));
	ret = sys_pivot_root(".", ".");
	if (ret < 0)
		return fail(&in->fault, STEP_pivot_root, name, ret);
	/* Before anything is mounted on what might still be the host. */
	ret = sys_mount_id(AT_FDCWD, "/", &here);
	if (ret < 0 || here != in->root_mnt)
		return fail(&in->fault, STEP_pivot_root, name, ret ? ret : LIE);
	return 0;
}

/*
 * The unmount waits until every CPU has seen it (synchronize_rcu_expedited() in
 * fs/namespace.c), so also for one that is busy with the network namespace: hence after
 * that. In between the old root lies on top of the new one, where only "/.." leads: no
 * step in between may follow a path of the image, or write by one.
 */
int rootfs_detach(struct inside *in)
{
	const char *name = name_of_root(in->plan);
	uint64_t here = 0;
	int ret = sys_chdir("/");

	if (ret == 0)
		ret = sys_umount2(".", MNT_DETACH);
	if (ret < 0)
		return fail(&in->fault, STEP_detach_old_root, name, ret);
	ret = sys_mount_id(AT_FDCWD, ".", &here);
	if (ret < 0 || here != in->root_mnt)
		return fail(&in->fault, STEP_pivot_root, name, ret ? ret : LIE);
	return rootfs_inspect(in);
}

/*
 * "/" is the new root, and so is what lies on top of it ("/.." climbs there): the old
 * root is neither in place nor stacked on the new one.
 */
int rootfs_inspect(struct inside *in)
{
	const char *name = name_of_root(in->plan);
	uint64_t root = 0, above = 0;
	int ret;

	ret = sys_mount_id(AT_FDCWD, "/", &root);
	if (ret < 0 || root != in->root_mnt)
		return fail(&in->fault, STEP_pivot_root, name, ret ? ret : LIE);
	ret = sys_mount_id(AT_FDCWD, "/..", &above);
	if (ret < 0 || above != in->root_mnt)
		return fail(&in->fault, STEP_detach_old_root, name, ret ? ret : LIE);
	return 0;
}

/*
 * Below "/" the tree was made read-only before it was attached (cover_submounts), where
 * the kernel can; "/" itself stayed writable until the mount targets were there.
 */
int rootfs_protect(struct inside *in)
{
	int ret = in->devices_closed ? 0 : no_devices_by_mountinfo(in->fs[PROC], "/");

	if (ret == 0 && in->plan->read_only && !in->submounts_covered)
		ret = read_only_by_mountinfo(in->fs[PROC], "/");
	if (ret == 0 && in->plan->read_only)
		ret = read_only_mount("/");
	return ret < 0 ? fail(&in->fault, STEP_protect, "/", ret) : 0;
}

int rootfs_protect_inspect(struct inside *in)
{
	const unsigned long want = MS_NODEV | (in->plan->read_only ? MS_RDONLY : 0);
	struct statfs st = { .f_flags = 0 };
	int ret = sys_statfs("/", &st);

	if (ret < 0 || ((unsigned long)st.f_flags & want) != want)
		return fail(&in->fault, STEP_protect, "/", ret ? ret : LIE);
	return 0;
}

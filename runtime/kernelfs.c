// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's file systems inside. Their targets are directories of the root itself:
 * no path of a hostile rootfs is followed, whatever its symlinks say.
 */
#include "steps.h"
#include "sys.h"

#include <linux/magic.h>
#include <sched.h>
#include <string.h>

struct kernelfs {
	const char *target, *type, *options;
	unsigned long flags;
	unsigned long magic; /* of statfs(2) */
	uint64_t owner;      /* the namespace that it shows */
	enum { LEAVE_OUT, LEND } when_shared;
	bool optional; /* a kernel without it has no such directory either */
};

/* In the order of mounting. LEND: the host's instance, when its namespace is shared. */
static const struct kernelfs table[] = {
	{ "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, PROC_SUPER_MAGIC, CLONE_NEWPID,
	  LEND, false },
	{ "/dev", "tmpfs", "mode=755,size=64m", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME, TMPFS_MAGIC,
	  0, LEND, false },
	{ "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, SYSFS_MAGIC,
	  CLONE_NEWNET, LEND, false },
	{ "/sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
	  CGROUP2_SUPER_MAGIC, CLONE_NEWCGROUP, LEAVE_OUT, true },
};

/* The first that must wait for the network namespace, and where the table ends. */
enum { SYS = 2, KERNELFS_COUNT = sizeof(table) / sizeof(*table) };

enum { TREE_PROC, TREE_SYS };

/* Flags of mount(2) as attributes of fsmount(2). */
static uint64_t attributes(const struct kernelfs *k)
{
	return (k->flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0) | MOUNT_ATTR_NOSUID |
	       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
}

static bool is_shared(const struct inside *in, const struct kernelfs *k)
{
	return k->owner && !(in->plan->namespaces & k->owner);
}

/* A user namespace may mount only what shows namespaces that it owns: borrow the rest. */
static bool is_borrowed(const struct inside *in, const struct kernelfs *k)
{
	return is_shared(in, k) && k->when_shared == LEND && plan_is_in_userns(in->plan);
}

/*
 * In a user namespace a new procfs or sysfs must not show more than one that is in sight
 * (mount_too_revealing() in fs/namespace.c): it is made while the host's still is.
 */
static bool is_made_early(const struct inside *in, const struct kernelfs *k)
{
	return (k->owner == CLONE_NEWPID || k->owner == CLONE_NEWNET) &&
	       plan_is_in_userns(in->plan);
}

static bool is_left_out(const struct inside *in, const struct kernelfs *k)
{
	return is_shared(in, k) && k->when_shared == LEAVE_OUT;
}

static int *tree_slot(struct inside *in, const struct kernelfs *k)
{
	return &in->kernel_trees[k->owner == CLONE_NEWPID ? TREE_PROC : TREE_SYS];
}

static int borrow(const struct kernelfs *k)
{
	const struct mount_attr attr = { .attr_set = attributes(k) };
	int ret, tree = sys_open_tree(AT_FDCWD, k->target,
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0)
		return tree;
	ret = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	return ret < 0 ? ret : tree;
}

static int make_early(const struct kernelfs *k)
{
	int tree, fs = raw_new_fd(RAW2(SYS_fsopen, k->type, FSOPEN_CLOEXEC));
	long ret = fs;

	if (fs >= 0)
		ret = RAW5(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (ret < 0)
		return (int)ret;
	tree = raw_new_fd(RAW3(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes(k)));
	sys_close(fs);
	return tree;
}

int kernelfs_open(struct inside *in)
{
	for (const struct kernelfs *k = table; k < table + KERNELFS_COUNT; k++) {
		int tree;

		if (!is_made_early(in, k))
			continue;
		tree = is_borrowed(in, k) ? borrow(k) : make_early(k);
		if (tree < 0)
			return fail(&in->fault, STEP_mount, k->target, tree);
		*tree_slot(in, k) = tree;
	}
	return 0;
}

/* The target must be a directory of its own: a symlink could be one of an attacker. */
static int prepare_target(struct inside *in, const struct kernelfs *k)
{
	struct statx stx = { .stx_mode = 0 };
	int ret;

	ret = sys_statx(AT_FDCWD, k->target, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx);
	if (ret == -ENOENT) {
		ret = sys_mkdirat(AT_FDCWD, k->target, 0755);
		return ret < 0 ? fail(&in->fault, STEP_make_target, k->target, ret) : 0;
	}
	if (ret < 0)
		return fail(&in->fault, STEP_check_target, k->target, ret);
	if ((stx.stx_mode & S_IFMT) == S_IFLNK)
		return fail(&in->fault, STEP_check_target, k->target, IS_SYMLINK);
	if ((stx.stx_mode & S_IFMT) != S_IFDIR)
		return fail(&in->fault, STEP_check_target, k->target, ENOTDIR);
	return 0;
}

static int attach_early(struct inside *in, const struct kernelfs *k)
{
	int tree = *tree_slot(in, k), ret = sys_attach_tree(tree, AT_FDCWD, k->target, 0);

	sys_close(tree);
	return ret;
}

/* The mount is in place, and as strict as it should be. */
static int inspect_one(struct inside *in, const struct kernelfs *k)
{
	struct statfs st = { .f_type = 0 };
	unsigned long want = k->flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	int ret = sys_statfs(k->target, &st);

	if (ret < 0 || (unsigned long)st.f_type != k->magic ||
	    ((unsigned long)st.f_flags & want) != want)
		return fail(&in->fault, STEP_mount, k->target, ret ? ret : LIE);
	return 0;
}

/* Looked at right away: what follows is written to /dev, and must not land in the rootfs. */
static int mount_one(struct inside *in, const struct kernelfs *k)
{
	int ret;

	TRY(prepare_target(in, k));
	if (is_made_early(in, k))
		ret = attach_early(in, k);
	else
		ret = sys_mount(k->type, k->target, k->type, k->flags, k->options);
	if (ret == -ENODEV && k->optional)
		return 0;
	if (ret < 0)
		return fail(&in->fault, STEP_mount, k->target, ret);
	return inspect_one(in, k);
}

static bool is_absent(const struct kernelfs *k)
{
	struct statfs st;

	return k->optional && sys_statfs(k->target, &st) == -ENOENT;
}

static int mount_all(struct inside *in, const struct kernelfs *k, const struct kernelfs *end)
{
	for (; k < end; k++)
		if (!is_left_out(in, k) && !is_absent(k))
			TRY(mount_one(in, k));
	return 0;
}

int kernelfs_mount_proc_dev(struct inside *in)
{
	return mount_all(in, table, table + SYS);
}

int kernelfs_mount_sys(struct inside *in)
{
	return mount_all(in, table + SYS, table + KERNELFS_COUNT);
}

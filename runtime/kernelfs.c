// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's file systems inside. Each is made apart, attached to a directory of the
 * root that was opened first, and from then on reached by descriptor alone (in->fs):
 * somebody who writes to the rootfs meanwhile may move that directory, with the mount on
 * it, and put another in its place. What is masked, made read-only, asked about ourselves
 * or written must be the kernel's (CVE-2025-31133 and -52881 in another runtime).
 */
#include "newfs.h"
#include "steps.h"
#include "sys.h"

#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/statvfs.h>

struct kernelfs {
	const char *target, *type;
	struct newfs_option options[3];
	uint64_t attributes;
	unsigned long magic; /* of statfs(2) */
	uint64_t owner;      /* the namespace that it shows */
	enum { LEAVE_OUT, LEND } when_shared;
	bool optional; /* a kernel without it has no such directory either */
};

enum {
	STRICT = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	DEV_FLAGS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME,
};

/*
 * Those of in->fs first, in the order of mounting. LEND: the host's instance, when its
 * namespace is shared.
 */
static const struct kernelfs table[] = {
	[PROC] = { .target = "/proc",
		   .type = "proc",
		   .attributes = STRICT,
		   .magic = PROC_SUPER_MAGIC,
		   .owner = CLONE_NEWPID,
		   .when_shared = LEND },
	[DEV] = { .target = "/dev",
		  .type = "tmpfs",
		  .options = { { "mode", "755" }, { "size", "67108864" } }, /* with /dev/shm */
		  .attributes = DEV_FLAGS,
		  .magic = TMPFS_MAGIC },
	[SYS] = { .target = "/sys",
		  .type = "sysfs",
		  .attributes = STRICT | MOUNT_ATTR_RDONLY,
		  .magic = SYSFS_MAGIC,
		  .owner = CLONE_NEWNET,
		  .when_shared = LEND },
	{ .target = "/sys/fs/cgroup",
	  .type = "cgroup2",
	  .attributes = STRICT | MOUNT_ATTR_RDONLY,
	  .magic = CGROUP2_SUPER_MAGIC,
	  .owner = CLONE_NEWCGROUP,
	  .when_shared = LEAVE_OUT,
	  .optional = true },
};

enum { KERNELFS_COUNT = sizeof(table) / sizeof(*table) };

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

static int borrow(const struct kernelfs *k)
{
	const struct mount_attr attr = { .attr_set = k->attributes };
	int ret, tree = sys_open_tree(AT_FDCWD, k->target,
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0)
		return tree;
	ret = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	return ret < 0 ? ret : tree;
}

static int make(const struct inside *in, const struct kernelfs *k)
{
	return is_borrowed(in, k) ? borrow(k) : newfs_make(k->type, k->options, k->attributes);
}

int kernelfs_open(struct inside *in)
{
	for (int i = 0; i < KERNEL_FS; i++) {
		if (!is_made_early(in, &table[i]))
			continue;
		in->fs[i] = make(in, &table[i]);
		if (in->fs[i] < 0)
			return fail(&in->fault, STEP_mount, table[i].target, in->fs[i]);
	}
	in->proc_is_borrowed = is_borrowed(in, &table[PROC]);
	return 0;
}

/* Where the target is looked for: a file system of ours, or the root. */
struct place {
	int dir;
	const char *name;
};

static struct place place_of(const struct inside *in, const struct kernelfs *k)
{
	if (k < table + KERNEL_FS)
		return (struct place){ AT_FDCWD, k->target };
	return (struct place){ in->fs[SYS], k->target + sizeof("/sys/") - 1 };
}

static int open_directory(const struct place *p)
{
	return sys_openat(p->dir, p->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* The target must be a directory of its own: a symlink could be one of an attacker. */
static int open_target(struct inside *in, const struct kernelfs *k, const struct place *p)
{
	struct statx stx = { .stx_mode = 0 };
	int fd = open_directory(p), ret = 0;

	if (fd == -ENOENT) {
		ret = sys_mkdirat(p->dir, p->name, 0755);
		if (ret < 0)
			return fail(&in->fault, STEP_make_target, k->target, ret);
		fd = open_directory(p);
	}
	if (fd == -ENOTDIR)
		ret = sys_statx(p->dir, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx);
	if (fd == -ENOTDIR && ret == 0 && (stx.stx_mode & S_IFMT) == S_IFLNK)
		return fail(&in->fault, STEP_check_target, k->target, IS_SYMLINK);
	return fd < 0 ? fail(&in->fault, STEP_check_target, k->target, fd) : fd;
}

/* The mount is as strict as it should be, and it is what the path leads to: @id tells. */
static int inspect_one(struct inside *in, const struct kernelfs *k, int tree, const struct place *p,
		       uint64_t *id)
{
	const unsigned long want = ST_NOSUID | ST_NOEXEC |
				   (k->attributes & MOUNT_ATTR_NODEV ? ST_NODEV : 0) |
				   (k->attributes & MOUNT_ATTR_RDONLY ? ST_RDONLY : 0);
	uint64_t there = 0;
	struct statfs st = { .f_type = 0 };
	int ret = sys_fstatfs(tree, &st);

	if (ret == 0)
		ret = sys_mount_id(tree, "", id);
	if (ret == 0)
		ret = sys_mount_id(p->dir, p->name, &there);
	if (ret < 0 || (unsigned long)st.f_type != k->magic || !*id || *id != there ||
	    ((unsigned long)st.f_flags & want) != want)
		return fail(&in->fault, STEP_mount, k->target, ret ? ret : LIE);
	return 0;
}

/*
 * Neither way follows a symlink. The second makes a directory that is missing, and tells
 * what is wrong with the target.
 */
static int attach(struct inside *in, const struct kernelfs *k, int tree, const struct place *p)
{
	int target, ret = sys_attach_tree(tree, p->dir, p->name, 0);

	if (ret == 0)
		return 0;
	target = open_target(in, k, p);
	if (target < 0)
		return target;
	ret = sys_attach_tree(tree, target, "", MOVE_MOUNT_T_EMPTY_PATH);
	sys_close(target);
	return ret < 0 ? fail(&in->fault, STEP_mount, k->target, ret) : 0;
}

static int mount_one(struct inside *in, const struct kernelfs *k)
{
	const struct place p = place_of(in, k);
	int tree = is_made_early(in, k) ? in->fs[k - table] : make(in, k);
	uint64_t id = 0;

	if (tree == -ENODEV && k->optional)
		return 0;
	if (tree < 0)
		return fail(&in->fault, STEP_mount, k->target, tree);
	TRY(attach(in, k, tree, &p));
	TRY(inspect_one(in, k, tree, &p, &id));
	if (k < table + KERNEL_FS) {
		in->fs[k - table] = tree;
		in->fs_mnt[k - table] = id;
	} else {
		sys_close(tree);
	}
	return 0;
}

static bool is_absent(const struct inside *in, const struct kernelfs *k)
{
	const struct place p = place_of(in, k);
	struct statx stx;

	return k->optional && sys_statx(p.dir, p.name, 0, STATX_TYPE, &stx) == -ENOENT;
}

static int mount_all(struct inside *in, const struct kernelfs *k, const struct kernelfs *end)
{
	for (; k < end; k++)
		if (!is_left_out(in, k) && !is_absent(in, k))
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

int kernelfs_enter(struct inside *in, int which)
{
	uint64_t here = 0;
	int ret = sys_fchdir(in->fs[which]);

	if (ret == 0)
		ret = sys_mount_id(AT_FDCWD, ".", &here);
	if (ret < 0 || here != in->fs_mnt[which])
		return fail(&in->fault, STEP_mount, table[which].target, ret ? ret : LIE);
	return 0;
}

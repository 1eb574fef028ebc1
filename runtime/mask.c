// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Covers the paths of kernelpaths.c. One that this kernel does not have needs no mask. We
 * stand in /proc, then in /sys, by descriptor (kernelfs.c), so that names there are the
 * kernel's.
 */
#include "dirents.h"
#include "kernelpaths.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <linux/magic.h>
#include <string.h>

/* How a processor was throttled tells of others' load, as the power that was used does. */
#define CPU_DIR  "/sys/devices/system/cpu/cpu"
#define THROTTLE "/thermal_throttle"

enum { KERNEL_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC };
enum { KERNEL_ATTRIBUTES = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

/* "sys" of "/proc/sys": the name where we stand. */
static const char *name_in_fs(const char *path)
{
	return strchr(path + 1, '/') + 1;
}

/* A masked path no longer lies in the kernel's own file system. */
static int inspect_masked(struct inside *in, const char *path, unsigned long flags)
{
	struct statfs st = { .f_type = PROC_SUPER_MAGIC };
	int ret = sys_statfs(name_in_fs(path), &st);

	if (ret < 0 || st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC ||
	    ((unsigned long)st.f_flags & flags) != flags)
		return fail(&in->fault, STEP_mask, path, ret ? ret : LIE);
	return 0;
}

/* ENOENT alone is no proof: one call may be lost. */
static bool is_really_absent(const char *name, long ret)
{
	struct statfs st;

	return ret == -ENOENT && sys_statfs(name, &st) == -ENOENT;
}

/* A path that is not there needs no mask. */
static bool is_absent(const char *path, long ret)
{
	return is_really_absent(name_in_fs(path), ret);
}

/* @ret: what the mount of the mask returned. */
static int judge_mask(struct inside *in, const char *path, long ret, unsigned long flags)
{
	if (is_absent(path, ret))
		return 0;
	if (ret < 0)
		return fail(&in->fault, STEP_mask, path, ret);
	return inspect_masked(in, path, flags);
}

/* The null of our own /dev, whatever the rootfs makes of the path to it: a mount of its own. */
static int mask_file(struct inside *in, const char *path)
{
	int ret, tree = sys_open_tree(in->fs[DEV], "null",
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (tree < 0)
		return fail(&in->fault, STEP_mask, "/dev/null", tree);
	ret = sys_attach_tree(tree, AT_FDCWD, name_in_fs(path), 0);
	sys_close(tree);
	return judge_mask(in, path, ret, 0);
}

static int make_bind_read_only(const char *name)
{
	return sys_mount("none", name, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS, NULL);
}

/* The first time the empty directory itself, then copies of it, with what it has become. */
static int lay_empty_dir(struct inside *in, const char *name)
{
	int ret, tree;

	if (!in->empty_dir_attached) {
		in->empty_dir_attached = true;
		ret = sys_attach_tree(in->empty_dir, AT_FDCWD, name, 0);
		return ret < 0 ? ret : make_bind_read_only(name);
	}
	tree = sys_open_tree(in->empty_dir, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	ret = tree < 0 ? tree : sys_attach_tree(tree, AT_FDCWD, name, 0);
	sys_close(tree);
	return ret;
}

/* An empty directory over each masked one. */
static int mask_dir(struct inside *in, const char *path)
{
	const char *name = name_in_fs(path);
	struct statfs st;
	int ret;

	if (is_absent(path, sys_statfs(name, &st)))
		return 0;
	ret = lay_empty_dir(in, name);
	return ret < 0 ? fail(&in->fault, STEP_mask, path, ret)
		       : inspect_masked(in, path, MS_RDONLY);
}

/* A mount below, which only a borrowed /proc has, is made read-only with the rest. */
static int set_read_only(const struct inside *in, const char *name)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | KERNEL_ATTRIBUTES };

	if (in->proc_is_borrowed)
		return sys_mount_setattr(AT_FDCWD, name, AT_RECURSIVE, &attr);
	return make_bind_read_only(name);
}

static int make_read_only(struct inside *in, const char *path)
{
	const char *name = name_in_fs(path);
	struct statfs st = { .f_flags = 0 };
	int ret = sys_mount(name, name, NULL, MS_BIND | MS_REC, NULL);

	if (is_absent(path, ret))
		return 0;
	if (ret == 0)
		ret = set_read_only(in, name);
	if (ret == 0)
		ret = sys_statfs(name, &st);
	if (ret < 0 || !(st.f_flags & MS_RDONLY))
		return fail(&in->fault, STEP_protect, path, ret ? ret : LIE);
	return 0;
}

static bool is_process(const struct dir_entry *e)
{
	return e->name[0] >= '1' && e->name[0] <= '9';
}

/* Bit N: proc_paths[N] has the name. */
static uint32_t paths_named(const char *name)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < proc_path_count; i++) {
		const char *ours = name_in_fs(proc_paths[i].path);

		if (*ours == *name && strcmp(ours, name) == 0)
			bits |= 1U << i;
	}
	return bits;
}

/*
 * What need not be looked up, since /proc, where we stand, has no such entry: bit N stands
 * for proc_paths[N]. A list proves this only if it is whole: it came with one call, had room
 * to spare, and goes on to the processes, which come after the kernel's names.
 */
static uint32_t list_absent(void)
{
	enum { LONGEST = sizeof(struct dir_entry) + 256 };
	char list[4096] __attribute__((aligned(8))) = "";
	int fd = sys_openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n = fd < 0 ? fd : RAW3(SYS_getdents64, fd, list, sizeof(list));
	bool whole = false;
	uint32_t present = 0;

	sys_close(fd);
	for (long at = 0; at < n && n + LONGEST <= (long)sizeof(list);) {
		const struct dir_entry *e = (const struct dir_entry *)(list + at);

		present |= paths_named(e->name);
		whole |= is_process(e);
		at += e->size;
	}
	return whole ? ~present : 0;
}

static int cover(struct inside *in, const struct kernel_path *p)
{
	switch (p->how) {
	case HIDE_FILE: return mask_file(in, p->path);
	case HIDE_DIR: return mask_dir(in, p->path);
	default: return make_read_only(in, p->path);
	}
}

int mask_proc(struct inside *in)
{
	uint32_t absent;

	TRY(kernelfs_enter(in, PROC));
	absent = list_absent();
	for (size_t i = 0; i < proc_path_count; i++)
		if (!(absent & 1U << i))
			TRY(cover(in, &proc_paths[i]));
	return 0;
}

static int mask_throttling(struct inside *in)
{
	struct statfs st;
	char path[64];

	if (in->no_throttling)
		return 0;
	for (uint64_t cpu = 0;; cpu++) {
		*path = '\0';
		text_add(path, sizeof(path), CPU_DIR);
		text_add_number(path, sizeof(path), cpu);
		text_add(path, sizeof(path), THROTTLE);
		if (is_absent(path, sys_statfs(name_in_fs(path), &st)))
			return 0;
		TRY(mask_dir(in, path));
	}
}

int mask_sys(struct inside *in)
{
	TRY(kernelfs_enter(in, SYS));
	for (size_t i = 0; i < sys_path_count; i++)
		TRY(cover(in, &sys_paths[i]));
	for (size_t i = 0; i < rare_path_count && !in->no_rare_paths; i++)
		TRY(cover(in, &rare_paths[i]));
	return mask_throttling(in);
}

/* The host's sysfs has the directory @dir, and nothing at @path in it. */
static bool host_lacks(const char *dir, const char *path)
{
	struct statfs st = { .f_type = 0 };

	return sys_statfs(dir, &st) == 0 && st.f_type == SYSFS_MAGIC &&
	       is_really_absent(path, sys_statfs(path, &st));
}

/*
 * Both are absent from most virtual machines, and every sysfs has the same devices. To look
 * for them in a new one would have it build each directory on the way, and take it down
 * with the container; the host's has them.
 */
int mask_look(struct inside *in)
{
	in->no_rare_paths = true;
	for (size_t i = 0; i < rare_path_count && in->no_rare_paths; i++)
		in->no_rare_paths = host_lacks("/sys/devices/virtual", rare_paths[i].path);
	in->no_throttling = host_lacks(CPU_DIR "0", CPU_DIR "0" THROTTLE);
	return 0;
}

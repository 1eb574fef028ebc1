// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel paths that a container must not read or write: the OCI defaults
 * (runtime-spec, config-linux "Masked Paths" and "Readonly Paths" as the engines fill
 * them in) and what the engines added since. A path that this kernel does not have
 * needs no mask. We stand in /proc, then in /sys, by descriptor (kernelfs.c), so that names
 * there are the kernel's.
 */
#include "newfs.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <linux/magic.h>
#include <string.h>

static const char *const proc_files[] = {
	"/proc/kcore",       "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/interrupts",
};

static const char *const proc_dirs[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/scsi",
};

enum { FIRMWARE, POWERCAP };

static const char *const sys_dirs[] = {
	[FIRMWARE] = "/sys/firmware",
	[POWERCAP] = "/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* How a processor was throttled tells of others' load, as the power that was used does. */
#define CPU_DIR  "/sys/devices/system/cpu/cpu"
#define THROTTLE "/thermal_throttle"

#define COUNT(set) (sizeof(set) / sizeof(*(set)))

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
static int open_null(struct inside *in)
{
	int tree = sys_open_tree(in->fs[DEV], "null",
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	return tree < 0 ? fail(&in->fault, STEP_mask, "/dev/null", tree) : tree;
}

static int mask_files(struct inside *in)
{
	int tree = -1;

	for (size_t i = 0; i < COUNT(proc_files); i++) {
		const char *path = proc_files[i];
		int ret;

		if (tree < 0)
			tree = open_null(in);
		if (tree < 0)
			return tree;
		ret = sys_attach_tree(tree, AT_FDCWD, name_in_fs(path), 0);
		TRY(judge_mask(in, path, ret, 0));
		if (ret < 0)
			continue; /* nothing to hide there: the mount is for the next one */
		sys_close(tree);
		tree = -1;
	}
	sys_close(tree);
	return 0;
}

/* The first mask is made, the others copy it. */
static int make_empty_dir(struct inside *in)
{
	static const struct newfs_option options[] = { { "mode", "555" }, { NULL, NULL } };

	if (in->empty_dir)
		return sys_open_tree(in->empty_dir, "",
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return newfs_make("tmpfs", options, MOUNT_ATTR_RDONLY | KERNEL_ATTRIBUTES);
}

/* An empty directory over each masked one. */
static int mask_dir(struct inside *in, const char *path)
{
	const char *name = name_in_fs(path);
	struct statfs st;
	int ret, tree;

	if (is_absent(path, sys_statfs(name, &st)))
		return 0;
	tree = make_empty_dir(in);
	ret = tree < 0 ? tree : sys_attach_tree(tree, AT_FDCWD, name, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_mask, path, ret);
	if (in->empty_dir)
		sys_close(tree);
	else
		in->empty_dir = tree;
	return inspect_masked(in, path, MS_RDONLY);
}

/* A mount below, which only a borrowed /proc has, is made read-only with the rest. */
static int set_read_only(const struct inside *in, const char *name)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | KERNEL_ATTRIBUTES };

	if (in->proc_is_borrowed)
		return sys_mount_setattr(AT_FDCWD, name, AT_RECURSIVE, &attr);
	return sys_mount("none", name, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS, NULL);
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

int mask_proc(struct inside *in)
{
	TRY(kernelfs_enter(in, PROC));
	TRY(mask_files(in));
	for (size_t i = 0; i < COUNT(proc_dirs); i++)
		TRY(mask_dir(in, proc_dirs[i]));
	for (size_t i = 0; i < COUNT(read_only); i++)
		TRY(make_read_only(in, read_only[i]));
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
	for (size_t i = 0; i < COUNT(sys_dirs); i++) {
		if (i == POWERCAP && in->no_powercap)
			continue;
		TRY(mask_dir(in, sys_dirs[i]));
	}
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
	in->no_powercap = host_lacks("/sys/devices/virtual", sys_dirs[POWERCAP]);
	in->no_throttling = host_lacks(CPU_DIR "0", CPU_DIR "0" THROTTLE);
	return 0;
}

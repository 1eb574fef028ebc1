// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel paths that a container must not read or write: the OCI defaults
 * (runtime-spec, config-linux "Masked Paths" and "Readonly Paths" as the engines fill
 * them in) and what the engines added since. A path that this kernel does not have
 * needs no mask.
 */
#include "steps.h"
#include "sys.h"

#include <linux/magic.h>

static const char *const masked_files[] = {
	"/proc/kcore",       "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/interrupts",
};

static const char *const masked_dirs[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

#define EACH(p, set) (const char *const *p = (set); p < (set) + sizeof(set) / sizeof(*(set)); p++)

enum { KERNEL_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC };

/*
 * An empty directory that nobody can reach or fill, over each masked one: what lies
 * below /dev/pts, read-only, before that is mounted (dev_mount). The first mask takes
 * it, the others copy that, flags and all.
 */
static int mask_dir(const char *path, const char **first)
{
	int ret = sys_mount(*first ? *first : "/dev/pts", path, NULL, MS_BIND, NULL);

	if (ret < 0 || *first)
		return ret;
	*first = path;
	return sys_mount("none", path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS, NULL);
}

static int make_read_only(const char *path)
{
	int ret = sys_mount(path, path, NULL, MS_BIND | MS_REC, NULL);

	if (ret < 0)
		return ret;
	return sys_mount("none", path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS, NULL);
}

int mask_inside(struct inside *in)
{
	const char *first_dir = NULL;
	int ret;

	for
		EACH(path, masked_files)
		{
			ret = sys_mount("/dev/null", *path, NULL, MS_BIND, NULL);
			if (ret < 0 && ret != -ENOENT)
				return fail(&in->fault, STEP_mask, *path, ret);
		}
	for
		EACH(path, masked_dirs)
		{
			ret = mask_dir(*path, &first_dir);
			if (ret < 0 && ret != -ENOENT)
				return fail(&in->fault, STEP_mask, *path, ret);
		}
	for
		EACH(path, read_only)
		{
			ret = make_read_only(*path);
			if (ret < 0 && ret != -ENOENT)
				return fail(&in->fault, STEP_protect, *path, ret);
		}
	return 0;
}

/* A masked path no longer lies in the kernel's own file system. */
static int inspect_masked(struct inside *in, const char *path)
{
	struct statfs st = { .f_type = PROC_SUPER_MAGIC };
	int ret = sys_statfs(path, &st);

	if (ret == -ENOENT)
		return 0;
	if (ret < 0 || st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC)
		return fail(&in->fault, STEP_mask, path, ret ? ret : LIE);
	return 0;
}

int mask_inspect(struct inside *in)
{
	for
		EACH(path, masked_files)
	TRY(inspect_masked(in, *path));
	for
		EACH(path, masked_dirs)
	TRY(inspect_masked(in, *path));
	for
		EACH(path, read_only)
		{
			struct statfs st = { .f_flags = 0 };
			int ret = sys_statfs(*path, &st);

			if (ret == -ENOENT)
				continue;
			if (ret < 0 || !(st.f_flags & MS_RDONLY))
				return fail(&in->fault, STEP_protect, *path, ret ? ret : LIE);
		}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel paths that a container must not read or write: the OCI defaults
 * (runtime-spec, config-linux "Masked Paths" and "Readonly Paths" as the engines fill
 * them in) and what the engines added since. A path that this kernel does not have
 * needs no mask.
 */
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <linux/magic.h>

/* The index of a path in its table is its bit in in->present. */
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

#define COUNT(set) (sizeof(set) / sizeof(*(set)))

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

/* A masked path no longer lies in the kernel's own file system. */
static int inspect_masked(struct inside *in, const char *path, unsigned long flags)
{
	struct statfs st = { .f_type = PROC_SUPER_MAGIC };
	int ret = sys_statfs(path, &st);

	if (ret < 0 || st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC ||
	    ((unsigned long)st.f_flags & flags) != flags)
		return fail(&in->fault, STEP_mask, path, ret ? ret : LIE);
	return 0;
}

/* True when the path is there; then it is noted as one to look back at. */
static bool note(uint32_t *present, size_t i, int ret)
{
	if (ret == 0)
		*present |= 1U << i;
	return ret == 0 || ret == -ENOENT;
}

/* What a processor's throttling tells of others' load: one directory each, on bare metal. */
static int mask_throttling(struct inside *in, const char **first)
{
	char path[64];
	int ret;

	for (uint64_t cpu = 0;; cpu++) {
		*path = '\0';
		text_add(path, sizeof(path), "/sys/devices/system/cpu/cpu");
		text_add_number(path, sizeof(path), cpu);
		text_add(path, sizeof(path), "/thermal_throttle");
		ret = mask_dir(path, first);
		if (ret == -ENOENT)
			return 0;
		if (ret < 0)
			return fail(&in->fault, STEP_mask, path, ret);
		TRY(inspect_masked(in, path, MS_RDONLY));
	}
}

int mask_inside(struct inside *in)
{
	const char *first_dir = NULL;
	struct present *there = &in->present;
	int ret;

	for (size_t i = 0; i < COUNT(masked_files); i++) {
		ret = sys_mount("/dev/null", masked_files[i], NULL, MS_BIND, NULL);
		if (!note(&there->files, i, ret))
			return fail(&in->fault, STEP_mask, masked_files[i], ret);
	}
	for (size_t i = 0; i < COUNT(masked_dirs); i++) {
		ret = mask_dir(masked_dirs[i], &first_dir);
		if (!note(&there->dirs, i, ret))
			return fail(&in->fault, STEP_mask, masked_dirs[i], ret);
	}
	TRY(mask_throttling(in, &first_dir));
	for (size_t i = 0; i < COUNT(read_only); i++) {
		ret = make_read_only(read_only[i]);
		if (!note(&there->read_only, i, ret))
			return fail(&in->fault, STEP_protect, read_only[i], ret);
	}
	return 0;
}

int mask_inspect(struct inside *in)
{
	const struct present *there = &in->present;

	for (size_t i = 0; i < COUNT(masked_files); i++)
		if (there->files & 1U << i)
			TRY(inspect_masked(in, masked_files[i], 0));
	for (size_t i = 0; i < COUNT(masked_dirs); i++)
		if (there->dirs & 1U << i)
			TRY(inspect_masked(in, masked_dirs[i], MS_RDONLY));
	for (size_t i = 0; i < COUNT(read_only); i++) {
		struct statfs st = { .f_flags = 0 };
		int ret;

		if (!(there->read_only & 1U << i))
			continue;
		ret = sys_statfs(read_only[i], &st);
		if (ret < 0 || !(st.f_flags & MS_RDONLY))
			return fail(&in->fault, STEP_protect, read_only[i], ret ? ret : LIE);
	}
	return 0;
}

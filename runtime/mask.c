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

static const char *const proc_files[] = {
	"/proc/kcore",       "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/interrupts",
};

static const char *const proc_dirs[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/scsi",
};

static const char *const sys_dirs[] = {
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

#define COUNT(set) (sizeof(set) / sizeof(*(set)))

enum { KERNEL_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC };

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

/* A path that is not there needs no mask. ENOENT alone is no proof: one call may be lost. */
static bool is_absent(const char *path, long ret)
{
	struct statfs st;

	return ret == -ENOENT && sys_statfs(path, &st) == -ENOENT;
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

/* Standing in /dev: its null, whatever the rootfs makes of the path to it. */
static int mask_file(struct inside *in, const char *path)
{
	return judge_mask(in, path, sys_mount("null", path, NULL, MS_BIND, NULL), 0);
}

/* An empty directory over each masked one: the first mask makes it, the others copy it. */
static int bind_empty_dir(struct inside *in, const char *path)
{
	int ret;

	if (in->masked_dir)
		return sys_mount(in->masked_dir, path, NULL, MS_BIND, NULL);
	ret = sys_mount("tmpfs", path, "tmpfs", MS_RDONLY | KERNEL_FLAGS, "mode=555");
	if (ret == 0)
		in->masked_dir = path;
	return ret;
}

static int mask_dir(struct inside *in, const char *path)
{
	return judge_mask(in, path, bind_empty_dir(in, path), MS_RDONLY);
}

static int make_read_only(struct inside *in, const char *path)
{
	struct statfs st = { .f_flags = 0 };
	int ret = sys_mount(path, path, NULL, MS_BIND | MS_REC, NULL);

	if (is_absent(path, ret))
		return 0;
	if (ret == 0)
		ret = sys_mount("none", path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS,
				NULL);
	if (ret == 0)
		ret = sys_statfs(path, &st);
	if (ret < 0 || !(st.f_flags & MS_RDONLY))
		return fail(&in->fault, STEP_protect, path, ret ? ret : LIE);
	return 0;
}

int mask_proc(struct inside *in)
{
	for (size_t i = 0; i < COUNT(proc_files); i++)
		TRY(mask_file(in, proc_files[i]));
	for (size_t i = 0; i < COUNT(proc_dirs); i++)
		TRY(mask_dir(in, proc_dirs[i]));
	for (size_t i = 0; i < COUNT(read_only); i++)
		TRY(make_read_only(in, read_only[i]));
	return 0;
}

/* What a processor's throttling tells of others' load: one directory each, on bare metal. */
static int mask_throttling(struct inside *in)
{
	struct statfs st;
	char path[64];

	for (uint64_t cpu = 0;; cpu++) {
		*path = '\0';
		text_add(path, sizeof(path), "/sys/devices/system/cpu/cpu");
		text_add_number(path, sizeof(path), cpu);
		text_add(path, sizeof(path), "/thermal_throttle");
		if (sys_statfs(path, &st) == -ENOENT)
			return 0;
		TRY(mask_dir(in, path));
	}
}

int mask_sys(struct inside *in)
{
	for (size_t i = 0; i < COUNT(sys_dirs); i++)
		TRY(mask_dir(in, sys_dirs[i]));
	return mask_throttling(in);
}

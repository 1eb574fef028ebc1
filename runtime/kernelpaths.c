// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The OCI defaults (runtime-spec, config-linux "Masked Paths" and "Readonly Paths" as the
 * engines fill them in) and what the engines added since.
 */
#include "kernelpaths.h"

const struct kernel_path proc_paths[] = {
	{ "/proc/kcore", HIDE_FILE },         { "/proc/keys", HIDE_FILE },
	{ "/proc/latency_stats", HIDE_FILE }, { "/proc/timer_list", HIDE_FILE },
	{ "/proc/timer_stats", HIDE_FILE },   { "/proc/sched_debug", HIDE_FILE },
	{ "/proc/interrupts", HIDE_FILE },    { "/proc/acpi", HIDE_DIR },
	{ "/proc/asound", HIDE_DIR },         { "/proc/scsi", HIDE_DIR },
	{ "/proc/bus", READ_ONLY },           { "/proc/fs", READ_ONLY },
	{ "/proc/irq", READ_ONLY },           { "/proc/sys", READ_ONLY },
	{ "/proc/sysrq-trigger", READ_ONLY },
};

const size_t proc_path_count = sizeof(proc_paths) / sizeof(*proc_paths);

const struct kernel_path sys_paths[] = {
	{ "/sys/firmware", HIDE_DIR },
};

const size_t sys_path_count = sizeof(sys_paths) / sizeof(*sys_paths);

const struct kernel_path rare_paths[] = {
	{ "/sys/devices/virtual/powercap", HIDE_DIR },
};

const size_t rare_path_count = sizeof(rare_paths) / sizeof(*rare_paths);

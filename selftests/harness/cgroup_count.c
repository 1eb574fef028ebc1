// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who made a cgroup does not show in the file system. The kernel tells by its
 * tracepoints: a counter of a tracepoint is inherited by every process that the
 * runner starts, and by theirs, wherever they go; what other programs do does not
 * count. It needs root, and no mount: tracefs is opened detached.
 */
#include "harness.h"

#include <linux/perf_event.h>

static int made_fd = -EBADF, removed_fd = -EBADF;

static int open_tracefs(void)
{
	_fd_ int context = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	return syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
}

static int open_counter(int tracefs, const char *tracepoint)
{
	struct perf_event_attr counter = { .type = PERF_TYPE_TRACEPOINT,
					   .size = sizeof(counter),
					   .inherit = 1 };
	_fd_ int fd =
		openat(tracefs, text("events/cgroup/%s/id", tracepoint), O_RDONLY | O_CLOEXEC);
	char id[24] = "";

	if (fd < 0 || read(fd, id, sizeof(id) - 1) <= 0)
		return -1;
	counter.config = strtoull(id, NULL, 10);
	return syscall(SYS_perf_event_open, &counter, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

bool cgroup_count_open(void)
{
	_fd_ int tracefs = open_tracefs();

	if (tracefs < 0)
		return false;
	made_fd = open_counter(tracefs, "cgroup_mkdir");
	removed_fd = open_counter(tracefs, "cgroup_rmdir");
	if (made_fd >= 0 && removed_fd >= 0)
		return true;
	cgroup_count_close();
	return false;
}

void cgroup_count_close(void)
{
	close_fd(&made_fd);
	close_fd(&removed_fd);
	made_fd = removed_fd = -EBADF;
}

static long long count(int fd)
{
	int64_t value = 0;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

long long cgroup_count(void)
{
	return count(made_fd) - count(removed_fd);
}

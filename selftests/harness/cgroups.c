// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cgroups left behind. Containers' cgroups appear below the root of a hierarchy
 * or below the maker's own; inotify watches these directories, so that a test
 * that makes none costs one read. What is there after the test, was made during
 * it and stays empty has been left by it; a cgroup with processes in it belongs
 * to somebody else, for what the test left alive has been killed by then.
 */
#include "harness.h"

#include <ftw.h>
#include <poll.h>
#include <sys/inotify.h>

enum { WATCHES = 48, GRACE_MS = 1000 };

static int watch_fd = -EBADF;
static char *watched[WATCHES]; /* directory of watch descriptor i */

static void watch(const char *directory)
{
	int watch_id = inotify_add_watch(watch_fd, directory, IN_CREATE | IN_DELETE | IN_ONLYDIR);

	if (watch_id > 0 && watch_id < WATCHES && !watched[watch_id])
		watched[watch_id] = strdup(directory);
}

/* Where a line of /proc/self/cgroup, ID:CONTROLLERS:PATH, says that this process is. */
static const char *own_path(const char *controllers)
{
	static char path[PATH_MAX];
	char line[PATH_MAX + 64];
	FILE *file = fopen("/proc/self/cgroup", "re");

	snprintf(path, sizeof(path), "/");
	while (file && fgets(line, sizeof(line), file)) {
		char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

		if (!second)
			continue;
		*second = 0;
		if (!*controllers ? first[1] == 0 : first[1] && strstr(controllers, first + 1))
			snprintf(path, sizeof(path), "%.*s", (int)strcspn(second + 1, "\n"),
				 second + 1);
	}
	if (file)
		fclose(file);
	return path;
}

void cgroups_open(void)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], point[512], type[32], mount_options[256];

	watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	while (mounts && fgets(line, sizeof(line), mounts)) {
		char own[PATH_MAX + sizeof(point)];

		if (sscanf(line, "%*s %511s %31s %255s", point, type, mount_options) != 3)
			continue;
		if (strcmp(type, "cgroup") && strcmp(type, "cgroup2"))
			continue;
		watch(point);
		snprintf(own, sizeof(own), "%s%s", point,
			 own_path(strcmp(type, "cgroup2") ? mount_options : ""));
		watch(own);
	}
	if (mounts)
		fclose(mounts);
}

void cgroups_close(void)
{
	close_fd(&watch_fd);
}

static bool is_empty(const char *directory)
{
	_fd_ int fd = open(text("%s/cgroup.procs", directory), O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 0;
}

/* Waits until the directory is gone, no longer than the grace. Other events are drained. */
static bool stays(const char *directory)
{
	struct pollfd wait = { .fd = watch_fd, .events = POLLIN };
	char drain[4096];

	while (exists("%s", directory)) {
		if (poll(&wait, 1, GRACE_MS) <= 0)
			return exists("%s", directory);
		if (read(watch_fd, drain, sizeof(drain)) < 0 && errno != EAGAIN)
			break;
	}
	return false;
}

static int remove_directory(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)at;
	if (kind == FTW_DP)
		rmdir(path);
	return 0;
}

static void judge(const char *directory, char *what, size_t size)
{
	size_t used = strlen(what);

	if (!stays(directory) || !is_empty(directory))
		return;
	snprintf(what + used, size - used, "%scgroup %s", used ? ", " : "", directory);
	nftw(directory, remove_directory, 16, FTW_DEPTH | FTW_PHYS);
}

void cgroups_look(char *what, size_t size)
{
	char events[4096] __attribute__((aligned(8)));
	ssize_t got = read(watch_fd, events, sizeof(events));

	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)(events + at);
		const char *directory;

		at += sizeof(*event) + event->len;
		if (!(event->mask & IN_CREATE) ||
		    !strncmp(event->name, CGROUP_PREFIX, strlen(CGROUP_PREFIX)) || event->wd <= 0 ||
		    event->wd >= WATCHES)
			continue;
		directory = text("%s/%s", watched[event->wd], event->name);
		judge(directory, what, size);
	}
}

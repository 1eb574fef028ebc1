// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cgroups left behind. Another program's must not be taken for the test's, so
 * only what is known for sure counts: what stands in the program's own cgroup;
 * and of what appeared where containers' cgroups do, below the root of a
 * hierarchy or below our own, as many as the test's processes made and did not
 * remove (cgroup_count.c). Where that cannot be counted, for a normal user say,
 * what the container has been in. One with processes in it belongs to somebody
 * else in any case, for what the test left alive has been killed by then.
 */
#include "harness.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <sys/inotify.h>

enum { WATCHES = 48, CANDIDATES = 16, GRACE_MS = 1000 };

static bool counted;           /* who made what is known */
static long long count_before; /* cgroup_count() when the test began */
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

	counted = cgroup_count_open();
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
	count_before = cgroup_count();
}

void cgroups_close(void)
{
	close_fd(&watch_fd);
	cgroup_count_close();
}

/* Host side, of a subject's container that stands: where its first process is. */
void cgroups_note(pid_t pid)
{
	size_t used = strlen(board->been_in);
	_fd_ int fd = counted ? -EBADF : open(text("/proc/%d/cgroup", pid), O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, board->been_in + used, sizeof(board->been_in) - 1 - used) < 0)
		note("cannot read the container's cgroups: %s", strerror(errno));
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
	long long deadline = now_ms() + GRACE_MS;
	char drain[4096];

	while (exists("%s", directory)) {
		long long left = deadline - now_ms();

		/* Other programs' cgroups come and go meanwhile: their events end no wait. */
		if (left <= 0 || poll(&wait, 1, left) <= 0)
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

static void leave(const char *directory, bool ours, char *what, size_t size)
{
	size_t used = strlen(what);

	snprintf(what + used, size - used, "%scgroup %s", used ? ", " : "", directory);
	if (ours)
		nftw(directory, remove_directory, 16, FTW_DEPTH | FTW_PHYS);
}

/* Nobody else makes cgroups in the program's own. */
static void look_at_own(char *what, size_t size)
{
	const char *own = contain_cgroup();
	DIR *entries = own ? opendir(own) : NULL;
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			leave(text("%s/%s", own, entry->d_name), true, what, size);
	if (entries)
		closedir(entries);
}

/* selftest-PID-NUMBER: a runner's own, this one's or another's. */
static bool is_runners(const char *name)
{
	int end = 0;

	return sscanf(name, CGROUP_PREFIX "%*d-%*d%n", &end) == 0 && end && !name[end];
}

/* The container's first process was in a cgroup of this name or below it. */
static bool has_been_in(const char *name)
{
	const char *part = text("/%s", name), *at = board->been_in;

	for (; (at = strstr(at, part)); at++)
		if (strchr("/\n", at[strlen(part)]))
			return true;
	return false;
}

static void candidate(const struct inotify_event *event, char *list[CANDIDATES], size_t *found)
{
	const char *directory;

	if (!(event->mask & IN_CREATE) || event->wd <= 0 || event->wd >= WATCHES ||
	    is_runners(event->name) || (!counted && !has_been_in(event->name)))
		return;
	directory = text("%s/%s", watched[event->wd], event->name);
	if (*found < CANDIDATES && exists("%s", directory))
		list[(*found)++] = strdup(directory);
}

/* What appeared since the last call and is still there. */
static size_t candidates(char *list[CANDIDATES])
{
	char events[4096] __attribute__((aligned(8)));
	size_t found = 0;
	ssize_t got;

	while ((got = read(watch_fd, events, sizeof(events))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(events + at);

			at += sizeof(*event) + event->len;
			candidate(event, list, &found);
		}
	return found;
}

/* With more candidates than the test left, some are another program's: all stay. */
static void judge(char *list[], size_t found, size_t left, char *what, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < found; i++) {
		if (left && stays(list[i]) && is_empty(list[i]))
			list[kept++] = list[i];
		else
			free(list[i]);
	}
	for (size_t i = 0; i < kept; i++) {
		leave(list[i], kept <= left, what, size);
		free(list[i]);
	}
}

void cgroups_look(char *what, size_t size)
{
	char *list[CANDIDATES];
	size_t found = candidates(list);
	long long left;

	look_at_own(what, size);
	left = counted ? cgroup_count() - count_before : CANDIDATES;
	judge(list, found, left > 0 ? left : 0, what, size);
	if (counted)
		count_before = cgroup_count();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits, by cgroup v2 (kernel documentation, admin-guide/cgroup-v2). A limit that was
 * asked for is in force before the command runs, or the container does not start.
 */
#include "cgroup.h"

#include "janitor.h"
#include "sys.h"
#include "tree.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { PATH_ROOM = sizeof(((struct container *)0)->cgroup_path), VALUE_ROOM = 64 };

/* Reads a small file; returns its length without the last newline, or -errno. */
static int read_file(int dir, const char *name, char *buf, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : read(fd, buf, room - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return fd < 0 ? (int)n : -errno;
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return (int)n;
}

static int write_file(int dir, const char *name, const char *text)
{
	size_t want = strlen(text);
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC), ret = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, want);
	if (n != (ssize_t)want)
		ret = n < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}

/* The cgroup2 mount: the unified hierarchy, or the controller-less one of a hybrid host. */
static const char *mount_point(void)
{
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs st;

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (statfs(usual[i], &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
			return usual[i];
	return NULL;
}

/* Our own cgroup's directory, from the "0::" line of /proc/self/cgroup. */
static int own_cgroup(char *path, size_t room)
{
	char buf[8192], *line, *end;
	const char *top = mount_point();
	int n = read_file(AT_FDCWD, "/proc/self/cgroup", buf, sizeof(buf));

	if (!top)
		return -ENODEV;
	if (n < 0)
		return n;
	for (line = buf; line && strncmp(line, "0::", 3) != 0; line = end ? end + 1 : NULL)
		end = strchr(line, '\n');
	if (!line)
		return -ENODEV;
	line[strcspn(line, "\n")] = '\0';
	n = snprintf(path, room, "%s%s", top, strcmp(line + 3, "/") == 0 ? "" : line + 3);
	return n < (int)room ? (int)strlen(top) : -ENAMETOOLONG;
}

static bool lists(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (; (words = strstr(words, word)); words += n)
		if (words[n] == '\0' || words[n] == ' ')
			return true;
	return false;
}

/* Each limit: its controller, its file, its value. */
struct limit {
	const char *controller, *file;
	char value[VALUE_ROOM];
};

static size_t limits_of(const struct plan *p, struct limit limit[3])
{
	size_t n = 0;

	if (p->limits.memory) {
		limit[n] = (struct limit){ "memory", "memory.max", "" };
		snprintf(limit[n++].value, VALUE_ROOM, "%" PRIu64,
			 p->limits.memory & ~(uint64_t)4095);
	}
	if (p->limits.pids) {
		limit[n] = (struct limit){ "pids", "pids.max", "" };
		snprintf(limit[n++].value, VALUE_ROOM, "%" PRIu64, p->limits.pids);
	}
	if (p->limits.cpu_quota_usec) {
		limit[n] = (struct limit){ "cpu", "cpu.max", "" };
		snprintf(limit[n++].value, VALUE_ROOM, "%" PRIu64 " %d", p->limits.cpu_quota_usec,
			 CPU_PERIOD_USEC);
	}
	return n;
}

/*
 * The "no internal process constraint": only the root may have processes of its own and
 * limits on cgroups below it. Elsewhere the kernel refuses that for memory; told to hand
 * down pids or cpu alone it makes the cgroup the root of a threaded subtree, in which no
 * process can be started. The root has no cgroup.type.
 */
static bool may_be_parent(int dir)
{
	char text[32] = "";
	int n = read_file(dir, "cgroup.type", text, sizeof(text));

	if (n == -ENOENT)
		return true;
	return n > 0 && strcmp(text, "domain") == 0 &&
	       read_file(dir, "cgroup.procs", text, sizeof(text)) == 0;
}

/* Does @file of a cgroup name all controllers that we need? */
static bool names_all(int dir, const char *file, const struct limit *limit, size_t n)
{
	char words[512];
	bool all = read_file(dir, file, words, sizeof(words)) >= 0;

	for (size_t i = 0; all && i < n; i++)
		all = lists(words, limit[i].controller);
	return all;
}

/*
 * Does the cgroup at @path hand down all controllers that we need, or can it be told to?
 * One that lacks any is told nothing: what it is told stays.
 */
static bool hands_down(const char *path, const struct limit *limit, size_t n)
{
	char word[VALUE_ROOM];
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool all = dir >= 0 && may_be_parent(dir) && names_all(dir, "cgroup.controllers", limit, n);

	for (size_t i = 0; all && i < n; i++) {
		snprintf(word, sizeof(word), "+%s", limit[i].controller);
		if (!names_all(dir, "cgroup.subtree_control", &limit[i], 1))
			all = write_file(dir, "cgroup.subtree_control", word) == 0;
	}
	if (dir >= 0)
		close(dir);
	return all && access(path, W_OK) == 0;
}

/* Does cgroup v2 have the controllers anywhere here? Tells "not delegated" from "v1". */
static bool offers_all(const struct limit *limit, size_t n)
{
	int dir = open(mount_point(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool all = dir >= 0 && names_all(dir, "cgroup.controllers", limit, n);

	if (dir >= 0)
		close(dir);
	return all;
}

/* The nearest that hands the controllers down: ours does if it is the root, else an ancestor. */
static int find_home(struct container *c, char *path, size_t room, const struct limit *limit,
		     size_t n)
{
	int top = own_cgroup(path, room);

	if (top < 0)
		return fail(&c->fault, STEP_make_cgroup, "/sys/fs/cgroup",
			    top == -ENODEV ? NO_CONTROLLER : top);
	if (!offers_all(limit, n))
		return fail(&c->fault, STEP_make_cgroup, mount_point(), NO_CONTROLLER);
	while (!hands_down(path, limit, n)) {
		if (strlen(path) <= (size_t)top)
			return fail(&c->fault, STEP_make_cgroup, path, NO_DELEGATION);
		*strrchr(path, '/') = '\0';
	}
	return 0;
}

static int set_limit(struct container *c, const struct limit *l)
{
	char now[VALUE_ROOM] = "";
	int ret = write_file(c->cgroup, l->file, l->value);

	if (ret == 0)
		ret = read_file(c->cgroup, l->file, now, sizeof(now));
	if (ret < 0 || strcmp(now, l->value) != 0)
		return fail(&c->fault, STEP_limit, l->file, ret < 0 ? ret : LIE);
	return 0;
}

/*
 * Without swap a memory limit is one; and who exceeds it dies whole. Files that a kernel
 * does not have (no swap, before 4.19) have no limit to set.
 */
static int set_memory_details(struct container *c)
{
	static const char *const details[][2] = { { "memory.swap.max", "0" },
						  { "memory.oom.group", "1" } };
	int ret;

	for (size_t i = 0; i < 2; i++) {
		ret = write_file(c->cgroup, details[i][0], details[i][1]);
		if (ret < 0 && ret != -ENOENT)
			return fail(&c->fault, STEP_limit, details[i][0], ret);
	}
	return 0;
}

static int make_cgroup(struct container *c, const char *home)
{
	char path[PATH_ROOM];
	int n = snprintf(path, sizeof(path), "%s/bulkhead-%d", home, c->host_pid), ret;

	if (n >= (int)sizeof(path))
		return fail(&c->fault, STEP_make_cgroup, home, ENAMETOOLONG);
	/* Before the directory exists: whoever dies from now on, the other removes it. */
	memcpy(c->cgroup_path, path, sizeof(path));
	ret = sys_mkdirat(AT_FDCWD, path, 0755);
	if (ret < 0) {
		*c->cgroup_path = '\0';
		return fail(&c->fault, STEP_make_cgroup, home, ret);
	}
	c->cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->cgroup < 3)
		return fail(&c->fault, STEP_make_cgroup, home, c->cgroup < 0 ? errno : LIE);
	return 0;
}

int cgroup_host(struct container *c)
{
	struct limit limit[3];
	char home[PATH_ROOM];
	size_t n = limits_of(c->plan, limit);

	if (!plan_has_limits(c->plan))
		return 0;
	TRY(find_home(c, home, sizeof(home), limit, n));
	TRY(janitor_start(c));
	TRY(make_cgroup(c, home));
	for (size_t i = 0; i < n; i++)
		TRY(set_limit(c, &limit[i]));
	return c->plan->limits.memory ? set_memory_details(c) : 0;
}

static void kill_members(int dir)
{
	int fd = sys_openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC, 0); /* 5.14 */

	sys_write(fd, "1", 1);
	sys_close(fd);
}

/* A dead process leaves its cgroup a moment later: cgroup.events tells when (POLLPRI). */
static void wait_until_empty(int dir)
{
	const struct timespec limit = { .tv_sec = 2 };
	struct pollfd p = { .events = POLLPRI };
	char buf[256];

	p.fd = sys_openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC, 0);
	for (int i = 0; i < 8 && p.fd >= 0; i++) {
		long n = RAW4(SYS_pread64, p.fd, buf, sizeof(buf) - 1, 0);

		if (n <= 0)
			break;
		buf[n] = '\0';
		if (strstr(buf, "populated 0"))
			break;
		RAW5(SYS_ppoll, &p, 1, &limit, NULL, 0);
	}
	sys_close(p.fd);
}

void cgroup_remove(struct container *c)
{
	int dir;

	if (!*c->cgroup_path)
		return;
	dir = sys_openat(AT_FDCWD, c->cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir >= 0) {
		kill_members(dir);
		wait_until_empty(dir);
		sys_close(dir);
	}
	/* With the cgroups that the command made below its own; their files go with them. */
	tree_remove(AT_FDCWD, c->cgroup_path, false);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nobody outlives a test. The runner is a child subreaper, so whatever a test
 * forked, double-forked or daemonised becomes the runner's child once the test's
 * own process is gone; what is still alive then is a leftover and is killed.
 * Where the cgroup v2 tree is writable, raw tests also run in a cgroup of the
 * program's own and cgroup.kill ends even a process that forks without end.
 */
#include "harness.h"

#include <dirent.h>
#include <poll.h>

/* How long a process that is already dying may take before it counts as left. */
enum { GRACE_MS = 1000, MOST_ROUNDS = 20 };

static char cgroup[PATH_MAX];
static const char *cgroup_root;

bool contain_cgroup_kill(void)
{
	return cgroup[0] && exists("%s/cgroup.kill", cgroup);
}

/* A name of its own each time: see kill_cgroup(). */
static void make_cgroup(void)
{
	static unsigned made;

	snprintf(cgroup, sizeof(cgroup), "%s/" CGROUP_PREFIX "%d-%u", cgroup_root, getpid(),
		 made++);
	if (mkdir(cgroup, 0755))
		cgroup[0] = 0;
}

/* A runner that was killed could not remove its cgroup: the next one does. */
static void sweep_cgroups(void)
{
	DIR *directory = opendir(cgroup_root);
	struct dirent *entry;
	int owner;

	while (directory && (entry = readdir(directory)))
		if (sscanf(entry->d_name, CGROUP_PREFIX "%d-", &owner) == 1 && kill(owner, 0) &&
		    errno == ESRCH)
			unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
	if (directory)
		closedir(directory);
}

void contain_open(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (size_t i = 0; i < 2 && !cgroup_root; i++)
		if (exists("%s/cgroup.procs", roots[i]))
			cgroup_root = roots[i];
	if (!cgroup_root)
		return;
	sweep_cgroups();
	make_cgroup();
}

void contain_close(void)
{
	if (cgroup[0])
		rmdir(cgroup);
}

const char *contain_cgroup(void)
{
	return cgroup[0] ? cgroup : NULL;
}

/* A descriptor for CLONE_INTO_CGROUP, or -1. */
int contain_cgroup_fd(void)
{
	return cgroup[0] ? open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

static void kill_cgroup(void)
{
	char path[PATH_MAX + 16];
	_fd_ int fd = -EBADF;

	if (!cgroup[0])
		return;
	snprintf(path, sizeof(path), "%s/cgroup.kill", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		note("cannot kill the cgroup: %s", strerror(errno));
}

/*
 * Kernels that number the kills of a cgroup (seen on 6.18) also kill what
 * CLONE_INTO_CGROUP later starts in it, so a cgroup that was killed is replaced.
 */
static void replace_cgroup(void)
{
	if (!cgroup[0])
		return;
	rmdir(cgroup);
	make_cgroup();
}

static pid_t parent_of(const char *pid)
{
	char path[32 + sizeof("/proc//stat")], line[256], *end;
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* PID (NAME) STATE PPID: the name may hold anything, the last ')' ends it. */
	end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

/* Calls `act` for each child of the runner. */
static unsigned each_child(void (*act)(pid_t pid, char *names, size_t size), char *names,
			   size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;

	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    parent_of(entry->d_name) == getpid()) {
			act(strtol(entry->d_name, NULL, 10), names, size);
			count++;
		}
	if (proc)
		closedir(proc);
	return count;
}

static void add_name(pid_t pid, char *names, size_t size)
{
	char path[48], name[32] = "?";
	size_t used = strlen(names);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = 0;
	if (file)
		fclose(file);
	if (used + strlen(name) + 3 < size)
		snprintf(names + used, size - used, "%s%s", used ? ", " : "", name);
}

static void kill_one(pid_t pid, char *names, size_t size)
{
	(void)names;
	(void)size;
	kill(pid, SIGKILL);
}

/* Reaps what has ended. True when a child is still alive. */
static bool someone_alive(void)
{
	siginfo_t child;

	for (;;) {
		child.si_pid = 0;
		if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | __WALL))
			return false;
		if (!child.si_pid)
			return true;
	}
}

/* Waits, no longer than `ms`, until no child is alive. */
static bool all_end_within(int ms)
{
	struct timespec limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (someone_alive())
		if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN)
			return !someone_alive();
	return true;
}

unsigned contain_leftovers(char *names, size_t size)
{
	unsigned count;

	names[0] = 0;
	if (!someone_alive() || all_end_within(GRACE_MS))
		return 0;
	count = each_child(add_name, names, size);
	/* Each round meets the children of those who ended in the one before. */
	for (int round = 0; round < MOST_ROUNDS; round++) {
		kill_cgroup();
		each_child(kill_one, NULL, 0);
		if (all_end_within(GRACE_MS))
			break;
	}
	replace_cgroup();
	return count;
}

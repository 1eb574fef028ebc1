// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leave no trace, and prove it. What changed is asked of the kernel by one cheap
 * call a kind (poll on mountinfo, a netlink group, a directory read); only when
 * something did change is it looked at closely, named and undone.
 */
#include "harness.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>

static int mounts_fd = -EBADF, links_fd = -EBADF;
static char *mounts_before;
static struct if_nameindex *links_before;
static char name_before[65];

static char *slurp(int fd)
{
	size_t used = 0, size = 16384;
	char *content = NULL;
	ssize_t got;

	lseek(fd, 0, SEEK_SET);
	do {
		char *larger = realloc(content, size *= 2);

		if (!larger)
			world_broken("read", "mountinfo");
		content = larger;
		got = read(fd, content + used, size - used - 1);
		used += got > 0 ? got : 0;
	} while (got > 0);
	content[used] = 0;
	return content;
}

void leaks_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	cgroups_open();
	if (!stage_is_own())
		return;
	gethostname(name_before, sizeof(name_before));
	mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	mounts_before = slurp(mounts_fd);
	links_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (links_fd >= 0 && bind(links_fd, (struct sockaddr *)&address, sizeof(address)))
		close_fd(&links_fd);
	links_before = if_nameindex();
}

/* Polling mountinfo tells a change once to all who share the descriptor. */
void leaks_close(void)
{
	close_fd(&mounts_fd);
	close_fd(&links_fd);
	cgroups_close();
}

static void add_leak(char *what, size_t size, const char *kind, const char *name)
{
	size_t used = strlen(what);

	snprintf(what + used, size - used, "%s%s %s", used ? ", " : "", kind, name);
}

/* The mount point (field 5) of a mountinfo line; and whether it holds a namespace. */
static bool mount_point(const char *line, char *path, size_t size)
{
	const char *end = strchr(line, '\n');
	const char *nsfs = strstr(line, " - nsfs ");

	if (sscanf(line, "%*s %*s %*s %*s %255s", path) != 1)
		snprintf(path, size, "?");
	return nsfs && nsfs < end;
}

/* A mount is known by its id, the first field: options and propagation may have changed. */
static bool has_mount(const char *list, const char *row)
{
	char start[16];
	int length = snprintf(start, sizeof(start), "\n%.*s ", (int)strspn(row, "0123456789"), row);

	return !strncmp(list, start + 1, length - 1) || strstr(list, start);
}

/* mountinfo is in order of mounting for what is new: undo from the last one. */
static void undo_mounts(char *what, size_t size)
{
	char *now = slurp(mounts_fd), *line, *end;

	for (end = now + strlen(now); end > now; end = line) {
		char path[256], row[1024];
		bool is_namespace;

		*--end = 0;
		line = strrchr(now, '\n') ? strrchr(now, '\n') + 1 : now;
		snprintf(row, sizeof(row), "%s\n", line);
		if (has_mount(mounts_before, row))
			continue;
		is_namespace = mount_point(row, path, sizeof(path));
		add_leak(what, size, is_namespace ? "namespace" : "mount", path);
		umount2(path, MNT_DETACH);
	}
	free(now);
}

/* The host's mounts that the test took away: named, for there is no undoing. */
static void name_lost_mounts(char *what, size_t size)
{
	char *now = slurp(mounts_fd), *line = mounts_before;

	for (; *line; line += strcspn(line, "\n") + 1) {
		char path[256];

		if (has_mount(now, line))
			continue;
		mount_point(line, path, sizeof(path));
		add_leak(what, size, "taken away: mount", path);
	}
	free(now);
}

static void look_at_mounts(char *what, size_t size)
{
	struct pollfd changed = { .fd = mounts_fd, .events = POLLPRI };
	char *now;

	if (mounts_fd < 0 || poll(&changed, 1, 0) <= 0 || !(changed.revents & POLLPRI))
		return;
	name_lost_mounts(what, size);
	undo_mounts(what, size);
	stage_mend();
	/* What could not be undone is the next test's starting point, not its fault. */
	now = slurp(mounts_fd);
	free(mounts_before);
	mounts_before = now;
}

static bool was_there(unsigned index)
{
	for (struct if_nameindex *link = links_before; link && link->if_index; link++)
		if (link->if_index == index)
			return true;
	return false;
}

static void delete_link(unsigned index)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_DELLINK,
			    .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = (int)index },
	};
	_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	send(fd, &request, sizeof(request), 0);
}

static void look_at_links(char *what, size_t size)
{
	struct if_nameindex *now;
	char drain[8192];
	bool changed = false;

	while (links_fd >= 0 && recv(links_fd, drain, sizeof(drain), 0) > 0)
		changed = true;
	if (!changed)
		return;
	now = if_nameindex();
	for (struct if_nameindex *link = now; link && link->if_index; link++)
		if (!was_there(link->if_index)) {
			add_leak(what, size, "network device", link->if_name);
			delete_link(link->if_index);
		}
	if (now)
		if_freenameindex(now);
}

static void look_at_files(const char *directory, char *what, size_t size)
{
	DIR *files = opendir(directory);
	struct dirent *entry;
	bool found = false;

	while (files && (entry = readdir(files))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		add_leak(what, size, "file", entry->d_name);
		found = true;
	}
	if (files)
		closedir(files);
	if (found)
		stage_sweep(directory);
}

/* The stage's hostname is not the machine's, but the next test relies on it. */
static void look_at_name(char *what, size_t size)
{
	char now[65] = "";

	if (!stage_is_own() || gethostname(now, sizeof(now)) || !strcmp(now, name_before))
		return;
	add_leak(what, size, "hostname", now);
	if (sethostname(name_before, strlen(name_before)))
		add_leak(what, size, "and it stays:", strerror(errno));
}

void leaks_look(char *what, size_t size)
{
	what[0] = 0;
	look_at_mounts(what, size);
	look_at_links(what, size);
	look_at_files(stage_scratch(), what, size);
	if (stage_shm_is_own())
		look_at_files("/dev/shm", what, size);
	cgroups_look(what, size);
	look_at_name(what, size);
}

/* Which of the first 256 descriptors are open: one system call. */
void fds_note(struct fd_set_seen *seen)
{
	struct pollfd list[256];

	memset(seen, 0, sizeof(*seen));
	for (int fd = 0; fd < 256; fd++)
		list[fd] = (struct pollfd){ .fd = fd };
	if (poll(list, 256, 0) < 0)
		return;
	for (int fd = 0; fd < 256; fd++)
		if (!(list[fd].revents & POLLNVAL))
			seen->bits[fd / 64] |= UINT64_C(1) << fd % 64;
}

void fds_compare(const struct fd_set_seen *before)
{
	const struct test *test = self_.run->test;
	struct fd_set_seen now;

	fds_note(&now);
	for (int fd = 0; fd < 256; fd++) {
		char path[32], target[128];
		ssize_t length;

		if (!((now.bits[fd / 64] & ~before->bits[fd / 64]) >> fd % 64 & 1))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = 0;
		fail_at(test->file, test->line, "left behind: descriptor %d (%s)", fd, target);
	}
}

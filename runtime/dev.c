// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev: six harmless devices and the usual links, on a tmpfs of the container's own. */
#include "dirents.h"
#include "steps.h"
#include "sys.h"

#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/sysmacros.h>

static const struct device {
	const char *path;
	unsigned int major, minor;
} devices[] = {
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

enum { DEVICE_COUNT = sizeof(devices) / sizeof(*devices) };

static const struct link {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" }, { "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/ptmx", "pts/ptmx" },
};

enum { LINK_COUNT = sizeof(links) / sizeof(*links) };

/* mknod(2) of a device needs CAP_MKNOD in the initial user namespace. */
static bool are_borrowed(const struct inside *in)
{
	return plan_is_in_userns(in->plan);
}

int dev_open(struct inside *in)
{
	_Static_assert(DEVICE_COUNT <= sizeof(in->device_trees) / sizeof(*in->device_trees),
		       "a slot for each device");

	if (!are_borrowed(in))
		return 0;
	for (int i = 0; i < DEVICE_COUNT; i++) {
		in->device_trees[i] = sys_open_tree(AT_FDCWD, devices[i].path,
						    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (in->device_trees[i] < 0)
			return fail(&in->fault, STEP_device, devices[i].path, in->device_trees[i]);
	}
	return 0;
}

/* Where we stand in /dev already. */
static const char *name_in_dev(const char *path)
{
	return path + sizeof("/dev/") - 1;
}

static int borrow_device(struct inside *in, int i)
{
	const char *name = name_in_dev(devices[i].path);
	int ret = sys_mknodat(AT_FDCWD, name, S_IFREG | 0666, 0);

	if (ret == 0)
		ret = sys_attach_tree(in->device_trees[i], AT_FDCWD, name, 0);
	sys_close(in->device_trees[i]);
	return ret;
}

static int make_devices(struct inside *in)
{
	int ret;

	for (int i = 0; i < DEVICE_COUNT; i++) {
		const struct device *d = &devices[i];

		if (are_borrowed(in))
			ret = borrow_device(in, i);
		else
			ret = sys_mknodat(AT_FDCWD, name_in_dev(d->path), S_IFCHR | 0666,
					  (unsigned int)makedev(d->major, d->minor));
		if (ret < 0)
			return fail(&in->fault, STEP_device, d->path, ret);
	}
	return 0;
}

static int make_links(struct inside *in)
{
	for (int i = 0; i < LINK_COUNT; i++) {
		int ret = sys_symlinkat(links[i].target, AT_FDCWD, name_in_dev(links[i].path));

		if (ret < 0)
			return fail(&in->fault, STEP_device_link, links[i].path, ret);
	}
	return 0;
}

static bool is_listed(const char *list, long n, const char *path, uint8_t type)
{
	const char *name = name_in_dev(path);

	for (long at = 0; at < n;) {
		const struct dir_entry *e = (const struct dir_entry *)(list + at);

		if (e->type == type && strcmp(e->name, name) == 0)
			return true;
		at += e->size;
	}
	return false;
}

/*
 * The directory of a tmpfs that we alone write to has grown by as much for each entry
 * (BOGO_DIRENT_SIZE in mm/shmem.c; "." and ".." count), so all of them are there.
 */
static bool has_grown_by_all(const struct inside *in)
{
	enum { DIRENT_SIZE = 20, ENTRIES = 2 + DEVICE_COUNT + LINK_COUNT };
	struct statx stx = { .stx_size = 0 };

	return sys_statx(in->fs[DEV], "", AT_EMPTY_PATH, STATX_SIZE, &stx) == 0 &&
	       stx.stx_size == (uint64_t)DIRENT_SIZE * ENTRIES;
}

/* Where its size does not tell, name by name. */
static int inspect_list(struct inside *in)
{
	char list[2048] __attribute__((aligned(8))) = "";
	uint8_t device = are_borrowed(in) ? DIR_ENTRY_FILE : DIR_ENTRY_DEVICE;
	int fd = sys_openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n = fd < 0 ? fd : RAW3(SYS_getdents64, fd, list, sizeof(list));

	sys_close(fd);
	for (int i = 0; i < DEVICE_COUNT; i++)
		if (!is_listed(list, n, devices[i].path, device))
			return fail(&in->fault, STEP_device, devices[i].path, n < 0 ? n : LIE);
	for (int i = 0; i < LINK_COUNT; i++)
		if (!is_listed(list, n, links[i].path, DIR_ENTRY_LINK))
			return fail(&in->fault, STEP_device_link, links[i].path, n < 0 ? n : LIE);
	return 0;
}

/* A borrowed device must lie on the file that was made for it. */
static int inspect_borrowed(struct inside *in)
{
	for (int i = 0; i < DEVICE_COUNT; i++) {
		struct statx stx = { .stx_mode = 0 };
		int ret = sys_statx(AT_FDCWD, name_in_dev(devices[i].path), AT_SYMLINK_NOFOLLOW,
				    STATX_TYPE, &stx);

		if (ret < 0 || (stx.stx_mode & S_IFMT) != S_IFCHR ||
		    stx.stx_rdev_major != devices[i].major ||
		    stx.stx_rdev_minor != devices[i].minor)
			return fail(&in->fault, STEP_device, devices[i].path, ret ? ret : LIE);
	}
	return 0;
}

static int inspect_mount(struct inside *in, const char *path, unsigned long magic,
			 unsigned long want)
{
	struct statfs st = { .f_type = 0 };
	int ret = sys_statfs(path, &st);

	if (ret < 0 || (unsigned long)st.f_type != magic ||
	    ((unsigned long)st.f_flags & want) != want)
		return fail(&in->fault, STEP_mount, path, ret ? ret : LIE);
	return 0;
}

/* Shared memory: a directory of the same tmpfs, which saves a second one its making and its end. */
static int make_shm(struct inside *in)
{
	int ret = sys_mkdirat(AT_FDCWD, "shm", 01777);

	if (ret < 0)
		return fail(&in->fault, STEP_make_target, "/dev/shm", ret);
	ret = sys_mount("shm", "shm", NULL, MS_BIND, NULL);
	if (ret == 0)
		ret = sys_mount("none", "shm", NULL,
				MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (ret < 0)
		return fail(&in->fault, STEP_mount, "/dev/shm", ret);
	return inspect_mount(in, "shm", TMPFS_MAGIC, MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/* The group of terminals, where the id maps know it. */
static bool knows_tty_group(const struct plan *p)
{
	if (!plan_is_in_userns(p))
		return true;
	for (size_t i = 0; i < p->gids.n; i++)
		if (p->gids.line[i].inside <= 5 &&
		    p->gids.line[i].count > 5 - p->gids.line[i].inside)
			return true;
	return false;
}

/*
 * Terminals of the container's own. The directory that they cover stays empty: nobody
 * reaches it but by the mount that is taken of it here, for mask.c to lay over others.
 */
static int make_terminals(struct inside *in)
{
	const char *options = knows_tty_group(in->plan)
				      ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
				      : "newinstance,ptmxmode=0666,mode=0620";
	int ret = sys_mkdirat(AT_FDCWD, "pts", 0555);

	if (ret < 0)
		return fail(&in->fault, STEP_make_target, "/dev/pts", ret);
	in->empty_dir = sys_open_tree(AT_FDCWD, "pts", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (in->empty_dir < 0)
		return fail(&in->fault, STEP_mount, "/dev/pts", in->empty_dir);
	ret = sys_mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, options);
	if (ret < 0)
		return fail(&in->fault, STEP_mount, "/dev/pts", ret);
	return inspect_mount(in, "pts", DEVPTS_SUPER_MAGIC, MS_NOSUID | MS_NOEXEC);
}

int dev_populate(struct inside *in)
{
	TRY(kernelfs_enter(in, DEV)); /* to work there by names alone */
	TRY(make_devices(in));
	TRY(make_links(in));
	if (!has_grown_by_all(in))
		TRY(inspect_list(in));
	if (are_borrowed(in))
		TRY(inspect_borrowed(in));
	TRY(make_shm(in));
	return make_terminals(in);
}

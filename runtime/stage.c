// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `child` trusts its caller to have made the namespaces; where it can tell that one of
 * them is the host's, it stops before it changes the host's mounts.
 */
#include "newfs.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#define INITIAL_UTS 0xEFFFFFFEULL /* PROC_UTS_INIT_INO */

/*
 * Inode numbers of the initial namespaces: include/linux/proc_ns.h. The mount
 * namespace's was the first that the kernel hands out, or the next, until 6.18 fixed it.
 */
static const struct initial {
	uint64_t first, last;
	const char *file;
} initial[] = {
	{ 4026531840, 4026531841, "self/ns/mnt" },
	{ 4026531832, 4026531832, "self/ns/mnt" },
	{ 4026531836, 4026531836, "self/ns/pid" },
};

/*
 * A procfs of our own PID namespace, not attached anywhere: the one at /proc may still be
 * that of the namespace outside, where "self" is nobody.
 */
static int open_proc(void)
{
	const struct newfs_option none = { NULL, NULL };
	int proc = newfs_make("proc", &none, 0);

	return proc >= 0 ? proc
			 : sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static uint64_t inode(int proc, const char *path)
{
	struct statx stx = { .stx_ino = 0 };

	sys_statx(proc, path, 0, STATX_INO, &stx);
	return stx.stx_ino;
}

/* The process that started us stands outside of what it made for us. */
static bool shares_mounts_with_starter(int proc)
{
	char starter[32] = "";
	uint64_t theirs;
	long ppid = RAW1(SYS_getppid, 0);

	if (ppid <= 0)
		return false;
	text_add_number(starter, sizeof(starter), (uint64_t)ppid);
	text_add(starter, sizeof(starter), "/ns/mnt");
	theirs = inode(proc, starter);
	return theirs && theirs == inode(proc, "self/ns/mnt");
}

static const char *host_namespace(int proc)
{
	for (size_t i = 0; i < sizeof(initial) / sizeof(*initial); i++) {
		uint64_t ino = inode(proc, initial[i].file);

		if (ino >= initial[i].first && ino <= initial[i].last)
			return initial[i].file;
	}
	return shares_mounts_with_starter(proc) ? initial[0].file : NULL;
}

int stage_check(struct container *c)
{
	int proc = open_proc();
	const char *host = host_namespace(proc);

	sys_close(proc);
	if (host)
		return fail(&c->fault, STEP_host_mntns, host, HOST_NAMESPACE);
	return 0;
}

int stage_check_hostname(struct inside *in)
{
	if (inode(AT_FDCWD, "/proc/self/ns/uts") == INITIAL_UTS)
		return fail(&in->fault, STEP_host_mntns, "self/ns/uts", HOST_NAMESPACE);
	return 0;
}

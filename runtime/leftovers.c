// SPDX-License-Identifier: GPL-2.0-or-later
#include "leftovers.h"

#include "dirents.h"
#include "sys.h"
#include "text.h"

#include <sched.h>
#include <signal.h>

static uint64_t mount_namespace(const char *pid)
{
	char path[40] = "/proc/";
	struct statx stx = { .stx_ino = 0 };

	text_add(path, sizeof(path), pid);
	text_add(path, sizeof(path), "/ns/mnt");
	sys_statx(AT_FDCWD, path, 0, STATX_INO, &stx);
	return stx.stx_ino;
}

int leftovers_note(struct container *c)
{
	char pid[16] = "";

	if (c->plan->namespaces & CLONE_NEWPID)
		return 0;
	text_add_number(pid, sizeof(pid), (uint64_t)c->pid);
	c->mnt_ns = mount_namespace(pid);
	return c->mnt_ns ? 0 : fail(&c->fault, STEP_supervise, "/proc/PID/ns/mnt", ENOENT);
}

static int number(const char *digits)
{
	int n = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = 10 * n + (*digits - '0');
	return n;
}

/* One pass over /proc; returns how many processes were killed. */
static int kill_pass(uint64_t mnt_ns)
{
	char buf[4096] __attribute__((aligned(8))) = "";
	int killed = 0, proc = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long n;

	while ((n = RAW3(SYS_getdents64, proc, buf, sizeof(buf))) > 0) {
		const struct dir_entry *e;

		for (long at = 0; at < n; at += e->size) {
			e = (const struct dir_entry *)(buf + at);
			if (number(e->name) > 1 && mount_namespace(e->name) == mnt_ns)
				killed += RAW2(SYS_kill, number(e->name), SIGKILL) == 0;
		}
	}
	sys_close(proc);
	return killed;
}

/* A process may fork while we look: look again until there is nobody. */
void leftovers_kill(struct container *c)
{
	if (!c->mnt_ns)
		return;
	while (kill_pass(c->mnt_ns) > 0)
		RAW1(SYS_sched_yield, 0);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The user namespace: root inside is nobody special on the host (user_namespaces(7)). */
#include "helper.h"
#include "identity.h"
#include "meet.h"
#include "room.h"
#include "steps.h"
#include "sys.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { MAP_LINE_ROOM = 36, MAP_ROOM = ID_MAP_ROOM * MAP_LINE_ROOM };

static int write_proc(struct container *c, const char *file, const char *text)
{
	char path[64];
	size_t n = strlen(text);
	ssize_t done;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", c->pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(&c->fault, STEP_id_map, path, errno);
	done = write(fd, text, n);
	if (done != (ssize_t)n) {
		fail(&c->fault, STEP_id_map, path, done < 0 ? errno : LIE);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int write_map(struct container *c, const char *file, const struct id_maps *maps)
{
	char text[MAP_ROOM + 1];
	size_t n = 0;

	for (size_t i = 0; i < maps->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u %u %u\n",
				      maps->line[i].inside, maps->line[i].host,
				      maps->line[i].count);
	return write_proc(c, file, text);
}

/* newuidmap(1) and newgidmap(1) may map what the administrator granted in /etc/sub*id. */
static int run_map_helper(struct container *c, const char *helper, const struct id_maps *maps)
{
	static ROOM char text[3 * ID_MAP_ROOM][11];
	char path[HELPER_PATH_ROOM], pid[12], *argv[3 * ID_MAP_ROOM + 3] = { (char *)helper, pid };
	int n = 2;
	long ret;

	snprintf(pid, sizeof(pid), "%d", c->pid);
	for (size_t i = 0; i < maps->n; i++) {
		const uint32_t field[] = { maps->line[i].inside, maps->line[i].host,
					   maps->line[i].count };

		for (size_t f = 0; f < 3; f++) {
			snprintf(text[3 * i + f], sizeof(text[0]), "%u", field[f]);
			argv[n++] = text[3 * i + f];
		}
	}
	argv[n] = NULL;
	ret = helper_find(helper, path, sizeof(path));
	if (ret == 0)
		ret = helper_run(path, argv);
	return ret ? fail(&c->fault, STEP_id_map, helper, ret) : 0;
}

static bool is_own_id_only(const struct id_maps *maps, uint32_t own)
{
	return maps->n == 1 && maps->line[0].count == 1 && maps->line[0].host == own;
}

/* Without privilege a process may map its own id, once setgroups(2) is denied. */
static int write_unprivileged(struct container *c)
{
	const struct plan *p = c->plan;

	if (is_own_id_only(&p->uids, caller_uid()))
		TRY(write_map(c, "uid_map", &p->uids));
	else
		TRY(run_map_helper(c, "newuidmap", &p->uids));
	if (!is_own_id_only(&p->gids, caller_gid()))
		return run_map_helper(c, "newgidmap", &p->gids);
	TRY(write_proc(c, "setgroups", "deny"));
	return write_map(c, "gid_map", &p->gids);
}

/* To write to a process by a number of another namespace would be to write to a stranger. */
static int check_proc(struct container *c)
{
	char self[16] = "";
	int ret = sys_readlinkat(AT_FDCWD, "/proc/self", self, sizeof(self) - 1);

	if (ret < 0 || atoi(self) != c->host_pid)
		return fail(&c->fault, STEP_id_map, "/proc", ret < 0 ? ret : FOREIGN_PROC);
	return 0;
}

int userns_host(struct container *c)
{
	const struct plan *p = c->plan;

	if (!(p->namespaces & CLONE_NEWUSER))
		return 0;
	TRY(check_proc(c));
	if (p->rootless)
		return write_unprivileged(c);
	TRY(write_map(c, "uid_map", &p->uids));
	return write_map(c, "gid_map", &p->gids);
}

/* The kernel's view of ourselves, once mapped: root, whoever we are on the host. */
static int become_root(struct inside *in)
{
	uint32_t uid = ~0U, gid = ~0U, unused;
	long ret;

	ret = RAW3(SYS_setresgid, 0, 0, 0);
	if (ret == 0)
		ret = RAW3(SYS_setresuid, 0, 0, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_become_root, "setresuid", ret);
	RAW3(SYS_getresuid, &unused, &uid, &unused);
	RAW3(SYS_getresgid, &unused, &gid, &unused);
	if (uid || gid)
		return fail(&in->fault, STEP_become_root, "setresuid", LIE);
	/*
	 * Changing ids has made us undumpable, and /proc/self the property of an id that the
	 * namespace does not map. Nobody else is in here yet to look at us.
	 */
	ret = sys_prctl(PR_SET_DUMPABLE, 1, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_become_root, "PR_SET_DUMPABLE", ret);
	return pidns_tie_to_host(in);
}

int userns_inside(struct inside *in)
{
	int ret;

	if (!meet_is_awaited(in->plan))
		return 0;
	ret = meet_wait(in->channel, MEET_RELEASED);
	if (ret < 0)
		return fail(&in->fault, STEP_meet, meet_words(MEET_RELEASED), ret);
	return in->plan->namespaces & CLONE_NEWUSER ? become_root(in) : 0;
}

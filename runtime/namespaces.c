// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who makes which namespace. clone3() makes them all, but for three sets:
 *
 * - a network namespace that the host side makes at the same time (netns.c), and with it
 *   the IPC namespace, half of the work that would be left to the inside;
 * - then all that need no help from there: while clone3() made them that would wait;
 * - the cgroup namespace of a container with a cgroup of its own, whose root is the cgroup
 *   of the process that creates it (cgroup_namespaces(7)): with clone3() that is bulkhead's.
 *
 * The inside makes the last two as its first act. A time namespace comes before the
 * container (timens.c).
 */
#include "meet.h"
#include "steps.h"
#include "sys.h"

#include <sched.h>

enum { NEED_NO_HELP = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWCGROUP };

void namespaces_share_out(struct container *c)
{
	const struct plan *p = c->plan;
	uint64_t later = plan_has_limits(p) ? CLONE_NEWCGROUP : 0;

	/* Whom the inside waits for looks at its namespaces before that (leftovers.h). */
	if (c->made_aside && !meet_is_awaited(p))
		later = NEED_NO_HELP;
	c->made_inside = p->namespaces & later;
	c->made_by_clone = p->namespaces & ~later & ~c->made_aside;
}

/*
 * Every mount of a new mount namespace has a new id, and one call makes all or none. What
 * a lost call leaves of the cgroup namespace alone, cgroupns.c sees.
 */
int namespaces_inside(struct inside *in)
{
	const uint64_t flags = in->host->made_inside;
	uint64_t before = 0, after = 0;
	long ret;

	if (!flags)
		return 0;
	ret = sys_mount_id(AT_FDCWD, "/", &before);
	if (ret == 0)
		ret = RAW1(SYS_unshare, flags);
	if (ret == 0)
		ret = sys_mount_id(AT_FDCWD, "/", &after);
	if (ret == 0 && flags & CLONE_NEWNS && (!before || !after || before == after))
		ret = LIE;
	return ret ? fail(&in->fault, STEP_unshare, "unshare", ret) : 0;
}

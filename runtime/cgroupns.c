// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cgroup namespace. Its root is the cgroup of the process that creates it
 * (cgroup_namespaces(7)), and with clone3() that is bulkhead's: a container with a
 * cgroup of its own therefore creates it itself, from within that cgroup.
 */
#include "steps.h"
#include "sys.h"

#include <sched.h>
#include <string.h>

int cgroupns_inside(struct inside *in)
{
	const struct plan *p = in->plan;
	long ret;

	if (!(p->namespaces & CLONE_NEWCGROUP) || !plan_has_limits(p) || p->stage_only)
		return 0;
	ret = RAW1(SYS_unshare, CLONE_NEWCGROUP);
	return ret ? fail(&in->fault, STEP_unshare_cgroup, "unshare", ret) : 0;
}

/* In its own namespace the container's cgroup is the root, on the v2 line "0::/". */
int cgroupns_inspect(struct inside *in)
{
	const struct plan *p = in->plan;
	static const char want[] = "0::/\n";
	char buf[4096];
	long n = -1;
	int fd;

	if (!(p->namespaces & CLONE_NEWCGROUP) || !plan_has_limits(p) || p->stage_only)
		return 0;
	fd = sys_openat(in->fs[PROC], BELOW_PROC("/proc/self/cgroup"), O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		n = sys_read(fd, buf, sizeof(buf) - 1);
	sys_close(fd);
	if (n < (long)sizeof(want) - 1)
		return fail(&in->fault, STEP_unshare_cgroup, "/proc/self/cgroup",
			    fd < 0 ? fd : LIE);
	buf[n] = '\0';
	if (!strstr(buf, want))
		return fail(&in->fault, STEP_unshare_cgroup, "unshare", LIE);
	return 0;
}

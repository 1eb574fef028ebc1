// SPDX-License-Identifier: GPL-2.0-or-later
/* The cgroup namespace: /proc/self/cgroup and a cgroup2 mount begin at its root. */
#include "steps.h"
#include "sys.h"

#include <sched.h>
#include <string.h>

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

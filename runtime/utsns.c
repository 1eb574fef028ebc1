// SPDX-License-Identifier: GPL-2.0-or-later
/* The UTS namespace: the container's own hostname and NIS domainname. */
#include "steps.h"
#include "sys.h"

#include <sched.h>
#include <string.h>
#include <sys/utsname.h>

int utsns_inside(struct inside *in)
{
	const struct plan *p = in->plan;
	long ret;

	if (!(p->namespaces & CLONE_NEWUTS) || !(p->hostname || p->domainname))
		return 0;
	if (p->stage_only)
		TRY(stage_check_hostname(in));
	ret = p->hostname ? RAW2(SYS_sethostname, p->hostname, strlen(p->hostname)) : 0;
	if (ret < 0)
		return fail(&in->fault, STEP_hostname, p->hostname, ret);
	if (!p->domainname)
		return 0;
	ret = RAW2(SYS_setdomainname, p->domainname, strlen(p->domainname));
	if (ret < 0)
		return fail(&in->fault, STEP_domainname, p->domainname, ret);
	return 0;
}

int utsns_inspect(struct inside *in)
{
	const struct plan *p = in->plan;
	struct utsname name;

	if (!(p->namespaces & CLONE_NEWUTS))
		return 0;
	name.nodename[0] = name.domainname[0] = '\0';
	RAW1(SYS_uname, &name);
	if (p->hostname && strcmp(name.nodename, p->hostname) != 0)
		return fail(&in->fault, STEP_hostname, p->hostname, LIE);
	if (p->domainname && strcmp(name.domainname, p->domainname) != 0)
		return fail(&in->fault, STEP_domainname, p->domainname, LIE);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PID namespace: the container's first process is its PID 1, and the kernel kills
 * the whole namespace when it ends (pid_namespaces(7)). It must end with bulkhead.
 */
#include "steps.h"
#include "sys.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

static bool is_new_process(const struct inside *in)
{
	int pid = sys_getpid();

	if (in->plan->namespaces & CLONE_NEWPID)
		return pid == 1;
	return in->plan->stage_only || (pid > 0 && pid != in->host->host_pid);
}

/*
 * The signal comes only for a death after the prctl; a bulkhead that died before has
 * closed its end of the channel.
 */
int pidns_tie_to_host(struct inside *in)
{
	struct pollfd p = { .fd = in->channel };
	struct timespec now = { 0, 0 };
	int sig = 0;
	long ret;

	if (in->plan->stage_only)
		return 0;
	ret = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (ret == 0)
		ret = sys_prctl(PR_GET_PDEATHSIG, (unsigned long)&sig, 0);
	if (ret < 0 || sig != SIGKILL)
		return fail(&in->fault, STEP_die_with_host, "PR_SET_PDEATHSIG", ret ? ret : LIE);
	ret = RAW5(SYS_ppoll, &p, 1, &now, NULL, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_die_with_host, "ppoll", ret);
	if (p.revents & POLLHUP)
		return fail(&in->fault, STEP_die_with_host, "the channel", EPIPE);
	return 0;
}

int pidns_inside(struct inside *in)
{
	if (!is_new_process(in))
		return fail(&in->fault, STEP_be_new, "the PID namespace", NOT_NEW);
	if (!in->plan->stage_only)
		sys_close(in->host->channel[0]);
	return pidns_tie_to_host(in);
}

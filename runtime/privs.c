// SPDX-License-Identifier: GPL-2.0-or-later
/* Ids, capabilities, no_new_privs and the seccomp filter: capabilities(7), seccomp(2). */
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>

static int fail_cap(struct inside *in, int cap, long why)
{
	char name[24] = "capability ";

	text_add_number(name, sizeof(name), (uint64_t)cap);
	return fail(&in->fault, STEP_bounding, name, why);
}

/* The first number that the kernel does not know (EINVAL) is past the last capability. */
static int drop_bounding(struct inside *in)
{
	int ret;

	for (int cap = 0; cap < 64; cap++) {
		if (in->plan->caps & (1ULL << cap))
			continue;
		ret = sys_prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0);
		if (ret == -EINVAL && sys_prctl(PR_CAPBSET_READ, (unsigned long)cap, 0) == -EINVAL)
			return 0;
		if (ret < 0)
			return fail_cap(in, cap, ret);
	}
	return 0;
}

/* user_namespaces(7), "/proc/PID/setgroups" */
static bool is_setgroups_denied(const struct inside *in)
{
	char word[8] = "";
	int fd = sys_openat(in->fs[PROC], BELOW_PROC("/proc/self/setgroups"), O_RDONLY | O_CLOEXEC,
			    0);
	long n = sys_read(fd, word, sizeof(word));

	sys_close(fd);
	return n > 0 && word[0] == 'd';
}

/* Where setgroups(2) is denied by the user namespace, the groups are those of the maps. */
static int drop_groups(struct inside *in)
{
	long ret = RAW2(SYS_setgroups, 0, NULL);

	if (ret == -EPERM && is_setgroups_denied(in)) {
		in->groups_stay = true;
		return 0;
	}
	return ret < 0 ? fail(&in->fault, STEP_groups, "setgroups", ret) : 0;
}

int privs_bound(struct inside *in)
{
	long ret;

	if (sys_prctl(PR_GET_SECUREBITS, 0, 0) != SECUREBITS_DEFAULT) {
		ret = sys_prctl(PR_SET_SECUREBITS, SECUREBITS_DEFAULT, 0);
		if (ret < 0)
			return fail(&in->fault, STEP_caps, "PR_SET_SECUREBITS", ret);
	}
	return drop_bounding(in);
}

int privs_user(struct inside *in)
{
	const struct plan *p = in->plan;
	char name[16] = "";
	long ret;

	text_add_number(name, sizeof(name), p->uid);
	TRY(drop_groups(in));
	ret = RAW3(SYS_setresgid, p->gid, p->gid, p->gid);
	if (ret == 0)
		ret = RAW3(SYS_setresuid, p->uid, p->uid, p->uid);
	if (ret < 0)
		return fail(&in->fault, STEP_user, name, ret);
	return pidns_tie_to_host(in);
}

int privs_reduce(struct inside *in)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	struct __user_cap_data_struct now[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };
	uint64_t caps = plan_effective_caps(in->plan);
	long ret;

	ret = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_caps, "PR_CAP_AMBIENT", ret);
	ret = RAW2(SYS_capget, &header, now);
	if (ret < 0)
		return fail(&in->fault, STEP_caps, "capget", ret);
	for (int i = 0; i < 2; i++) {
		data[i].permitted = now[i].permitted & (uint32_t)(caps >> (32 * i));
		data[i].effective = data[i].permitted;
	}
	ret = RAW2(SYS_capset, &header, data);
	if (ret < 0)
		return fail(&in->fault, STEP_caps, "capset", ret);
	ret = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	return ret < 0 ? fail(&in->fault, STEP_no_new_privs, "prctl", ret) : 0;
}

/* Mode 2 (filter) afterwards, or the filter forbids even the question: then it is there. */
int seccomp_inside(struct inside *in)
{
	const struct plan *p = in->plan;
	const struct {
		unsigned short n;
		const struct sock_filter *filter;
	} program = { (unsigned short)p->n_filter, p->filter };
	int mode;
	long ret;

	if (!p->n_filter)
		return 0;
	ret = RAW3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	if (ret < 0)
		return fail(&in->fault, STEP_seccomp, "the container", ret);
	mode = sys_prctl(PR_GET_SECCOMP, 0, 0);
	if (mode == SECCOMP_MODE_DISABLED)
		return fail(&in->fault, STEP_seccomp, "the container", LIE);
	return 0;
}

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

static bool kernel_has_cap(int cap, int *in_bounding)
{
	*in_bounding = sys_prctl(PR_CAPBSET_READ, (unsigned long)cap, 0);
	return *in_bounding >= 0;
}

static int fail_cap(struct inside *in, int cap, long why)
{
	char name[24] = "capability ";

	text_add_number(name, sizeof(name), (uint64_t)cap);
	return fail(&in->fault, STEP_bounding, name, why);
}

static int drop_bounding(struct inside *in)
{
	int present, ret;

	for (int cap = 0; cap < 64 && kernel_has_cap(cap, &present); cap++) {
		if (!present || in->plan->caps & (1ULL << cap))
			continue;
		ret = sys_prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0);
		if (ret < 0)
			return fail_cap(in, cap, ret);
	}
	return 0;
}

/* Where setgroups(2) is denied by the user namespace, the groups are those of the maps. */
static int drop_groups(struct inside *in)
{
	long ret = RAW2(SYS_setgroups, 0, NULL);

	if (ret == -EPERM && in->plan->rootless)
		return 0;
	return ret < 0 ? fail(&in->fault, STEP_groups, "setgroups", ret) : 0;
}

int privs_bound(struct inside *in)
{
	const struct plan *p = in->plan;
	char name[16] = "";
	long ret;

	text_add_number(name, sizeof(name), p->uid);
	if (sys_prctl(PR_GET_SECUREBITS, 0, 0) != SECUREBITS_DEFAULT) {
		ret = sys_prctl(PR_SET_SECUREBITS, SECUREBITS_DEFAULT, 0);
		if (ret < 0)
			return fail(&in->fault, STEP_caps, "PR_SET_SECUREBITS", ret);
	}
	TRY(drop_bounding(in));
	TRY(drop_groups(in));
	ret = RAW3(SYS_setresgid, p->gid, p->gid, p->gid);
	if (ret == 0)
		ret = RAW3(SYS_setresuid, p->uid, p->uid, p->uid);
	if (ret < 0)
		return fail(&in->fault, STEP_user, name, ret);
	return pidns_tie_to_host(in);
}

/* The command of a user that is not root starts without capabilities, as execve(2) has it. */
static uint64_t caps_of(const struct plan *p)
{
	return p->uid == 0 ? p->caps : 0;
}

int privs_reduce(struct inside *in)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } }, now[2];
	uint64_t caps = caps_of(in->plan);
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

static int inspect_caps(struct inside *in)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };
	uint64_t caps = caps_of(in->plan);
	int present;
	long ret = RAW2(SYS_capget, &header, now);

	for (int i = 0; i < 2; i++) {
		uint32_t more = ~(uint32_t)(caps >> (32 * i));

		if (ret < 0 || now[i].inheritable || (now[i].permitted | now[i].effective) & more)
			return fail(&in->fault, STEP_caps, "capset", ret ? ret : LIE);
	}
	for (int cap = 0; cap < 64 && kernel_has_cap(cap, &present); cap++)
		if (present && !(in->plan->caps & (1ULL << cap)))
			return fail_cap(in, cap, LIE);
	return 0;
}

static int inspect_ids(struct inside *in)
{
	const struct plan *p = in->plan;
	uint32_t r = ~0U, e = ~0U, s = ~0U;

	RAW3(SYS_getresuid, &r, &e, &s);
	if (r != p->uid || e != p->uid || s != p->uid)
		return fail(&in->fault, STEP_user, "setresuid", LIE);
	RAW3(SYS_getresgid, &r, &e, &s);
	if (r != p->gid || e != p->gid || s != p->gid)
		return fail(&in->fault, STEP_user, "setresgid", LIE);
	if (!p->rootless && RAW2(SYS_getgroups, 0, NULL) != 0)
		return fail(&in->fault, STEP_groups, "setgroups", LIE);
	return 0;
}

int privs_inspect(struct inside *in)
{
	TRY(inspect_ids(in));
	TRY(inspect_caps(in));
	if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0) == 1)
		return fail(&in->fault, STEP_caps, "PR_CAP_AMBIENT", LIE);
	if (sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) != 1)
		return fail(&in->fault, STEP_no_new_privs, "prctl", LIE);
	return 0;
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

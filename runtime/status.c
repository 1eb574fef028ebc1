// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own account of the process that is about to become the command:
 * /proc/self/status (proc(5)) tells in one read what ids, capabilities, signals and mask
 * it has, whatever the system calls that set them returned.
 */
#include "steps.h"
#include "sys.h"

#include <string.h>

enum { STATUS_ROOM = 4096 };

static const char path[] = "/proc/self/status";

/* The value of @field ("\nName:") with the blanks before it skipped, or NULL. */
static const char *value_of(const char *status, const char *field)
{
	const char *at = strstr(status, field);

	if (!at)
		return NULL;
	at += strlen(field);
	return at + strspn(at, "\t ");
}

static uint64_t number(const char **s, unsigned int base)
{
	uint64_t n = 0;

	for (;; ++*s) {
		unsigned int digit =
			**s >= 'a' ? (unsigned int)(**s - 'a') + 10 : (unsigned int)(**s - '0');

		if (**s < '0' || digit >= base)
			return n;
		n = n * base + digit;
	}
}

/* Masks that may have no bit but those allowed. */
static int inspect_mask(struct inside *in, const char *status, const char *field, uint64_t allowed,
			enum step step)
{
	const char *v = value_of(status, field);

	if (!v || number(&v, 16) & ~allowed || *v != '\n')
		return fail(&in->fault, step, field + 1, LIE);
	return 0;
}

/* Real, effective, saved and file system id. */
static int inspect_ids(struct inside *in, const char *status, const char *field, uint32_t id)
{
	const char *v = value_of(status, field);

	for (int i = 0; i < 4; i++) {
		if (!v || *v < '0' || *v > '9' || number(&v, 10) != id)
			return fail(&in->fault, STEP_user, field + 1, LIE);
		v += strspn(v, "\t ");
	}
	return 0;
}

static int inspect_groups(struct inside *in, const char *status)
{
	const char *v = value_of(status, "\nGroups:");

	/* Where setgroups(2) is denied, those of the caller stay, unmapped (privs.c). */
	if (!v || (*v != '\n' && !in->groups_stay))
		return fail(&in->fault, STEP_groups, "setgroups", LIE);
	return 0;
}

static int inspect_flags(struct inside *in, const char *status)
{
	const char *umask = value_of(status, "\nUmask:");
	const char *nnp = value_of(status, "\nNoNewPrivs:");

	if (!umask || strncmp(umask, "0022\n", 5) != 0)
		return fail(&in->fault, STEP_session, "umask", LIE);
	if (!nnp || *nnp != '1')
		return fail(&in->fault, STEP_no_new_privs, "prctl", LIE);
	return 0;
}

static int inspect_status(struct inside *in, const char *status)
{
	const struct plan *p = in->plan;

	TRY(inspect_flags(in, status));
	TRY(inspect_ids(in, status, "\nUid:", p->uid));
	TRY(inspect_ids(in, status, "\nGid:", p->gid));
	TRY(inspect_groups(in, status));
	TRY(inspect_mask(in, status, "\nSigBlk:", 0, STEP_signals));
	TRY(inspect_mask(in, status, "\nSigIgn:", 0, STEP_signals));
	TRY(inspect_mask(in, status, "\nSigCgt:", 0, STEP_signals));
	TRY(inspect_mask(in, status, "\nCapInh:", 0, STEP_caps));
	TRY(inspect_mask(in, status, "\nCapPrm:", plan_effective_caps(p), STEP_caps));
	TRY(inspect_mask(in, status, "\nCapEff:", plan_effective_caps(p), STEP_caps));
	TRY(inspect_mask(in, status, "\nCapBnd:", p->caps, STEP_bounding));
	return inspect_mask(in, status, "\nCapAmb:", 0, STEP_caps);
}

/* Ahead of time, while the host side is still busy. What is read is always the present. */
int status_open(struct inside *in)
{
	in->status_file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (in->status_file < 0)
		return fail(&in->fault, STEP_look_back, path, in->status_file);
	return 0;
}

int status_inspect(struct inside *in)
{
	char status[STATUS_ROOM];
	long n = sys_read(in->status_file, status, sizeof(status) - 1);

	sys_close(in->status_file);
	if (n <= 0)
		return fail(&in->fault, STEP_look_back, path, n ? n : LIE);
	status[n] = '\0';
	return inspect_status(in, status);
}

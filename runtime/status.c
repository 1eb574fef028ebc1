// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own account of the process that is about to become the command:
 * /proc/self/status (proc(5)) tells in one read what ids, capabilities, signals and mask
 * it has, whatever the system calls that set them returned.
 */
#include "steps.h"
#include "sys.h"

#include <signal.h>
#include <string.h>

enum { STATUS_ROOM = 4096 };

static const char path[] = "/proc/self/status";

/*
 * The value of @field ("\nName:") with the blanks before it skipped, or NULL. *@status is
 * where the search begins, and then where it ended: who asks in the file's order has all
 * of it read once.
 */
static const char *value_of(const char **status, const char *field)
{
	const char *at = strstr(*status, field);

	if (!at)
		return NULL;
	*status = at;
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
static int inspect_mask(struct inside *in, const char **status, const char *field, uint64_t allowed,
			enum step step)
{
	const char *v = value_of(status, field);

	if (!v || number(&v, 16) & ~allowed || *v != '\n')
		return fail(&in->fault, step, field + 1, LIE);
	return 0;
}

/* Real, effective, saved and file system id. */
static int inspect_ids(struct inside *in, const char **status, const char *field, uint32_t id)
{
	const char *v = value_of(status, field);

	for (int i = 0; i < 4; i++) {
		if (!v || *v < '0' || *v > '9' || number(&v, 10) != id)
			return fail(&in->fault, STEP_user, field + 1, LIE);
		v += strspn(v, "\t ");
	}
	return 0;
}

static int inspect_groups(struct inside *in, const char **status)
{
	const char *v = value_of(status, "\nGroups:");

	/* Where setgroups(2) is denied, those of the caller stay, unmapped (privs.c). */
	if (!v || (*v != '\n' && !in->groups_stay))
		return fail(&in->fault, STEP_groups, "setgroups", LIE);
	return 0;
}

/* A line that has to begin with @value. */
static int inspect_word(struct inside *in, const char **status, const char *field,
			const char *value, enum step step, const char *call)
{
	const char *v = value_of(status, field);

	if (!v || strncmp(v, value, strlen(value)) != 0)
		return fail(&in->fault, step, call, LIE);
	return 0;
}

/* In the order of the file's lines. */
static int inspect_status(struct inside *in, const char *text)
{
	const struct plan *p = in->plan;
	const char **status = &text;

	TRY(inspect_word(in, status, "\nUmask:", "0022\n", STEP_session, "umask"));
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
	TRY(inspect_mask(in, status, "\nCapAmb:", 0, STEP_caps));
	return inspect_word(in, status, "\nNoNewPrivs:", "1\n", STEP_no_new_privs, "prctl");
}

/* Ahead of time, while the host side is still busy. What is read is always the present. */
int status_open(struct inside *in)
{
	in->status_file = sys_openat(in->fs[PROC], BELOW_PROC(path), O_RDONLY | O_CLOEXEC, 0);
	if (in->status_file < 0)
		return fail(&in->fault, STEP_look_back, path, in->status_file);
	return 0;
}

static int read_status(struct inside *in, char *status)
{
	long n = RAW4(SYS_pread64, in->status_file, status, STATUS_ROOM - 1, 0);

	if (n <= 0)
		return fail(&in->fault, STEP_look_back, path, n ? n : LIE);
	status[n] = '\0';
	return 0;
}

/* Most often none; otherwise they are reset, and the status is read again. */
static int reset_ignored_signals(struct inside *in, char *status)
{
	const char *all = status, *v = value_of(&all, "\nSigIgn:");
	uint64_t ignored = v ? number(&v, 16) : 0;

	if (!ignored)
		return 0;
	for (int sig = 1; ignored; sig++, ignored >>= 1) {
		int ret = ignored & 1 ? sys_default_action(sig) : 0;

		if (ret < 0)
			return fail(&in->fault, STEP_signals, "rt_sigaction", ret);
	}
	return read_status(in, status);
}

int status_inspect(struct inside *in)
{
	char status[STATUS_ROOM];

	/* main.c ignores it. Should this fail, it is among those that are found and reset. */
	sys_default_action(SIGXFSZ);
	TRY(read_status(in, status));
	TRY(reset_ignored_signals(in, status));
	sys_close(in->status_file);
	return inspect_status(in, status);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mkfilter, a tool of the build: what its three files share. Like any generator it stops
 * the build (die) at the first thing that it did not foresee.
 */
#ifndef RUNTIME_MKFILTER_H
#define RUNTIME_MKFILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../seccomp_policy.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LAST_NUMBER   1023 /* above any call's number; verified one by one up to here */

struct program {
	size_t count;
	struct sock_filter in[BPF_MAXINSNS];
};

/* An architecture, and the policy for it as libseccomp puts it. */
struct target {
	const char *name;
	uint32_t token; /* AUDIT_ARCH_*, which is also libseccomp's SCMP_ARCH_* */
	struct program reference;
	const uint64_t *caps; /* what markers stand for; NULL: they stay markers */
	/* The group's or rule's verdict stands for each number in the policy: */
	bool known[LAST_NUMBER + 1];
	/* one of the call's rules, where arguments decide; else NULL. */
	const struct policy_rule *rule[LAST_NUMBER + 1];
};

/* Prints "mkfilter: " and the message to stderr, and exits with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* VERDICT as TARGET's programs are to have it: without markers, if it says what they stand for. */
static inline uint32_t settle(const struct target *target, uint32_t verdict)
{
	return target->caps ? resolve_mark(verdict, *target->caps) : verdict;
}

/* Fills in TARGET, of which name and token are set (reference.c). */
void make_reference(struct target *target);

/* Writes to OUT a short program with the verdicts of TARGET's policy (compact.c). */
void write_compact(const struct target *target, struct program *out);

#endif

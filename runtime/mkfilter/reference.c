// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference program: the policy in libseccomp's words. */
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkfilter.h"

/*
 * NAME's number for TARGET; negative when it has none. A name that libseccomp does not know
 * is an error, unless its call is to be absent anyway.
 */
static int number_of(const struct target *target, const char *name, uint32_t verdict)
{
	int nr = seccomp_syscall_resolve_name_arch(target->token, name);

	if (nr == __NR_SCMP_ERROR && verdict != ABSENT)
		die("libseccomp does not know the system call \"%s\" (a slip in the policy, or a "
		    "libseccomp older than 2.5.4)",
		    name);
	if (nr > LAST_NUMBER)
		die("\"%s\" has number %d, beyond what is verified", name, nr);
	return nr;
}

static void add_rule(scmp_filter_ctx ctx, const char *name, uint32_t verdict,
		     const struct scmp_arg_cmp *compare)
{
	int nr = seccomp_syscall_resolve_name(name); /* native: libseccomp translates */
	int error = seccomp_rule_add_array(ctx, verdict, nr, compare ? 1 : 0, compare);

	if (error)
		die("libseccomp refuses the rule for \"%s\": %s", name, strerror(-error));
}

static void add_group(scmp_filter_ctx ctx, struct target *target, const struct policy_group *group)
{
	char name[64];
	int length;

	for (const char *at = group->names; sscanf(at, "%63s%n", name, &length) == 1;
	     at += length) {
		int nr = number_of(target, name, group->verdict);

		if (nr < 0)
			continue;
		if (target->known[nr])
			die("\"%s\" stands in the policy twice", name);
		target->known[nr] = true;
		if (group->verdict != ABSENT) /* libseccomp refuses to repeat the default */
			add_rule(ctx, name, group->verdict, NULL);
	}
}

static void add_argument_rule(scmp_filter_ctx ctx, struct target *target,
			      const struct policy_rule *rule)
{
	struct scmp_arg_cmp compare =
		SCMP_CMP64(rule->arg, SCMP_CMP_MASKED_EQ, rule->mask, rule->value);
	int nr = number_of(target, rule->name, rule->then);

	if (nr < 0)
		return;
	if (target->known[nr] && !target->rule[nr])
		die("\"%s\" stands in a group and has rules", rule->name);
	if (target->rule[nr] && target->rule[nr]->otherwise != rule->otherwise)
		die("the rules for \"%s\" disagree on `otherwise`", rule->name);
	target->known[nr] = true;
	target->rule[nr] = rule;
	add_rule(ctx, rule->name, rule->then, &compare);
}

/* No call may be forgotten: each that has a number up to the policy's last must be in it. */
static void check_complete(const struct target *target)
{
	int last = LAST_NUMBER;

	while (last > 0 && !target->known[last])
		last--;
	for (int nr = 0; nr < last; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(target->token, nr);

		if (name && !target->known[nr])
			die("the policy lacks %s's \"%s\" (%d)", target->name, name, nr);
		free(name);
	}
}

static void export_program(scmp_filter_ctx ctx, struct program *out)
{
	FILE *file = tmpfile();
	int error;

	if (!file)
		die("cannot create a temporary file: %m");
	error = seccomp_export_bpf(ctx, fileno(file));
	if (error)
		die("libseccomp cannot write its program: %s", strerror(-error));
	rewind(file);
	out->count = fread(out->in, sizeof(out->in[0]), ARRAY_SIZE(out->in), file);
	fclose(file);
}

void make_reference(struct target *target)
{
	scmp_filter_ctx ctx = seccomp_init(ABSENT);

	if (!ctx)
		die("cannot start libseccomp");
	if (target->token != seccomp_arch_native() &&
	    (seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) || seccomp_arch_add(ctx, target->token)))
		die("libseccomp cannot generate for %s", target->name);
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS))
		die("libseccomp cannot kill other architectures' programs");
	for (size_t i = 0; i < ARRAY_SIZE(policy_groups); i++)
		add_group(ctx, target, &policy_groups[i]);
	for (size_t i = 0; i < ARRAY_SIZE(policy_rules); i++)
		add_argument_rule(ctx, target, &policy_rules[i]);
	check_complete(target);
	export_program(ctx, &target->reference);
	seccomp_release(ctx);
}

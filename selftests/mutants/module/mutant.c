// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Breaks one function of the running kernel, to see whether the suite notices:
 *
 *	insmod mutant.ko function=copy_utsname how=clear value=0x04000000
 *
 * The ways (how=):
 *	none	breaks nothing: what the probe itself does to the tests
 *	skip	the function is not run, and returns value
 *	answer	the function is run, and value is returned instead of what it returns
 *	forgive	the function is run, and value is returned instead of an error
 *	set	argument number `argument` (from 0) becomes value
 *	raise	the bits of value are set in that argument
 *	clear	the bits of value are cleared in it
 */
#include <linux/err.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/mnt_idmapping.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "the function to break");

static char *how = "none";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "none, skip, answer, forgive, set, raise or clear");

static unsigned int argument;
module_param(argument, uint, 0444);
MODULE_PARM_DESC(argument, "which argument set, raise and clear change, from 0");

static char *value = "0";
module_param(value, charp, 0444);
MODULE_PARM_DESC(
	value, "what is returned or put into the argument: a number, or init_pid_ns and the like");

static char *caller = "";
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "break it only where this function calls it");

static bool reached;
module_param(reached, bool, 0444);
MODULE_PARM_DESC(reached, "tells whether a call that is to be broken took place");

static bool inside;
module_param(inside, bool, 0444);
MODULE_PARM_DESC(inside, "break it only for processes that are not in the loader's namespaces");

/* What `how` says, done where the function begins or where it returns. */
struct way {
	const char *name;
	int (*begin)(struct pt_regs *regs); /* 1: do not run the function */
	void (*end)(struct pt_regs *regs);
};

static const struct way *way;
static long number;
static struct nsproxy *loaders;

static unsigned long *argument_of(struct pt_regs *regs)
{
	unsigned long *const in_order[] = { &regs->di, &regs->si, &regs->dx,
					    &regs->cx, &regs->r8, &regs->r9 };

	return in_order[argument];
}

/* What is run instead of a function that is skipped; it leaves the returned value alone. */
static noinline notrace void return_at_once(void)
{
	asm volatile("");
}

static int run(struct pt_regs *regs)
{
	return 0;
}

static int skip(struct pt_regs *regs)
{
	regs_set_return_value(regs, number);
	instruction_pointer_set(regs, (unsigned long)return_at_once);
	return 1;
}

static int set(struct pt_regs *regs)
{
	*argument_of(regs) = number;
	return 0;
}

static int raise(struct pt_regs *regs)
{
	*argument_of(regs) |= number;
	return 0;
}

static int clear(struct pt_regs *regs)
{
	*argument_of(regs) &= ~number;
	return 0;
}

static void answer(struct pt_regs *regs)
{
	regs_set_return_value(regs, number);
}

/* A function that returns an int leaves the register's upper half as it was. */
static void forgive(struct pt_regs *regs)
{
	unsigned long returned = regs_return_value(regs);

	if (IS_ERR_VALUE(returned) || IS_ERR_VALUE((unsigned long)(int)returned))
		regs_set_return_value(regs, number);
}

static const struct way ways[] = {
	{ "none", .begin = run },      { "skip", .begin = skip }, { "answer", .end = answer },
	{ "forgive", .end = forgive }, { "set", .begin = set },   { "raise", .begin = raise },
	{ "clear", .begin = clear },
};

/* A caller's name may end in what the compiler calls its variant: ".isra.0". */
static bool is_meant(unsigned long back)
{
	const size_t length = strlen(caller);
	char name[KSYM_SYMBOL_LEN];

	if (inside && current->nsproxy == loaders)
		return false;
	if (!length)
		return true;
	sprint_symbol_no_offset(name, back);
	return !strncmp(name, caller, length) && (!name[length] || name[length] == '.');
}

/* Whether this call, which will return to `back`, is one of those that are broken. */
static bool concerned(unsigned long back)
{
	if (!is_meant(back))
		return false;
	reached = true;
	return true;
}

static int at_begin(struct kprobe *probe, struct pt_regs *regs)
{
	return concerned(*(unsigned long *)kernel_stack_pointer(regs)) ? way->begin(regs) : 0;
}

static int before_end(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return !concerned(get_kretprobe_retaddr(instance));
}

static int at_end(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	way->end(regs);
	return 0;
}

static struct kprobe begin_probe = { .pre_handler = at_begin };
static struct kretprobe end_probe = {
	.entry_handler = before_end,
	.handler = at_end,
	.maxactive = 256, /* calls that sleep side by side; further ones would be left whole */
};

/* The compiler renames a static function that it makes a variant of. */
static int probe(void)
{
	static const char *const suffixes[] = { "", ".isra.0", ".constprop.0" };
	static char name[KSYM_NAME_LEN];
	int error = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && error == -ENOENT; i++) {
		snprintf(name, sizeof(name), "%s%s", function, suffixes[i]);
		begin_probe.symbol_name = end_probe.kp.symbol_name = name;
		error = way->begin ? register_kprobe(&begin_probe) : register_kretprobe(&end_probe);
	}
	return error;
}

/* What a value may be that has no number of its own. */
static const struct object {
	const char *name;
	const void *address;
} objects[] = {
	{ "init_pid_ns", &init_pid_ns },
	{ "init_user_ns", &init_user_ns },
	{ "init_uts_ns", &init_uts_ns },
	{ "nop_mnt_idmap", &nop_mnt_idmap },
};

static int parse_value(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (strcmp(objects[i].name, value))
			continue;
		number = (long)objects[i].address;
		return 0;
	}
	return kstrtol(value, 0, &number);
}

static int __init mutant_init(void)
{
	int error = parse_value();

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(ways[i].name, how))
			way = &ways[i];
	}
	if (error || !way || argument > 5)
		return -EINVAL;
	loaders = current->nsproxy;
	error = probe();
	if (error)
		pr_err("mutant: cannot probe \"%s\": %pe\n", function, ERR_PTR(error));
	return error;
}

/* No module_exit(): a guest that was broken is thrown away. */
module_init(mutant_init);

MODULE_DESCRIPTION("Breaks one function of the running kernel");
MODULE_LICENSE("GPL");

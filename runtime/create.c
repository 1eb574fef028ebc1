// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The story of a container: what the host does, what the inside does, in order.
 *
 *	host_create                        inside_build, inside_inspect
 *	  look at what was asked for
 *	  open the channel
 *	  make the cgroup
 *	  clone3 into new namespaces  ---->  be PID 1, die with bulkhead
 *	  start the janitor                  make the other namespaces (+)
 *	  write the id maps                  cut propagation
 *	                                     open the trees that the host lends
 *	  RELEASED  ---------------------->  become root of the user namespace
 *	  make net and IPC namespaces (*)    pivot_root, fill /dev, mask /proc
 *	                                     name it, clean the process
 *	  NETWORK  ----------------------->  join them
 *	  bring up the loopback              mount and mask /sys
 *	  CONNECTED  --------------------->  detach the old root
 *	  wait                               mount what was asked for
 *	                                     give up privileges
 *	                                     look back at every wall
 *	                                     block the signals, for an init
 *	                                     install the seccomp filter
 *	        <--------------------  READY
 *	                                     execve
 *	        <--------------------  FAILED (in place of READY; the command never runs)
 *
 * (*) and meet twice after it, if there are two CPUs; else clone3 makes them.
 * (+) those that clone3 has not made: see namespaces.c.
 *
 * Until execve the inside shares bulkhead's memory (but with --memory) and runs on a stack
 * of its own: it must not touch what the host side may touch, allocate, or use errno (raw.h).
 */
#include "create.h"

#include "cgroup.h"
#include "clone.h"
#include "init.h"
#include "janitor.h"
#include "leftovers.h"
#include "meet.h"
#include "room.h"
#include "steps.h"
#include "supervise.h"
#include "sys.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static ROOM char inside_stack[128 * 1024] __attribute__((aligned(16)));
static struct inside the_inside;

static int inside_build(struct inside *in)
{
	TRY(pidns_inside(in));
	TRY(process_begin(in));
	TRY(namespaces_inside(in));
	TRY(mntns_inside(in));
	TRY(rootfs_open(in));
	TRY(dev_open(in));
	TRY(binds_open(in));
	TRY(userns_inside(in));
	TRY(kernelfs_open(in));
	TRY(mask_look(in));
	TRY(rootfs_attach(in));
	TRY(rootfs_pivot(in));
	TRY(kernelfs_mount_proc_dev(in));
	TRY(dev_populate(in));
	TRY(mask_proc(in));
	TRY(utsns_inside(in));
	TRY(process_inside(in));
	TRY(privs_bound(in));
	TRY(status_open(in));
	TRY(netns_inside(in)); /* by now the host side has made it */
	TRY(kernelfs_mount_sys(in));
	TRY(mask_sys(in));
	TRY(netns_await(in));
	TRY(rootfs_detach(in)); /* from here on the host is out of sight */
	TRY(binds_targets(in));
	TRY(rootfs_protect(in));
	TRY(binds_attach(in));
	TRY(process_end(in));
	TRY(tty_inside(in));
	TRY(privs_user(in));
	TRY(command_find(in));
	return privs_reduce(in);
}

static int inside_inspect(struct inside *in)
{
	TRY(rootfs_inspect(in));
	TRY(rootfs_protect_inspect(in));
	TRY(utsns_inspect(in));
	TRY(cgroupns_inspect(in));
	TRY(timens_inspect(in));
	TRY(process_inspect(in));
	return status_inspect(in);
}

/*
 * The kernel drops what PID 1 neither handles nor blocks, and from READY on bulkhead sends
 * signals. The init reads them from its mask, and unblocks them for the command.
 */
static int block_signals_for_init(struct inside *in)
{
	long ret = in->plan->init ? supervise_block_signals() : 0;

	return ret < 0 ? fail(&in->fault, STEP_signals, "rt_sigprocmask", ret) : 0;
}

static int inside_run(struct inside *in)
{
	int ret;

	TRY(inside_build(in));
	TRY(inside_inspect(in));
	TRY(block_signals_for_init(in));
	TRY(command_close_descriptors(in));
	TRY(seccomp_inside(in));
	ret = in->plan->stage_only ? 0 : meet_say(in->channel, MEET_READY, NULL);
	if (ret < 0)
		return fail(&in->fault, STEP_meet, meet_words(MEET_READY), ret);
	return command_execute(in);
}

static void inside_main(void *arg)
{
	struct inside *in = arg;

	inside_run(in);
	meet_say(in->channel, MEET_FAILED, &in->fault);
	RAW1(SYS_exit_group, 125);
	__builtin_unreachable();
}

static int *room_for_trees(size_t n)
{
	return n ? must_have(calloc(n, sizeof(int))) : NULL;
}

static void prepare_inside(struct inside *in, struct container *c)
{
	in->plan = c->plan;
	in->host = c;
	in->channel = c->channel[1];
	in->bind_trees = room_for_trees(c->plan->n_binds);
	in->layer_trees = room_for_trees(c->plan->n_layers);
	if (c->plan->init)
		in->init_argv = init_argv(c->plan, in->path);
}

/*
 * Out of memory, the kernel kills all who share the memory of the one that it has chosen:
 * in a cgroup with a limit that must not be bulkhead as well.
 */
static uint64_t shared_memory(const struct plan *p)
{
	return p->limits.memory ? 0 : SHARE_MEMORY;
}

/* The size of @stack without the part of a page at its end: what is used first is a whole page. */
static size_t up_to_whole_page(const char *stack, size_t size)
{
	enum { PAGE = 4096 };

	return size - (uintptr_t)(stack + size) % PAGE;
}

static int host_clone(struct container *c)
{
	struct clone_args args = {
		.flags = c->made_by_clone | CLONE_PIDFD,
		.pidfd = (uintptr_t)&c->pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid = 0;

	prepare_inside(&the_inside, c);
	if (c->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)c->cgroup;
	}
	if (c->plan->clocks.asked) {
		TRY(timens_clone(c, &args, inside_main, &the_inside));
		pid = c->pid;
	} else {
		args.flags |= shared_memory(c->plan);
		args.stack = (uintptr_t)inside_stack;
		args.stack_size = up_to_whole_page(inside_stack, sizeof(inside_stack));
		pid = clone3_call(&args, &the_inside.born, inside_main, &the_inside);
	}
	if (pid < 0)
		return fail(&c->fault, STEP_clone, "", pid);
	c->pid = (pid_t)pid;
	sys_close(c->channel[1]);
	c->channel[1] = -1;
	if (c->pidfd < 3)
		return fail(&c->fault, STEP_clone, "", LIE);
	return 0;
}

static int host_release(struct container *c)
{
	int ret;

	if (!meet_is_awaited(c->plan))
		return 0;
	if (!c->plan->clocks.asked)
		TRY(userns_host(c));
	TRY(leftovers_note(c));
	if (c->mnt_ns)
		TRY(janitor_start(c));
	ret = meet_say(c->channel[0], MEET_RELEASED, NULL);
	return ret < 0 ? fail(&c->fault, STEP_meet, meet_words(MEET_RELEASED), ret) : 0;
}

static int host_create(struct container *c)
{
	TRY(rootfs_host(c));
	TRY(binds_host(c));
	TRY(leftovers_adopt(c));
	TRY(host_open_channel(c));
	TRY(init_host(c));
	TRY(supervise_prepare(c));
	TRY(cgroup_host(c));
	TRY(layers_host(c));
	TRY(netns_prepare(c));
	namespaces_share_out(c);
	TRY(host_clone(c));
	TRY(host_release(c));
	return netns_host(c);
}

int container_run(struct container *c)
{
	int status = 125;

	if (host_create(c) == 0)
		status = supervise(c);
	else
		supervise_abort(c);
	janitor_sweep(c);
	janitor_stop(c);
	supervise_restore(c);
	if (c->fault.why) {
		fault_print(&c->fault, c->plan);
		status = fault_status(&c->fault);
	}
	return status;
}

int container_stage(struct container *c)
{
	struct inside *in = &the_inside;

	prepare_inside(in, c);
	in->channel = -1;
	if (rootfs_host(c) == 0 && binds_host(c) == 0 && init_host(c) == 0 && stage_check(c) == 0) {
		inside_run(in);
		c->fault = in->fault;
	}
	fault_print(&c->fault, c->plan);
	return fault_status(&c->fault);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* How namespaces of each type come into being: by which calls, for whom, and how many. */
#include <linux/capability.h>

#include "types.h"

enum { ROADS = 3 };
static const long roads[ROADS] = { SYS_unshare, SYS_clone, SYS_clone3 };

/* A process in a new namespace of that type; 0 inside, -1 as the call gave it. */
static pid_t start(long road, uint64_t flag)
{
	struct clone_args args = { .flags = flag, .exit_signal = SIGCHLD };

	fflush(NULL);
	if (road == SYS_unshare)
		return unshare((int)flag) ? -1 : must_fork();
	/* The bit of CLONE_NEWTIME is part of the signal's number for clone(2). */
	if (road == SYS_clone && flag != CLONE_NEWTIME)
		return syscall(SYS_clone, flag | SIGCHLD, NULL, NULL, NULL, 0);
	return syscall(SYS_clone3, &args, sizeof(args));
}

ROWS(types, struct ns_type) = { ALL_NS_TYPES };

TEST_EACH(
	types, nsfs, each_call_makes_a_new_one,
	.says = "unshare, clone and clone3 make a new namespace for the child, and fork makes none",
	.checks = "nsfs-32", .needs = TYPE_NEEDS)
{
	const uint64_t old = ns_id(0, row->label);

	for (int i = 0; i < ROADS; i++) {
		IN_FORK {
			pid_t pid = ASSERT_OK(start(roads[i], row->flag));

			if (!pid) {
				EXPECT_NE(old, ns_id(0, row->label));
				_exit(7);
			}
			EXPECT_EXIT(7, must_wait(pid));
		}
	}
	EXPECT_EQ(old, ns_id(0, row->label));
	IN_FORK { EXPECT_EQ(old, ns_id(0, row->label)); }
}

/* All but user namespaces, which anybody makes. */
ROWS(privileged, struct ns_type) = {
	{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID },   { "mnt", CLONE_NEWNS },  { "cgroup", CLONE_NEWCGROUP },
	{ "time", CLONE_NEWTIME },
};

TEST_EACH(
	privileged, nsfs, creating_needs_the_capability,
	.says = "without CAP_SYS_ADMIN no call makes a new namespace, user namespaces aside: EPERM",
	.finding = "a process without capabilities makes namespaces",
	.checks = "nsfs-33 ipc-11 net-16 cgroup-19 time-20", .needs = TYPE_NEEDS)
{
	for (int i = 0; i < ROADS; i++) {
		IN_FORK {
			must_drop_cap(CAP_SYS_ADMIN);
			EXPECT_ERRNO(EPERM, start(roads[i], row->flag));
		}
	}
}

TEST_EACH(
	privileged, nsfs, a_user_namespace_comes_first,
	.says = "anybody makes a namespace of each type along with a user namespace, which owns it",
	.checks = "nsfs-33 ipc-11 net-16 cgroup-19 time-20",
	.needs = NEED(free_userns) | TYPE_NEEDS)
{
	const uint64_t old = ns_id(0, row->label);

	AS_NOBODY {
		UNSHARED(CLONE_NEWUSER | row->flag) { EXPECT_NE(old, ns_id(0, row->label)); }
	}
}

TEST_EACH(privileged, nsfs, there_is_no_way_back,
	  .says = "root of a user namespace enters no namespace that is owned outside it: EPERM",
	  .finding = "the container re-entered a namespace of the host", .checks = "nsfs-03",
	  .needs = TYPE_NEEDS)
{
	pid_t ruler = must_settle(row->flag | CLONE_NEWUSER);
	_fd_ int outer = open_ns(0, row->label), theirs = open_ns(ruler, row->label);
	_fd_ int userns = open_ns(ruler, "user");

	IN_FORK {
		MUST(setns(userns, CLONE_NEWUSER));
		EXPECT_ERRNO(EPERM, setns(outer, (int)row->flag));
		EXPECT_OK(setns(theirs, (int)row->flag));
		EXPECT_ERRNO(EPERM, setns(outer, (int)row->flag));
	}
	must_evict(ruler);
}

TEST_EACH(
	types, nsfs, the_number_is_limited,
	.says = "user.max_* limits the namespaces of each type, whichever call makes them: ENOSPC",
	.finding = "a container makes more namespaces than it may",
	.checks = "nsfs-31 ipc-24 net-34 cgroup-56 time-21",
	.needs = NEED(free_userns) | TYPE_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write(text("/proc/sys/user/max_%s_namespaces", row->label), "0");
		for (int i = 0; i < ROADS; i++) {
			IN_FORK { EXPECT_ERRNO(ENOSPC, start(roads[i], row->flag)); }
		}
	}
}

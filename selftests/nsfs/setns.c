// SPDX-License-Identifier: GPL-2.0-or-later
/* setns(2): what it takes, what it refuses, and that it does all or nothing. */
#include <linux/capability.h>
#include <pthread.h>

#include "types.h"

ROWS(types, struct ns_type) = { ALL_NS_TYPES };

/* What a process is in now, or for pid and time: what its children will be in. */
static uint64_t joined(const struct ns_type *type)
{
	return ns_id(0, type->flag == CLONE_NEWPID ? "pid_for_children" : type->label);
}

TEST_EACH(
	types, nsfs, setns_enters_each_type,
	.says = "setns enters a namespace of each type by its file, with or without the type said, "
		"and by its process's pidfd",
	.checks = "nsfs-01 nsfs-02", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label), pidfd = must_pidfd(member);

	IN_FORK {
		EXPECT_OK(setns(target, (int)row->flag));
		EXPECT_EQ(inode(target), joined(row));
	}
	IN_FORK {
		EXPECT_OK(setns(target, 0));
		EXPECT_EQ(inode(target), joined(row));
	}
	IN_FORK {
		EXPECT_OK(setns(pidfd, (int)row->flag));
		EXPECT_EQ(inode(target), joined(row));
	}
	EXPECT_NE(inode(target), joined(row));
	must_evict(member);
}

TEST_EACH(
	types, nsfs, setns_checks_what_it_is_given,
	.says = "setns takes neither another type nor what is no namespace, and stays where it is",
	.checks = "nsfs-01", .needs = TYPE_NEEDS)
{
	const int other = row->flag == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS;
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label);
	_fd_ int file = MUST(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
	_fd_ int directory = MUST(open("/", O_RDONLY | O_CLOEXEC));
	uint64_t before = joined(row);

	EXPECT_ERRNO(EBADF, setns(-1, (int)row->flag));
	EXPECT_ERRNO(EINVAL, setns(file, (int)row->flag));
	EXPECT_ERRNO(EINVAL, setns(directory, (int)row->flag));
	EXPECT_ERRNO(EINVAL, setns(target, other));
	EXPECT_ERRNO(EINVAL, setns(target, (int)row->flag | other));
	EXPECT_ERRNO(EINVAL, setns(target, CLONE_VM));
	EXPECT_EQ(before, joined(row));
	must_evict(member);
}

TEST_EACH(types, nsfs, setns_takes_a_capability,
	  .says = "without capabilities setns enters no namespace of any type: EPERM",
	  .finding = "a process without capabilities enters a namespace", .checks = "nsfs-01",
	  .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label), pidfd = must_pidfd(member);

	IN_FORK {
		/* A user namespace is open to its maker, whatever he may. */
		if (row->flag == CLONE_NEWUSER)
			must_unshare(CLONE_NEWUSER);
		must_become_nobody();
		EXPECT_ERRNO(EPERM, setns(target, (int)row->flag));
		EXPECT_ERRNO(EPERM, setns(pidfd, (int)row->flag));
	}
	IN_FORK { EXPECT_OK(setns(pidfd, (int)row->flag)); }
	must_evict(member);
}

struct flags {
	const char *label;
	int flags;
};

ROWS(wrong_flags, struct flags) = {
	{ "none", 0 },
	{ "all", -1 },
	{ "no_namespace", CLONE_VM },
	{ "one_too_many", CLONE_NEWUTS | CLONE_VM },
};

TEST_EACH(wrong_flags, nsfs, setns_by_pidfd_checks_the_types,
	  .says = "setns with a pidfd takes the bits of namespace types only, and at least one: "
		  "EINVAL",
	  .checks = "nsfs-02", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(CLONE_NEWUTS);
	_fd_ int pidfd = must_pidfd(member);

	EXPECT_ERRNO(EINVAL, setns(pidfd, row->flags));
	IN_FORK { EXPECT_OK(setns(pidfd, CLONE_NEWUTS)); }
	must_evict(member);
}

TEST(nsfs, setns_by_pidfd_joins_several,
     .says = "setns with a pidfd enters several namespaces of its process at once",
     .checks = "nsfs-02", .needs = TYPE_NEEDS)
{
	const int flags = CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP |
			  CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWTIME;
	pid_t member = must_settle(flags);
	_fd_ int pidfd = must_pidfd(member);

	remember("uts", (long long)ns_id(member, "uts"));
	remember("net", (long long)ns_id(member, "net"));
	remember("mnt", (long long)ns_id(member, "mnt"));
	remember("pid", (long long)ns_id(member, "pid"));
	IN_FORK {
		uint64_t cgroup = ns_id(0, "cgroup"), user = ns_id(0, "user");

		EXPECT_OK(setns(pidfd, flags & ~CLONE_NEWCGROUP));
		EXPECT_EQ(recall_number("uts"), (long long)ns_id(0, "uts"));
		EXPECT_EQ(recall_number("net"), (long long)ns_id(0, "net"));
		EXPECT_EQ(recall_number("mnt"), (long long)ns_id(0, "mnt"));
		EXPECT_EQ(recall_number("pid"), (long long)ns_id(0, "pid_for_children"));
		EXPECT_EQ(cgroup, ns_id(0, "cgroup"));
		EXPECT_EQ(user, ns_id(0, "user"));
	}
	must_evict(member);
}

TEST(nsfs, setns_by_pidfd_is_all_or_nothing,
     .says = "when one of several namespaces may not be entered, setns enters none",
     .finding = "a failed setns left its process in another namespace", .checks = "nsfs-03",
     .needs = TYPE_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS | CLONE_NEWIPC);

	IN_CONTAINER {
		_fd_ int pidfd = must_pidfd(getpid());

		/* The container's network is the host's. */
		UNSHARED(CLONE_NEWUTS | CLONE_NEWIPC) {
			uint64_t uts = ns_id(0, "uts"), ipc = ns_id(0, "ipc");

			EXPECT_ERRNO(EPERM,
				     setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET));
			EXPECT_EQ(uts, ns_id(0, "uts"));
			EXPECT_EQ(ipc, ns_id(0, "ipc"));
			EXPECT_OK(setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC));
			EXPECT_NE(uts, ns_id(0, "uts"));
		}
	}
}

TEST(nsfs, setns_by_pidfd_is_for_who_may_trace,
     .says = "setns with a pidfd enters namespaces of processes that the caller may trace: EPERM",
     .finding = "a process enters namespaces of a process that it may not look at",
     .checks = "nsfs-03", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(CLONE_NEWUTS);
	_fd_ int pidfd = must_pidfd(member), file = open_ns(member, "uts");

	IN_FORK {
		/* With less than the member has, one may not trace it. */
		must_drop_cap(CAP_SYS_PTRACE);
		EXPECT_ERRNO(EPERM, setns(pidfd, CLONE_NEWUTS));
		EXPECT_OK(setns(file, CLONE_NEWUTS));
	}
	IN_FORK { EXPECT_OK(setns(pidfd, CLONE_NEWUTS)); }
	must_evict(member);
}

TEST(nsfs, setns_enters_nothing_of_the_dead,
     .says = "a pidfd of a process that has ended leads into no namespace: ESRCH",
     .checks = "nsfs-02", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(CLONE_NEWUTS);
	_fd_ int pidfd = must_pidfd(member);
	uint64_t own = ns_id(0, "uts");

	MUST(kill(member, SIGKILL));
	/* A zombie has no namespaces either. */
	MUST(waitid(P_PID, member, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	EXPECT_ERRNO(ESRCH, setns(pidfd, CLONE_NEWUTS));
	must_wait(member);
	EXPECT_ERRNO(ESRCH, setns(pidfd, CLONE_NEWUTS));
	EXPECT_EQ(own, ns_id(0, "uts"));
}

struct company {
	const char *label;
	uint64_t flag;
	int with_thread, with_shared_fs; /* errno, 0 = success */
};

ROWS(companies, struct company) = {
	{ "uts", CLONE_NEWUTS, 0, 0 },
	{ "ipc", CLONE_NEWIPC, 0, 0 },
	{ "net", CLONE_NEWNET, 0, 0 },
	{ "cgroup", CLONE_NEWCGROUP, 0, 0 },
	{ "pid", CLONE_NEWPID, 0, 0 },
	{ "mnt", CLONE_NEWNS, EINVAL, EINVAL },
	{ "user", CLONE_NEWUSER, EINVAL, EINVAL },
	{ "time", CLONE_NEWTIME, EUSERS, 0 },
};

/* 0, or the errno with which setns refused. */
static int try_setns(int target, uint64_t flag)
{
	return setns(target, (int)flag) ? errno : 0;
}

TEST_EACH(companies, nsfs, threads_decide_what_can_be_entered,
	  .says = "a thread alone enters what a thread can have of its own, and nothing else",
	  .checks = "nsfs-27 time-14 user-29", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label);

	IN_FORK {
		struct beside thread = must_thread();

		EXPECT_EQ(row->with_thread, try_setns(target, row->flag));
		end_thread(&thread);
	}
	must_evict(member);
}

TEST_EACH(
	companies, nsfs, a_shared_root_decides_what_can_be_entered,
	.says = "who shares root and working directory enters no mount and user namespace: EINVAL",
	.checks = "nsfs-27 user-29", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label);

	IN_FORK {
		pid_t sharer = must_settle(CLONE_FS);

		EXPECT_EQ(row->with_shared_fs, try_setns(target, row->flag));
		must_evict(sharer);
	}
	must_evict(member);
}

ROWS(of_a_thread, struct ns_type) = {
	{ "uts", CLONE_NEWUTS },
	{ "ipc", CLONE_NEWIPC },
	{ "net", CLONE_NEWNET },
	{ "cgroup", CLONE_NEWCGROUP },
};

/* A thread that leaves its namespace of that type, says so, and stays for a while. */
struct leaver {
	const struct ns_type *type;
	pid_t tid;
	int done, go;
};

static void *leave(void *leaver_)
{
	struct leaver *leaver = leaver_;
	char byte;

	must_unshare(leaver->type->flag);
	leaver->tid = gettid();
	MUST(write(leaver->done, "", 1));
	MUST(read(leaver->go, &byte, 1));
	return NULL;
}

TEST_EACH(of_a_thread, nsfs, proc_tells_threads_apart,
	  .says = "/proc/PID/ns is the first thread's, /proc/PID/task/TID/ns each thread's own",
	  .checks = "nsfs-28", .needs = TYPE_NEEDS)
{
	uint64_t own = ns_id(0, row->label);
	int done[2], go[2];
	struct leaver leaver;
	pthread_t thread;
	char byte;

	must_pipe(done);
	must_pipe(go);
	leaver = (struct leaver){ .type = row, .done = done[1], .go = go[0] };
	MUST(pthread_create(&thread, NULL, leave, &leaver) ? -1 : 0);
	MUST(read(done[0], &byte, 1));
	EXPECT_EQ(own, ns_id(getpid(), row->label));
	EXPECT_NE(own, ns_id(leaver.tid, row->label));
	EXPECT_STREQ(text("%s:[%llu]", row->label, (unsigned long long)own),
		     must_readlink("/proc/self/task/%d/ns/%s", getpid(), row->label));
	EXPECT_STRNE(text("%s:[%llu]", row->label, (unsigned long long)own),
		     must_readlink("/proc/self/task/%d/ns/%s", leaver.tid, row->label));
	MUST(write(go[1], "", 1));
	pthread_join(thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(done[i]);
		close(go[i]);
	}
}

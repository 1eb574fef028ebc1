// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing PIDs: clone3's set_tid, ns_last_pid and pid_max. */
#include "pid.h"

#include <linux/capability.h>

/* A process with the chosen numbers, innermost first, that ends at once: its pid, or -1. */
static pid_t born_as(uint64_t flags, const pid_t *numbers, size_t count)
{
	struct clone_args args = { .flags = flags,
				   .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)numbers,
				   .set_tid_size = count };
	pid_t pid = clone3_with(&args);

	if (!pid)
		_exit(getpid() == numbers[0] ? 7 : 8);
	if (pid > 0)
		EXPECT_EXIT(7, must_wait(pid));
	return pid;
}

struct choice {
	const char *label;
	uint64_t flags;
	pid_t numbers[34];
	size_t count;
	int want; /* errno, 0 = success */
};

ROWS(choices, struct choice) = {
	{ "free", 0, { 77 }, 1, 0 },
	{ "largest", 0, { 32767 }, 1, 0 },
	{ "one_twice", 0, { 1 }, 1, EEXIST },
	{ "zero", 0, { 0 }, 1, EINVAL },
	{ "negative", 0, { -1 }, 1, EINVAL },
	{ "above_any_limit", 0, { 4194304 }, 1, EINVAL },
	{ "new_init", CLONE_NEWPID, { 1 }, 1, 0 },
	{ "new_init_is_one", CLONE_NEWPID, { 2 }, 1, EINVAL },
	{ "new_init_and_outside", CLONE_NEWPID, { 1, 78 }, 2, 0 },
	{ "new_init_outside_taken", CLONE_NEWPID, { 1, 1 }, 2, EEXIST },
	{ "more_than_levels", 0, { 79, 79, 79, 79, 79 }, 34, EINVAL },
	{ "more_than_the_most", CLONE_NEWPID, { 1, 80 }, 33, EINVAL },
};

TEST_EACH(choices, pid, a_chosen_number_is_checked,
	  .says = "set_tid gives a free number of the namespace and refuses any other",
	  .checks = "pid-20 pid-21", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		long limit = strtol(must_read("/proc/sys/kernel/pid_max"), NULL, 10);
		int want = row->want || row->numbers[0] < limit ? row->want : EINVAL;
		pid_t pid = born_as(row->flags, row->numbers, row->count);

		EXPECT_EQ(want, pid < 0 ? errno : 0);
		if (!want && !row->flags)
			EXPECT_EQ(row->numbers[0], pid);
		if (!want && row->count == 2)
			EXPECT_EQ(row->numbers[1], pid);
	}
}

TEST(pid, a_running_processes_number_is_taken,
     .says = "set_tid with the number of a running process gives EEXIST until that is reaped",
     .checks = "pid-21", .needs = NEED(admin) | NEED(pidns))
{
	const pid_t number = 123;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(123, must_idle_as(123));
		EXPECT_ERRNO(EEXIST, born_as(0, &number, 1));
		MUST(kill(123, SIGKILL));
		MUST(waitid(P_PID, 123, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
		EXPECT_ERRNO(EEXIST, born_as(0, &number, 1));
		must_wait(123);
		EXPECT_EQ(123, born_as(0, &number, 1));
	}
}

TEST(pid, numbers_are_chosen_from_the_inside_out,
     .says = "set_tid's numbers go from the innermost PID namespace outwards, NSpid the other way",
     .checks = "pid-22", .needs = NEED(admin) | NEED(pidns))
{
	static const pid_t numbers[] = { 1, 42 };
	struct clone_args args = { .flags = CLONE_NEWPID,
				   .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)numbers,
				   .set_tid_size = 2 };

	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t pid = MUST(clone3_with(&args));

		if (!pid)
			for (;;) pause();
		EXPECT_EQ(42, pid);
		EXPECT_STREQ("42\t1", status_field("NSpid", 42));
		must_kill(pid);
		/* One number only: the others are the kernel's choice. */
		args.set_tid_size = 1;
		pid = MUST(clone3_with(&args));
		if (!pid)
			for (;;) pause();
		EXPECT_NE(42, pid);
		EXPECT_STREQ(text("%d\t1", pid), status_field("NSpid", pid));
		must_kill(pid);
	}
}

struct right {
	const char *label;
	int drop[2];
	int want;
};

ROWS(rights, struct right) = {
	{ "neither", { CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE }, EPERM },
	{ "checkpoint", { CAP_SYS_ADMIN, CAP_SYS_ADMIN }, 0 },
	{ "admin", { CAP_CHECKPOINT_RESTORE, CAP_CHECKPOINT_RESTORE }, 0 },
};

TEST_EACH(rights, pid, choosing_needs_a_capability,
	  .says = "set_tid needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, else EPERM",
	  .checks = "pid-20", .needs = NEED(admin) | NEED(pidns))
{
	const pid_t number = 55;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		IN_FORK {
			must_drop_cap(row->drop[0]);
			must_drop_cap(row->drop[1]);
			EXPECT_EQ(row->want, born_as(0, &number, 1) < 0 ? errno : 0);
		}
	}
}

TEST(pid, the_outer_number_is_the_owners,
     .says = "root of a user namespace chooses numbers inside, not those outside: EPERM",
     .finding = "a container chose PIDs of the host", .checks = "pid-20",
     .needs = NEED(admin) | NEED(userns) | NEED(pidns))
{
	static const pid_t numbers[] = { 56, 299 };

	CONTAINER(.userns = true, .unshare = CLONE_NEWPID);

	IN_CONTAINER {
		EXPECT_EQ(56, born_as(0, numbers, 1));
		EXPECT_ERRNO(EPERM, born_as(0, numbers, 2));
	}
}

TEST(pid, the_last_number_can_be_set,
     .says = "ns_last_pid is the namespace's own: the next process is one behind what is written",
     .finding = "the container chose the host's next PID", .checks = "pid-20 pid-21",
     .needs = NEED(admin) | NEED(pidns) | NEED(checkpoint))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		EXPECT_STREQ("1\n", must_read("/proc/sys/kernel/ns_last_pid"));
		EXPECT_EQ(2, try_fork());
		EXPECT_STREQ("2\n", must_read("/proc/sys/kernel/ns_last_pid"));
		must_write("/proc/sys/kernel/ns_last_pid", "199");
		EXPECT_EQ(200, try_fork());
		/* Taken numbers are stepped over. */
		EXPECT_EQ(250, must_idle_as(250));
		must_write("/proc/sys/kernel/ns_last_pid", "249");
		EXPECT_EQ(251, try_fork());
		must_kill(250);
		AS_NOBODY {
			_fd_ int last =
				MUST(open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC));

			EXPECT_ERRNO(EPERM, write(last, "270", 3));
		}
	}
}

TEST(pid, the_limit_is_the_namespaces,
     .says = "pid_max written inside limits the container's PIDs and not the host's",
     .finding = "the container set the host's pid_max", .checks = "pid-19",
     .needs = NEED(admin) | NEED(userns) | NEED(pidns) | NEED(mntns) | NEED(userns_proc) |
	      NEED(own_pid_max))
{
	ON_HOST { remember("limit", must_read("/proc/sys/kernel/pid_max")); }
	CONTAINER(.userns = true, .unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t largest = 0;

		/* Never the machine's own limit. */
		ASSERT_EQ(1, getpid());
		must_write("/proc/sys/kernel/pid_max", "400");
		EXPECT_STREQ("400\n", must_read("/proc/sys/kernel/pid_max"));
		for (int i = 0; i < 500; i++) {
			pid_t pid = ASSERT_OK(try_fork());

			largest = pid > largest ? pid : largest;
		}
		EXPECT_EQ(399, largest);
		EXPECT_ERRNO(EINVAL, born_as(0, (const pid_t[]){ 400 }, 1));
		EXPECT_EQ(399, born_as(0, (const pid_t[]){ 399 }, 1));
	}
	ON_HOST { EXPECT_STREQ(recall("limit"), must_read("/proc/sys/kernel/pid_max")); }
}

TEST(pid, an_outer_limit_holds_inside,
     .says = "an outer PID namespace's pid_max limits the processes of the inner ones as well",
     .checks = "pid-19",
     .needs = NEED(admin) | NEED(userns) | NEED(pidns) | NEED(mntns) | NEED(userns_proc) |
	      NEED(own_pid_max))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		pid_t member[400];
		int count = 0;

		/* Never the machine's own limit. */
		ASSERT_EQ(1, getpid());
		must_write("/proc/sys/kernel/pid_max", "350");
		UNSHARED(CLONE_NEWPID) {
			while (count < 400 && (member[count] = fork()) > 0) count++;
			if (count < 400 && member[count] == 0)
				for (;;) pause();
			EXPECT_EQ(EAGAIN, errno);
			EXPECT_GT(350, count);
			EXPECT_LT(0, count);
			while (count) must_kill(member[--count]);
		}
	}
}

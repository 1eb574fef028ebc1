// SPDX-License-Identifier: GPL-2.0-or-later
/* Since 7.2: processes that reap themselves, that die with a pidfd, PID 1 by setns. */
#include "pid.h"

#include <linux/capability.h>

/* clone3 with a pidfd in *pidfd and no signal to the parent. */
static pid_t quiet_clone(uint64_t flags, int *pidfd)
{
	struct clone_args args = { .flags = flags | CLONE_PIDFD, .pidfd = (uintptr_t)pidfd };

	return clone3_with(&args);
}

TEST(pid, some_reap_themselves,
     .says = "a process made with CLONE_AUTOREAP leaves no zombie and nobody to wait for",
     .checks = "pid-44", .needs = NEED(pidns) | NEED(autoreap))
{
	int pidfd = -1;
	pid_t pid = ASSERT_OK(quiet_clone(CLONE_AUTOREAP, &pidfd));

	if (!pid)
		_exit(7);
	EXPECT(ends(pidfd));
	EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, __WALL));
	EXPECT(vanishes_within(pid, PATIENCE_MS));
	close(pidfd);
}

TEST(pid, an_orphan_still_reaps_itself,
     .says = "CLONE_AUTOREAP holds after the parent's end, and not for one's own children",
     .checks = "pid-44", .needs = NEED(admin) | NEED(pidns) | NEED(autoreap))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		int go[2], quiet = -1;

		must_pipe(go);
		IN_FORK {
			pid_t pid = ASSERT_OK(quiet_clone(CLONE_AUTOREAP, &quiet));

			if (!pid) {
				EXPECT_LT(0, try_fork());
				hear_go(go[0]);
				_exit(7);
			}
			remember("orphan", pid);
		}
		quiet = must_pidfd(recall_number("orphan"));
		say_go(go[1]);
		EXPECT(ends(quiet));
		EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, __WALL));
		EXPECT(vanishes_within(recall_number("orphan"), PATIENCE_MS));
	}
}

struct contradiction {
	const char *label;
	uint64_t flags;
	uint64_t exit_signal;
};

ROWS(contradictions, struct contradiction) = {
	{ "autoreap_with_signal", CLONE_AUTOREAP, SIGCHLD },
	{ "autoreap_of_a_sibling", CLONE_AUTOREAP | CLONE_PARENT, 0 },
	{ "autoreap_of_a_thread", CLONE_AUTOREAP | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0 },
	{ "no_new_privs_of_a_thread", CLONE_NNP | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0 },
	{ "autokill_without_autoreap", CLONE_PIDFD | CLONE_PIDFD_AUTOKILL | CLONE_NNP, 0 },
	{ "autokill_without_pidfd", CLONE_AUTOREAP | CLONE_PIDFD_AUTOKILL | CLONE_NNP, 0 },
};

TEST_EACH(contradictions, pid, contradictions_are_refused,
	  .says = "clone3 refuses what autoreap, autokill and no-new-privs do not go with: EINVAL",
	  .checks = "pid-44 pid-45 pid-46", .needs = NEED(pidns) | NEED(autoreap))
{
	int pidfd = -1;
	struct clone_args args = { .flags = row->flags,
				   .exit_signal = row->exit_signal,
				   .pidfd = (uintptr_t)&pidfd };

	EXPECT_ERRNO(EINVAL, clone3_with(&args));
}

TEST(pid, some_die_with_their_pidfd,
     .says = "CLONE_PIDFD_AUTOKILL ends the process when the last copy of its pidfd is closed",
     .checks = "pid-45", .needs = NEED(pidns) | NEED(autoreap))
{
	int pidfd = -1, copy, watch;
	pid_t pid =
		ASSERT_OK(quiet_clone(CLONE_AUTOREAP | CLONE_PIDFD_AUTOKILL | CLONE_NNP, &pidfd));

	if (!pid)
		for (;;) pause();
	watch = must_pidfd(pid);
	copy = MUST(fcntl(pidfd, F_DUPFD_CLOEXEC, 0));
	close(pidfd);
	EXPECT(!ended(watch));
	EXPECT_OK(kill(pid, 0));
	close(copy);
	EXPECT(ends(watch));
	close(watch);
}

TEST(pid, autokill_needs_a_right_or_renunciation,
     .says = "CLONE_PIDFD_AUTOKILL needs CAP_SYS_ADMIN or CLONE_NNP, else EPERM",
     .checks = "pid-45", .needs = NEED(admin) | NEED(pidns) | NEED(autoreap))
{
	const uint64_t autokill = CLONE_AUTOREAP | CLONE_PIDFD_AUTOKILL;
	int pidfd = -1;

	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, quiet_clone(autokill, &pidfd));
		if (!ASSERT_OK(quiet_clone(autokill | CLONE_NNP, &pidfd)))
			for (;;) pause();
		close(pidfd);
	}
	if (!ASSERT_OK(quiet_clone(autokill, &pidfd)))
		for (;;) pause();
	close(pidfd);
}

TEST(pid, new_privileges_can_be_renounced_at_birth,
     .says = "CLONE_NNP sets no_new_privs in the new process and not in its creator",
     .checks = "pid-46", .needs = NEED(admin) | NEED(pidns) | NEED(autoreap))
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NNP, .exit_signal = SIGCHLD };
	pid_t pid = ASSERT_OK(clone3_with(&args));

	if (!pid) {
		EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		IN_FORK { EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
		_exit(7);
	}
	EXPECT_EXIT(7, must_wait(pid));
	EXPECT_EQ(0, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	IN_FORK { EXPECT_EQ(0, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
}

/* A process whose children would be in a PID namespace that has nobody yet. */
static pid_t must_make_unborn(int ready[2])
{
	pid_t maker;

	must_pipe(ready);
	maker = must_fork();
	if (!maker) {
		must_unshare(CLONE_NEWPID);
		say_go(ready[1]);
		for (;;) pause();
	}
	hear_go(ready[0]);
	return maker;
}

static int must_open_unborn(pid_t maker)
{
	return MUST(open(text("/proc/%d/ns/pid_for_children", maker), O_RDONLY | O_CLOEXEC));
}

TEST(pid, a_guest_may_be_the_first,
     .says = "who enters a PID namespace before anybody is in it produces its PID 1",
     .checks = "pid-17", .needs = NEED(admin) | NEED(pidns) | NEED(unborn_pidns))
{
	int ready[2];
	pid_t maker = must_make_unborn(ready);

	IN_FORK {
		_fd_ int unborn = must_open_unborn(maker);

		ASSERT_OK(setns(unborn, CLONE_NEWPID));
		IN_FORK { EXPECT_EQ(1, getpid()); }
		EXPECT_ERRNO(ENOMEM, try_fork());
	}
	must_kill(maker);
	close(ready[0]);
	close(ready[1]);
}

TEST(pid, a_guest_chooses_all_numbers,
     .says = "set_tid with 1 and another into an entered, empty PID namespace gives exactly those",
     .checks = "pid-18", .needs = NEED(admin) | NEED(pidns) | NEED(unborn_pidns))
{
	static const pid_t numbers[] = { 1, 1001 };
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)numbers,
				   .set_tid_size = 2 };

	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER {
		int ready[2];
		_fd_ int unborn = must_open_unborn(must_make_unborn(ready));
		pid_t pid;

		ASSERT_OK(setns(unborn, CLONE_NEWPID));
		pid = ASSERT_OK(clone3_with(&args));
		if (!pid)
			for (;;) pause();
		EXPECT_EQ(1001, pid);
		EXPECT_STREQ("1001\t1", status_field("NSpid", pid));
		must_kill(pid);
	}
}

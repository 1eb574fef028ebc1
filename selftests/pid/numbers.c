// SPDX-License-Identifier: GPL-2.0-or-later
/* One process, many numbers: one a PID namespace, and how they are told. */
#include "pid.h"

#include <sys/ioctl.h>

TEST(pid, every_level_has_its_number,
     .says = "a process has one PID a level, its own seen from each level in that level's /proc",
     .checks = "pid-72", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		int ready[2];
		pid_t inner;

		must_pipe(ready);
		inner = must_clone3(CLONE_NEWPID);
		if (!inner) {
			EXPECT_EQ(1, getpid());
			say_go(ready[1]);
			for (;;) pause();
		}
		hear_go(ready[0]);
		EXPECT_EQ(2, inner);
		give_fd(must_pidfd(inner));
		remember("inner", inner);
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();
		pid_t number = pid_here(pidfd);

		EXPECT_STREQ(text("%d\t2\t1", number), status_field("NSpid", number));
		EXPECT_STREQ(text("%d\t1", inside_pid()), status_field("NSpid", inside_pid()));
	}
	IN_CONTAINER { EXPECT_SIGNAL(SIGKILL, must_kill(recall_number("inner"))); }
}

TEST(pid, groups_and_sessions_have_numbers_too,
     .says = "NSpgid and NSsid give process group and session a number in every level",
     .checks = "pid-72", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		EXPECT_STREQ(text("%d\t0", getpgid(0)), status_field("NSpgid", inside_pid()));
		EXPECT_STREQ(text("%d\t0", getsid(0)), status_field("NSsid", inside_pid()));
	}
	IN_CONTAINER { ASSERT_OK(setsid()); }
	ON_HOST {
		EXPECT_STREQ(text("%d\t1", inside_pid()), status_field("NSpgid", inside_pid()));
		EXPECT_STREQ(text("%d\t1", inside_pid()), status_field("NSsid", inside_pid()));
		EXPECT_EQ(inside_pid(), getsid(inside_pid()));
		EXPECT_EQ(inside_pid(), getpgid(inside_pid()));
	}
}

TEST(pid, threads_have_numbers_too,
     .says = "clone tells the creator its own level's number and the new process its own",
     .checks = "pid-22 pid-72", .needs = NEED(admin) | NEED(pidns))
{
	pid_t told_creator = 0, told_itself = 0;
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
		.exit_signal = SIGCHLD,
		.parent_tid = (uintptr_t)&told_creator,
		.child_tid = (uintptr_t)&told_itself,
	};
	pid_t pid = MUST(clone3_with(&args));

	if (!pid) {
		EXPECT_EQ(1, told_itself);
		EXPECT_EQ(1, syscall(SYS_set_tid_address, &told_itself));
		_exit(7);
	}
	EXPECT_EQ(pid, told_creator);
	EXPECT_LT(1, told_creator);
	EXPECT_EXIT(7, must_wait(pid));
}

struct translation {
	const char *label;
	unsigned long from, into;
};

ROWS(translations, struct translation) = {
	{ "process", NS_GET_TGID_FROM_PIDNS, NS_GET_TGID_IN_PIDNS },
	{ "thread", NS_GET_PID_FROM_PIDNS, NS_GET_PID_IN_PIDNS },
};

TEST_EACH(translations, pid, numbers_can_be_translated,
	  .says = "ioctls of a PID namespace translate its numbers to the caller's and back",
	  .checks = "pid-74", .needs = NEED(admin) | NEED(pidns) | NEED(pidns_ioctl))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int inner =
			MUST(open(text("/proc/%d/ns/pid", inside_pid()), O_RDONLY | O_CLOEXEC));
		_fd_ int uts = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

		EXPECT_EQ(inside_pid(), ioctl(inner, row->from, 1));
		EXPECT_EQ(1, ioctl(inner, row->into, inside_pid()));
		EXPECT_ERRNO(ESRCH, ioctl(inner, row->from, 2));
		EXPECT_ERRNO(ESRCH, ioctl(inner, row->into, getpid()));
		EXPECT_EQ(-1, ioctl(uts, row->from, 1));
		EXPECT(errno == EINVAL || errno == ENOTTY);
	}
}

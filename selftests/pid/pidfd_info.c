// SPDX-License-Identifier: GPL-2.0-or-later
/* PIDFD_GET_INFO: what a pidfd tells of its process, and to whom. */
#include "pid.h"

#include <sys/ioctl.h>
#include <sys/resource.h>

static int ask(int pidfd, uint64_t mask, struct pidfd_info *info)
{
	*info = (struct pidfd_info){ .mask = mask };
	return ioctl(pidfd, PIDFD_GET_INFO, info);
}

TEST(pid, a_pidfd_tells_numbers_and_ids,
     .says = "PIDFD_GET_INFO gives PID, parent and credentials as the caller numbers them",
     .checks = "pid-36 pid-38", .needs = NEED(admin) | NEED(pidns) | NEED(pidfd_info))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t member = must_idle();
		_fd_ int pidfd = must_pidfd(member);
		struct pidfd_info info;

		ASSERT_OK(ask(pidfd, PIDFD_INFO_PID, &info));
		EXPECT_EQ(PIDFD_INFO_PID | PIDFD_INFO_CREDS,
			  info.mask & (PIDFD_INFO_PID | PIDFD_INFO_CREDS));
		EXPECT_EQ(member, info.pid);
		EXPECT_EQ(member, info.tgid);
		EXPECT_EQ(1, info.ppid);
		EXPECT_EQ(geteuid(), info.euid);
		EXPECT_EQ(getegid(), info.egid);
		give_fd(pidfd);
		remember("member", member);
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();
		struct pidfd_info info;

		ASSERT_OK(ask(pidfd, PIDFD_INFO_PID, &info));
		EXPECT_EQ(pid_here(pidfd), info.pid);
		EXPECT_EQ(inside_pid(), info.ppid);
	}
	IN_CONTAINER { must_kill(recall_number("member")); }
}

TEST(pid, a_strangers_pidfd_tells_nothing,
     .says = "PIDFD_GET_INFO fails where the process is not visible: ESRCH, EREMOTE since 7.0",
     .finding = "a pidfd told the container about a process of the host", .checks = "pid-38",
     .needs = NEED(admin) | NEED(pidns) | NEED(pidfd_info))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int self = must_pidfd(getpid());
		_fd_ int neighbour = must_pidfd(pid_of(a));

		give_fd(self);
		give_fd(neighbour);
	}
	IN(b) {
		_fd_ int host = take_fd(), neighbour = take_fd(), own = must_pidfd(1);
		struct pidfd_info info;

		EXPECT_EQ(-1, ask(host, PIDFD_INFO_PID, &info));
		EXPECT(errno == ESRCH || errno == EREMOTE);
		EXPECT_EQ(0, info.pid);
		EXPECT_EQ(-1, ask(neighbour, PIDFD_INFO_PID, &info));
		EXPECT(errno == ESRCH || errno == EREMOTE);
		EXPECT_OK(ask(own, PIDFD_INFO_PID, &info));
		EXPECT_EQ(0, info.ppid);
	}
	IN(a) {
		close(take_fd());
		close(take_fd());
	}
}

TEST(pid, questions_are_checked,
     .says = "PIDFD_GET_INFO refuses a short structure, none, and what is no pidfd",
     .checks = "pid-36", .needs = NEED(pidns) | NEED(pidfd_info))
{
	_fd_ int self = must_pidfd(getpid());
	_fd_ int file = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	struct pidfd_info info = { .mask = PIDFD_INFO_PID };

	EXPECT_OK(ioctl(self, PIDFD_GET_INFO, &info));
	EXPECT_OK(ioctl(self, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 64), &info));
	EXPECT_ERRNO(EINVAL, ioctl(self, PIDFD_GET_INFO, NULL));
	EXPECT_EQ(-1, ioctl(self, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, 63), &info));
	EXPECT(errno == EINVAL || errno == ENOTTY);
	EXPECT_EQ(-1, ioctl(file, PIDFD_GET_INFO, &info));
	EXPECT(errno == EINVAL || errno == ENOTTY);
}

struct ending {
	const char *label;
	int sig; /* that ends the process; 0 = it exits with 42 */
};

ROWS(endings, struct ending) = {
	{ "exit", 0 },
	{ "killed", SIGKILL },
};

TEST_EACH(endings, pid, a_pidfd_remembers_the_end,
	  .says = "PIDFD_INFO_EXIT tells how a reaped process ended, not before it is reaped",
	  .checks = "pid-37", .needs = NEED(admin) | NEED(pidns) | NEED(pidfd_exit))
{
	struct pidfd_info info;
	_fd_ int pidfd = -EBADF;
	int go[2], status;
	pid_t pid;

	must_pipe(go);
	pid = must_clone3(CLONE_NEWPID);
	if (!pid) {
		if (row->sig)
			for (;;) pause();
		hear_go(go[0]);
		_exit(42);
	}
	pidfd = must_pidfd(pid);
	EXPECT_OK(ask(pidfd, PIDFD_INFO_EXIT, &info));
	EXPECT_EQ(0, info.mask & PIDFD_INFO_EXIT);
	MUST(row->sig ? kill(pid, row->sig) : (say_go(go[1]), 0));
	EXPECT(ends(pidfd));
	status = must_wait(pid);
	EXPECT_ERRNO(ESRCH, ask(pidfd, PIDFD_INFO_PID, &info));
	ASSERT_OK(ask(pidfd, PIDFD_INFO_EXIT, &info));
	EXPECT_EQ(PIDFD_INFO_EXIT, info.mask & PIDFD_INFO_EXIT);
	EXPECT_EQ(status, info.exit_code);
	EXPECT_EQ(row->sig ? SIGKILL : 42 << 8, info.exit_code);
	close(go[0]);
	close(go[1]);
}

TEST(pid, the_end_of_a_member_is_told_outside,
     .says = "PIDFD_INFO_EXIT works on the host for a process that PID 1 inside has reaped",
     .checks = "pid-37", .needs = NEED(admin) | NEED(pidns) | NEED(pidfd_exit))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t member = must_idle();
		_fd_ int pidfd = must_pidfd(member);

		give_fd(pidfd);
		must_kill(member);
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();
		struct pidfd_info info;

		ASSERT_OK(ask(pidfd, PIDFD_INFO_EXIT, &info));
		EXPECT_EQ(PIDFD_INFO_EXIT, info.mask & PIDFD_INFO_EXIT);
		EXPECT_EQ(SIGKILL, info.exit_code);
	}
}

TEST(pid, a_pidfd_tells_what_it_can_tell,
     .says = "PIDFD_INFO_SUPPORTED_MASK gives the kernel's own list of answers, alone or not",
     .checks = "pid-39", .needs = NEED(pidns) | NEED(pidfd_supported))
{
	const uint64_t oldest = PIDFD_INFO_PID | PIDFD_INFO_CREDS | PIDFD_INFO_EXIT;
	_fd_ int self = must_pidfd(getpid());
	struct pidfd_info info;

	ASSERT_OK(ask(self, PIDFD_INFO_SUPPORTED_MASK, &info));
	EXPECT_EQ(PIDFD_INFO_SUPPORTED_MASK, info.mask & PIDFD_INFO_SUPPORTED_MASK);
	EXPECT_EQ(oldest | PIDFD_INFO_SUPPORTED_MASK,
		  info.supported_mask & (oldest | PIDFD_INFO_SUPPORTED_MASK));
	ASSERT_OK(ask(self, PIDFD_INFO_SUPPORTED_MASK | PIDFD_INFO_CGROUPID, &info));
	EXPECT_EQ(0, info.mask & ~info.supported_mask);
	ASSERT_OK(ask(self, PIDFD_INFO_PID, &info));
	EXPECT_EQ(0, info.supported_mask);
}

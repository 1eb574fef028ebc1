// SPDX-License-Identifier: GPL-2.0-or-later
/* How far a pidfd reaches that crosses the border of a PID namespace. */
#include "pid.h"

#include <linux/kcmp.h>
#include <sys/ioctl.h>

TEST(pid, a_leaked_pidfd_cannot_signal,
     .says = "a pidfd of a host's process that came inside cannot be used to signal: EINVAL",
     .finding = "the container can signal a process of the host by pidfd", .checks = "pid-70",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int self = must_pidfd(getpid());

		give_fd(self);
		EXPECT_OK(pidfd_send(self, 0, NULL, 0));
	}
	IN_CONTAINER {
		_fd_ int leaked = take_fd(), own = must_pidfd(1);

		EXPECT_ERRNO(EINVAL, pidfd_send(leaked, 0, NULL, 0));
		EXPECT_ERRNO(EINVAL, pidfd_send(leaked, SIGCONT, NULL, 0));
		EXPECT_OK(pidfd_send(own, 0, NULL, 0));
	}
}

TEST(pid, a_neighbours_pidfd_cannot_signal,
     .says = "a pidfd of another container's process cannot be used to signal: EINVAL",
     .finding = "one container can signal a process of another by pidfd", .checks = "pid-70",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) { give_fd(must_pidfd(1)); }
	IN(b) {
		_fd_ int leaked = take_fd();

		EXPECT_ERRNO(EINVAL, pidfd_send(leaked, SIGKILL, NULL, 0));
	}
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT_OK(pidfd_send(pidfd, 0, NULL, 0));
	}
	IN(a) { EXPECT_EQ(1, getpid()); }
}

TEST(pid, a_pidfd_knows_whom_the_reader_sees,
     .says = "a pidfd's fdinfo has the reader's number for the process: 0 unseen, -1 reaped",
     .checks = "pid-35", .layer = BOTH, .needs = NEED(admin) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	ON_HOST {
		_fd_ int self = must_pidfd(getpid());

		EXPECT_EQ(getpid(), pid_here(self));
		give_fd(self);
	}
	IN_CONTAINER {
		_fd_ int leaked = take_fd(), own = must_pidfd(1), member = -EBADF;
		pid_t pid = must_idle();

		EXPECT_EQ(0, pid_here(leaked));
		EXPECT_EQ(1, pid_here(own));
		member = must_pidfd(pid);
		EXPECT_EQ(pid, pid_here(member));
		EXPECT_CONTAINS(text("NSpid:\t%d\n", pid),
				must_read("/proc/self/fdinfo/%d", member));
		must_kill(pid);
		EXPECT_EQ(-1, pid_here(member));
		EXPECT_CONTAINS("NSpid:\t-1\n", must_read("/proc/self/fdinfo/%d", member));
	}
}

TEST(pid, fdinfo_lists_the_levels_below,
     .says = "a pidfd's fdinfo on the host lists the number of every level, outermost first",
     .checks = "pid-35 pid-72", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { give_fd(must_pidfd(1)); }
	ON_HOST {
		_fd_ int pidfd = take_fd();

		EXPECT_CONTAINS(text("NSpid:\t%d\t1\n", inside_pid()),
				must_read("/proc/self/fdinfo/%d", pidfd));
	}
}

TEST(pid, a_leaked_pidfd_waits_for_nobody,
     .says = "a pidfd of a host's process tells the container its end, but not its status",
     .checks = "pid-29 pid-30 pid-70", .needs = NEED(admin) | NEED(pidns))
{
	pid_t witness = must_idle();

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int pidfd = must_pidfd(witness);

		give_fd(pidfd);
	}
	IN_CONTAINER {
		_fd_ int leaked = take_fd();
		siginfo_t info;

		EXPECT(!ended(leaked));
		EXPECT_ERRNO(ECHILD, waitid(WAIT_PIDFD, leaked, &info, WEXITED | WNOHANG));
		give_fd(leaked);
	}
	ON_HOST {
		EXPECT_SIGNAL(SIGKILL, must_kill(witness));
		close(take_fd());
	}
}

TEST(pid, a_leaked_pidfd_opens_what_ptrace_may,
     .says = "with ptrace rights a leaked pidfd gives the host's descriptors: do not leak one",
     .checks = "pid-34 pid-71",
     .needs = NEED(root) | NEED(pidns) | NEED(pidfd_getfd) | NEED(ptrace))
{
	int ends[2];

	must_pipe(ends);
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int self = must_pidfd(getpid());

		give_fd(self);
		remember("secret", ends[1]);
	}
	IN_CONTAINER {
		_fd_ int leaked = take_fd();

		close(ends[1]);
		ends[1] = ASSERT_OK(pidfd_take(leaked, recall_number("secret")));
		EXPECT_EQ(FD_CLOEXEC, fcntl(ends[1], F_GETFD));
		say_go(ends[1]);
		AS_NOBODY { EXPECT_ERRNO(EPERM, pidfd_take(leaked, recall_number("secret"))); }
	}
	ON_HOST {
		hear_go(ends[0]);
		close(ends[0]);
		close(ends[1]);
	}
}

TEST(pid, a_pidfd_lends_a_descriptor,
     .says = "pidfd_getfd duplicates the very same open file, close-on-exec", .checks = "pid-34",
     .needs = NEED(pidns) | NEED(pidfd_getfd) | NEED(kcmp) | NEED(ptrace))
{
	enum { THEIRS = 20, NONE = 21 }; /* descriptors of the child's */
	int ends[2], ready[2];
	_fd_ int pidfd = -EBADF, lent = -EBADF;
	pid_t pid;

	must_pipe(ends);
	must_pipe(ready);
	pid = must_fork();
	if (!pid) {
		MUST(dup2(ends[1], THEIRS));
		close(NONE);
		say_go(ready[1]);
		for (;;) pause();
	}
	hear_go(ready[0]);
	pidfd = must_pidfd(pid);
	lent = ASSERT_OK(pidfd_take(pidfd, THEIRS));
	EXPECT_EQ(0, syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, lent, THEIRS));
	EXPECT_EQ(FD_CLOEXEC, fcntl(lent, F_GETFD));
	EXPECT_ERRNO(EBADF, pidfd_take(pidfd, NONE));
	EXPECT_ERRNO(EBADF, pidfd_take(ends[0], THEIRS));
	EXPECT_ERRNO(EINVAL, syscall(SYS_pidfd_getfd, pidfd, THEIRS, 1));
	must_kill(pid);
	EXPECT_ERRNO(ESRCH, pidfd_take(pidfd, THEIRS));
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(ready[i]);
	}
}

TEST(pid, a_pidfd_leads_to_the_namespace,
     .says = "an ioctl of a pidfd gives its process's namespaces, to who may trace it",
     .checks = "pid-74", .needs = NEED(admin) | NEED(pidns) | NEED(pidns_ioctl))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		_fd_ int pidfd = must_pidfd(inside_pid());
		_fd_ int pidns = ASSERT_OK(ioctl(pidfd, PIDFD_GET_PID_NAMESPACE, 0));
		_fd_ int uts = ASSERT_OK(ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0));
		struct stat status;

		MUST(fstat(pidns, &status));
		EXPECT_EQ(ns_id(inside_pid(), "pid"), status.st_ino);
		EXPECT_NE(ns_id(0, "pid"), status.st_ino);
		MUST(fstat(uts, &status));
		EXPECT_EQ(ns_id(0, "uts"), status.st_ino);
		AS_NOBODY { EXPECT_ERRNO(EACCES, ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0)); }
	}
}

/* Receives a byte on a socket with SO_PASSPIDFD: the sender's pidfd, or -1. */
static int sender_pidfd(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int pidfd = -1;

	MUST(recvmsg(socket, &message, 0));
	if (message.msg_controllen && control.header.cmsg_type == SCM_PIDFD)
		memcpy(&pidfd, CMSG_DATA(&control.header), sizeof(pidfd));
	return pidfd;
}

struct kind {
	const char *label;
	int type;
};

ROWS(socket_kinds, struct kind) = {
	{ "stream", SOCK_STREAM },
	{ "datagram", SOCK_DGRAM },
	{ "packets", SOCK_SEQPACKET },
};

TEST_EACH(socket_kinds, pid, a_socket_gives_its_peers_pidfd,
	  .says = "SO_PEERPIDFD and SCM_PIDFD give the host a pidfd of the peer inside",
	  .checks = "pid-55", .needs = NEED(admin) | NEED(pidns) | NEED(peer_pidfd))
{
	int ends[2], on = 1, pidfd = -1;
	socklen_t size = sizeof(pidfd);

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		MUST(socketpair(AF_UNIX, row->type | SOCK_CLOEXEC, 0, ends));
		MUST(setsockopt(ends[0], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)));
		give_fd(ends[0]);
		say_go(ends[1]);
	}
	ON_HOST {
		_fd_ int mine = take_fd(), sender = ASSERT_OK(sender_pidfd(mine));

		EXPECT_EQ(inside_pid(), pid_here(sender));
		EXPECT_OK(getsockopt(mine, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size));
		EXPECT_EQ(inside_pid(), pid_here(pidfd));
		EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
		EXPECT_SIGNAL(SIGKILL, container_stop(1));
		EXPECT(ended(pidfd));
		EXPECT(ended(sender));
		close(pidfd);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers that travel: what sockets tell of who is at the other end. */
#include "pid.h"

#include <linux/capability.h>

static struct ucred peer_of(int socket)
{
	struct ucred who = { .pid = -1 };
	socklen_t size = sizeof(who);

	MUST(getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size));
	return who;
}

static void must_socketpair(int ends[2])
{
	int on = 1;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
	for (int i = 0; i < 2; i++)
		MUST(setsockopt(ends[i], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

/* One control message of the kind. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(struct ucred))];
};

/* Sends a byte whose sender is said to be `pid`. */
static long send_as(int socket, pid_t pid)
{
	const struct ucred who = { .pid = pid, .uid = getuid(), .gid = getgid() };
	union control control = { 0 };
	struct iovec part = { (char[]){ 0 }, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_CREDENTIALS;
	control.header.cmsg_len = CMSG_LEN(sizeof(who));
	memcpy(CMSG_DATA(&control.header), &who, sizeof(who));
	return sendmsg(socket, &message, 0);
}

/* Receives a byte: the pid that is said to have sent it. */
static pid_t sender_of(int socket)
{
	struct ucred who = { .pid = -1 };
	union control control = { 0 };
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	MUST(recvmsg(socket, &message, 0));
	memcpy(&who, CMSG_DATA(&control.header), sizeof(who));
	return who.pid;
}

TEST(pid, a_peer_outside_is_number_zero,
     .says = "SO_PEERCRED inside gives 0 for a peer on the host",
     .finding = "a socket told the container a PID of the host", .checks = "pid-67", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		must_socketpair(ends);
		give_fd(ends[0]);
		EXPECT_EQ(getpid(), peer_of(ends[0]).pid);
		close(ends[0]);
		close(ends[1]);
	}
	IN_CONTAINER {
		_fd_ int mine = take_fd();

		EXPECT_EQ(0, peer_of(mine).pid);
		must_socketpair(ends);
		EXPECT_EQ(1, peer_of(ends[0]).pid);
	}
}

TEST(pid, a_peer_inside_has_the_hosts_number,
     .says = "SO_PEERCRED on the host gives a peer inside the number that it has outside",
     .checks = "pid-67", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		must_socketpair(ends);
		give_fd(ends[0]);
	}
	ON_HOST {
		_fd_ int mine = take_fd();

		EXPECT_EQ(inside_pid(), peer_of(mine).pid);
	}
}

TEST(pid, a_message_translates_its_sender,
     .says = "SCM_CREDENTIALS names the sender as the receiver numbers it, and the host as 0",
     .checks = "pid-67", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		must_socketpair(ends);
		give_fd(ends[0]);
		EXPECT_OK(send_as(ends[1], getpid()));
	}
	ON_HOST {
		_fd_ int mine = take_fd();

		EXPECT_EQ(inside_pid(), sender_of(mine));
		EXPECT_OK(send_as(mine, getpid()));
	}
	IN_CONTAINER { EXPECT_EQ(0, sender_of(ends[1])); }
}

TEST(pid, neighbours_are_number_zero,
     .says = "between two containers SO_PEERCRED and SCM_CREDENTIALS give 0",
     .finding = "a socket told one container a PID of another", .checks = "pid-67", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) {
		must_socketpair(ends);
		give_fd(ends[0]);
		EXPECT_OK(send_as(ends[1], getpid()));
	}
	IN(b) {
		_fd_ int mine = take_fd();

		EXPECT_EQ(0, peer_of(mine).pid);
		EXPECT_EQ(0, sender_of(mine));
	}
	ON_HOST { close(take_fd()); }
}

TEST(pid, a_sender_cannot_name_a_pid_outside,
     .says = "SCM_CREDENTIALS with a PID that the sender cannot see: ESRCH for root, too",
     .finding = "a message from inside claimed to be from a process of the host",
     .checks = "pid-68", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST { remember("host", getpid()); }
	IN_CONTAINER {
		must_socketpair(ends);
		/* Without CAP_SYS_ADMIN any PID but the own is refused before it is looked up. */
		EXPECT_EQ(-1, send_as(ends[1], recall_number("host")));
		EXPECT(errno == ESRCH || errno == EPERM);
		EXPECT_OK(send_as(ends[1], getpid()));
		EXPECT_EQ(1, sender_of(ends[0]));
	}
}

TEST(pid, a_sender_may_name_others_as_root_only,
     .says = "SCM_CREDENTIALS may name another member with CAP_SYS_ADMIN, else EPERM",
     .checks = "pid-67 pid-68", .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST { remember("host", getpid()); }
	IN_CONTAINER {
		pid_t member = must_idle();

		must_socketpair(ends);
		EXPECT_OK(send_as(ends[1], member));
		EXPECT_EQ(member, sender_of(ends[0]));
		EXPECT_ERRNO(ESRCH, send_as(ends[1], recall_number("host")));
		IN_FORK {
			must_drop_cap(CAP_SYS_ADMIN);
			EXPECT_ERRNO(EPERM, send_as(ends[1], member));
			EXPECT_OK(send_as(ends[1], getpid()));
		}
		must_kill(member);
	}
}

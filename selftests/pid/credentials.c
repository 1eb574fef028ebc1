// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers that travel: what sockets, locks, message queues and owners tell of a process. */
#include "pid.h"

#include <linux/capability.h>
#include <mqueue.h>
#include <sys/mman.h>

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

/* The pid that F_GETLK names as the holder of a lock on the whole file. */
static pid_t holder_of(int fd)
{
	struct flock lock = { .l_type = F_WRLCK };

	MUST(fcntl(fd, F_GETLK, &lock));
	EXPECT_NE(F_UNLCK, lock.l_type);
	return lock.l_pid;
}

static void must_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK };

	MUST(fcntl(fd, F_SETLK, &lock));
}

TEST(pid, a_lock_of_the_host_has_no_holder,
     .says = "F_GETLK inside gives 0 for the holder of a lock on the host",
     .finding = "a file lock told the container a PID of the host", .checks = "pid-69",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int file = -EBADF;

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		file = MUST(memfd_create("locked", MFD_CLOEXEC));
		must_lock(file);
		give_fd(file);
	}
	IN_CONTAINER {
		_fd_ int same = take_fd();

		EXPECT_EQ(0, holder_of(same));
	}
	ON_HOST { close(file); }
}

TEST(pid, a_lock_inside_has_the_hosts_number,
     .says = "F_GETLK on the host gives a holder inside the number that it has outside",
     .checks = "pid-69", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int file = -EBADF;

	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		file = MUST(memfd_create("locked", MFD_CLOEXEC));
		must_lock(file);
		give_fd(file);
	}
	ON_HOST {
		_fd_ int same = take_fd();

		EXPECT_EQ(inside_pid(), holder_of(same));
	}
	IN_CONTAINER {
		IN_FORK { EXPECT_EQ(1, holder_of(file)); }
	}
}

TEST(pid, locks_of_the_host_are_not_listed,
     .says = "/proc/locks inside lists the container's locks and not the host's",
     .finding = "/proc/locks told the container about locks of the host", .checks = "pid-69",
     .layer = BOTH, .needs = NEED(admin) | NEED(pidns) | NEED(own_proc))
{
	struct stat status;
	int file = -EBADF;

	CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	ON_HOST {
		file = MUST(memfd_create("locked", MFD_CLOEXEC));
		must_lock(file);
		MUST(fstat(file, &status));
		remember("locked", text(":%llu 0 EOF", (unsigned long long)status.st_ino));
		EXPECT_CONTAINS(recall("locked"), must_read("/proc/locks"));
	}
	IN_CONTAINER {
		EXPECT_LACKS(recall("locked"), must_read("/proc/locks"));
		file = MUST(memfd_create("own", MFD_CLOEXEC));
		must_lock(file);
		MUST(fstat(file, &status));
		EXPECT_CONTAINS(text(" 1 00:"), must_read("/proc/locks"));
		EXPECT_CONTAINS(text(":%llu 0 EOF", (unsigned long long)status.st_ino),
				must_read("/proc/locks"));
	}
	ON_HOST { close(file); }
}

TEST(pid, an_owner_outside_is_number_zero,
     .says = "F_GETOWN translates the owner of a descriptor, and gives 0 for one outside",
     .checks = "pid-69", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		must_pipe(ends);
		EXPECT_OK(fcntl(ends[0], F_SETOWN, getpid()));
		EXPECT_EQ(getpid(), fcntl(ends[0], F_GETOWN));
		give_fd(ends[0]);
	}
	IN_CONTAINER {
		_fd_ int same = take_fd();

		EXPECT_EQ(0, fcntl(same, F_GETOWN));
		EXPECT_OK(fcntl(same, F_SETOWN, 1));
		EXPECT_EQ(1, fcntl(same, F_GETOWN));
	}
	ON_HOST {
		EXPECT_EQ(inside_pid(), fcntl(ends[0], F_GETOWN));
		close(ends[0]);
		close(ends[1]);
	}
}

TEST(pid, readiness_is_signalled_across_namespaces,
     .says = "a descriptor's signal crosses PID namespaces with POLL_IN and the descriptor",
     .checks = "pid-12", .needs = NEED(admin) | NEED(pidns))
{
	int ends[2];

	must_pipe(ends);
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) {
		must_block(SIGRTMIN);
		MUST(fcntl(ends[0], F_SETOWN, getpid()));
		MUST(fcntl(ends[0], F_SETSIG, SIGRTMIN));
		MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	}
	IN(b) { say_go(ends[1]); }
	IN(a) {
		siginfo_t info = must_await(SIGRTMIN);

		EXPECT_EQ(POLL_IN, info.si_code);
		EXPECT_EQ(ends[0], info.si_fd);
	}
	ON_HOST {
		close(ends[0]);
		close(ends[1]);
	}
}

TEST(pid, a_queue_names_its_sender,
     .says = "mq_notify's signal names the sender as the receiver numbers it, the host as 0",
     .checks = "pid-13", .needs = NEED(admin) | NEED(pidns) | NEED(posix_mqueue))
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 1 };
	mqd_t queue = MUST(mq_open("/selftest-pid", O_RDWR | O_CREAT | O_EXCL, 0600, &attributes));
	siginfo_t info;
	char byte;

	MUST(mq_unlink("/selftest-pid"));
	must_block(SIGUSR1);
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { MUST(mq_notify(queue, &event)); }
	ON_HOST { MUST(mq_send(queue, "", 1, 0)); }
	IN_CONTAINER {
		info = must_await(SIGUSR1);
		EXPECT_EQ(SI_MESGQ, info.si_code);
		EXPECT_EQ(0, info.si_pid);
		MUST(mq_receive(queue, &byte, 1, NULL));
	}
	ON_HOST { MUST(mq_notify(queue, &event)); }
	IN_CONTAINER { MUST(mq_send(queue, "", 1, 0)); }
	ON_HOST {
		info = must_await(SIGUSR1);
		EXPECT_EQ(SI_MESGQ, info.si_code);
		EXPECT_EQ(inside_pid(), info.si_pid);
		mq_close(queue);
	}
}

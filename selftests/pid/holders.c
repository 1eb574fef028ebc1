// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers that files keep: who holds a lock, owns a descriptor, sent a message. */
#include "pid.h"

#include <mqueue.h>
#include <sys/mman.h>

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

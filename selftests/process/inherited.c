// SPDX-License-Identifier: GPL-2.0-or-later
/* What a careless caller has, and the container's command must not get. */
#include "../harness/selftest.h"

#include <grp.h>
#include <linux/io_uring.h>
#include <linux/ioprio.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>

TEST(process, umask_protects_new_files,
     .says = "with the umask 022 of its caller a container's files are not writable for all",
     .finding = "files that the command makes are writable for everybody", .checks = "process-07",
     .layer = RUNTIME, .needs = NEED(mntns))
{
	ON_HOST { umask(022); }

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { EXPECT_EQ(022, umask(022) & 022); }
}

struct mask {
	const char *label;
	mode_t mask;
};

ROWS(masks, struct mask) = {
	{ "open", 0 },
	{ "closed", 0077 },
};

TEST_EACH(masks, process, umask_of_the_caller_is_gone,
	  .says = "the command's umask is 022, whatever the caller's is",
	  .finding = "the umask of the runtime's caller decides who may use the command's files",
	  .checks = "process-07", .layer = RUNTIME, .needs = NEED(mntns) | NEED(clean_umask))
{
	ON_HOST { umask(row->mask); }

	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { umask(022); }
	IN_CONTAINER { EXPECT_EQ(022, umask(022)); }
}

TEST(process, groups_of_the_caller_are_gone,
     .says = "the supplementary groups of the caller are not the command's",
     .finding = "the command has the supplementary groups of the runtime's caller",
     .checks = "process-05 process-06", .layer = RUNTIME,
     .needs = NEED(root) | NEED(mntns) | NEED(clean_groups))
{
	ON_HOST { MUST(setgroups(3, (const gid_t[]){ 4, 20, 4242 })); }

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		gid_t groups[64] = { 0 };
		int count = ASSERT_OK(getgroups(64, groups));

		for (int i = 0; i < count; i++) EXPECT_EQ(0, groups[i]);
	}
}

TEST(process, groups_of_the_caller_are_gone_in_a_user_namespace,
     .says = "with a user namespace of one id the command has no group but its own",
     .finding = "the command has the supplementary groups of the runtime's caller",
     .checks = "process-05 process-06", .layer = RUNTIME,
     .needs = NEED(root) | NEED(userns) | NEED(clean_groups))
{
	ON_HOST { MUST(setgroups(3, (const gid_t[]){ 4, 20, 4242 })); }

	CONTAINER(.unshare = CLONE_NEWUSER, .userns = true);

	IN_CONTAINER { EXPECT_LE(getgroups(0, NULL), 1); }
}

/* Descriptors that a careless caller left open for those that it executes. */
static void leave_open(int number, int fd)
{
	MUST(fd);
	MUST(dup2(fd, number));
	MUST(close(fd));
}

enum { LEFT_FILE = 77, LEFT_PIPE, LEFT_SOCKET, LEFT_DIRECTORY, LEFT_END };

TEST(process, only_standard_descriptors_are_open,
     .says = "a file, a pipe, a socket and a directory of the caller are not open inside",
     .finding = "the command has descriptors that the runtime's caller had open",
     .checks = "process-09", .layer = RUNTIME, .needs = NEED(mntns) | NEED(clean_fds))
{
	ON_HOST {
		int ends[2];

		MUST(pipe2(ends, 0));
		MUST(close(ends[0]));
		leave_open(LEFT_FILE, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
		leave_open(LEFT_PIPE, ends[1]);
		leave_open(LEFT_SOCKET, socket(AF_UNIX, SOCK_DGRAM, 0));
		leave_open(LEFT_DIRECTORY, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (int fd = LEFT_FILE; fd < LEFT_END; fd++)
			EXPECT_ERRNO(EBADF, fcntl(fd, F_GETFD));
		EXPECT_OK(fcntl(0, F_GETFD));
	}
	ON_HOST {
		for (int fd = LEFT_FILE; fd < LEFT_END; fd++) MUST(close(fd));
	}
}

/* Each a road to memory, processes or files of the caller; the last two not every kernel has. */
enum { EPOLL, EVENT, SIGNAL, TIMER, INOTIFY, MEMORY, PROCESS, IO_URING, USERFAULT, KINDS };

static int open_special(int kind)
{
	struct io_uring_params ring = { 0 };
	sigset_t signals;

	sigemptyset(&signals);
	switch (kind) {
	case EPOLL: return epoll_create1(EPOLL_CLOEXEC);
	case EVENT: return eventfd(0, EFD_CLOEXEC);
	case SIGNAL: return signalfd(-1, &signals, SFD_CLOEXEC);
	case TIMER: return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	case INOTIFY: return inotify_init1(IN_CLOEXEC);
	case MEMORY: return (int)syscall(SYS_memfd_create, "secret", MFD_CLOEXEC);
	case PROCESS: return (int)syscall(SYS_pidfd_open, getpid(), 0);
	case IO_URING: return (int)syscall(SYS_io_uring_setup, 1, &ring);
	default: return (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	}
}

TEST(process, no_special_descriptor_is_open,
     .says = "an io_uring, a pidfd, a userfaultfd and their like of the caller are not open inside",
     .finding = "the command reaches the caller's memory or processes by a descriptor",
     .checks = "process-44", .layer = RUNTIME, .needs = NEED(mntns) | NEED(clean_fds))
{
	ON_HOST {
		for (int kind = 0; kind < KINDS; kind++) {
			int fd = open_special(kind);

			if (fd >= 0 || kind < IO_URING)
				leave_open(LEFT_FILE + kind, fd);
			else
				note("not tried: the kernel gives no %s",
				     kind == IO_URING ? "io_uring" : "userfaultfd");
		}
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (int kind = 0; kind < KINDS; kind++)
			EXPECT_ERRNO(EBADF, fcntl(LEFT_FILE + kind, F_GETFD));
		EXPECT_OK(fcntl(0, F_GETFD));
	}
	ON_HOST {
		for (int kind = 0; kind < KINDS; kind++) close(LEFT_FILE + kind);
	}
}

/* What execve passed on is not close-on-exec; what the test program opened since is. */
TEST(process, no_descriptor_of_the_runtime_is_left,
     .says = "with a tidy caller only the standard descriptors came through execve",
     .finding = "the runtime left a descriptor of its own open in the command",
     .checks = "process-09", .layer = RUNTIME, .needs = NEED(mntns))
{
	ON_HOST {
		for (int fd = 3; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (int fd = 3; fd < 1024; fd++) {
			int flags = fcntl(fd, F_GETFD);

			if (flags < 0 || flags & FD_CLOEXEC)
				continue;
			note("descriptor %d is open", fd);
			EXPECT_EQ(-1, flags);
		}
		EXPECT_OK(fcntl(0, F_GETFD));
	}
}

TEST(process, signals_have_their_default_actions,
     .says = "signals that the caller ignores or blocks are neither ignored nor blocked inside",
     .finding = "the command has the signal dispositions or the signal mask of its caller",
     .checks = "process-29 process-30", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(clean_signals))
{
	ON_HOST {
		sigset_t blocked;

		signal(SIGUSR2, SIG_IGN);
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGALRM);
		MUST(sigprocmask(SIG_BLOCK, &blocked, NULL));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		struct sigaction action;
		sigset_t blocked;

		MUST(sigaction(SIGUSR2, NULL, &action));
		EXPECT(action.sa_handler == SIG_DFL);
		MUST(sigprocmask(SIG_BLOCK, NULL, &blocked));
		EXPECT(!sigismember(&blocked, SIGALRM));
	}
}

TEST(process, scheduling_of_the_caller_is_not_inherited,
     .says = "timer slack, I/O priority and personality of the caller are not the command's",
     .finding = "the command is scheduled or laid out in memory the way of its caller",
     .checks = "process-33 process-35", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(clean_scheduling))
{
	ON_HOST {
		MUST(prctl(PR_SET_TIMERSLACK, 4321));
		/* Without block devices the kernel has no such priority, and none is inherited. */
		syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
			IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
		MUST(personality(ADDR_NO_RANDOMIZE));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		long priority = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

		EXPECT_NE(4321, prctl(PR_GET_TIMERSLACK));
		EXPECT_NE(IOPRIO_CLASS_IDLE, IOPRIO_PRIO_CLASS(priority));
		/* A filter that asks for it by number, or the kernel that tells it. */
		EXPECT(!exists("/proc/self/personality") ||
		       !strtoul(must_read("/proc/self/personality"), NULL, 16));
	}
}

struct limit {
	const char *label;
	int resource;
};

ROWS(limits, struct limit) = {
	{ "open_files", RLIMIT_NOFILE },     { "processes", RLIMIT_NPROC },
	{ "core_size", RLIMIT_CORE },        { "stack_size", RLIMIT_STACK },
	{ "locked_memory", RLIMIT_MEMLOCK },
};

TEST_EACH(limits, process, limit_is_the_callers,
	  .says = "a resource limit that was not asked for is that of the caller",
	  .finding = "the runtime changed a resource limit that nobody asked for",
	  .checks = "limits-12", .layer = RUNTIME, .needs = NEED(mntns) | NEED(same_limits))
{
	ON_HOST {
		struct rlimit limit;

		MUST(getrlimit(row->resource, &limit));
		/* One that no runtime has of itself; too few descriptors for its own needs. */
		if (row->resource == RLIMIT_NOFILE)
			limit.rlim_cur = 60;
		else if (limit.rlim_cur == RLIM_INFINITY)
			limit.rlim_cur = 1 << 30;
		else if (limit.rlim_cur)
			limit.rlim_cur--;
		MUST(setrlimit(row->resource, &limit));
		remember("soft", limit.rlim_cur);
		remember("hard", limit.rlim_max);
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		struct rlimit limit;

		MUST(getrlimit(row->resource, &limit));
		EXPECT_EQ(recall_number("soft"), limit.rlim_cur);
		EXPECT_EQ(recall_number("hard"), limit.rlim_max);
	}
}

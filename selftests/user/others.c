// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes and user namespaces: what may be done to others, and how they are told. */
#include "user.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

static long by_signal(pid_t pid)
{
	return kill(pid, SIGURG);
}

static long by_pidfd(pid_t pid)
{
	_fd_ int pidfd = must_pidfd(pid);

	return syscall(SYS_pidfd_send_signal, pidfd, SIGURG, NULL, 0);
}

static long by_queued_signal(pid_t pid)
{
	return sigqueue(pid, SIGURG, (union sigval){ 0 });
}

static long by_affinity(pid_t pid)
{
	cpu_set_t cpus;

	MUST(sched_getaffinity(pid, sizeof(cpus), &cpus));
	return sched_setaffinity(pid, sizeof(cpus), &cpus);
}

static long by_limit(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
}

static long by_pages(pid_t pid)
{
	return syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0);
}

static long by_trace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

ROWS(acts, struct act) = {
	{ "kill", by_signal },
	{ "pidfd_send_signal", by_pidfd },
	{ "sigqueue", by_queued_signal },
	{ "setpriority", by_priority },
	{ "sched_setaffinity", by_affinity },
	{ "prlimit", by_limit },
	{ "move_pages", by_pages },
	{ "ptrace", by_trace },
};

TEST_EACH(
	acts, user, processes_outside_are_out_of_reach,
	.says = "root of a user namespace acts on others' processes in there, not on those outside",
	.finding = "root of a container acts on processes of the host", .checks = "user-38",
	.needs = NEED(root) | NEED(userns) | NEED(ptrace))
{
	pid_t outside = must_stay_as(1007);

	remember("outside", outside);

	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = "0 0 1\n7 1007 1",
		  .gid_map = "0 0 1\n7 1007 1");

	IN_CONTAINER {
		pid_t inside = must_stay_as(7);

		EXPECT_ERRNO(EPERM, row->act((pid_t)recall_number("outside")));
		EXPECT_OK(row->act(inside));
		must_evict(inside);
	}
	ON_HOST { must_evict(outside); }
}

/* One byte with the sender's credentials: as he says, or as the kernel adds them. */
static long send_ids(int socket, const struct ucred *ids)
{
	char control[CMSG_SPACE(sizeof(*ids))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(*ids));
	memcpy(CMSG_DATA(header), ids, sizeof(*ids));
	return sendmsg(socket, &message, 0);
}

static struct ucred received_ids(int socket)
{
	struct ucred ids = { 0 };
	char control[CMSG_SPACE(sizeof(ids))] = { 0 }, byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	MUST(recvmsg(socket, &message, 0));
	MUST_HOLD(CMSG_FIRSTHDR(&message));
	memcpy(&ids, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(ids));
	return ids;
}

TEST(user, sockets_tell_ids_as_the_reader_maps_them,
     .says = "the ids that come with a message are told as the receiver's user namespace maps them",
     .checks = "user-45", .needs = NEED(root) | NEED(userns))
{
	const int on = 1;
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));

	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = "7 0 1\n8 1008 1",
		  .gid_map = "7 0 1\n9 1009 1");

	IN_CONTAINER {
		const struct ucred mine = { getpid(), 8, 9 }, unmapped = { getpid(), 0, 9 };

		EXPECT_ERRNO(EINVAL, send_ids(ends[1], &unmapped));
		EXPECT_OK(send_ids(ends[1], &mine));
	}
	ON_HOST {
		struct ucred ids = received_ids(ends[0]);

		EXPECT_EQ(1008, ids.uid);
		EXPECT_EQ(1009, ids.gid);
		ids = (struct ucred){ getpid(), 1001, 1009 };
		EXPECT_OK(send_ids(ends[0], &ids));
	}
	IN_CONTAINER {
		struct ucred ids = received_ids(ends[1]);

		EXPECT_EQ(UNMAPPED, ids.uid);
		EXPECT_EQ(9, ids.gid);
	}
	ON_HOST {
		close(ends[0]);
		close(ends[1]);
	}
}

TEST(user, foreign_ids_are_not_sent,
     .says = "without CAP_SETUID over its user namespace a process sends no id but its own: EPERM",
     .finding = "a process passes for another in a container", .checks = "user-45",
     .needs = NEED(root) | NEED(userns))
{
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));

	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = "0 0 1\n8 1008 1", .gid_map = "0 0 1");

	IN_CONTAINER {
		const struct ucred other = { getpid(), 8, 0 }, mine = { getpid(), 0, 0 };

		/* In another process its number is a foreign one. */
		IN_FORK { EXPECT_ERRNO(EPERM, send_ids(ends[1], &mine)); }
		must_drop_cap(CAP_SETUID);
		EXPECT_ERRNO(EPERM, send_ids(ends[1], &other));
		EXPECT_OK(send_ids(ends[1], &mine));
	}
	ON_HOST {
		close(ends[0]);
		close(ends[1]);
	}
}

static long search_key(const char *name)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", name, 0);
}

TEST(user, keys_of_ones_user_stay_outside,
     .says = "the keys of a user are not found in a user namespace below, though his id is the "
	     "same",
     .finding = "a container reads keys of the host's user", .checks = "user-37",
     .needs = NEED(free_userns) | USER_NEEDS | NEED(own_keyring))
{
	UNSHARED(CLONE_NEWUSER) {
		must_map_root(getpid(), 0);
		MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
		MUST(syscall(SYS_add_key, "user", "selftest-outer", "x", 1, KEY_SPEC_USER_KEYRING));
		UNSHARED(CLONE_NEWUSER) {
			must_map_root(getpid(), 0);
			MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
			EXPECT_ERRNO(ENOKEY, search_key("selftest-outer"));
			MUST(syscall(SYS_add_key, "user", "selftest-inner", "x", 1,
				     KEY_SPEC_USER_KEYRING));
			EXPECT_OK(search_key("selftest-inner"));
		}
		EXPECT_OK(search_key("selftest-outer"));
		EXPECT_ERRNO(ENOKEY, search_key("selftest-inner"));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A socket in core_pattern: who crashed is told by pidfd (core(5), 6.16). */
#include "pid.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/un.h>

#define CORE_NEEDS NEED(root) | NEED(spare_machine) | NEED(peer_pidfd) | NEED(coredump_info)

static const char core_pattern[] = "/proc/sys/kernel/core_pattern";
static const char socket_path[] = "/run/selftest.socket";

/* The pattern is the machine's. */
FIXTURE(machines_pattern)
{
	char before[256];
};

SETUP(machines_pattern)
{
	snprintf(self->before, sizeof(self->before), "%s", must_read(core_pattern));
}

CLEANUP(machines_pattern)
{
	must_write(core_pattern, "%s", self->before);
	unlink(socket_path);
}

static int set_pattern(const char *pattern)
{
	_fd_ int file = MUST(open(core_pattern, O_WRONLY | O_CLOEXEC));

	return write(file, pattern, strlen(pattern)) < 0 ? -1 : 0;
}

/* The kernel looks for the socket in the machine's first mount namespace. */
static void must_enter_first_namespace(void)
{
	_fd_ int first = MUST(open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC));

	MUST(setns(first, CLONE_NEWNS));
}

/* The pattern names a socket; returns one that is bound to it. */
static int must_be_told(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int told = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must_enter_first_namespace();
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", socket_path);
	MUST(bind(told, (struct sockaddr *)&name, sizeof(name)));
	MUST(set_pattern(text("@%s", socket_path)));
	return told;
}

static pid_t must_crash(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pid = must_fork();

	if (!pid) {
		MUST(setrlimit(RLIMIT_CORE, &all));
		kill(getpid(), SIGSEGV);
		_exit(1);
	}
	return pid;
}

static int ask(int pidfd, uint64_t mask, struct pidfd_info *info)
{
	*info = (struct pidfd_info){ .mask = mask };
	return ioctl(pidfd, PIDFD_GET_INFO, info);
}

/* The pidfd tells of a core, and the answer's other fields, if asked for. */
static struct pidfd_info expect_crashed(int pidfd, uint64_t more)
{
	struct pidfd_info info;

	ASSERT_OK(ask(pidfd, PIDFD_INFO_COREDUMP | more, &info));
	EXPECT_EQ(PIDFD_INFO_COREDUMP, info.mask & PIDFD_INFO_COREDUMP);
	EXPECT_EQ(PIDFD_COREDUMPED, info.coredump_mask & PIDFD_COREDUMPED);
	return info;
}

TEST(pid, a_crash_is_told_to_a_socket,
     .says = "a socket in core_pattern gets the core, and the pidfd of who crashed says so",
     .checks = "pid-56", .needs = CORE_NEEDS, .fixture = USES(machines_pattern))
{
	_fd_ int told = must_be_told(), connection = -EBADF, peer = -EBADF;
	socklen_t size = sizeof(peer);
	char head[4] = "", rest[4096];
	int status;
	pid_t pid;

	MUST(listen(told, 1));
	pid = must_crash();
	connection = MUST(accept4(told, NULL, NULL, SOCK_CLOEXEC));
	ASSERT_OK(getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &peer, &size));
	EXPECT_EQ(pid, pid_here(peer));
	expect_crashed(peer, 0);
	ASSERT_EQ(sizeof(head), recv(connection, head, sizeof(head), MSG_WAITALL));
	EXPECT(!memcmp("\177ELF", head, sizeof(head)));
	while (MUST(read(connection, rest, sizeof(rest))) > 0) continue;
	status = must_wait(pid);
	EXPECT_SIGNAL(SIGSEGV, status);
	EXPECT(WCOREDUMP(status));
	EXPECT_EQ(status, expect_crashed(peer, PIDFD_INFO_EXIT).exit_code);
}

struct deaf {
	const char *label;
	bool bound;
};

ROWS(deaf_ears, struct deaf) = {
	{ "nobody_listens", true },
	{ "no_socket", false },
};

TEST_EACH(deaf_ears, pid, a_crash_that_nobody_hears_dumps_nothing,
	  .says = "without a listener at the socket in core_pattern there is no core",
	  .checks = "pid-56", .needs = CORE_NEEDS, .fixture = USES(machines_pattern))
{
	struct pidfd_info info;
	_fd_ int pidfd = -EBADF;
	int told, status;
	pid_t pid;

	told = must_be_told();
	if (!row->bound)
		MUST(unlink(socket_path));
	pid = must_crash();
	pidfd = must_pidfd(pid);
	status = must_wait(pid);
	EXPECT_SIGNAL(SIGSEGV, status);
	EXPECT(!WCOREDUMP(status));
	ASSERT_OK(ask(pidfd, PIDFD_INFO_EXIT, &info));
	EXPECT_EQ(status, info.exit_code);
	close(told);
}

struct pattern {
	const char *label, *text;
	bool unshared; /* set it from another mount namespace */
	int want;
};

ROWS(patterns, struct pattern) = {
	{ "fine", "@/run/socket", false, 0 },
	{ "of_another_namespace", "@/run/socket", true, EINVAL },
	{ "relative", "@run/socket", false, EINVAL },
	{ "upwards", "@/run/../socket", false, EINVAL },
	{ "a_blank", "@ /run/socket", false, EINVAL },
};

TEST_EACH(patterns, pid, a_socket_for_cores_has_an_absolute_path,
	  .says = "core_pattern takes a socket by absolute path without dots, and only in the "
		  "machine's first mount namespace",
	  .finding = "the path of the machine's cores was set from within a container",
	  .checks = "pid-56", .needs = CORE_NEEDS, .fixture = USES(machines_pattern))
{
	must_enter_first_namespace();
	if (row->unshared)
		must_unshare(CLONE_NEWNS);
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, set_pattern(row->text));
	EXPECT_EQ(row->want, errno);
}

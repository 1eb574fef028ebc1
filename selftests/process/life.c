// SPDX-License-Identifier: GPL-2.0-or-later
/* The command's session, its terminal, and whose end is its own. */
#include "../harness/selftest.h"

#include <poll.h>

TEST(process, session_is_of_the_container,
     .says = "the command's session and process group are not the caller's: it has numbers in them",
     .finding = "the command is in the session of the runtime's caller", .checks = "process-31",
     .layer = RUNTIME, .needs = NEED(pidns) | NEED(own_session))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		EXPECT_NE(getsid(0), getsid(inside_pid()));
		EXPECT_NE(getpgid(0), getpgid(inside_pid()));
	}
	IN_CONTAINER { EXPECT_LT(0, getsid(0)); }
}

TEST(process, no_terminal_of_the_host_is_there,
     .says = "without a terminal of its own the command has none: /dev/tty fails with ENXIO",
     .finding = "the command has a terminal of the host", .checks = "process-31", .layer = RUNTIME,
     .needs = NEED(mntns) | NEED(own_dev) | NEED(own_session))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(ENXIO, open("/dev/tty", O_RDWR | O_CLOEXEC));
		EXPECT_OK(close(open("/dev/null", O_RDWR | O_CLOEXEC)));
	}
}

/* The runtime's process that is the parent of the container's first. */
static pid_t runtime_of(pid_t inside)
{
	return (pid_t)strtol(status_field("PPid", inside), NULL, 10);
}

TEST(process, container_ends_with_its_runtime,
     .says = "when the runtime's process is killed with SIGKILL the container ends as well",
     .finding = "the container outlives its runtime, and nobody is in charge of it",
     .checks = "process-23", .layer = RUNTIME, .needs = NEED(pidns) | NEED(bound_life))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
	ON_HOST {
		_fd_ int first = must_pidfd(inside_pid());
		struct pollfd end = { .fd = first, .events = POLLIN };

		MUST(kill(runtime_of(inside_pid()), SIGKILL));
		/* What has ended has no number any more that could be killed. */
		if (EXPECT_EQ(1, poll(&end, 1, 5000)))
			container_wait(1);
		else
			container_stop(1);
	}
}

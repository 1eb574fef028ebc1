// SPDX-License-Identifier: GPL-2.0-or-later
/* A container that was started on a terminal. */
#include "root.h"

/* The whole of what a shell's SCRIPT, in a container with a terminal, prints there. */
static const char *printed_on_a_terminal(const char *script)
{
	static char printed[4096];
	_fd_ int leader = MUST(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	size_t length = 0;
	ssize_t got;
	pid_t pid;

	MUST(unlockpt(leader));
	pid = must_fork();
	if (!pid) {
		int terminal;

		MUST(setsid());
		terminal = MUST(open(ptsname(leader), O_RDWR)); /* the controlling one, too */
		for (int i = 0; i < 3; i++) MUST(dup2(terminal, i));
		execl(subject_adapter(), subject_adapter(), "run", "--rootfs", subject_rootfs(),
		      "--tty", "--", "/bin/sh", "-c", script, NULL);
		_exit(1);
	}
	/* When the last process has closed the terminal, reading from it is EIO. */
	while ((got = read(leader, printed + length, sizeof(printed) - 1 - length)) > 0)
		length += got;
	printed[length] = 0;
	EXPECT_EQ(0, must_wait(pid));
	return printed;
}

TEST(rootfs, the_console_is_the_terminal,
     .says = "/dev/console is the terminal of a container that has one",
     .finding = "what is written to /dev/console goes elsewhere", .checks = "rootfs-10",
     .layer = RUNTIME, .needs = NEED(tty) | NEED(own_dev))
{
	MUST_HOLD(exists("%s/bin/sh", subject_rootfs()));
	EXPECT_CONTAINS("by the console",
			printed_on_a_terminal("test -t 0 && test -c /dev/console && "
					      "echo by the console >/dev/console"));
}

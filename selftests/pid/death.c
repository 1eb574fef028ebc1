// SPDX-License-Identifier: GPL-2.0-or-later
/* With PID 1 everybody goes. */
#include "pid.h"

#include <linux/reboot.h>
#include <sys/mman.h>
#include <sys/resource.h>

TEST(pid, the_end_of_init_is_the_end_of_all,
     .says = "when PID 1 exits, the other members are killed before its exit can be waited for",
     .checks = "pid-63 pid-76", .needs = NEED(admin) | NEED(pidns))
{
	enum { MEMBERS = 50 };
	int held[2];
	char byte;
	pid_t init;

	must_pipe(held);
	init = must_clone3(CLONE_NEWPID);
	if (!init) {
		for (int i = 0; i < MEMBERS; i++) must_idle();
		_exit(7);
	}
	close(held[1]);
	EXPECT_EXIT(7, must_wait(init));
	/* End of file at once: not one of them still holds the other end. */
	MUST(fcntl(held[0], F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, read(held[0], &byte, 1));
	close(held[0]);
}

TEST(pid, a_daemon_does_not_outlive_the_container,
     .says = "a daemon that left its session and its parent ends when the container ends",
     .finding = "a daemon outlived its container", .checks = "pid-05 pid-63 pid-76", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		int ready[2];

		must_pipe(ready);
		IN_FORK {
			if (!must_fork()) {
				sigset_t all;

				sigfillset(&all);
				sigprocmask(SIG_BLOCK, &all, NULL);
				setsid();
				close(0);
				MUST(dprintf(ready[1], "%d", getpid()));
				for (;;) pause();
			}
		}
		char pid[16] = "";

		MUST(read(ready[0], pid, sizeof(pid) - 1));
		give_fd(must_pidfd(strtol(pid, NULL, 10)));
	}
	ON_HOST {
		_fd_ int daemon_ = take_fd();

		EXPECT(!ended(daemon_));
		container_stop(1);
		EXPECT(ends(daemon_));
	}
}

static void end_with_seven(int sig)
{
	(void)sig;
	_exit(7);
}

TEST(pid, init_may_end_by_itself,
     .says = "when PID 1 exits by itself its other processes are gone as well",
     .finding = "PID 1's exit status was not passed on, or a process outlived it",
     .checks = "pid-63 pid-76", .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		give_fd(must_pidfd(must_idle()));
		signal(SIGUSR1, end_with_seven);
	}
	ON_HOST {
		_fd_ int member = take_fd();

		EXPECT(!ended(member));
		MUST(kill(inside_pid(), SIGUSR1));
		EXPECT_EXIT(7, container_wait(1));
		EXPECT(ends(member));
	}
}

TEST(pid, nothing_is_left_to_see,
     .says = "no member is left in the host's /proc, not even as a zombie, once PID 1 is gone",
     .checks = "pid-76", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		pid_t zombie = must_fork();

		if (!zombie)
			_exit(0);
		give_fd(must_pidfd(zombie));
		give_fd(must_pidfd(must_idle()));
		MUST(waitid(P_PID, zombie, NULL, WEXITED | WNOWAIT));
	}
	ON_HOST {
		_fd_ int zombie = take_fd(), idle = take_fd();
		pid_t numbers[2] = { pid_here(zombie), pid_here(idle) };

		for (int i = 0; i < 2; i++) EXPECT(exists("/proc/%d", numbers[i]));
		EXPECT_SIGNAL(SIGKILL, container_stop(1));
		for (int i = 0; i < 2; i++) {
			EXPECT(!exists("/proc/%d", numbers[i]));
			EXPECT_ERRNO(ESRCH, kill(numbers[i], 0));
		}
		EXPECT_EQ(-1, pid_here(zombie));
		EXPECT_EQ(-1, pid_here(idle));
	}
}

/* A tower of namespaces, each with a PID 1 that waits; all hold the pipe's end `held`. */
static void build_tower(int levels, int held)
{
	UNSHARED(CLONE_NEWPID) {
		EXPECT_EQ(1, getpid());
		if (levels > 1)
			build_tower(levels - 1, held);
		say_go(held);
		for (;;) pause();
	}
}

TEST(pid, nested_namespaces_fall_with_the_outer,
     .says = "SIGKILL to the outermost PID 1 ends those of five nested namespaces as well",
     .checks = "pid-05", .needs = NEED(admin) | NEED(pidns))
{
	int held[2];
	char byte;
	pid_t outermost;

	must_pipe(held);
	outermost = must_clone3(CLONE_NEWPID);
	if (!outermost) {
		build_tower(4, held[1]);
		_exit(0);
	}
	close(held[1]);
	hear_go(held[0]);
	EXPECT_SIGNAL(SIGKILL, must_kill(outermost));
	EXPECT_EQ(0, read(held[0], &byte, 1));
	close(held[0]);
}

struct crash {
	const char *label;
	int sig;
};

ROWS(crashes, struct crash) = {
	{ "no_address", SIGSEGV },
	{ "behind_the_file", SIGBUS },
};

TEST_EACH(crashes, pid, init_dies_of_its_own_faults,
	  .says = "a fault of PID 1 itself ends it, and its namespace with it", .checks = "pid-60",
	  .needs = NEED(admin) | NEED(pidns))
{
	const struct rlimit none = { 0, 0 };
	int held[2];
	char byte;
	pid_t init;

	must_pipe(held);
	init = must_clone3(CLONE_NEWPID);
	if (!init) {
		int file = MUST(memfd_create("empty", MFD_CLOEXEC));
		volatile char *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);

		setrlimit(RLIMIT_CORE, &none);
		must_idle();
		if (row->sig == SIGSEGV)
			page = NULL;
		_exit(*page);
	}
	close(held[1]);
	EXPECT_SIGNAL(row->sig, must_wait(init));
	MUST(fcntl(held[0], F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, read(held[0], &byte, 1));
	close(held[0]);
}

struct command {
	const char *label;
	unsigned command;
	int sig; /* that PID 1 seems to have died of; 0: EINVAL */
};

ROWS(commands, struct command) = {
	{ "restart", LINUX_REBOOT_CMD_RESTART, SIGHUP },
	{ "restart_with_text", LINUX_REBOOT_CMD_RESTART2, SIGHUP },
	{ "halt", LINUX_REBOOT_CMD_HALT, SIGINT },
	{ "power_off", LINUX_REBOOT_CMD_POWER_OFF, SIGINT },
	{ "ctrl_alt_del_on", LINUX_REBOOT_CMD_CAD_ON, 0 },
	{ "ctrl_alt_del_off", LINUX_REBOOT_CMD_CAD_OFF, 0 },
	{ "suspend", LINUX_REBOOT_CMD_SW_SUSPEND, 0 },
};

static long reboot_by(unsigned command)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, "now");
}

TEST_EACH(commands, pid, a_reboot_ends_only_the_namespace,
	  .says = "reboot in a PID namespace ends its PID 1 with SIGHUP or SIGINT, or is EINVAL",
	  .finding = "a process of the container can reboot the machine", .checks = "pid-61",
	  .needs = NEED(admin) | NEED(pidns))
{
	pid_t init = must_clone3(CLONE_NEWPID);

	if (!init) {
		/* Never where it would be meant for the machine. */
		ASSERT_EQ(1, getpid());
		if (!row->sig)
			EXPECT_ERRNO(EINVAL, reboot_by(row->command));
		else if (!must_fork())
			reboot_by(row->command);
		while (row->sig) pause();
		_exit(7);
	}
	if (row->sig)
		EXPECT_SIGNAL(row->sig, must_wait(init));
	else
		EXPECT_EXIT(7, must_wait(init));
}

TEST(pid, a_reboot_needs_the_capability,
     .says = "reboot in a PID namespace without CAP_SYS_BOOT fails with EPERM", .checks = "pid-61",
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		ASSERT_EQ(1, getpid());
		AS_NOBODY { EXPECT_ERRNO(EPERM, reboot_by(LINUX_REBOOT_CMD_RESTART)); }
	}
	IN_CONTAINER { EXPECT_EQ(1, getpid()); }
}

TEST(pid, no_container_touches_ctrl_alt_del,
     .says = "the machine's reaction to Ctrl-Alt-Del is out of the container's reach",
     .finding = "the container can switch the machine's Ctrl-Alt-Del", .checks = "pid-61",
     .layer = RUNTIME, .needs = NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		ASSERT_EQ(1, getpid());
		EXPECT_EQ(-1, reboot_by(LINUX_REBOOT_CMD_CAD_OFF));
		/* No capability, or one that is worth nothing here. */
		EXPECT(errno == EPERM || errno == EINVAL);
	}
}

TEST(pid, a_parent_outside_is_mourned_inside,
     .says = "PR_SET_PDEATHSIG of a PID 1 fires when its parent outside ends, from number 0",
     .checks = "pid-75", .needs = NEED(admin) | NEED(pidns))
{
	int ready[2];
	pid_t parent;

	must_pipe(ready);
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	parent = must_fork();
	if (!parent) {
		if (must_clone3(CLONE_NEWPID)) {
			hear_go(ready[0]);
			_exit(0);
		}
		must_block(SIGUSR1);
		MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
		say_go(ready[1]);
		EXPECT_EQ(0, must_await(SIGUSR1).si_pid);
		EXPECT_EQ(0, getppid());
		_exit(7);
	}
	EXPECT_EXIT(0, must_wait(parent));
	EXPECT_EXIT(7, must_wait(-1));
	close(ready[0]);
	close(ready[1]);
}

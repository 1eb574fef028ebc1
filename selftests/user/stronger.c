// SPDX-License-Identifier: GPL-2.0-or-later
/* The same user with fewer capabilities, and what he may do to processes that have more. */
#include "user.h"

#include <elf.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/uio.h>
#include <sys/user.h>

static long by_scheduler(pid_t pid)
{
	const struct sched_param none = { 0 };

	return sched_setscheduler(pid, SCHED_BATCH, &none);
}

static long by_io_priority(pid_t pid)
{
	const int of_a_process = 1, lowest_of_the_usual = 2 << 13 | 7; /* ioprio_set(2) */

	return syscall(SYS_ioprio_set, of_a_process, pid, lowest_of_the_usual);
}

ROWS(acts, struct act) = {
	{ "setpriority", by_priority },
	{ "sched_setscheduler", by_scheduler },
	{ "ioprio_set", by_io_priority },
};

TEST_EACH(acts, user, capabilities_guard_the_scheduling,
	  .says = "a process with fewer capabilities does not reschedule one of the same user with "
		  "more, but one with no more",
	  .checks = "user-46", .needs = USER_NEEDS)
{
	UNSHARED(CLONE_NEWUSER) {
		pid_t stronger, equal;

		must_map_root(getpid(), 0);
		stronger = must_settle(0);
		must_drop_cap(CAP_SYS_NICE);
		equal = must_settle(0);
		EXPECT_ERRNO(EPERM, row->act(stronger));
		EXPECT_OK(row->act(equal));
		must_evict(stronger);
		must_evict(equal);
	}
}

/* errno of a child's request to be traced by its parent, which has dropped CAP or, if -1, none. */
static int traced_by_a_parent_without(int cap)
{
	int go[2], status;
	char byte;
	pid_t pid;

	must_pipe(go);
	pid = must_fork();
	if (!pid) {
		MUST(read(go[0], &byte, 1));
		_exit(ptrace(PTRACE_TRACEME) ? errno : 0);
	}
	if (cap >= 0)
		must_drop_cap(cap);
	MUST(write(go[1], "", 1));
	status = must_wait(pid);
	close(go[0]);
	close(go[1]);
	return WEXITSTATUS(status);
}

TEST(user, nobody_asks_a_weaker_parent_to_trace,
     .says = "a process is not traced by a parent that has fewer capabilities, even if it asks",
     .checks = "user-46", .needs = USER_NEEDS | NEED(ptrace))
{
	UNSHARED(CLONE_NEWUSER) {
		must_map_root(getpid(), 0);
		EXPECT_EQ(0, traced_by_a_parent_without(-1));
		EXPECT_EQ(EPERM, traced_by_a_parent_without(CAP_SYS_PTRACE));
	}
}

/* One word of the stack of a process that this one traces: 0, or -1 with its errno. */
static long peek(pid_t pid)
{
	struct user_regs_struct registers;
	struct iovec part = { &registers, sizeof(registers) };

	MUST(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part));
	errno = 0;
#ifdef __x86_64__
	ptrace(PTRACE_PEEKDATA, pid, registers.rsp, NULL);
#else
	ptrace(PTRACE_PEEKDATA, pid, registers.sp, NULL);
#endif
	return errno ? -1 : 0;
}

/* errno of a look into "program", which root of that user namespace runs, with that mode. */
static int look_into_program(pid_t owner, mode_t mode)
{
	int status;
	pid_t pid;

	MUST(chmod("program", mode));
	pid = must_fork();
	if (!pid) {
		must_enter(owner);
		must_become(0);
		pid = must_exec("program", 0);
		status = peek(pid) ? errno : 0;
		must_evict(pid);
		_exit(status);
	}
	return WEXITSTATUS(must_wait(pid));
}

TEST(user, what_may_only_be_executed_is_not_read,
     .says = "root of a user namespace traces a program of the host's that he may execute but not "
	     "read, and sees nothing of its memory",
     .finding = "a container reads a file of the host's that is not readable there",
     .checks = "user-47", .needs = NEED(root) | NEED(userns) | NEED(ptrace))
{
	pid_t owner = must_settle_with("0 1007 1");

	must_copy_self("program", 0700);
	MUST(chmod(".", 0755));
	EXPECT_EQ(0, look_into_program(owner, 0755));
	EXPECT_EQ(EIO, look_into_program(owner, 0711));
	MUST(unlink("program"));
	must_evict(owner);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left of a PID namespace when it has ended: nothing. */
#include <time.h>

#include "pid.h"

/* Unshares the PID namespace; the kernel lets go of one that ended a little after its end. */
static void wait_for_room(void)
{
	for (time_t limit = time(NULL) + 10; unshare(CLONE_NEWPID);) {
		ASSERT_EQ(ENOSPC, errno);
		ASSERT_LT(time(NULL), limit);
		sched_yield();
	}
	EXPECT(true);
}

TEST(pid, the_gone_do_not_count,
     .says = "a PID namespace whose processes are gone makes room for another", .checks = "pid-78",
     .needs = NEED(admin) | NEED(userns) | NEED(pidns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_pid_namespaces", "1");
		for (int i = 0; i < 3; i++) {
			IN_FORK {
				wait_for_room();
				IN_FORK { EXPECT_EQ(1, getpid()); }
			}
		}
	}
}

static void open_namespace(pid_t init)
{
	remember("held", MUST(open(text("/proc/%d/ns/pid", init), O_RDONLY | O_CLOEXEC)));
}

static void close_namespace(void)
{
	MUST(close(recall_number("held")));
}

static void mount_proc(pid_t init)
{
	_fd_ int namespace_ = MUST(open(text("/proc/%d/ns/pid", init), O_RDONLY | O_CLOEXEC));

	IN_FORK {
		MUST(setns(namespace_, CLONE_NEWPID));
		IN_FORK { must_mount("proc", scratch(), "proc", 0, NULL); }
	}
}

static void unmount_proc(void)
{
	MUST(umount(scratch()));
}

struct holder {
	const char *label;
	void (*hold)(pid_t init);
	void (*let_go)(void);
};

ROWS(namespace_holders, struct holder) = {
	{ "descriptor", open_namespace, close_namespace },
	{ "proc", mount_proc, unmount_proc },
};

TEST_EACH(namespace_holders, pid, what_holds_the_namespace_keeps_it_counted,
	  .says = "a PID namespace without a process counts for as long as a descriptor or a proc "
		  "holds it",
	  .checks = "pid-78", .needs = NEED(admin) | NEED(userns) | NEED(pidns) | NEED(mntns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER | CLONE_NEWNS);

	IN_CONTAINER {
		pid_t init;

		must_write("/proc/sys/user/max_pid_namespaces", "1");
		init = must_clone3(CLONE_NEWPID);
		if (!init)
			for (;;) pause();
		row->hold(init);
		must_kill(init);
		IN_FORK { EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWPID)); }
		row->let_go();
		IN_FORK { wait_for_room(); }
	}
}

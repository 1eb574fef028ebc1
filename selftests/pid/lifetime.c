// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left of a PID namespace when it has ended: nothing. */
#include <time.h>

#include "pid.h"

TEST(pid, the_gone_do_not_count,
     .says = "a PID namespace whose processes are gone makes room for another", .checks = "pid-78",
     .needs = NEED(admin) | NEED(userns) | NEED(pidns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_pid_namespaces", "1");
		for (int i = 0; i < 3; i++) {
			IN_FORK {
				/* The kernel lets go of the one before a little after its end. */
				for (time_t limit = time(NULL) + 10; unshare(CLONE_NEWPID);) {
					ASSERT_EQ(ENOSPC, errno);
					ASSERT_LT(time(NULL), limit);
					sched_yield();
				}
				IN_FORK { EXPECT_EQ(1, getpid()); }
			}
		}
	}
}

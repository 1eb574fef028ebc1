// SPDX-License-Identifier: GPL-2.0-or-later
/* System V IPC of a container as a runtime makes it. */
#include "../harness/selftest.h"

#include <sys/ipc.h>
#include <sys/msg.h>

TEST(ipc, message_queue_of_the_host_is_not_found,
     .says = "a message queue of the host gives ENOENT inside; one made inside is found",
     .finding = "the container reaches message queues of the host", .checks = "ipc-12",
     .layer = BOTH, .needs = NEED(admin) | NEED(ipcns))
{
	const key_t key = 0x5e1f7e57;
	int queue = -1;

	ON_HOST { queue = MUST(msgget(key, IPC_CREAT | IPC_EXCL | 0666)); }

	CONTAINER(.unshare = CLONE_NEWIPC);

	IN_CONTAINER {
		EXPECT_ERRNO(ENOENT, msgget(key, 0));
		MUST(msgget(key, IPC_CREAT | 0666));
		EXPECT_OK(msgget(key, 0));
	}
	ON_HOST { MUST(msgctl(queue, IPC_RMID, NULL)); }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Device nodes that the command makes itself, on the root that it was given. */
#include "root.h"

#include <sys/sysmacros.h>

struct node {
	const char *label;
	mode_t type;
	unsigned major, minor; /* 0: the disk of the host's root */
};

ROWS(nodes, struct node) = {
	{ "disk", S_IFBLK, 0, 0 },
	{ "memory", S_IFCHR, 1, 1 },
	{ "kernel_log", S_IFCHR, 1, 11 },
	{ "loop_control", S_IFCHR, 10, 237 },
};

TEST_EACH(nodes, rootfs, node_on_the_root_is_useless,
	  .says = "a device that was not asked for cannot be opened by a node made on the root",
	  .finding = "the command opens a device of the host by a node that it made itself",
	  .checks = "rootfs-44 rootfs-11 cgroup-34", .layer = RUNTIME,
	  .needs = NEED(root) | NEED(mntns) | NEED(device_policy))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		struct stat status;

		MUST(stat("/", &status));
		remember("disk", status.st_dev);
	}
	IN_CONTAINER {
		dev_t device =
			row->major ? makedev(row->major, row->minor) : (dev_t)recall_number("disk");

		if (mknod("/selftest-node", row->type | 0600, device)) {
			EXPECT_EQ(EPERM, errno);
		} else {
			EXPECT_EQ(-1, open("/selftest-node", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
			EXPECT(errno == EPERM || errno == EACCES);
			MUST(unlink("/selftest-node"));
		}
	}
}

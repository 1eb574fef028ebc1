// SPDX-License-Identifier: GPL-2.0-or-later
/* The cgroups of a container as a runtime makes it. */
#include "../harness/selftest.h"

TEST(cgroup, every_hierarchy_starts_at_the_container,
     .says = "in /proc/self/cgroup every path of the container is \"/\"",
     .finding = "the container reads where in the host's cgroups it is", .checks = "cgroup-21",
     .layer = RUNTIME, .needs = NEED(cgroupns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWCGROUP);

	IN_CONTAINER {
		const char *line = must_read("/proc/self/cgroup");

		EXPECT_LT(0, strlen(line));
		for (; *line; line += strcspn(line, "\n") + 1) {
			const char *path = strchr(strchr(line, ':') + 1, ':') + 1;

			EXPECT_EQ(1, strcspn(path, "\n"));
		}
	}
}

TEST(cgroup, container_is_in_one_of_its_own,
     .says = "in each hierarchy with controllers the container is elsewhere than its caller",
     .finding = "what the container uses is charged to the cgroup of its caller",
     .checks = "cgroup-20", .layer = RUNTIME,
     .needs = NEED(root) | NEED(cgroupns) | NEED(own_cgroup))
{
	CONTAINER(.unshare = CLONE_NEWCGROUP);

	ON_HOST {
		const char *at = must_read("/proc/self/cgroup");
		const char *inside = must_read("/proc/%d/cgroup", inside_pid());
		bool first_version = at[strcspn(at, "\n") + 1];
		char line[PATH_MAX];

		for (; *at; at += strcspn(at, "\n") + 1) {
			snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(at, "\n"), at);
			/* Beside the first version's the second has no controllers. */
			if (!first_version || strncmp(line, "0::", 3) != 0)
				EXPECT_LACKS(line, inside);
		}
	}
}

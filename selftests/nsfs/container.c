// SPDX-License-Identifier: GPL-2.0-or-later
/* The namespaces of a container as a runtime makes it: which are new, and whose they are. */
#include "../harness/selftest.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>

#define ALL_TYPES                                                                                  \
	NEED(utsns) | NEED(pidns) | NEED(mntns) | NEED(ipcns) | NEED(netns) | NEED(cgroupns)

struct type {
	const char *label; /* as in /proc/PID/ns */
	uint64_t flag;
};

ROWS(types, struct type) = {
	{ "uts", CLONE_NEWUTS }, { "pid", CLONE_NEWPID }, { "mnt", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP },
};

TEST_EACH(types, nsfs, namespace_is_a_new_one,
	  .says = "each namespace that the container is to have is not the host's",
	  .finding = "the container is in a namespace of the host that it should have of its own",
	  .checks = "nsfs-19", .layer = BOTH, .needs = NEED(admin) | ALL_TYPES)
{
	CONTAINER(.unshare = row->flag);

	ON_HOST { EXPECT_NE(ns_id(0, row->label), ns_id(inside_pid(), row->label)); }
}

TEST_EACH(types, nsfs, namespace_is_a_new_one_beside_a_user_namespace,
	  .says = "with a user namespace each of the others is a new one as well",
	  .finding = "a user namespace costs the container one of its other namespaces",
	  .checks = "nsfs-19", .layer = BOTH, .needs = NEED(admin) | NEED(userns) | ALL_TYPES)
{
	CONTAINER(.unshare = row->flag | CLONE_NEWUSER, .userns = true);

	ON_HOST {
		EXPECT_NE(ns_id(0, row->label), ns_id(inside_pid(), row->label));
		EXPECT_NE(ns_id(0, "user"), ns_id(inside_pid(), "user"));
	}
}

TEST_EACH(types, nsfs, namespace_belongs_to_the_user_namespace,
	  .says = "with a user namespace each of the others belongs to that, not to the host's",
	  .finding = "a namespace of the container belongs to the host's user namespace",
	  .checks = "nsfs-29", .layer = BOTH, .needs = NEED(root) | NEED(userns) | ALL_TYPES)
{
	CONTAINER(.unshare = row->flag | CLONE_NEWUSER, .userns = true);

	ON_HOST {
		_fd_ int own = MUST(open(text("/proc/%d/ns/%s", inside_pid(), row->label),
					 O_RDONLY | O_CLOEXEC));
		_fd_ int owner = MUST(ioctl(own, NS_GET_USERNS));
		struct stat status;

		MUST(fstat(owner, &status));
		EXPECT_EQ(ns_id(inside_pid(), "user"), status.st_ino);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* How a network namespace comes into being, is entered, is limited, and goes. */
#include "net.h"

#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

struct road {
	const char *label;
	long call;
};

ROWS(roads, struct road) = {
	{ "unshare", SYS_unshare },
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
};

/* A process in a new network namespace; 0 inside, -1 as the call gave it. */
static pid_t start(long call)
{
	struct clone_args args = { .flags = CLONE_NEWNET, .exit_signal = SIGCHLD };

	fflush(NULL);
	if (call == SYS_clone)
		return syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, 0);
	if (call == SYS_clone3)
		return syscall(SYS_clone3, &args, sizeof(args));
	return unshare(CLONE_NEWNET) ? -1 : must_fork();
}

TEST_EACH(roads, net, a_new_namespace_has_loopback_only,
	  .says = "a new network namespace is another one, and none of the host's devices is in it",
	  .finding = "a device of the host is in a new network namespace",
	  .checks = "net-04 net-33", .needs = NET_NEEDS | NEED(veth))
{
	uint64_t old;
	pid_t pid;

	must_unshare(CLONE_NEWNET);
	old = ns_id(0, "net");
	MUST(device_add("outer"));
	EXPECT(has_device("outer"));
	pid = MUST(start(row->call));
	if (!pid) {
		EXPECT_NE(old, ns_id(0, "net"));
		EXPECT(has_device("lo"));
		EXPECT(!has_device("outer"));
		EXPECT_EQ(1, (int)if_nametoindex("lo"));
		_exit(7);
	}
	EXPECT_EXIT(7, must_wait(pid));
}

TEST_EACH(roads, net, creating_needs_the_capability,
	  .says = "without CAP_SYS_ADMIN a new network namespace is refused with EPERM",
	  .checks = "net-16", .needs = NET_NEEDS)
{
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, start(row->call));
	}
	IN_FORK {
		pid_t pid = ASSERT_OK(start(row->call));

		if (!pid)
			_exit(0);
		EXPECT_EXIT(0, must_wait(pid));
	}
}

TEST(net, fork_stays_in_the_namespace,
     .says = "a process created without CLONE_NEWNET is in its creator's network namespace",
     .checks = "net-33", .needs = NEED(netns))
{
	uint64_t own = ns_id(0, "net");

	IN_FORK { EXPECT_EQ(own, ns_id(0, "net")); }
}

struct door {
	const char *label;
	bool pidfd;
};

ROWS(doors, struct door) = {
	{ "descriptor", false },
	{ "pidfd", true },
};

TEST_EACH(doors, net, setns_enters,
	  .says = "setns enters a network namespace by its descriptor or its process's pidfd",
	  .checks = "net-33", .needs = NET_NEEDS | NEED(veth))
{
	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER { MUST(device_add("inner")); }
	ON_HOST {
		EXPECT(!has_device("inner"));
		IN_FORK {
			_fd_ int door = row->pidfd
						? must_pidfd(inside_pid())
						: MUST(open(text("/proc/%d/ns/net", inside_pid()),
							    O_RDONLY | O_CLOEXEC));

			ASSERT_OK(setns(door, CLONE_NEWNET));
			EXPECT(has_device("inner"));
			EXPECT_EQ(ns_id(inside_pid(), "net"), ns_id(0, "net"));
		}
	}
}

TEST(net, entering_needs_the_capability,
     .says = "setns into a network namespace without CAP_SYS_ADMIN fails with EPERM",
     .checks = "net-16", .needs = NET_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNET);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/net", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			must_drop_cap(CAP_SYS_ADMIN);
			EXPECT_ERRNO(EPERM, setns(target, CLONE_NEWNET));
		}
		IN_FORK { EXPECT_OK(setns(target, CLONE_NEWNET)); }
	}
}

TEST(net, the_container_cannot_go_back,
     .says = "root of a user namespace cannot enter a network namespace that the host owns: EPERM",
     .finding = "the container re-entered the host's network", .checks = "net-16",
     .needs = NET_NEEDS | NEED(userns))
{
	_fd_ int outer = open_netns();

	UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) {
		_fd_ int own = open_netns();

		EXPECT_ERRNO(EPERM, setns(outer, CLONE_NEWNET));
		EXPECT_OK(setns(own, CLONE_NEWNET));
	}
}

TEST(net, the_gone_do_not_count,
     .says = "user.max_net_namespaces counts those that are in use, and gives ENOSPC beyond",
     .checks = "net-34", .needs = NET_NEEDS | NEED(userns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_net_namespaces", "1");
		IN_FORK {
			EXPECT_OK(unshare(CLONE_NEWNET));
			EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWNET));
		}
		/* The kernel frees it later, and tells nobody when. */
		IN_FORK {
			while (unshare(CLONE_NEWNET)) {
				ASSERT_EQ(ENOSPC, errno);
				let_kernel_catch_up();
			}
			EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWNET));
		}
	}
}

TEST(net, its_type_and_owner_are_told,
     .says = "a network namespace's descriptor tells its type and the user namespace that owns it",
     .checks = "net-16", .needs = NET_NEEDS | NEED(userns))
{
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) {
		_fd_ int own = open_netns();
		_fd_ int owner = ASSERT_OK(ioctl(own, NS_GET_USERNS));
		struct stat status;

		MUST(fstat(owner, &status));
		EXPECT_EQ(ns_id(0, "user"), status.st_ino);
		EXPECT_EQ(CLONE_NEWNET, ioctl(own, NS_GET_NSTYPE));
		EXPECT_ERRNO(EINVAL, ioctl(own, NS_GET_PARENT));
	}
}

TEST(net, a_descriptor_keeps_it,
     .says = "a network namespace lives on with its devices while a descriptor holds it",
     .checks = "net-15", .needs = NET_NEEDS | NEED(veth))
{
	int kept;

	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER { MUST(device_add("inner")); }
	ON_HOST {
		kept = MUST(open(text("/proc/%d/ns/net", inside_pid()), O_RDONLY | O_CLOEXEC));
		container_stop(1);
		IN_FORK {
			ASSERT_OK(setns(kept, CLONE_NEWNET));
			EXPECT(has_device("inner"));
		}
		close(kept);
	}
}

TEST(net, a_socket_keeps_it,
     .says = "a network namespace lives on while a socket of it is open, and is entered through it",
     .checks = "net-14 net-15", .needs = NET_NEEDS | NEED(veth))
{
	int socket_inside;

	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER {
		int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

		MUST(device_add("inner"));
		give_fd(fd);
		close(fd);
	}
	ON_HOST {
		socket_inside = take_fd();
		container_stop(1);
		IN_FORK {
			_fd_ int netns = ASSERT_OK(ioctl(socket_inside, SIOCGSKNS));

			EXPECT(!has_device("inner"));
			ASSERT_OK(setns(netns, CLONE_NEWNET));
			EXPECT(has_device("inner"));
		}
		close(socket_inside);
	}
}

TEST(net, a_sockets_namespace_is_its_makers,
     .says = "SIOCGSKNS gives the network namespace where a socket was made, with CAP_NET_ADMIN",
     .checks = "net-14", .needs = NET_NEEDS)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	uint64_t made_in = ns_id(0, "net");
	struct stat status;

	must_unshare(CLONE_NEWNET);
	{
		_fd_ int own = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		_fd_ int netns = ASSERT_OK(ioctl(own, SIOCGSKNS));

		MUST(fstat(netns, &status));
		EXPECT_EQ(ns_id(0, "net"), status.st_ino);
		EXPECT_NE(made_in, status.st_ino);
		IN_FORK {
			must_drop_cap(CAP_NET_ADMIN);
			EXPECT_ERRNO(EPERM, ioctl(own, SIOCGSKNS));
		}
	}
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EPERM, ioctl(fd, SIOCGSKNS)); }
}

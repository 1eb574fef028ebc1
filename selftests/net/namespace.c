// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in a network namespace, and what keeps it. */
#include "net.h"

#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

TEST(net, a_new_namespace_has_loopback_only,
     .says = "a new network namespace has a loopback device, and none of its maker's devices",
     .finding = "a device of the host is in a new network namespace", .checks = "net-04 net-33",
     .needs = NET_NEEDS | NEED(veth))
{
	must_unshare(CLONE_NEWNET);
	MUST(device_add("outer"));
	UNSHARED(CLONE_NEWNET) {
		EXPECT_EQ(1, (int)if_nametoindex("lo"));
		EXPECT(!has_device("outer"));
	}
	IN_FORK { EXPECT(has_device("outer")); }
}

TEST(net, setns_enters,
     .says = "who enters a network namespace has its devices, and no longer those of his own",
     .checks = "net-33", .needs = NET_NEEDS | NEED(veth))
{
	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER { MUST(device_add("inner")); }
	ON_HOST {
		_fd_ int inside =
			MUST(open(text("/proc/%d/ns/net", inside_pid()), O_RDONLY | O_CLOEXEC));

		must_unshare(CLONE_NEWNET);
		MUST(device_add("outer"));
		IN_FORK {
			ASSERT_OK(setns(inside, CLONE_NEWNET));
			EXPECT(has_device("inner"));
			EXPECT(!has_device("outer"));
		}
		EXPECT(!has_device("inner"));
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

TEST(net, numbers_of_others_are_its_own,
     .says = "the number by which a network namespace knows another is known there alone",
     .checks = "net-38", .needs = NET_NEEDS)
{
	_fd_ int other = -EBADF;

	must_unshare(CLONE_NEWNET);
	other = must_deserted(CLONE_NEWNET, "ns/net");
	EXPECT_EQ(-1, netns_numbered(other));
	EXPECT_OK(netns_number(other, 5));
	EXPECT_EQ(5, netns_numbered(other));
	EXPECT_ERRNO(EEXIST, netns_number(other, 6));
	UNSHARED(CLONE_NEWNET) {
		EXPECT_EQ(-1, netns_numbered(other));
		EXPECT_OK(netns_number(other, 6));
	}
	EXPECT_EQ(5, netns_numbered(other));
	IN_FORK {
		MUST(setns(other, CLONE_NEWNET));
		EXPECT_EQ(-1, netns_numbered(other));
	}
}

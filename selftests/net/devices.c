// SPDX-License-Identifier: GPL-2.0-or-later
/* Network devices: which namespace has them, how they cross, and where they go at its end. */
#include "net.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/ioctl.h>

static short flags_of(const char *name)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq request = { .ifr_flags = 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	MUST(ioctl(fd, SIOCGIFFLAGS, &request));
	return request.ifr_flags;
}

TEST(net, loopback_is_the_namespaces_own,
     .says = "the loopback device of a new network namespace is down, and another than outside",
     .checks = "net-04", .needs = NET_NEEDS)
{
	must_unshare(CLONE_NEWNET);
	EXPECT(!(flags_of("lo") & IFF_UP));
	EXPECT_OK(link_set("lo", true));
	EXPECT(flags_of("lo") & IFF_UP);
	UNSHARED(CLONE_NEWNET) { EXPECT(!(flags_of("lo") & IFF_UP)); }
	EXPECT(flags_of("lo") & IFF_UP);
}

static struct sockaddr_in internet(const char *address, unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = inet_addr(address) };
}

static int listener(const char *address, unsigned port)
{
	struct sockaddr_in name = internet(address, port);
	int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	MUST(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	MUST(listen(fd, 1));
	return fd;
}

static int dial(const char *address, unsigned port)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_in name = internet(address, port);

	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

TEST(net, a_port_is_the_namespaces_own,
     .says = "what listens on a loopback port is reached in its network namespace only",
     .finding = "a service on the host's loopback device is reached from the container",
     .checks = "net-04 net-35", .needs = NET_NEEDS)
{
	_fd_ int server = -EBADF;

	must_unshare(CLONE_NEWNET);
	MUST(link_set("lo", true));
	server = listener("127.0.0.1", 4711);
	UNSHARED(CLONE_NEWNET) {
		_fd_ int own = -EBADF;

		EXPECT_ERRNO(ENETUNREACH, dial("127.0.0.1", 4711));
		MUST(link_set("lo", true));
		EXPECT_ERRNO(ECONNREFUSED, dial("127.0.0.1", 4711));
		own = listener("127.0.0.1", 4711);
		EXPECT_OK(dial("127.0.0.1", 4711));
	}
	EXPECT_OK(dial("127.0.0.1", 4711));
}

TEST(net, a_pair_connects_two_namespaces,
     .says = "a veth pair carries from one network namespace to the other, and each end is seen "
	     "in its own",
     .checks = "net-03", .needs = NET_NEEDS | NEED(veth))
{
	int server = -EBADF;

	CONTAINER(.unshare = 0);

	IN_CONTAINER { must_unshare(CLONE_NEWNET); }
	ON_HOST {
		_fd_ int inside =
			MUST(open(text("/proc/%d/ns/net", inside_pid()), O_RDONLY | O_CLOEXEC));

		must_unshare(CLONE_NEWNET);
		MUST(link_add("veth", "here", "there"));
		ASSERT_OK(link_move("there", inside, NULL));
		EXPECT(has_device("here") && !has_device("there"));
		MUST(link_address("here", "192.0.2.1", 24));
		MUST(link_set("here", true));
	}
	IN_CONTAINER {
		EXPECT(has_device("there") && !has_device("here"));
		MUST(link_address("there", "192.0.2.2", 24));
		MUST(link_set("there", true));
		server = listener("192.0.2.2", 4712);
	}
	ON_HOST {
		EXPECT_OK(dial("192.0.2.2", 4712));
		EXPECT_ERRNO(ENODEV, link_remove("there"));
	}
	IN_CONTAINER {
		close(server);
		EXPECT_OK(link_remove("there"));
	}
	ON_HOST { EXPECT(!has_device("here")); }
}

TEST(net, a_moved_device_leaves_its_place,
     .says = "a device that is moved is down there, without addresses, and no longer here",
     .finding = "a device is in two network namespaces", .checks = "net-09",
     .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	/* With this namespace the device's other end goes, and then the device. */
	UNSHARED(CLONE_NEWNET) {
		MUST(device_add("moved"));
		MUST(link_address("moved", "192.0.2.1", 24));
		MUST(link_set("moved", true));
		EXPECT_OK(link_move("moved", outer, NULL));
		EXPECT(!has_device("moved"));
		IN_FORK {
			MUST(setns(outer, CLONE_NEWNET));
			ASSERT(has_device("moved"));
			EXPECT(!(flags_of("moved") & IFF_UP));
			EXPECT_OK(link_address("moved", "192.0.2.1", 24));
		}
	}
}

TEST(net, a_name_is_not_taken_twice,
     .says = "a device is not moved to where its name is taken (EEXIST), unless with another name",
     .checks = "net-09", .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	MUST(device_add("same"));
	UNSHARED(CLONE_NEWNET) {
		MUST(device_add("same"));
		EXPECT_ERRNO(EEXIST, link_move("same", outer, NULL));
		EXPECT(has_device("same"));
		EXPECT_OK(link_move("same", outer, "other"));
		EXPECT(!has_device("same"));
		IN_FORK {
			MUST(setns(outer, CLONE_NEWNET));
			EXPECT(has_device("other"));
		}
	}
}

TEST(net, loopback_is_not_moved,
     .says = "the loopback device stays in its network namespace: EINVAL", .checks = "net-09",
     .needs = NET_NEEDS)
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	UNSHARED(CLONE_NEWNET) {
		EXPECT_ERRNO(EINVAL, link_move("lo", outer, "lo2"));
		EXPECT(has_device("lo"));
	}
}

struct change {
	const char *label;
	int (*change)(void);
	int refusal;
};

static int add_device(void)
{
	return device_add("more");
}

static int remove_device(void)
{
	return link_remove("device");
}

static int set_device(void)
{
	return link_set("device", true);
}

static int give_address(void)
{
	return link_address("device", "192.0.2.1", 24);
}

static int open_raw(void)
{
	_fd_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	return fd < 0 ? -1 : 0;
}

static int open_packet(void)
{
	_fd_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : 0;
}

static int bind_low_port(void)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct sockaddr_in name = internet("0.0.0.0", 80);

	return bind(fd, (struct sockaddr *)&name, sizeof(name));
}

ROWS(changes, struct change) = {
	{ "add", add_device, EPERM },          { "remove", remove_device, EPERM },
	{ "set", set_device, EPERM },          { "address", give_address, EPERM },
	{ "raw_socket", open_raw, EPERM },     { "packet_socket", open_packet, EPERM },
	{ "low_port", bind_low_port, EACCES },
};

TEST_EACH(changes, net, the_owner_alone_configures,
	  .says = "root of a user namespace configures network namespaces that it owns, no other",
	  .finding = "root of a container configures the host's network", .checks = "net-28 net-36",
	  .needs = NET_NEEDS | NEED(userns) | NEED(veth))
{
	must_unshare(CLONE_NEWNET);
	MUST(device_add("device"));
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(row->refusal, row->change()); }
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) {
		MUST(device_add("device"));
		EXPECT_OK(row->change());
	}
	EXPECT_OK(row->change());
}

TEST(net, a_device_is_not_moved_to_a_foreign_namespace,
     .says = "a device is moved with CAP_NET_ADMIN over both network namespaces only: EPERM",
     .finding = "a container puts a device into the host's network", .checks = "net-36",
     .needs = NET_NEEDS | NEED(userns) | NEED(veth))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) {
		MUST(device_add("pushed"));
		EXPECT_ERRNO(EPERM, link_move("pushed", outer, NULL));
		EXPECT(has_device("pushed"));
	}
	EXPECT(!has_device("pushed"));
}

/* The news of devices that a socket opened here is told. */
static int news(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));

	MUST(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static bool has_news(int fd)
{
	char message[8192];
	bool any = false;

	while (recv(fd, message, sizeof(message), 0) > 0) any = true;
	return any;
}

TEST(net, news_stay_inside,
     .says = "netlink tells of devices of the socket's network namespace and of no other",
     .finding = "a container is told of the host's devices", .checks = "net-02",
     .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = news();
	UNSHARED(CLONE_NEWNET) {
		_fd_ int inner = news();

		MUST(device_add("inner"));
		EXPECT(has_news(inner));
		EXPECT(!has_news(outer));
	}
	MUST(device_add("outer"));
	EXPECT(has_news(outer));
}

TEST(net, devices_end_with_their_namespace,
     .says = "virtual devices are gone with their network namespace, and so is a pair's other end",
     .checks = "net-27", .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF, told = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	told = news();
	UNSHARED(CLONE_NEWNET) {
		MUST(device_add("gone"));
		MUST(link_add("veth", "end", "kept"));
		MUST(link_move("kept", outer, NULL));
	}
	/* The namespace ends later: each message about a device wakes, the last says that it left. */
	while (has_device("kept")) {
		struct pollfd ready = { .fd = told, .events = POLLIN };

		MUST(poll(&ready, 1, -1));
		has_news(told);
	}
	EXPECT(!has_device("gone"));
	EXPECT(has_device("lo"));
}

TEST(net, sysfs_shows_who_mounted_it,
     .says = "a mount of sysfs shows the devices of the network namespace it was mounted in, "
	     "whoever looks",
     .finding = "a container's sysfs shows devices of the host", .checks = "net-05 net-26",
     .needs = NET_NEEDS | NEED(mntns) | NEED(veth))
{
	UNSHARED(CLONE_NEWNS | CLONE_NEWNET) {
		must_private("/");
		must_tmpfs("m");
		MUST(device_add("outer"));
		must_mount("selftest", must_mkdir("m/outer"), "sysfs", MS_RDONLY, NULL);
		EXPECT(exists("m/outer/class/net/outer"));
		IN_FORK {
			must_unshare(CLONE_NEWNET);
			MUST(device_add("inner"));
			must_mount("selftest", must_mkdir("m/inner"), "sysfs", MS_RDONLY, NULL);
			EXPECT(exists("m/inner/class/net/inner"));
			EXPECT(!exists("m/inner/class/net/outer"));
			EXPECT(exists("m/outer/class/net/outer"));
			EXPECT(!exists("m/outer/class/net/inner"));
		}
	}
	MUST(rmdir("m"));
}

static uid_t owner_of(const char *path)
{
	struct stat status;

	MUST(stat(path, &status));
	return status.st_uid;
}

TEST(net, sysfs_files_belong_to_the_owner,
     .says = "the files of a device in sysfs belong to root of the user namespace that owns the "
	     "device's network namespace, also after it was moved there",
     .checks = "net-37",
     .needs = NEED(root) | NEED(userns) | NEED(netns) | NEED(mntns) | NEED(veth))
{
	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNET, .uid_map = "0 1007 1",
		  .gid_map = "0 1007 1");

	IN_CONTAINER { MUST(device_add("made")); }
	ON_HOST {
		_fd_ int inside =
			MUST(open(text("/proc/%d/ns/net", inside_pid()), O_RDONLY | O_CLOEXEC));

		UNSHARED(CLONE_NEWNS | CLONE_NEWNET) {
			must_private("/");
			MUST(device_add("moved"));
			MUST(link_move("moved", inside, NULL));
			MUST(setns(inside, CLONE_NEWNET));
			must_mount("selftest", must_mkdir("m"), "sysfs", MS_RDONLY, NULL);
			EXPECT_EQ(1007, owner_of("m/class/net/made/mtu"));
			EXPECT_EQ(1007, owner_of("m/class/net/made/queues/rx-0"));
			EXPECT_EQ(1007, owner_of("m/class/net/made/queues/tx-0"));
			EXPECT_EQ(1007, owner_of("m/class/net/moved/mtu"));
			EXPECT_EQ(1007, owner_of("m/class/net/moved/queues/rx-0"));
			EXPECT_EQ(1007, owner_of("m/class/net/moved/queues/tx-0"));
		}
		MUST(rmdir("m"));
	}
}

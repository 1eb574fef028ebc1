// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets: which network namespace they are in, and whom they reach. */
#include "net.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <poll.h>

static int unix_socket(const char *name, size_t length, bool serve)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + length;
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	memcpy(address.sun_path, name, length);
	if (serve) {
		MUST(bind(fd, (struct sockaddr *)&address, size));
		MUST(listen(fd, 1));
	} else if (connect(fd, (struct sockaddr *)&address, size)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

TEST(net, an_abstract_name_is_the_namespaces_own,
     .says = "an abstract socket is connected to in its network namespace only: ECONNREFUSED",
     .finding = "an abstract socket outside is reached", .checks = "net-07", .needs = NET_NEEDS)
{
	static const char name[] = "\0selftest-net";
	_fd_ int server = -EBADF, client = -EBADF;

	must_unshare(CLONE_NEWNET);
	server = unix_socket(name, sizeof(name), true);
	UNSHARED(CLONE_NEWNET) {
		_fd_ int own = -EBADF;

		EXPECT_ERRNO(ECONNREFUSED, unix_socket(name, sizeof(name), false));
		own = unix_socket(name, sizeof(name), true);
		client = ASSERT_OK(unix_socket(name, sizeof(name), false));
	}
	client = ASSERT_OK(unix_socket(name, sizeof(name), false));
}

TEST(net, a_path_leads_into_another_namespace,
     .says = "a socket with a path is connected to from any network namespace that has the path",
     .checks = "net-07", .needs = NET_NEEDS)
{
	static const char name[] = "socket";
	int server = unix_socket(name, sizeof(name), true);

	UNSHARED(CLONE_NEWNET) { EXPECT_OK(unix_socket(name, sizeof(name), false)); }
	MUST(unlink(name));
	close(server);
}

TEST(net, a_pair_of_sockets_reaches_across,
     .says = "a pair of sockets goes on talking when one end's process is in another namespace",
     .checks = "net-07", .needs = NET_NEEDS)
{
	char byte = 0;
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	UNSHARED(CLONE_NEWNET) { EXPECT_EQ(1, send(ends[1], "x", 1, 0)); }
	EXPECT_EQ(1, recv(ends[0], &byte, 1, 0));
	EXPECT_EQ('x', byte);
	close(ends[0]);
	close(ends[1]);
}

/* A datagram to a port of the loopback device from that socket. */
static long send_to(int fd, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
}

static int bound_to(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	MUST(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Which of two sockets something arrives at first; takes it from there. */
static int receiver(int one, int other)
{
	struct pollfd sockets[] = { { .fd = one, .events = POLLIN },
				    { .fd = other, .events = POLLIN } };
	char byte;
	int fd;

	MUST(poll(sockets, 2, -1));
	fd = sockets[0].revents ? one : other;
	MUST(recv(fd, &byte, 1, 0));
	return fd;
}

TEST(net, a_socket_stays_where_it_was_made,
     .says = "a socket goes on in the network namespace where it was made when its process leaves",
     .checks = "net-30", .needs = NET_NEEDS)
{
	_fd_ int old = -EBADF, sender = -EBADF;

	must_unshare(CLONE_NEWNET);
	MUST(link_set("lo", true));
	old = bound_to(4713);
	sender = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	UNSHARED(CLONE_NEWNET) {
		_fd_ int own = -EBADF, own_sender = -EBADF;

		MUST(link_set("lo", true));
		own = bound_to(4713);
		own_sender = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		EXPECT_OK(send_to(sender, 4713));
		EXPECT_EQ(old, receiver(old, own));
		EXPECT_OK(send_to(own_sender, 4713));
		EXPECT_EQ(own, receiver(old, own));
	}
}

static uint64_t cookie(void)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	uint64_t value = 0;
	socklen_t size = sizeof(value);

	MUST(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &value, &size));
	return value;
}

TEST(net, a_cookie_is_one_namespaces,
     .says = "SO_NETNS_COOKIE is the same for all sockets of a network namespace, and no other's",
     .checks = "net-08", .needs = NET_NEEDS | NEED(netns_cookie))
{
	uint64_t outer;

	must_unshare(CLONE_NEWNET);
	outer = cookie();
	EXPECT_EQ(outer, cookie());
	UNSHARED(CLONE_NEWNET) { EXPECT_NE(outer, cookie()); }
	IN_FORK { EXPECT_EQ(outer, cookie()); }
}

/* Listens for what the kernel tells of devices, udev(7). */
static int listen_for_uevents(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = MUST(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			     NETLINK_KOBJECT_UEVENT));

	MUST(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static bool told_of(int fd, const char *what)
{
	char message[8192];
	ssize_t length;

	while ((length = recv(fd, message, sizeof(message) - 1, 0)) > 0) {
		message[length] = 0;
		if (strstr(message, what))
			return true;
	}
	return false;
}

TEST(net, uevents_of_a_device_stay_in_its_namespace,
     .says = "the kernel tells of a network device in the device's network namespace only",
     .finding = "a container is told of the host's devices", .checks = "net-13",
     .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWNET);
	outer = listen_for_uevents();
	UNSHARED(CLONE_NEWNET) {
		_fd_ int inner = listen_for_uevents();

		MUST(device_add("of-inner"));
		EXPECT(told_of(inner, "of-inner"));
		EXPECT(!told_of(outer, "of-inner"));
	}
	MUST(device_add("of-outer"));
	EXPECT(told_of(outer, "of-outer"));
}

TEST(net, uevents_of_the_machine_stay_outside,
     .says = "a network namespace of a user namespace is not told of the machine's devices",
     .finding = "a container is told of the machine's devices", .checks = "net-13",
     .needs = NEED(root) | NEED(netns) | NEED(userns) | NEED(spare_machine))
{
	int others, own;

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNET, .userns = true);

	IN_CONTAINER {
		int fd = listen_for_uevents();

		give_fd(fd);
		close(fd);
	}
	ON_HOST {
		others = take_fd();
		own = listen_for_uevents();
		must_write("/sys/devices/virtual/mem/null/uevent", "change");
		EXPECT(told_of(own, "/devices/virtual/mem/null"));
		EXPECT(!told_of(others, "/devices/virtual/mem/null"));
		close(others);
		close(own);
	}
}

static int netlink_socket(void)
{
	return MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK));
}

TEST(net, netlink_reaches_the_own_namespace_only,
     .says = "a netlink message to another's port is not delivered into another network namespace",
     .finding = "netlink messages cross network namespaces", .checks = "net-29", .needs = NET_NEEDS)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = 4714 };
	struct nlmsghdr message = { .nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_NOOP };
	_fd_ int server = -EBADF;

	must_unshare(CLONE_NEWNET);
	server = netlink_socket();
	MUST(bind(server, (struct sockaddr *)&address, sizeof(address)));
	UNSHARED(CLONE_NEWNET) {
		_fd_ int client = netlink_socket(), own = netlink_socket();

		EXPECT_ERRNO(ECONNREFUSED, sendto(client, &message, sizeof(message), 0,
						  (struct sockaddr *)&address, sizeof(address)));
		EXPECT_OK(bind(own, (struct sockaddr *)&address, sizeof(address)));
	}
	IN_FORK {
		_fd_ int client = netlink_socket();

		EXPECT_OK(sendto(client, &message, sizeof(message), 0, (struct sockaddr *)&address,
				 sizeof(address)));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The network of a container as a runtime makes it. */
#include "net.h"

#include <sys/ioctl.h>

/* The loopback device of a new network namespace is down. */
static bool is_up(const char *device)
{
	_fd_ int fd = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq request = { .ifr_flags = 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	MUST(ioctl(fd, SIOCGIFFLAGS, &request));
	return request.ifr_flags & IFF_UP;
}

TEST(net, loopback_is_up, .says = "the loopback device of the container is up",
     .finding = "the container's loopback device is down", .checks = "net-18", .layer = RUNTIME,
     .needs = NEED(netns) | NEED(userns) | NEED(loopback))
{
	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER { EXPECT(is_up("lo")); }
	ON_HOST {
		UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) { EXPECT(!is_up("lo")); }
	}
}

/* The names of all network devices, by their numbers. */
static const char *devices(void)
{
	struct if_nameindex *list = if_nameindex();
	static char names[1024];

	MUST_HOLD(list);
	*names = '\0';
	for (const struct if_nameindex *device = list; device->if_index; device++) {
		strncat(names, device->if_name, sizeof(names) - strlen(names) - 1);
		strncat(names, " ", sizeof(names) - strlen(names) - 1);
	}
	if_freenameindex(list);
	return names;
}

/* Some kernels give each namespace tunnels of its own, which are down. */
TEST(net, no_device_of_the_host_is_there,
     .says = "the container has the devices of a new network namespace, loopback first, no other",
     .finding = "the container has a network device of the host, or one that nobody asked for",
     .checks = "net-17", .layer = RUNTIME, .needs = NET_NEEDS | NEED(veth))
{
	ON_HOST {
		must_unshare(CLONE_NEWNET);
		remember("new", devices());
		MUST(device_add("left"));
		EXPECT_STRNE(recall("new"), devices());
	}

	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER {
		EXPECT_STREQ(recall("new"), devices());
		EXPECT(!strncmp(devices(), "lo ", 3));
	}
}

TEST(net, abstract_socket_of_the_host_is_not_reached,
     .says = "an abstract socket of the host gives ECONNREFUSED inside; one made inside connects",
     .finding = "the container reaches abstract sockets of the host's services", .checks = "net-32",
     .layer = BOTH, .needs = NEED(admin) | NEED(netns))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0selftest-abstract" };
	int server = -EBADF;

	ON_HOST {
		server = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		MUST(bind(server, (struct sockaddr *)&address, sizeof(address)));
		MUST(listen(server, 1));
	}

	CONTAINER(.unshare = CLONE_NEWNET);

	IN_CONTAINER {
		_fd_ int own = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		_fd_ int client = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

		EXPECT_ERRNO(ECONNREFUSED,
			     connect(client, (struct sockaddr *)&address, sizeof(address)));
		MUST(bind(own, (struct sockaddr *)&address, sizeof(address)));
		MUST(listen(own, 1));
		EXPECT_OK(connect(client, (struct sockaddr *)&address, sizeof(address)));
	}
	ON_HOST { MUST(close(server)); }
}

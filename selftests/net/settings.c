// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings and tables below /proc that belong to a network namespace. */
#include "net.h"

#include <arpa/inet.h>
#include <linux/capability.h>

struct setting {
	const char *label;
	const char *path, *fresh, *other;
};

ROWS(settings, struct setting) = {
	{ "ip_forward", "/proc/sys/net/ipv4/ip_forward", "0\n", "1" },
	{ "port_start", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n", "80" },
	{ "ping_range", "/proc/sys/net/ipv4/ping_group_range", "1\t0\n", "0 0" },
	{ "port_range", "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n", "40000 50000" },
	{ "somaxconn", "/proc/sys/net/core/somaxconn", "4096\n", "7" },
	{ "unix_queue", "/proc/sys/net/unix/max_dgram_qlen", "10\n", "7" },
	{ "loopback", "/proc/sys/net/ipv4/conf/lo/tag", "0\n", "7" },
};

TEST_EACH(settings, net, settings_are_the_namespaces_own,
	  .says = "a new network namespace starts with default settings, and changes only its own",
	  .finding = "a container changes a setting of the host's network",
	  .checks = "net-01 net-28", .needs = NEED(root) | NEED(netns))
{
	must_unshare(CLONE_NEWNET);
	EXPECT_STREQ(row->fresh, must_read("%s", row->path));
	must_write(row->path, "%s", row->other);
	EXPECT_STRNE(row->fresh, must_read("%s", row->path));
	remember("changed", must_read("%s", row->path));
	UNSHARED(CLONE_NEWNET) {
		EXPECT_STREQ(row->fresh, must_read("%s", row->path));
		must_write(row->path, "%s", row->other);
	}
	UNSHARED(CLONE_NEWNET) { EXPECT_STREQ(row->fresh, must_read("%s", row->path)); }
	EXPECT_STREQ(recall("changed"), must_read("%s", row->path));
}

TEST(net, settings_are_the_owners_to_write,
     .says = "settings of a network namespace are written by root of its user namespace only",
     .finding = "root of a container changes a setting of the host's network", .checks = "net-36",
     .needs = NET_NEEDS | NEED(userns))
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";

	must_unshare(CLONE_NEWNET);
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNET) {
		must_map_root(getpid(), 0);
		must_write(path, "1");
		EXPECT_STREQ("1\n", must_read("%s", path));
		IN_FORK {
			must_become_nobody();
			EXPECT_STREQ("1\n", must_read("%s", path));
		}
	}
	EXPECT_STREQ("0\n", must_read("%s", path));
}

TEST(net, settings_belong_to_the_owners_root,
     .says = "the files of a network namespace's settings belong to root of its user namespace",
     .checks = "net-36", .needs = NEED(root) | NEED(netns) | NEED(userns))
{
	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNET, .uid_map = "0 1000 1",
		  .gid_map = "0 1001 1");

	IN_CONTAINER {
		struct stat status;

		MUST(stat("/proc/sys/net/ipv4/ip_forward", &status));
		EXPECT_EQ(0, status.st_uid);
		EXPECT_EQ(0, status.st_gid);
	}
	ON_HOST {
		struct stat status;

		MUST(stat("/proc/sys/net/ipv4/ip_forward", &status));
		EXPECT_EQ(0, status.st_uid);
	}
}

static long bind_to(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	_fd_ int fd = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

TEST(net, low_ports_are_for_the_privileged,
     .says = "ports below ip_unprivileged_port_start take CAP_NET_BIND_SERVICE: EACCES",
     .checks = "net-28", .needs = NEED(root) | NEED(netns))
{
	must_unshare(CLONE_NEWNET);
	EXPECT_OK(bind_to(1023));
	AS_NOBODY {
		EXPECT_ERRNO(EACCES, bind_to(1023));
		EXPECT_OK(bind_to(1024));
	}
	must_write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1000");
	AS_NOBODY {
		EXPECT_ERRNO(EACCES, bind_to(999));
		EXPECT_OK(bind_to(1023));
	}
}

struct table {
	const char *label;
	const char *path;
	const char *entry; /* of what `must_enter_tables` made */
};

ROWS(tables, struct table) = {
	{ "dev", "dev", "listed:" },
	{ "unix", "unix", "@selftest-listed" },
	{ "udp", "udp", ":1269 " },
	{ "tcp", "tcp", ":1269 " },
};

/* A device, and sockets with a name and with port 4713, which is 0x1269. */
static void must_enter_tables(int sockets[3])
{
	struct sockaddr_in port = { .sin_family = AF_INET, .sin_port = htons(4713) };
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0selftest-listed" };

	MUST(device_add("listed"));
	sockets[0] = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	MUST(bind(sockets[0], (struct sockaddr *)&port, sizeof(port)));
	sockets[1] = MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(sockets[1], (struct sockaddr *)&port, sizeof(port)));
	MUST(listen(sockets[1], 1));
	sockets[2] = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(bind(sockets[2], (struct sockaddr *)&name, sizeof(name)));
}

/* Whether a table below /proc/PID/net has that entry; 0 = the caller's own. */
static bool listed(pid_t pid, const struct table *table)
{
	return strstr(must_read("/proc/%d/net/%s", pid ? pid : getpid(), table->path),
		      table->entry);
}

TEST_EACH(tables, net, proc_lists_who_is_asked_of,
	  .says = "/proc/PID/net shows the network namespace of that process, now",
	  .finding = "/proc shows devices or sockets of another network namespace",
	  .checks = "net-06", .needs = NET_NEEDS | NEED(veth))
{
	_fd_ int outer = -EBADF;
	pid_t owner = getpid();
	int sockets[3];

	must_unshare(CLONE_NEWNET);
	outer = open_netns();
	EXPECT(!listed(0, row));
	must_enter_tables(sockets);
	EXPECT(listed(0, row));
	UNSHARED(CLONE_NEWNET) {
		EXPECT(!listed(0, row));
		EXPECT(listed(owner, row));
		MUST(setns(outer, CLONE_NEWNET));
		EXPECT(listed(0, row));
		must_unshare(CLONE_NEWNET);
		EXPECT(!listed(0, row));
	}
	for (int i = 0; i < 3; i++) close(sockets[i]);
}

TEST(net, buffer_sizes_are_the_machines,
     .says = "the sizes of socket buffers cannot be set in a network namespace of one's own",
     .finding = "a container sets the buffer sizes of the host's network", .checks = "net-10",
     .needs = NEED(root) | NEED(netns))
{
	UNSHARED(CLONE_NEWNET) {
		static const char *const files[] = { "rmem_max", "wmem_max", "rmem_default",
						     "wmem_default" };

		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			const char *path = text("/proc/sys/net/core/%s", files[i]);

			if (!exists("%s", path))
				continue;
			IN_FORK {
				must_drop_cap(CAP_DAC_OVERRIDE);
				EXPECT_ERRNO(EACCES, open(path, O_WRONLY | O_CLOEXEC));
			}
		}
		EXPECT(!exists("/proc/sys/net/core/netdev_max_backlog"));
		EXPECT(exists("/proc/sys/net/core/somaxconn"));
	}
}

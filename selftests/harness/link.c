// SPDX-License-Identifier: GPL-2.0-or-later
/* Network devices by rtnetlink(7). */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "harness.h"
#include "link.h"

/* A request grows at its end; attributes that nest are closed with end(). */
struct request {
	struct nlmsghdr header;
	char body[512];
};

static void *append(struct request *request, const void *data, size_t size)
{
	void *place = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	if (data)
		memcpy(place, data, size);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + size;
	return place;
}

static struct rtattr *attribute(struct request *request, int type, const void *data, size_t size)
{
	struct rtattr head = { .rta_len = RTA_LENGTH(size), .rta_type = type };
	struct rtattr *place = append(request, &head, sizeof(head));

	append(request, data, size);
	return place;
}

static void name_attribute(struct request *request, int type, const char *name)
{
	attribute(request, type, name, strlen(name) + 1);
}

static void end(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (char *)request + request->header.nlmsg_len - (char *)nest;
}

struct answer {
	struct nlmsghdr header;
	union {
		struct nlmsgerr error;
		char body[512];
	};
};

static int exchange(struct request *request, int flags, struct answer *answer)
{
	_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	request->header.nlmsg_flags |= NLM_F_REQUEST | flags;
	if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(*answer), 0) < 0)
		return -1;
	errno = answer->header.nlmsg_type == NLMSG_ERROR ? -answer->error.error : 0;
	return errno ? -1 : 0;
}

/* Sends the request; the answer's errno. */
static int ask(struct request *request)
{
	struct answer answer;

	return exchange(request, NLM_F_ACK, &answer);
}

static struct request about_link(int type, int flags, const char *name)
{
	struct request request = {
		.header = { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_flags = flags }
	};
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	append(&request, &link, sizeof(link));
	name_attribute(&request, IFLA_IFNAME, name);
	return request;
}

int link_add(const char *kind, const char *name, const char *peer)
{
	struct request request = about_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	struct rtattr *info = attribute(&request, IFLA_LINKINFO, NULL, 0);

	name_attribute(&request, IFLA_INFO_KIND, kind);
	if (peer) {
		struct rtattr *data = attribute(&request, IFLA_INFO_DATA, NULL, 0);
		struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
		struct rtattr *other = attribute(&request, VETH_INFO_PEER, &link, sizeof(link));

		name_attribute(&request, IFLA_IFNAME, peer);
		end(&request, other);
		end(&request, data);
	}
	end(&request, info);
	return ask(&request);
}

int link_move(const char *name, int netns, const char *new_name)
{
	struct request request = { .header = { .nlmsg_len = NLMSG_HDRLEN,
					       .nlmsg_type = RTM_NEWLINK } };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name) };

	append(&request, &link, sizeof(link));
	attribute(&request, IFLA_NET_NS_FD, &netns, sizeof(netns));
	if (new_name)
		name_attribute(&request, IFLA_IFNAME, new_name);
	return ask(&request);
}

int link_remove(const char *name)
{
	struct request request = about_link(RTM_DELLINK, 0, name);

	return ask(&request);
}

int link_set(const char *name, bool up)
{
	struct request request = { .header = { .nlmsg_len = NLMSG_HDRLEN,
					       .nlmsg_type = RTM_NEWLINK } };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
				  .ifi_index = (int)if_nametoindex(name),
				  .ifi_flags = up ? IFF_UP : 0,
				  .ifi_change = IFF_UP };

	append(&request, &link, sizeof(link));
	return ask(&request);
}

int link_address(const char *name, const char *address, unsigned bits)
{
	struct request request = { .header = { .nlmsg_len = NLMSG_HDRLEN,
					       .nlmsg_type = RTM_NEWADDR,
					       .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL } };
	struct ifaddrmsg about = { .ifa_family = AF_INET,
				   .ifa_prefixlen = bits,
				   .ifa_index = if_nametoindex(name) };
	struct in_addr number = { .s_addr = inet_addr(address) };

	append(&request, &about, sizeof(about));
	attribute(&request, IFA_LOCAL, &number, sizeof(number));
	return ask(&request);
}

static struct request about_netns(int type, int netns)
{
	struct request request = { .header = { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type } };
	struct rtgenmsg any = { .rtgen_family = AF_UNSPEC };

	append(&request, &any, sizeof(any));
	attribute(&request, NETNSA_FD, &netns, sizeof(netns));
	return request;
}

int netns_number(int netns, int number)
{
	struct request request = about_netns(RTM_NEWNSID, netns);

	attribute(&request, NETNSA_NSID, &number, sizeof(number));
	return ask(&request);
}

int netns_numbered(int netns)
{
	struct request request = about_netns(RTM_GETNSID, netns);
	struct answer answer;
	struct rtattr *found;
	int number;

	if (exchange(&request, 0, &answer))
		world_broken("ask for the number of", "a network namespace");
	found = (struct rtattr *)(answer.body + NLMSG_ALIGN(sizeof(struct rtgenmsg)));
	if (answer.header.nlmsg_type != RTM_NEWNSID || found->rta_type != NETNSA_NSID)
		broken_there("the kernel does not answer with a number");
	memcpy(&number, RTA_DATA(found), sizeof(number));
	return number;
}

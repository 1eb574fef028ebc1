/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of network namespaces share. */
#ifndef NET_NET_H
#define NET_NET_H

#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "../harness/link.h"
#include "../harness/selftest.h"

#define NET_NEEDS NEED(admin) | NEED(netns)

static inline int open_netns(void)
{
	return MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

/* A device, which is one end of a pair: the other is here as well, and of no interest. */
static inline int device_add(const char *name)
{
	return link_add("veth", name, text("%s-peer", name));
}

/* Whether the caller's network namespace has a device of that name. */
static inline bool has_device(const char *name)
{
	return if_nametoindex(name) != 0;
}

#endif

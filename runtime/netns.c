// SPDX-License-Identifier: GPL-2.0-or-later
/* The network namespace: nothing but a loopback, and that is up (netdevice(7)). */
#include "steps.h"
#include "sys.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static long loopback_up(int sock)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	long ret;

	ifr.ifr_flags = IFF_UP;
	ret = RAW3(SYS_ioctl, sock, SIOCSIFFLAGS, &ifr);
	if (ret < 0)
		return ret;
	ifr.ifr_flags = 0;
	ret = RAW3(SYS_ioctl, sock, SIOCGIFFLAGS, &ifr);
	if (ret < 0)
		return ret;
	return ifr.ifr_flags & IFF_UP ? 0 : LIE;
}

int netns_inside(struct inside *in)
{
	int sock;
	long ret;

	if (!(in->plan->namespaces & CLONE_NEWNET))
		return 0;
	/* Any socket of the namespace will do; this kind is the cheapest to make. */
	sock = raw_new_fd(RAW3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (sock < 0)
		return fail(&in->fault, STEP_loopback, "lo", sock);
	ret = loopback_up(sock);
	sys_close(sock);
	return ret ? fail(&in->fault, STEP_loopback, "lo", ret) : 0;
}

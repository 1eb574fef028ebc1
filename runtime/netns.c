// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network namespace: nothing but a loopback, and that is up (netdevice(7)).
 *
 * To make one takes the kernel as long as all the rest of a container. So where there is more
 * than one CPU the host side does it, while the inside builds its mounts on another, and the
 * inside joins it then, by way of bulkhead's pidfd (setns(2), Linux 5.8). Bulkhead itself
 * stays there: it has no use for a network. The IPC namespace goes the same way. Otherwise
 * clone3() makes them with the others; so it does in a user namespace, where /sys is mounted
 * before it would be joined.
 */
#include "janitor.h"
#include "meet.h"
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

/* Any socket of the namespace will do; this kind is the cheapest to make. */
static int connect_loopback(struct fault *f)
{
	int sock = raw_new_fd(RAW3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	long ret;

	if (sock < 0)
		return fail(f, STEP_loopback, "lo", sock);
	ret = loopback_up(sock);
	sys_close(sock);
	return ret ? fail(f, STEP_loopback, "lo", ret) : 0;
}

static unsigned int count_cpus(const struct cpus *cpus)
{
	unsigned int n = 0;

	for (long i = 0; i * (long)sizeof(long) < cpus->size; i++)
		n += (unsigned int)__builtin_popcountl(cpus->bits[i]);
	return n;
}

/* How many threads of the machine want a CPU now, ourselves with them; 0: nobody tells. */
static unsigned int count_runnable(void)
{
	char text[64] = "";
	int fd = sys_openat(AT_FDCWD, "/proc/loadavg", O_RDONLY | O_CLOEXEC, 0);
	const char *at = text;
	unsigned int n = 0;

	if (fd < 0)
		return 0;
	sys_read(fd, text, sizeof(text) - 1);
	sys_close(fd);
	for (int average = 0; average < 3; average++) { /* proc_loadavg(5) */
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	for (; *at >= '0' && *at <= '9'; at++)
		n = n * 10 + (unsigned int)(*at - '0');
	return n;
}

int netns_prepare(struct container *c)
{
	const struct plan *p = c->plan;
	int ret;

	if (!(p->namespaces & CLONE_NEWNET) || plan_is_in_userns(p))
		return 0;
	c->cpus.size = RAW3(SYS_sched_getaffinity, 0, sizeof(c->cpus.bits), c->cpus.bits);
	if (count_cpus(&c->cpus) < 2)
		return 0;
	c->made_aside = p->namespaces & (CLONE_NEWNET | CLONE_NEWIPC);
	ret = janitor_open_host(c);
	return ret < 0 ? fail(&c->fault, STEP_prepare_host, "pidfd_open", ret) : 0;
}

/* The inside on our CPU, or on any but ours. Where it cannot be done, they take turns. */
static void send_inside(struct container *c, bool here)
{
	struct cpus ours = { .size = c->cpus.size }, others = c->cpus;
	const struct cpus *to = here ? &ours : &others;
	unsigned int cpu = 0;

	if (RAW3(SYS_getcpu, &cpu, NULL, NULL) < 0 || cpu >= CPU_ROOM)
		return;
	ours.bits[cpu / LONG_BITS] = 1UL << cpu % LONG_BITS;
	others.bits[cpu / LONG_BITS] &= ~(1UL << cpu % LONG_BITS);
	RAW3(SYS_sched_setaffinity, c->pid, to->size, to->bits);
}

/* Where more threads want a CPU than there are, the inside may wait for one behind another. */
static bool may_wait_for_a_cpu(const struct container *c)
{
	unsigned int runnable = count_runnable();

	return !runnable || runnable > count_cpus(&c->cpus);
}

/* True when @pid, or with 0 we, may now use exactly the CPUs in @all. */
static bool has_cpus(pid_t pid, const struct cpus *all)
{
	struct cpus now = { .size = all->size };

	return RAW3(SYS_sched_getaffinity, pid, sizeof(now.bits), now.bits) == all->size &&
	       memcmp(&now, all, sizeof(now)) == 0;
}

/*
 * The inside back on the CPUs that bulkhead itself may use. The kernel remembers what was
 * asked for: to ask for all there can be lets a cpuset add some later. Where that is more
 * than the caller has (taskset(1)), it is what the caller has. The inside looks.
 */
static void let_inside_on_all_cpus(struct container *c)
{
	const struct cpus *all = &c->cpus;
	struct cpus any;

	memset(any.bits, 0xff, (size_t)all->size);
	if (RAW3(SYS_sched_setaffinity, c->pid, all->size, any.bits) < 0 || !has_cpus(c->pid, all))
		RAW3(SYS_sched_setaffinity, c->pid, all->size, all->bits);
}

static int say(struct container *c, enum meeting meeting)
{
	int ret = meet_say(c->channel[0], meeting, NULL);

	return ret < 0 ? fail(&c->fault, STEP_meet, meet_words(meeting), ret) : 0;
}

int netns_host(struct container *c)
{
	long ret;

	if (!c->made_aside)
		return 0;
	send_inside(c, false); /* the scheduler may have put it behind us, to wait until we sleep */
	ret = RAW1(SYS_unshare, c->made_aside);
	if (ret < 0)
		return fail(&c->fault, STEP_make_aside, "unshare", ret);
	TRY(say(c, MEET_NETWORK));
	if (may_wait_for_a_cpu(c))
		send_inside(c, true); /* ours is free as soon as we sleep */
	TRY(connect_loopback(&c->fault));
	let_inside_on_all_cpus(c);
	return say(c, MEET_CONNECTED);
}

static int await(struct inside *in, enum meeting meeting)
{
	int ret = meet_wait(in->channel, meeting);

	return ret < 0 ? fail(&in->fault, STEP_meet, meet_words(meeting), ret) : 0;
}

/* "net:[4026531840]": which namespace we are in, by a link that is read, not followed. */
struct own_namespace {
	char link[32];
};

static int own_namespace(struct inside *in, struct own_namespace *own)
{
	static const char path[] = "/proc/self/ns/net";
	int n;

	*own = (struct own_namespace){ "" };
	n = sys_readlinkat(in->fs[PROC], BELOW_PROC(path), own->link, sizeof(own->link) - 1);
	return own->link[0] ? 0 : fail(&in->fault, STEP_look_back, path, n < 0 ? n : LIE);
}

/*
 * Another namespace than before: neither has the host side's unshare() lied, nor setns(). Each
 * gives both namespaces or none.
 */
static int join(struct inside *in)
{
	struct own_namespace before, now;
	long ret;

	TRY(own_namespace(in, &before));
	TRY(await(in, MEET_NETWORK));
	ret = RAW2(SYS_setns, in->host->host_pidfd, in->host->made_aside);
	if (ret < 0)
		return fail(&in->fault, STEP_join_aside, "setns", ret);
	TRY(own_namespace(in, &now));
	if (strcmp(now.link, before.link) == 0)
		return fail(&in->fault, STEP_join_aside, "setns", LIE);
	return 0;
}

int netns_inside(struct inside *in)
{
	if (!(in->plan->namespaces & CLONE_NEWNET))
		return 0;
	return in->host->made_aside ? join(in) : connect_loopback(&in->fault);
}

int netns_await(struct inside *in)
{
	if (!in->host->made_aside)
		return 0;
	TRY(await(in, MEET_CONNECTED));
	if (!has_cpus(0, &in->host->cpus))
		return fail(&in->fault, STEP_scheduling, "sched_setaffinity", LIE);
	return 0;
}

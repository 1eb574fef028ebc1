// SPDX-License-Identifier: GPL-2.0-or-later
#include "meet.h"

#include "sys.h"

#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

union control {
	struct cmsghdr header; /* for its alignment */
	char room[CMSG_SPACE(sizeof(int))];
};

int host_open_channel(struct container *c)
{
	int ret = (int)RAW4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->channel);

	if (ret < 0)
		return fail(&c->fault, STEP_prepare_host, "socketpair", ret);
	if (c->channel[0] < 3 || c->channel[1] < 3)
		return fail(&c->fault, STEP_prepare_host, "socketpair", LIE);
	return 0;
}

const char *meet_words(enum meeting meeting)
{
	static const char *const words[] = {
#define X(name, text) [MEET_##name] = (text),
		MEETINGS(X)
#undef X
	};

	return words[meeting];
}

bool meet_is_awaited(const struct plan *p)
{
	return !p->stage_only &&
	       ((p->namespaces & CLONE_NEWUSER) || !(p->namespaces & CLONE_NEWPID));
}

static int send_message(int fd, const struct message *m, union control *control)
{
	struct iovec iov = { (void *)m, sizeof(*m) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n;

	if (control) {
		h.msg_control = control->room;
		h.msg_controllen = sizeof(control->room);
	}
	n = RAW3(SYS_sendmsg, fd, &h, MSG_NOSIGNAL);
	if (n < 0)
		return (int)n;
	return n == (long)sizeof(*m) ? 0 : -EIO;
}

int meet_say(int fd, enum meeting meeting, const struct fault *fault)
{
	struct message m = { .meeting = meeting };

	if (fault)
		m.fault = *fault;
	return send_message(fd, &m, NULL);
}

int meet_give_terminal(int fd, int terminal)
{
	struct message m = { .meeting = MEET_TERMINAL };
	union control control = { .room = { 0 } };

	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.header), &terminal, sizeof(int));
	return send_message(fd, &m, &control);
}

/*
 * A peer that went with messages of ours unread leaves ECONNRESET in front of its own.
 */
static long receive_past_reset(int fd, struct msghdr *h, int flags)
{
	long n = RAW3(SYS_recvmsg, fd, h, flags | MSG_CMSG_CLOEXEC);

	return n == -ECONNRESET ? RAW3(SYS_recvmsg, fd, h, flags | MSG_CMSG_CLOEXEC) : n;
}

static long receive(int fd, struct message *m, int *terminal, int flags)
{
	union control control = { .room = { 0 } };
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	long n = receive_past_reset(fd, &h, flags);

	*terminal = -1;
	if (n > 0 && control.header.cmsg_type == SCM_RIGHTS &&
	    control.header.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(terminal, CMSG_DATA(&control.header), sizeof(int));
	return n;
}

int meet_wait(int fd, enum meeting meeting)
{
	struct message m = { .meeting = meeting };
	int terminal;
	long n = receive(fd, &m, &terminal, 0);

	if (n < 0)
		return (int)n;
	if (n != (long)sizeof(m))
		return -EPIPE;
	return m.meeting == meeting ? 0 : -EPROTO;
}

int meet_poll(int fd, struct message *m, int *terminal)
{
	long n = receive(fd, m, terminal, MSG_DONTWAIT);

	if (n == -EAGAIN || n == 0)
		return 0;
	if (n < 0)
		return (int)n;
	return n == (long)sizeof(*m) ? 1 : -EPROTO;
}

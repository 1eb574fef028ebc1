// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages between the sides, over a SOCK_SEQPACKET socket. End of file is a
 * failure, never a wake; a peer whose process has ended but whose socket is
 * still held by somebody else counts as gone too.
 */
#include "harness.h"

#include <poll.h>

bool message_send(int socket, const struct message *message)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	int body[2] = { message->kind, message->value };
	struct iovec part = { body, sizeof(body) };
	struct msghdr envelope = { .msg_iov = &part, .msg_iovlen = 1 };

	if (message->fd >= 0) {
		envelope.msg_control = control.space;
		envelope.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &message->fd, sizeof(int));
	}
	return sendmsg(socket, &envelope, MSG_NOSIGNAL) == sizeof(body);
}

/* What came along: a descriptor, the sender's credentials. */
static void unpack(struct msghdr *envelope, struct message *message)
{
	struct cmsghdr *part;

	for (part = CMSG_FIRSTHDR(envelope); part; part = CMSG_NXTHDR(envelope, part)) {
		struct ucred who;

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS)
			memcpy(&message->fd, CMSG_DATA(part), sizeof(int));
		if (part->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(part), sizeof(who));
		message->pid = who.pid;
	}
}

/* Waits for a message, or for the peer's process to end with none in the queue. */
static bool readable(int socket, pid_t peer)
{
	struct pollfd wait[2] = { { .fd = socket, .events = POLLIN }, { .fd = -1 } };
	bool ready;

	if (peer > 0 && poll(wait, 1, 0) == 0) {
		wait[1].fd = syscall(SYS_pidfd_open, peer, 0);
		wait[1].events = POLLIN;
		while (poll(wait, 2, -1) < 0 && errno == EINTR)
			;
		close_fd(&wait[1].fd);
	}
	ready = peer <= 0 || poll(wait, 1, 0) == 1;
	return ready;
}

bool message_receive(int socket, pid_t peer, struct message *message)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	int body[2];
	struct iovec part = { body, sizeof(body) };
	struct msghdr envelope = { .msg_iov = &part,
				   .msg_iovlen = 1,
				   .msg_control = control.space,
				   .msg_controllen = sizeof(control.space) };
	ssize_t got;

	if (!readable(socket, peer))
		return false;
	do
		got = recvmsg(socket, &envelope, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	*message = (struct message){ .fd = -EBADF };
	unpack(&envelope, message);
	if (got != sizeof(body))
		return false;
	message->kind = body[0];
	message->value = body[1];
	return true;
}

/* Asked-for credentials come with any message once the receiver set SO_PASSCRED. */
void hello_send(int socket)
{
	const struct message hello = { .kind = HELLO, .fd = -EBADF };

	if (!message_send(socket, &hello))
		_exit(1);
}

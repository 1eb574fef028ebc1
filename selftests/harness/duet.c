// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lockstep. The host has a socket to each container. A block's token goes from
 * the block's side to everybody else: the host sends it to all containers, a
 * container to the host, which passes it on. So every side sees every block, in
 * the same order, or the test fails with the line.
 */
#include "harness.h"

struct self self_;

const char *side_name(int side)
{
	static const char *const names[SIDES] = { "host", "inside", "inside b", "inside c",
						  "inside d" };

	return names[side];
}

bool on_host(void)
{
	return self_.side == 0;
}

bool through_subject(void)
{
	return options.subject != NULL;
}

static void tell_containers(const struct message *message, int except)
{
	for (int side = 1; side < SIDES; side++)
		if (self_.socket[side] > 0 && side != except)
			message_send(self_.socket[side], message);
}

static void keep_descriptor(int fd)
{
	if (self_.stash_count == (int)(sizeof(self_.stash) / sizeof(self_.stash[0])))
		broken_there("too many descriptors given and not taken");
	self_.stash[self_.stash_count++] = fd;
}

/* What the host heard from a container, the other containers must hear as well. */
static void pass_on(const struct message *message, int from)
{
	if (on_host())
		tell_containers(message, from);
}

static _Noreturn void other_is_gone(int side, const char *file, int line)
{
	/* Let the container's end speak first: it has the cause, this only the symptom. */
	if (on_host())
		container_check_end(side);
	fail_unless_told(file, line, "%s ended before this block was done", side_name(side));
	_exit(1);
}

static void wait_for_block(int side, const char *file, int line)
{
	int link = on_host() ? side : 0;
	struct message message;

	for (;;) {
		if (!message_receive(self_.socket[link], self_.process[link], &message))
			other_is_gone(link, file, line);
		pass_on(&message, side);
		if (message.kind == TOKEN)
			break;
		if (message.kind == DESCRIPTOR)
			keep_descriptor(message.fd);
	}
	if (message.value != line) {
		fail_at(file, line, "out of step: this side is at line %d, %s was at line %d", line,
			side_name(side), message.value);
		_exit(1);
	}
}

bool block_enter(int side, const char *file, int line)
{
	if (!self_.born)
		return false;
	if (self_.side == side) {
		reached(line);
		return true;
	}
	if (on_host() && self_.socket[side] <= 0)
		check_broken(file, line, "a block for a container that was not started");
	board->line[self_.side] = line;
	wait_for_block(side, file, line);
	return false;
}

bool block_leave(const char *file, int line)
{
	const struct message token = { .kind = TOKEN, .value = line, .fd = -EBADF };

	if (on_host()) {
		tell_containers(&token, 0);
	} else if (!message_send(self_.socket[0], &token)) {
		fail_unless_told(file, line, "host is gone");
		_exit(1);
	}
	return false;
}

void give_fd_(int fd)
{
	const struct message message = { .kind = DESCRIPTOR, .fd = fd };

	if (on_host())
		tell_containers(&message, 0);
	else if (!message_send(self_.socket[0], &message))
		broken_there("cannot give a descriptor: %s", strerror(errno));
}

int take_fd_(void)
{
	int fd;

	if (!self_.stash_count)
		broken_there("no descriptor was given");
	fd = self_.stash[0];
	self_.stash_count--;
	memmove(self_.stash, self_.stash + 1, self_.stash_count * sizeof(fd));
	return fd;
}

pid_t container_pid_(int side)
{
	if (!on_host() || side >= SIDES || !self_.pid[side])
		broken_there("only the host knows the container's pid, and only while it runs");
	return self_.pid[side];
}

int container_wait_(int side)
{
	int status = 0;

	if (self_.ended[side])
		return self_.ended[side] - 1;
	if (!on_host() || !self_.process[side])
		broken_there("container_wait() belongs to the host side, after CONTAINER");
	while (waitpid(self_.process[side], &status, 0) < 0)
		if (errno != EINTR)
			broken_there("cannot wait for %s: %s", side_name(side), strerror(errno));
	self_.ended[side] = status + 1;
	close_fd(&self_.socket[side]);
	self_.socket[side] = -EBADF;
	return status;
}

int container_stop_(int side)
{
	int status;

	if (!self_.ended[side])
		kill(container_pid_(side), SIGKILL);
	status = container_wait_(side);
	/* A subject tells of the signal by its exit status. */
	if (through_subject() && WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL)
		return SIGKILL;
	return status;
}

/* A test that waited for its container by itself has judged the status by itself. */
void container_check_end(int side)
{
	int status;
	const struct test *test = self_.run->test;

	if (!self_.process[side] || self_.ended[side])
		return;
	shutdown(self_.socket[side], SHUT_WR);
	status = container_wait_(side);
	if (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) > 128)) {
		int deadly = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128;

		board->crashed++;
		fail_at(test->file, board->line[side] ? board->line[side] : test->line,
			"%s was killed by signal %d (%s), last seen at this line", side_name(side),
			deadly, strsignal(deadly));
	} else if (status || !board->finished[side]) {
		fail_unless_told(test->file, board->line[side],
				 "%s ended early with exit status %d, last seen at this line",
				 side_name(side), WEXITSTATUS(status));
	}
}

void duet_end(void)
{
	board->finished[self_.side] = true;
	if (!on_host())
		_exit(0);
	for (int side = 1; side < SIDES; side++)
		container_check_end(side);
	while (self_.stash_count)
		close(self_.stash[--self_.stash_count]);
}

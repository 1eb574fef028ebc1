// SPDX-License-Identifier: GPL-2.0-or-later
#include "terminal.h"

#include "sys.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { BUFFER_ROOM = 4096, END_OF_FILE = 4 /* Ctrl-D, VEOF */ };

/* Bytes on their way in one direction. */
struct buffer {
	char data[BUFFER_ROOM];
	size_t n, done;
};

static struct {
	struct buffer in, out;
	bool raw, input_ended, output_ended;
	struct termios before;
} t;

void terminal_measure(struct container *c)
{
	if (c->plan->tty)
		RAW3(SYS_ioctl, STDIN_FILENO, TIOCGWINSZ, &c->window);
}

void terminal_adopt(struct container *c, int master)
{
	struct termios raw;

	if (master < 0 || c->terminal >= 0)
		return;
	c->terminal = master;
	RAW3(SYS_fcntl, master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (tcgetattr(STDIN_FILENO, &t.before) < 0)
		return;
	raw = t.before;
	cfmakeraw(&raw);
	t.raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static bool is_empty(const struct buffer *b)
{
	return b->done == b->n;
}

void terminal_want(struct container *c, struct pollfd p[3])
{
	int master = c->terminal;
	short events = 0;

	if (master >= 0 && !t.output_ended && is_empty(&t.out))
		events |= POLLIN;
	if (master >= 0 && !is_empty(&t.in))
		events |= POLLOUT;
	p[0] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	p[2] = (struct pollfd){ .fd = events ? master : -1, .events = events };
	if (master >= 0 && !t.input_ended && is_empty(&t.in))
		p[0].fd = STDIN_FILENO;
	if (!is_empty(&t.out))
		p[1].fd = STDOUT_FILENO;
}

/* Returns false at the end of what @fd has to say. */
static bool fill(struct buffer *b, int fd)
{
	long n = sys_read(fd, b->data, sizeof(b->data));

	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	b->n = (size_t)n;
	b->done = 0;
	return true;
}

/* What nobody will ever take is dropped. */
static void empty(struct buffer *b, int fd)
{
	long n = sys_write(fd, b->data + b->done, b->n - b->done);

	if (n > 0)
		b->done += (size_t)n;
	else if (n != -EAGAIN && n != -EINTR)
		b->done = b->n;
}

void terminal_carry(struct container *c, const struct pollfd p[3])
{
	if (p[0].revents && !fill(&t.in, STDIN_FILENO)) {
		t.input_ended = true;
		t.in = (struct buffer){ .data = { END_OF_FILE }, .n = 1 };
	}
	if (p[2].revents & POLLOUT)
		empty(&t.in, c->terminal);
	if (p[2].revents & (POLLIN | POLLHUP) && is_empty(&t.out) && !fill(&t.out, c->terminal))
		t.output_ended = true;
	if (p[2].revents & POLLHUP && t.output_ended)
		t.in.done = t.in.n;
	if (!is_empty(&t.out))
		empty(&t.out, STDOUT_FILENO);
}

void terminal_drain(struct container *c)
{
	bool more = c->terminal >= 0;

	while (more) {
		while (!is_empty(&t.out))
			empty(&t.out, STDOUT_FILENO);
		more = fill(&t.out, c->terminal) && !is_empty(&t.out);
	}
}

void terminal_resize(struct container *c)
{
	terminal_measure(c);
	if (c->terminal >= 0)
		RAW3(SYS_ioctl, c->terminal, TIOCSWINSZ, &c->window);
}

void terminal_restore(struct container *c)
{
	(void)c;
	if (t.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t.before);
	t.raw = false;
}

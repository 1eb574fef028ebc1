// SPDX-License-Identifier: GPL-2.0-or-later
#include "terminal.h"

#include "room.h"
#include "sys.h"

#include <signal.h>
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
	bool raw, input_ended, output_ended;
	bool quoted; /* the next byte typed is no key (VLNEXT) */
	int output;  /* stdout, or the same terminal without blocking */
	struct termios before;
} t;

static ROOM struct buffer in, out;

void terminal_measure(struct container *c)
{
	if (c->plan->tty)
		RAW3(SYS_ioctl, STDIN_FILENO, TIOCGWINSZ, &c->window);
}

/* Never so on a terminal that is not our session's: it knows no job control for us. */
static bool is_in_background(void)
{
	pid_t foreground = 0;

	return RAW3(SYS_ioctl, STDIN_FILENO, TIOCGPGRP, &foreground) == 0 &&
	       foreground != getpgrp();
}

/*
 * Has the kernel stop us, as it stops every program that wants the terminal while in the
 * background, until the shell gives it to us: tcdrain(3) with SIGTTOU open does. It does
 * not where nobody would continue us, or the caller ignores the signal; then the terminal
 * is not ours, and we return false.
 */
static bool await_foreground(void)
{
	const uint64_t ttou = 1ULL << (SIGTTOU - 1);

	if (!is_in_background())
		return true;
	RAW4(SYS_rt_sigprocmask, SIG_UNBLOCK, &ttou, NULL, sizeof(ttou));
	RAW3(SYS_ioctl, STDIN_FILENO, TCSBRK, 1);
	RAW4(SYS_rt_sigprocmask, SIG_BLOCK, &ttou, NULL, sizeof(ttou));
	return !is_in_background();
}

void terminal_take(struct container *c)
{
	struct termios raw;

	if (c->terminal < 0 || !await_foreground())
		return;
	if (!t.raw && tcgetattr(STDIN_FILENO, &t.before) < 0)
		return;
	raw = t.before;
	cfmakeraw(&raw);
	t.raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/*
 * A write that fits in part would wait for a terminal that is not read from: another open
 * file of the same terminal does not wait, and leaves the caller's as it is.
 */
static int open_output(void)
{
	int fd = -1;

	if (isatty(STDOUT_FILENO))
		fd = sys_openat(AT_FDCWD, "/proc/self/fd/1",
				O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	return fd < 0 ? STDOUT_FILENO : fd;
}

/*
 * The other end stays open here, unused: when nobody inside has it open for a moment, that
 * is not the end (EIO). Where it cannot be had, it is.
 */
void terminal_adopt(struct container *c, int master)
{
	if (master < 0 || c->terminal >= 0)
		return;
	c->terminal = master;
	t.output = open_output();
	RAW3(SYS_fcntl, master, F_SETFL, O_RDWR | O_NONBLOCK);
	RAW3(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	terminal_take(c);
}

static bool is_empty(const struct buffer *b)
{
	return b->done == b->n;
}

void terminal_want(struct container *c, struct pollfd p[3])
{
	int master = c->terminal;
	short events = 0;

	if (master >= 0 && !t.output_ended && is_empty(&out))
		events |= POLLIN;
	if (master >= 0 && !is_empty(&in))
		events |= POLLOUT;
	p[0] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	p[2] = (struct pollfd){ .fd = events ? master : -1, .events = events };
	/* A key before the command, or its init, can be sent a signal would be lost. */
	if (master >= 0 && c->ready && !t.input_ended && is_empty(&in) && !is_in_background())
		p[0].fd = STDIN_FILENO;
	if (master >= 0 && !is_empty(&out))
		p[1].fd = t.output;
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

/* The signal that the terminal @mode makes of the byte @typed, or 0. */
static int signal_of(const struct termios *mode, char typed)
{
	static const int keys[][2] = { { VINTR, SIGINT }, { VQUIT, SIGQUIT }, { VSUSP, SIGTSTP } };
	const cc_t byte = (cc_t)typed;
	bool quoted = t.quoted;

	t.quoted = !quoted && mode->c_lflag & ICANON && mode->c_lflag & IEXTEN &&
		   byte == mode->c_cc[VLNEXT];
	if (quoted || !(mode->c_lflag & ISIG) || byte == _POSIX_VDISABLE)
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (byte == mode->c_cc[keys[i][0]])
			return keys[i][1];
	return 0;
}

/* Types what waits. Returns the signal that this sent to the first process's group, or 0. */
static int type(const struct container *c)
{
	struct termios mode;
	size_t at = in.done;
	pid_t foreground = 0;
	int sig = 0;

	/* Of the other end: ioctl_tty(2) on a master asks that. Before it types, as it flushes. */
	RAW3(SYS_ioctl, c->terminal, TIOCGPGRP, &foreground);
	if (tcgetattr(c->terminal, &mode) < 0)
		mode.c_lflag = 0;
	empty(&in, c->terminal);
	for (; at < in.done; at++) {
		int key = signal_of(&mode, in.data[at]);

		sig = key ? key : sig;
	}
	return foreground == c->pid ? sig : 0;
}

int terminal_carry(struct container *c, const struct pollfd p[3])
{
	int sig = 0;

	if (p[0].revents && !fill(&in, STDIN_FILENO) && !is_in_background()) {
		t.input_ended = true;
		in = (struct buffer){ .data = { END_OF_FILE }, .n = 1 };
	}
	if (p[2].revents & POLLOUT)
		sig = type(c);
	if (p[2].revents & (POLLIN | POLLHUP) && is_empty(&out) && !fill(&out, c->terminal))
		t.output_ended = true;
	if (p[2].revents & POLLHUP && t.output_ended)
		in.done = in.n;
	if (p[1].revents)
		empty(&out, t.output);
	return sig;
}

static bool is_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec now = { 0, 0 };

	return RAW5(SYS_ppoll, &p, 1, &now, NULL, 0) == 1;
}

int terminal_drain(struct container *c)
{
	if (c->terminal < 0)
		return -1;
	do {
		while (!is_empty(&out)) {
			if (!is_ready(t.output, POLLOUT))
				return t.output;
			empty(&out, t.output);
		}
	} while (is_ready(c->terminal, POLLIN) && fill(&out, c->terminal) && !is_empty(&out));
	return -1;
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
	if (t.raw && !is_in_background())
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t.before);
	t.raw = false;
}

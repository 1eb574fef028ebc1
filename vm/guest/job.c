// SPDX-License-Identifier: GPL-2.0-or-later
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire.h"

enum { WORDS_MAX = 128 };

struct stream {
	int fd;
	const char *type;
	size_t len;
	char line[WIRE_PAYLOAD_MAX];
};

static struct stream streams[] = { { .fd = -1, .type = "out" }, { .fd = -1, .type = "err" } };
static char job_id[32];
static pid_t job_pid;
static unsigned long job_lines;

bool job_running(void)
{
	return job_pid > 0;
}

/* Undoes %XX in place. */
static char *decode(char *word)
{
	char *to = word;

	for (const char *from = word; *from; from++, to++) {
		char digits[3] = { 0 };

		*to = *from;
		if (*from == '%' && from[1] && from[2]) {
			memcpy(digits, from + 1, 2);
			*to = (char)strtoul(digits, NULL, 16);
			from += 2;
		}
	}
	*to = '\0';
	return word;
}

void job_environment(const char *terminal)
{
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", terminal, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
}

/* The command's process: its own session, no input, output into the pipes, a clean environment. */
static void become_command(char **words, const int *ends)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (chdir("/root") || dup2(null, 0) < 0 || dup2(ends[0], 1) < 0 || dup2(ends[1], 2) < 0)
		_exit(126);
	close(null);
	job_environment("dumb");
	execvp(words[0], words);
	dprintf(2, "init: cannot execute \"%s\": %s\n", words[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void send_exit(int status, int signal)
{
	wire_sendf("exit", "%s %d %d %lu", job_id, status, signal, job_lines);
	job_pid = 0;
}

void job_start(char *request)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	char *words[WORDS_MAX + 1] = { NULL };
	char *rest = request;
	size_t count = 0;

	snprintf(job_id, sizeof(job_id), "%s", strsep(&rest, " "));
	while (rest && count < WORDS_MAX)
		words[count++] = decode(strsep(&rest, " "));
	job_lines = 0;
	if (!count || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		send_exit(127, 0);
		return;
	}
	job_pid = fork();
	if (job_pid == 0)
		become_command(words, (int[]){ out[1], err[1] });
	close(out[1]);
	close(err[1]);
	streams[0].fd = out[0];
	streams[1].fd = err[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	if (job_pid < 0)
		send_exit(127, 0);
}

void job_poll(struct pollfd *fds)
{
	for (size_t i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = streams[i].fd, .events = POLLIN };
}

void job_check_taint(void)
{
	static unsigned long last;
	char text[32] = "";
	unsigned long now;
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	now = strtoul(text, NULL, 10);
	if (now != last)
		wire_sendf("taint", "%lu %lu", last, now);
	last = now;
}

/* Puts a test's result, or the end of a job, into the kernel log too: there it stands in order
 * with the kernel's own words, which come to the host over another channel. */
static void mark_kernel_log(const char *line, size_t len)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "<4>bulkhead: %.*s\n", (int)(len < 200 ? len : 200), line);
	close(fd);
}

static bool is_result(const char *line, size_t len)
{
	return (len > 3 && memcmp(line, "ok ", 3) == 0) ||
	       (len > 7 && memcmp(line, "not ok ", 7) == 0);
}

static void send_line(struct stream *stream)
{
	if (stream->type[0] == 'o' && is_result(stream->line, stream->len)) {
		job_check_taint();
		mark_kernel_log(stream->line, stream->len);
	}
	wire_send(stream->type, stream->line, stream->len);
	job_lines++;
	stream->len = 0;
}

/* Reads one buffer and sends its whole lines. False when there was nothing to read. */
static bool forward(struct stream *stream)
{
	char data[4096];
	ssize_t n = stream->fd < 0 ? 0 : read(stream->fd, data, sizeof(data));

	for (ssize_t i = 0; i < n; i++) {
		if (data[i] != '\n')
			stream->line[stream->len++] = data[i];
		if (data[i] == '\n' || stream->len == sizeof(stream->line))
			send_line(stream);
	}
	if (n == 0 && stream->fd >= 0) {
		close(stream->fd);
		stream->fd = -1;
	}
	return n > 0;
}

void job_forward(void)
{
	for (size_t i = 0; i < 2; i++)
		forward(&streams[i]);
}

/* The job is over: sends what its pipes still hold. A process that outlived it may hold the other
 * end open, so this reads what is there and does not wait for the end of the file. */
static void finish(int status)
{
	char done[64];

	for (size_t i = 0; i < 2; i++) {
		for (int rounds = 0; rounds < 1024 && forward(&streams[i]); rounds++)
			continue;
		if (streams[i].len)
			send_line(&streams[i]);
		if (streams[i].fd >= 0)
			close(streams[i].fd);
		streams[i].fd = -1;
	}
	job_check_taint();
	snprintf(done, sizeof(done), "done %s", job_id);
	mark_kernel_log(done, strlen(done));
	send_exit(WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		  WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void job_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == job_pid)
			finish(status);
}

void job_kill(void)
{
	kill(-1, SIGKILL);
}

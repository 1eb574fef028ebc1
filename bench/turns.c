// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * turns ROUNDS TOGETHER REST COMMAND [ARG]... [;; COMMAND [ARG]...]...
 *
 * Times commands in turn, so that whatever slows the machine slows them all. In each round
 * every command has its turn, in an order drawn anew: what one leaves to the kernel (the
 * teardown of a network namespace, say) delays each of the others as often. A turn starts
 * TOGETHER copies at once, and is the time from before the first is started until the last
 * has been waited for. Before it the machine rests for REST milliseconds: with 0 the
 * kernel may still be busy with what the turn before has left, on a CPU that this one
 * could use. One round in ten, at least one, comes first and is not counted.
 *
 * Prints JSON: for each command, in the order given, its times in microseconds, round by
 * round. A command that ends with a status other than 0 stops it all.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEPARATOR ";;"

extern char **environ;

struct contest {
	int rounds;
	int together;
	int rest_ms;
	int commands;
	char ***argvs;  /* [commands] */
	double *times;  /* [commands][rounds] */
	int *order;     /* [commands] */
	pid_t *running; /* [together] */
};

__attribute__((noreturn)) static void die(const char *what, const char *object)
{
	fprintf(stderr, "turns: cannot %s \"%s\": %s\n", what, object, strerror(errno));
	exit(1);
}

static void *need(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("get memory for", "the contest");
	return memory;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void check_end(pid_t pid, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	fprintf(stderr, "turns: process %d ended by %s %d\n", (int)pid,
		WIFEXITED(status) ? "status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	exit(1);
}

static void rest(const struct contest *c)
{
	const struct timespec time = { .tv_nsec = c->rest_ms * 1000000L };

	if (c->rest_ms && nanosleep(&time, NULL) < 0)
		die("rest before", "a turn");
}

static double take_turn(struct contest *c, char **argv)
{
	double start, end;
	int status;

	rest(c);
	start = end = now_us();
	for (int i = 0; i < c->together; i++) {
		errno = posix_spawnp(&c->running[i], argv[0], NULL, NULL, argv, environ);
		if (errno)
			die("start", argv[0]);
	}
	for (int i = 0; i < c->together; i++) {
		if (waitpid(c->running[i], &status, 0) < 0)
			die("wait for", argv[0]);
		end = now_us();
		check_end(c->running[i], status);
	}
	return end - start;
}

/* Fisher and Yates; the generator is seeded always the same, so a run can be repeated. */
static void shuffle(int *order, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int j = rand() % (i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static void run(struct contest *c)
{
	int warmup = c->rounds / 10 + 1;

	for (int round = -warmup; round < c->rounds; round++) {
		shuffle(c->order, c->commands);
		for (int i = 0; i < c->commands; i++) {
			int command = c->order[i];
			double time = take_turn(c, c->argvs[command]);

			if (round >= 0)
				c->times[command * c->rounds + round] = time;
		}
	}
}

static void print(const struct contest *c, FILE *out)
{
	fputs("[", out);
	for (int command = 0; command < c->commands; command++) {
		fputs(command ? ",\n [" : "[", out);
		for (int round = 0; round < c->rounds; round++)
			fprintf(out, "%s%.1f", round ? ", " : "",
				c->times[command * c->rounds + round]);
		fputs("]", out);
	}
	fputs("]\n", out);
	if (fclose(out))
		die("write", "the times");
}

/* Splits ARGV at each separator, in place. */
static void split(struct contest *c, int argc, char **argv)
{
	c->argvs = need((size_t)argc, sizeof(*c->argvs));
	c->argvs[c->commands++] = argv;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], SEPARATOR) != 0)
			continue;
		argv[i] = NULL;
		c->argvs[c->commands++] = &argv[i + 1];
	}
	for (int i = 0; i < c->commands; i++) {
		if (!c->argvs[i][0]) {
			fputs("turns: a command is empty\n", stderr);
			exit(1);
		}
	}
}

/* The times go to stdout as it was; the commands have /dev/null for stdin and stdout. */
static FILE *set_stdout_aside(void)
{
	int copy = fcntl(1, F_DUPFD_CLOEXEC, 3);
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!out || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		die("redirect", "stdout");
	return out;
}

int main(int argc, char **argv)
{
	static struct contest c;
	FILE *out;

	if (argc > 4) {
		c.rounds = atoi(argv[1]);
		c.together = atoi(argv[2]);
		c.rest_ms = atoi(argv[3]);
	}
	if (c.rounds < 1 || c.rounds > 1000000 || c.together < 1 || c.together > 10000 ||
	    c.rest_ms < 0 || c.rest_ms > 999) {
		fputs("usage: turns ROUNDS TOGETHER REST COMMAND [ARG]... "
		      "[;; COMMAND [ARG]...]...\n",
		      stderr);
		return 1;
	}
	split(&c, argc - 4, argv + 4);
	c.times = need((size_t)c.commands * (size_t)c.rounds, sizeof(*c.times));
	c.order = need((size_t)c.commands, sizeof(*c.order));
	c.running = need((size_t)c.together, sizeof(*c.running));
	for (int i = 0; i < c.commands; i++)
		c.order[i] = i;
	out = set_stdout_aside();
	run(&c);
	print(&c, out);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* bulkhead: a minimal container runtime. See bulkhead(1), and create.c for the story. */
#include "create.h"
#include "features.h"
#include "init.h"
#include "options.h"
#include "terminal.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STATUS_FAILED = 125 };

static struct plan the_plan;
static struct container the_container = {
	.channel = { -1, -1 },
	.init_fd = -1,
	.pidfd = -1,
	.host_pidfd = -1,
	.cgroup = -1,
	.work = -1,
	.signals = -1,
	.terminal = -1,
};

static const char *const stdio_names[] = { "standard input", "standard output", "standard error" };

static int cannot(const char *what, const char *object, const char *why)
{
	char shown[128];

	text_quote(shown, sizeof(shown), object);
	fprintf(stderr, "bulkhead: cannot %s \"%s\": %s\n", what, shown, why);
	return STATUS_FAILED;
}

/* A descriptor of ours must never become 0, 1 or 2 of the command. */
static int open_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

/* A directory of the host's would lead out of the container, to all that is beside it. */
static int refuse_directories(void)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0)
			return cannot("look at", stdio_names[fd], strerror(errno));
		if (S_ISDIR(st.st_mode))
			return cannot("pass on", stdio_names[fd],
				      "it is a directory, which would lead out of the container");
	}
	return 0;
}

/* The flag of close_range(2) came with 5.11; before, every descriptor is marked by hand. */
static int mark_inherited_descriptors(void)
{
	DIR *dir;

	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return -1;
	for (const struct dirent *e; (e = readdir(dir));) {
		int fd = atoi(e->d_name);

		if (fd > 2 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			closedir(dir);
			return -1;
		}
	}
	return closedir(dir);
}

/* What was printed must have arrived: a full disk is a failure. */
static int end_output(FILE *to, int status)
{
	return fflush(to) == 0 && !ferror(to)
		       ? status
		       : cannot("write to", stdio_names[fileno(to)], strerror(errno));
}

static int show_help(FILE *to, int status)
{
	options_help(to);
	return end_output(to, status);
}

static int start(enum verb verb, char **argv)
{
	struct container *c = &the_container;
	int parsed = options_parse(verb, argv, &the_plan);

	if (parsed > 0)
		return show_help(stdout, 0);
	if (parsed < 0 || refuse_directories())
		return STATUS_FAILED;
	/* Beyond `ulimit -f`, --init and the messages want an error, not a signal. */
	signal(SIGXFSZ, SIG_IGN);
	c->plan = &the_plan;
	c->host_pid = getpid();
	terminal_measure(c);
	return verb == VERB_RUN ? container_run(c) : container_stage(c);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "--help";

	if (open_stdio() < 0)
		return cannot("open", "/dev/null", strerror(errno));
	if (mark_inherited_descriptors() < 0)
		return cannot("mark the descriptors in", "/proc/self/fd", strerror(errno));
	if (strcmp(verb, "run") == 0)
		return start(VERB_RUN, argv + 2);
	if (strcmp(verb, "child") == 0)
		return start(VERB_CHILD, argv + 2);
	if (strcmp(verb, INIT_VERB) == 0 && argc > 3)
		return init_main(argv + 2);
	if (strcmp(verb, "features") == 0)
		return end_output(stdout, features_print());
	if (strcmp(verb, "--version") == 0)
		return end_output(stdout, puts("bulkhead " VERSION) < 0);
	if (argc < 2)
		return show_help(stderr, STATUS_FAILED);
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0)
		return show_help(stdout, 0);
	return cannot("do", verb, "there is no such verb (see bulkhead --help)");
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a program, a test of the suite, and in each container that it starts skips one system
 * call of the runtime, which is told that the call succeeded:
 *
 *	saboteur --runtime FILE --command NAME [--log FILE]
 *		[--call GLOB --nth N (--return VALUE | --clear FLAGS)] -- PROGRAM [ARG]...
 *
 * A process that executes FILE is a runtime, and with it all its descendants, until one of
 * them executes NAME, the container's command: from there on nothing is looked at. The log
 * gets a line for each call that isolation depends on: the container's number, the call.
 * The Nth of a container's calls whose text matches GLOB is faked: skipped, with VALUE as its
 * result, or made without the CLONE_* FLAGS. The exit status is the program's.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "saboteur.h"

enum { MAX_TASKS = 4096, MAX_TEXT = 1024, MAX_CONTAINERS = 4096, FAILED = 125 };

/* A traced process or thread; `container` is 0 outside of any, UNKNOWN before its birth is told. */
enum { UNKNOWN = -1 };

struct task {
	pid_t pid;
	int container;
	bool faked; /* within the call that is faked */
	bool held;  /* born, and stopped until its parent tells of it */
};

static struct task tasks[MAX_TASKS];
static struct {
	int matches; /* calls so far that matched --call */
	bool over;   /* its command runs */
} containers[MAX_CONTAINERS];
static int container_count;
static pid_t program;

static struct {
	const char *runtime, *command, *glob;
	int nth;
	long result;
	uint64_t clear;
	FILE *log;
} options;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "saboteur: cannot %s: %s\n", what, strerror(errno));
	exit(FAILED);
}

static struct task *find_task(pid_t pid)
{
	struct task *free_task = NULL;

	for (int i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].pid == pid)
			return &tasks[i];
		if (!tasks[i].pid && !free_task)
			free_task = &tasks[i];
	}
	if (!free_task) {
		errno = EAGAIN;
		die("follow any more processes");
	}
	*free_task = (struct task){ .pid = pid, .container = UNKNOWN };
	return free_task;
}

static bool is_watched(const struct task *task)
{
	return task->container > 0 && !containers[task->container].over;
}

/* A process that was killed meanwhile cannot be resumed: its end will be told. */
static void resume(const struct task *task, int sig)
{
	ptrace(is_watched(task) || task->faked ? PTRACE_SYSCALL : PTRACE_CONT, task->pid, 0, sig);
}

static bool executes(pid_t pid, const char *what, char *text, size_t size)
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	if (!strcmp(what, "exe")) {
		got = readlink(path, text, size - 1);
	} else {
		FILE *file = fopen(path, "re");

		got = file ? (ssize_t)fread(text, 1, size - 1, file) : -1;
		if (file)
			fclose(file);
	}
	text[got < 0 ? 0 : got] = '\0';
	return got > 0;
}

/* A new program: the runtime's begins a container, the command's ends what we look at. */
static bool at_exec(struct task *task)
{
	char text[PATH_MAX];
	unsigned long former = 0;

	ptrace(PTRACE_GETEVENTMSG, task->pid, 0, &former);
	if (former && (pid_t)former != task->pid) {
		struct task *thread = find_task((pid_t)former);

		task->container = thread->container;
		thread->pid = 0;
	}
	task->faked = false;
	if (task->container == 0 && executes(task->pid, "exe", text, sizeof(text)) &&
	    !strcmp(text, options.runtime) && container_count < MAX_CONTAINERS - 1)
		task->container = ++container_count;
	if (!is_watched(task) || !executes(task->pid, "cmdline", text, sizeof(text)) ||
	    strcmp(text, options.command) != 0)
		return true;
	containers[task->container].over = true;
	if (options.log)
		fprintf(options.log, "%d\tcommand\n", task->container);
	task->pid = 0;
	return false;
}

static void at_birth(const struct task *parent)
{
	unsigned long pid = 0;
	struct task *child;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid) || !pid)
		return;
	child = find_task((pid_t)pid);
	child->container = parent->container;
	if (child->held)
		resume(child, 0);
	child->held = false;
}

static void fake(struct task *task, const struct call *call)
{
	if (options.clear) {
		if (!call_clear(call, options.clear))
			die("change the flags of a system call");
		return;
	}
	if (!call_skip(task->pid))
		die("skip a system call");
	task->faked = true;
}

static void at_call(struct task *task)
{
	struct __ptrace_syscall_info info;
	struct call call = { .pid = task->pid };
	char text[MAX_TEXT];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->faked) {
		task->faked = false;
		call_result(task->pid, options.result);
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_watched(task))
		return;
	call.number = info.entry.nr;
	for (int i = 0; i < 6; i++)
		call.argument[i] = info.entry.args[i];
	if (!call_text(&call, text, sizeof(text)))
		return;
	if (options.log)
		fprintf(options.log, "%d\t%s\n", task->container, text);
	if (options.glob && !fnmatch(options.glob, text, 0) &&
	    ++containers[task->container].matches == options.nth)
		fake(task, &call);
}

/* The process stopped; it is resumed, or let go. */
static void at_stop(struct task *task, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE: at_birth(task); break;
	case PTRACE_EVENT_EXEC: {
		pid_t pid = task->pid;

		if (!at_exec(task)) {
			ptrace(PTRACE_DETACH, pid, 0, 0);
			return;
		}
		break;
	}
	case PTRACE_EVENT_STOP:
		if (task->container == UNKNOWN) {
			task->held = true;
			return;
		}
		if (sig != SIGTRAP) {
			ptrace(PTRACE_LISTEN, task->pid, 0, 0);
			return;
		}
		break;
	default:
		if (sig != (SIGTRAP | 0x80)) {
			resume(task, sig);
			return;
		}
		at_call(task);
	}
	resume(task, 0);
}

static int follow(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			at_stop(find_task(pid), status);
			continue;
		}
		find_task(pid)->pid = 0;
		if (pid == program)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	die("wait for the program");
}

static void pass_on(int sig)
{
	kill(program, sig);
}

static void start(char **argv)
{
	const long follow_all = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
				PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int go[2];
	char byte = 0;

	if (pipe(go))
		die("make a pipe");
	program = fork();
	if (program < 0)
		die("fork");
	if (program == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(FAILED);
		close(go[0]);
		execvp(argv[0], argv);
		die("execute the program");
	}
	close(go[0]);
	find_task(program)->container = 0;
	if (ptrace(PTRACE_SEIZE, program, 0, follow_all))
		die("trace the program");
	signal(SIGTERM, pass_on);
	signal(SIGINT, pass_on);
	if (write(go[1], &byte, 1) != 1)
		die("start the program");
	close(go[1]);
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "runtime", required_argument, NULL, 'r' },
		{ "command", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' },
		{ "call", required_argument, NULL, 'g' },
		{ "nth", required_argument, NULL, 'n' },
		{ "return", required_argument, NULL, 'v' },
		{ "clear", required_argument, NULL, 'f' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) >= 0) {
		switch (option) {
		case 'r': options.runtime = optarg; break;
		case 'c': options.command = optarg; break;
		case 'g': options.glob = optarg; break;
		case 'n': options.nth = (int)strtol(optarg, NULL, 0); break;
		case 'v': options.result = strtol(optarg, NULL, 0); break;
		case 'f': options.clear = strtoull(optarg, NULL, 0); break;
		case 'l':
			options.log = fopen(optarg, "we");
			if (!options.log)
				die("open the log");
			break;
		default: exit(FAILED);
		}
	}
	if (!options.runtime || !options.command || !argv[optind]) {
		fprintf(stderr, "saboteur: cannot start: --runtime, --command or the program "
				"is missing\n");
		exit(FAILED);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	start(argv + optind);
	return follow();
}

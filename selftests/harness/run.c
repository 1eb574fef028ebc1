// SPDX-License-Identifier: GPL-2.0-or-later
/* One run of one test: start it, watch it, clean up after it, judge it. */
#include "harness.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

enum {
	DEFAULT_TIMEOUT = 30, /* seconds */
	GRACE_MS = 2000,      /* for the others of a test when one of its processes gave up */
	GLANCE_MS = 500,      /* how often to see whether one did */
};

static volatile sig_atomic_t signalled;

static void take_signal(int number)
{
	signalled = number;
}

/* What nohup(1) or a shell told the runner to ignore stays ignored. */
static void handle_unless_ignored(int number)
{
	const struct sigaction action = { .sa_handler = take_signal };
	struct sigaction old;

	if (!sigaction(number, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

/*
 * A signal ends the running test and then the runner, which clears up first; so does the
 * end of whoever reads the results.
 */
void run_interruptible(void)
{
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &(const sigset_t){ 0 }, NULL);
	handle_unless_ignored(SIGINT);
	handle_unless_ignored(SIGTERM);
	handle_unless_ignored(SIGHUP);
	signal(SIGPIPE, take_signal);
}

int run_interrupted(void)
{
	return signalled;
}

static pid_t runner;

void die_with(pid_t starter)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != starter)
		_exit(1);
}

/* Whoever starts the program must not decide its tests: signals, umask, files that crashes make. */
static void start_plainly(void)
{
	struct rlimit core;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	umask(022);
	if (!getrlimit(RLIMIT_CORE, &core)) {
		core.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &core);
	}
}

/* The test's own process: the host side from here on. */
static _Noreturn void host_side(const struct run *run)
{
	struct fd_set_seen before;

	die_with(runner);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	start_plainly();
	output_take();
	leaks_close();
	self_ = (struct self){ .run = run, .born = true };
	stand_at(run->test->file, run->test->line);
	if (chdir(stage_scratch()))
		broken_there("cannot enter %s: %s", stage_scratch(), strerror(errno));
	if (!options.subject && (run->test->needs & NEED(admin)))
		enter_own_userns();
	fds_note(&before);
	if (run->test->fixture)
		run->test->fixture->setup();
	run->test->run(run->row);
	fflush(NULL);
	duet_end();
	fds_compare(&before);
	_exit(0);
}

static _Noreturn void cleanup_side(const struct run *run)
{
	self_ = (struct self){ .run = run, .born = true };
	start_plainly();
	output_take();
	leaks_close();
	if (!chdir(stage_scratch()))
		run->test->fixture->cleanup();
	_exit(0);
}

/* fork(2), into the program's cgroup where there is one and nobody else needs the place. */
static pid_t fork_contained(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int cgroup = options.subject ? -1 : contain_cgroup_fd();
	pid_t pid;

	if (cgroup < 0)
		return fork();
	args.flags = CLONE_INTO_CGROUP;
	args.cgroup = cgroup;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid)
		close(cgroup);
	return pid < 0 ? fork() : pid;
}

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits for the process while draining its output. False when time ran out. */
static bool watch(pid_t pid, unsigned seconds, int *status)
{
	struct pollfd wait[2] = { { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
				  { .fd = output_fd(), .events = POLLIN } };
	long long deadline = now_ms() + seconds * 1000LL;
	bool ended = false;

	while (!ended) {
		long long left = deadline - now_ms();

		if (board->gave_up && left > GRACE_MS) {
			left = GRACE_MS;
			deadline = now_ms() + left;
		}
		if (left <= 0 || signalled)
			break;
		poll(wait, 2, left < GLANCE_MS ? left : GLANCE_MS);
		output_drain();
		ended = wait[0].revents;
	}
	close_fd(&wait[0].fd);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return ended;
}

static struct outcome verdict(enum verdict word, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct outcome verdict(enum verdict word, const char *format, ...)
{
	struct outcome outcome = { .verdict = word };
	va_list list;

	va_start(list, format);
	vsnprintf(outcome.why, sizeof(outcome.why), format, list);
	va_end(list);
	return outcome;
}

static void say_where_stuck(const struct test *test)
{
	for (int side = 0; side < SIDES; side++)
		if (board->line[side])
			say("%s:%d: %s was last seen here", test->file, board->line[side],
			    side_name(side));
}

/* The host side's end and what is on the board, the gravest first. */
static struct outcome judge(const struct run *run, bool in_time, unsigned seconds, int status)
{
	if (signalled)
		return verdict(BROKEN, "interrupted");
	if (!in_time)
		say_where_stuck(run->test);
	if (!in_time && !board->gave_up)
		return verdict(TIMEOUT, "%u s", seconds);
	if (in_time && WIFSIGNALED(status)) {
		say_where_stuck(run->test);
		return verdict(CRASH, "%s", strsignal(WTERMSIG(status)));
	}
	if (board->crashed)
		return verdict(CRASH, "%s", "");
	if (board->failed)
		return verdict(FAIL, "%s", "");
	if (board->broken)
		return verdict(BROKEN, "%s", "");
	if (board->skipped)
		return verdict(SKIP, "%s", board->skip_reason);
	if (status || !board->finished[0])
		return verdict(CRASH, "exit status %d before the end", WEXITSTATUS(status));
	if (!board->checks)
		return verdict(FAIL, "no check was performed");
	return verdict(PASS, "%s", "");
}

static void clean_up(const struct run *run, unsigned seconds)
{
	pid_t pid;
	int status;

	if (!run->test->fixture)
		return;
	pid = fork_contained();
	if (!pid)
		cleanup_side(run);
	if (pid < 0 || !watch(pid, seconds, &status) || status) {
		board->broken++;
		say("%s:%d: the fixture's cleanup did not end well", run->test->file,
		    run->test->line);
	}
}

/* What the command line says may be longer than what the test declares, for slow machines. */
static unsigned time_limit(const struct test *test)
{
	if (options.timeout > test->timeout)
		return options.timeout;
	return test->timeout ? test->timeout : DEFAULT_TIMEOUT;
}

struct outcome run_once(const struct run *run)
{
	unsigned seconds = time_limit(run->test);
	char names[96], things[160];
	struct outcome outcome;
	int status = 0;
	bool in_time;
	pid_t pid;

	board_reset();
	runner = getpid();
	self_ = (struct self){ .run = run };
	pid = fork_contained();
	if (!pid)
		host_side(run);
	if (pid < 0)
		return verdict(BROKEN, "fork: %s", strerror(errno));
	in_time = watch(pid, seconds, &status);
	contain_leftovers(names, sizeof(names));
	/* Of a test that was cut short it is no surprise; it is only cleaned up. */
	if (!in_time || status)
		names[0] = 0;
	clean_up(run, seconds);
	output_drain();
	leaks_look(things, sizeof(things));
	outcome = judge(run, in_time, seconds, status);
	if (names[0])
		say("left behind: process %s", names);
	if (things[0])
		say("left behind: %s", things);
	if ((names[0] || things[0]) && (outcome.verdict == PASS || outcome.verdict == SKIP))
		outcome = verdict(LEAK, "%s%s%s%s", names[0] ? "process " : "", names,
				  names[0] && things[0] ? ", " : "", things);
	return outcome;
}

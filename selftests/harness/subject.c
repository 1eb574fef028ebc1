// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Through a subject: the test program, bound into the container, is the
 * container's command. Its stdin is the socket to the host, the only thing that
 * every runtime passes on; the board's memfd travels over it by SCM_RIGHTS.
 */
#include "harness.h"

struct subject subject;

/* Where the test program stands inside. */
static const char inside_path[] = "/selftest";

struct arguments {
	const char *list[64];
	size_t count;
	char space[4096];
	size_t used;
};

static void add(struct arguments *arguments, const char *option, const char *value)
{
	if (arguments->count + 3 > sizeof(arguments->list) / sizeof(arguments->list[0]))
		broken_there("too many arguments for the subject");
	arguments->list[arguments->count++] = option;
	if (value)
		arguments->list[arguments->count++] = value;
}

static const char *own_program(void)
{
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0)
		broken_there("cannot read /proc/self/exe: %s", strerror(errno));
	path[length] = 0;
	return path;
}

static void add_list(struct arguments *arguments, const char *option, const char *const *values)
{
	for (size_t i = 0; i < 4 && values[i]; i++)
		add(arguments, option, values[i]);
}

static const char *root_for(const struct container *want)
{
	return want->rootfs ? want->rootfs : options.rootfs;
}

const char *subject_adapter(void)
{
	return options.subject;
}

const char *subject_rootfs(void)
{
	return options.rootfs;
}

const char *subject_name(void)
{
	return subject.name;
}

static void add_options(struct arguments *arguments, const struct container *want)
{
	static char program[PATH_MAX + 32];

	snprintf(program, sizeof(program), "%s:%s:ro", own_program(), inside_path);
	add(arguments, options.subject, "run");
	add(arguments, "--rootfs", root_for(want));
	/* A bind in the host's mount namespace would be one of the host's. */
	if (!want->share || strcmp(want->share, "mnt"))
		add(arguments, "--bind", program);
	if (want->hostname)
		add(arguments, "--hostname", want->hostname);
	if (want->domainname)
		add(arguments, "--domainname", want->domainname);
	add_list(arguments, "--bind", want->bind);
	add_list(arguments, "--tmpfs", want->tmpfs);
	add_list(arguments, "--env", want->env);
	add_list(arguments, "--sysctl", want->sysctl);
	add_list(arguments, "--oci", want->oci);
	if (want->share)
		add(arguments, "--share", want->share);
	if (want->join)
		add(arguments, "--join", want->join);
	if (want->user)
		add(arguments, "--user", want->user);
	if (want->read_only)
		add(arguments, "--read-only", NULL);
	if (want->userns)
		add(arguments, "--userns", NULL);
	if (want->memory)
		add(arguments, "--memory", want->memory);
	if (want->pids)
		add(arguments, "--pids", want->pids);
	if (want->cpus)
		add(arguments, "--cpus", want->cpus);
}

/*
 * Runtimes that cannot make a mount point find it there; once for the program, so
 * that it stays while any container runs. A root that cannot be written to must
 * bring it, and a runtime that then fails says so.
 */
static char mount_point[PATH_MAX];

void subject_prepare(void)
{
	int fd;

	snprintf(mount_point, sizeof(mount_point), "%s%s", options.rootfs, inside_path);
	fd = open(mount_point, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0755);
	if (fd < 0)
		mount_point[0] = 0;
	close_fd(&fd);
}

void subject_clear(void)
{
	if (mount_point[0])
		unlink(mount_point);
}

/* Starts the adapter with one end of the sockets; the board waits for its command there. */
static pid_t start(const struct arguments *arguments, int side, const int sockets[2])
{
	const struct message welcome = { .kind = HELLO, .value = side, .fd = board_fd };
	pid_t pid, host = getpid();

	if (!message_send(sockets[0], &welcome))
		broken_there("cannot send the board: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		world_broken("fork for", options.subject);
	if (pid)
		return pid;
	die_with(host);
	dup2(sockets[1], 0);
	execv(options.subject, (char *const *)arguments->list);
	world_broken("execute", options.subject);
}

pid_t launch_subject(const struct container *want, int side, int sockets[2])
{
	struct arguments arguments = { .count = 0 };
	char row[24];

	snprintf(row, sizeof(row), "%zu", self_.run->row_index);
	add_options(&arguments, want);
	add(&arguments, "--", inside_path);
	add(&arguments, "--inside", self_.run->test->name);
	add(&arguments, row, NULL);
	return start(&arguments, side, sockets);
}

/* The adapter names a container after its process. */
pid_t launch_added(pid_t container, int sockets[2])
{
	struct arguments arguments = { .count = 0 };
	char id[32];

	snprintf(id, sizeof(id), CGROUP_PREFIX "%d", container);
	add(&arguments, options.subject, "exec");
	add(&arguments, "--id", id);
	add(&arguments, "--", inside_path);
	add(&arguments, "--inside", self_.run->test->name);
	add(&arguments, "0", NULL);
	return start(&arguments, TRIAL, sockets);
}

/* The meeting point is stdin, or descriptor 3 of a runtime that puts pipes in between. */
static void find_meeting_point(void)
{
	struct stat status;

	if (!fstat(0, &status) && S_ISSOCK(status.st_mode))
		return;
	if (fstat(3, &status) || !S_ISSOCK(status.st_mode))
		_exit(2);
	dup2(3, 0);
	close(3);
}

/* Says which PID it has, and stays until the host is gone. */
static _Noreturn void stay(void)
{
	struct message message = { .kind = HELLO, .value = getpid(), .fd = -EBADF };

	message_send(0, &message);
	message_receive(0, 0, &message);
	_exit(0);
}

/* The container's command: find the test again and enter the same function. */
void inside_main(int argc, char **argv)
{
	struct run run = { 0 };
	struct message welcome;
	struct test **tests;
	size_t count;

	find_meeting_point();
	if (argc != 4 || !message_receive(0, 0, &welcome) || welcome.fd < 0)
		_exit(2);
	board_adopt(welcome.fd);
	if (welcome.value == TRIAL)
		stay();
	self_.side = welcome.value;
	self_.socket[0] = 0;
	tests = registry_sorted(&count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(tests[i]->name, argv[2]))
			run.test = tests[i];
	if (!run.test)
		broken_there("the program inside has no test \"%s\"", argv[2]);
	run.row_index = strtoul(argv[3], NULL, 10);
	run.row = (const char *)run.test->rows + run.row_index * run.test->row_size;
	self_.run = &run;
	free(tests);
	hello_send(0);
	run.test->run(run.row);
	duet_end();
	_exit(0);
}

static void take_key(const char *line)
{
	static const struct {
		const char *key;
		char *value;
		size_t size;
	} keys[] = {
		{ "name=", subject.name, sizeof(subject.name) },
		{ "version=", subject.version, sizeof(subject.version) },
		{ "reason=", subject.reason, sizeof(subject.reason) },
		{ "provides=", subject.provides, sizeof(subject.provides) },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strncmp(line, keys[i].key, strlen(keys[i].key)))
			snprintf(keys[i].value, keys[i].size, "%.*s",
				 (int)strcspn(line + strlen(keys[i].key), "\n"),
				 line + strlen(keys[i].key));
	if (!strncmp(line, "available=yes", 13))
		subject.available = true;
}

void subject_describe(void)
{
	char line[1024], command[PATH_MAX + 16];
	FILE *answer;

	snprintf(command, sizeof(command), "'%s' describe", options.subject);
	answer = popen(command, "re");
	while (answer && fgets(line, sizeof(line), answer))
		take_key(line);
	if (!answer || pclose(answer) || !subject.name[0]) {
		fprintf(stderr, "selftest: cannot describe subject \"%s\": its `describe` failed\n",
			options.subject);
		exit(64);
	}
}

bool subject_provides(const char *what)
{
	const char *at = subject.provides;
	size_t length = strlen(what);

	while ((at = strstr(at, what))) {
		bool starts = at == subject.provides || at[-1] == ' ';

		if (starts && (at[length] == ' ' || !at[length]))
			return true;
		at += length;
	}
	return false;
}

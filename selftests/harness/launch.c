// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CONTAINER: starts the container's process, raw with clone3 or through the
 * subject, and waits until it stands at the same place of the test's function.
 */
#include "harness.h"

/* What fails here is the doing of the test's CONTAINER line, and told with it. */
static void must_do(long result, const char *what, const char *object)
{
	if (result == -1)
		world_broken(what, object);
}

/* Raw, inside: what the container asks for beyond its namespaces. */
static void set_up_mounts(const struct container *want)
{
	if (!(want->unshare & CLONE_NEWNS))
		return;
	if (!want->keep_propagation)
		must_private_("/");
	if (want->proc)
		must_mount_("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	for (size_t i = 0; i < 4 && want->tmpfs[i]; i++)
		must_tmpfs_(want->tmpfs[i]);
}

static void set_up_bind(const char *bind)
{
	char source[PATH_MAX], *target, *option;

	snprintf(source, sizeof(source), "%s", bind);
	target = strchr(source, ':');
	if (!target)
		broken_there(".bind \"%s\" is not SOURCE:DESTINATION[:ro]", bind);
	*target++ = 0;
	option = strchr(target, ':');
	if (option)
		*option++ = 0;
	must_mount_(source, target, NULL, MS_BIND | MS_REC, NULL);
	if (option && !strcmp(option, "ro"))
		must_mount_(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

static void set_up_raw(const struct container *want)
{
	set_up_mounts(want);
	for (size_t i = 0; i < 4 && want->bind[i]; i++)
		set_up_bind(want->bind[i]);
	if (want->hostname)
		must_do(sethostname(want->hostname, strlen(want->hostname)), "set the hostname",
			want->hostname);
	if (want->domainname)
		must_do(setdomainname(want->domainname, strlen(want->domainname)),
			"set the domainname", want->domainname);
	for (size_t i = 0; i < 4 && want->env[i]; i++)
		must_do(putenv((char *)want->env[i]), "set in the environment", want->env[i]);
	if (want->read_only || want->memory || want->pids || want->cpus || want->share ||
	    want->join || want->user || want->sysctl[0] || want->oci[0])
		broken_there("a raw container has no such option");
}

/* Host side, raw: the id map of the new user namespace. */
static void write_maps(pid_t pid, const struct container *want)
{
	char path[64], map[64];

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	must_write_(path, "%s", want->uid_map ? want->uid_map : map);
	if (geteuid()) {
		snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
		must_write_(path, "deny");
	}
	snprintf(map, sizeof(map), "0 %u 1", getegid());
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	must_write_(path, "%s", want->gid_map ? want->gid_map : map);
}

/* Host side: the container's first process has said that it stands at its place. */
static bool is_there(int side)
{
	struct message hello;

	if (!message_receive(self_.socket[side], self_.process[side], &hello) ||
	    hello.kind != HELLO)
		return false;
	self_.pid[side] = hello.pid;
	if (through_subject())
		cgroups_note(hello.pid);
	return true;
}

static void become_inside(int side, int socket)
{
	for (int other = 1; other < SIDES; other++) {
		close_fd(&self_.socket[other]);
		self_.socket[other] = -EBADF;
	}
	self_.side = side;
	self_.socket[0] = socket;
	self_.process[0] = 0;
}

pid_t launch_raw(const struct container *want, int side, int sockets[2])
{
	uint64_t flags = want->unshare | (want->userns ? CLONE_NEWUSER : 0);
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	struct message start = { .kind = HELLO, .fd = -EBADF };
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	must_do(pid, "clone3 the", "container");
	if (pid) {
		if (flags & CLONE_NEWUSER)
			write_maps(pid, want);
		message_send(sockets[0], &start);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close(sockets[0]);
	become_inside(side, sockets[1]);
	if (!message_receive(sockets[1], 0, &start))
		_exit(1);
	if ((flags & CLONE_NEWUSER) && !want->uid_map)
		must_do(setresuid(0, 0, 0), "become", "uid 0");
	set_up_raw(want);
	hello_send(sockets[1]);
	return 0;
}

/* What the subject must provide for this container. */
static void need_provided(const struct container *want)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} namespaces[] = {
		{ CLONE_NEWUTS, "uts" },       { CLONE_NEWPID, "pid" },   { CLONE_NEWNS, "mnt" },
		{ CLONE_NEWIPC, "ipc" },       { CLONE_NEWNET, "net" },   { CLONE_NEWUSER, "user" },
		{ CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" },
	};
	const struct {
		bool wanted;
		const char *name;
	} options_[] = {
		{ want->hostname, "hostname" },   { want->domainname, "domainname" },
		{ want->bind[0], "bind" },        { want->tmpfs[0], "tmpfs" },
		{ want->memory, "memory" },       { want->pids, "pids" },
		{ want->cpus, "cpus" },           { want->userns, "user" },
		{ want->read_only, "read-only" }, { want->share, "share" },
		{ want->join, "join" },           { want->user, "run-as" },
		{ want->sysctl[0], "sysctl" },    { want->oci[0], "oci" },
	};

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if ((want->unshare & namespaces[i].flag) && !subject_provides(namespaces[i].name))
			skip_now("subject-lacks:%s", namespaces[i].name);
	for (size_t i = 0; i < sizeof(options_) / sizeof(options_[0]); i++)
		if (options_[i].wanted && !subject_provides(options_[i].name))
			skip_now("subject-lacks:%s", options_[i].name);
}

/* An adapter's word for an option that its runtime has not: nothing has run. */
static void need_option(int status)
{
	if (through_subject() && WIFEXITED(status) && WEXITSTATUS(status) == 95)
		skip_now("subject-lacks:option-asked-for");
}

/* How a container that never came up is told: its own words first. */
static _Noreturn void never_came_up(int side, const char *file, int line)
{
	int status = container_wait_(side);

	if (told())
		_exit(1);
	need_option(status);
	check_broken(file, line, "the container did not start: %s %d",
		     WIFSIGNALED(status) ? "signal" : "exit status",
		     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void make_sockets(int sockets[2])
{
	int on = 1;

	must_do(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), "make", "sockets");
	must_do(setsockopt(sockets[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), "ask for",
		"credentials");
}

static bool try_container(const struct container *want)
{
	struct message hello;
	int sockets[2], status;
	bool started;
	pid_t pid;

	need_provided(want);
	make_sockets(sockets);
	fflush(NULL);
	pid = launch_subject(want, TRIAL, sockets);
	close(sockets[1]);
	started = message_receive(sockets[0], pid, &hello) && hello.kind == HELLO;
	close(sockets[0]);
	status = must_wait_(pid);
	need_option(status);
	note("%s: exit status %d", started ? "started" : "did not start", WEXITSTATUS(status));
	return started;
}

/* Where no container starts, that this one does not says nothing about it. */
bool container_starts(const char *file, int line, const struct container *want)
{
	static const struct container plain;

	if (!on_host())
		return true;
	stand_at(file, line);
	if (!through_subject())
		broken_there("CONTAINER_STARTS() works through a subject only");
	if (try_container(want))
		return true;
	if (!try_container(&plain))
		broken_there("no container starts, whatever is asked for");
	return false;
}

struct added must_add_(int side)
{
	struct added added = { 0 };
	struct message hello;
	int sockets[2];

	if (!on_host() || !through_subject())
		broken_there("must_add() belongs to the host side, through a subject");
	if (!subject_provides("exec"))
		skip_now("subject-lacks:exec");
	make_sockets(sockets);
	fflush(NULL);
	added.runtime = launch_added(self_.process[side], sockets);
	close(sockets[1]);
	added.socket = sockets[0];
	if (!message_receive(added.socket, added.runtime, &hello) || hello.kind != HELLO)
		broken_there("the process was not added");
	added.pid = hello.pid;
	added.inside = hello.value;
	return added;
}

void added_end(const struct added *added)
{
	int status;

	close(added->socket);
	status = must_wait_(added->runtime);
	if (status)
		broken_there("the added process ended with wait status %#x", status);
}

void container_start(const char *file, int line, const struct container *want)
{
	int side = want->name ? want->name : 1, sockets[2];

	if (!on_host()) {
		/* Re-executed through a subject: this is the place where we already are. */
		self_.born |= self_.side == side;
		return;
	}
	stand_at(file, line);
	if (through_subject())
		need_provided(want);
	make_sockets(sockets);
	fflush(NULL);
	self_.process[side] =
		(through_subject() ? launch_subject : launch_raw)(want, side, sockets);
	if (!on_host())
		return;
	close(sockets[1]);
	self_.socket[side] = sockets[0];
	if (!is_there(side))
		never_came_up(side, file, line);
}

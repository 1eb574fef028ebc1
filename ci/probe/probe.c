// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command that tests run in a container: it tells what it finds, a fact a line, and
 * judges nothing. "probe report" tells its own state, "probe calls" what system calls give,
 * "probe signals" which signals arrive. It shares no code with what it looks at.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

/* Each line of a file, after WORD. */
static void tell_file(const char *word, const char *path)
{
	char line[8192];
	FILE *file = fopen(path, "re");

	if (!file) {
		printf("%s error %d\n", word, errno);
		return;
	}
	while (fgets(line, sizeof(line), file))
		printf("%s %s%s", word, line, strchr(line, '\n') ? "" : "\n");
	fclose(file);
}

/* The target of each link in a directory, but for the descriptor that reads it. */
static void tell_links(const char *word, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char target[4096];
	ssize_t n;

	if (!dir) {
		printf("%s error %d\n", word, errno);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("%s %s %s\n", word, entry->d_name, target);
	}
	closedir(dir);
}

static void tell_names(void)
{
	struct utsname names;
	char cwd[4096] = "?";

	uname(&names);
	printf("hostname %s\ndomainname %s\n", names.nodename, names.domainname);
	/* The system call itself: the C library hides "(unreachable)". */
	syscall(SYS_getcwd, cwd, sizeof(cwd));
	printf("cwd %s\n", cwd);
	for (char **entry = environ; *entry; entry++)
		printf("env %s\n", *entry);
}

static void tell_process(void)
{
	mode_t mask = umask(0);
	char session[256] = "";

	printf("pid %d\nppid %d\npgid %d\nsid %d\n", getpid(), getppid(), getpgrp(), getsid(0));
	printf("umask %03o\n", mask);
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("scheduler %ld\n", syscall(SYS_sched_getscheduler, 0));
	printf("ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("timerslack %d\n", prctl(PR_GET_TIMERSLACK));
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
	printf("personality %ld\n", syscall(SYS_personality, 0xffffffffUL));
	printf("securebits %d\n", prctl(PR_GET_SECUREBITS));
	/* KEYCTL_DESCRIBE of KEY_SPEC_SESSION_KEYRING */
	if (syscall(SYS_keyctl, 6, -3, session, sizeof(session)) < 0)
		printf("keyring error %d\n", errno);
	else
		printf("keyring %s\n", session);
}

static void tell_network(void)
{
	struct if_nameindex *all = if_nameindex();
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (struct if_nameindex *one = all; one && one->if_index; one++) {
		memset(&request, 0, sizeof(request));
		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", one->if_name);
		ioctl(fd, SIOCGIFFLAGS, &request);
		printf("interface %s %s\n", one->if_name,
		       request.ifr_flags & IFF_UP ? "up" : "down");
	}
	if_freenameindex(all);
	close(fd);
}

static void report(void)
{
	tell_links("fd", "/proc/self/fd");
	tell_process();
	tell_names();
	tell_network();
	tell_links("ns", "/proc/self/ns");
	tell_file("status", "/proc/self/status");
	tell_file("mount", "/proc/self/mountinfo");
	tell_file("cgroup", "/proc/self/cgroup");
	tell_file("uid_map", "/proc/self/uid_map");
	tell_file("gid_map", "/proc/self/gid_map");
	tell_file("setgroups", "/proc/self/setgroups");
	tell_file("oom_score_adj", "/proc/self/oom_score_adj");
}

/* Says "ready", then each signal that arrives; SIGTERM ends it with status 7. */
static int signals(void)
{
	siginfo_t info;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	puts("ready");
	for (;;) {
		if (sigwaitinfo(&all, &info) < 0)
			continue;
		printf("signal %d\n", info.si_signo);
		if (info.si_signo == SIGTERM)
			return 7;
	}
}

/*
 * Leaves an orphan that ends with status 9, and waits for its end without reaping it: says
 * "reaped" when somebody else did, "zombie" when it is still there after a second.
 */
static int orphan(void)
{
	int pipe_fd[2];
	char path[32];
	pid_t pid = 0;

	if (pipe(pipe_fd) < 0)
		return 1;
	if (fork() == 0) {
		pid = fork();
		if (pid == 0) {
			close(pipe_fd[1]);
			_exit(9);
		}
		_exit(write(pipe_fd[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	close(pipe_fd[1]);
	if (wait(NULL) < 0 || read(pipe_fd[0], &pid, sizeof(pid)) != sizeof(pid))
		return 1;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	for (int i = 0; i < 1000; i++) {
		if (access(path, F_OK) < 0) {
			puts("reaped");
			return 0;
		}
		poll(NULL, 0, 1);
	}
	puts("zombie");
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "report";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(verb, "report") == 0)
		report();
	else if (strcmp(verb, "calls") == 0)
		calls();
	else if (strcmp(verb, "signals") == 0)
		return signals();
	else if (strcmp(verb, "orphan") == 0)
		return orphan();
	else if (strcmp(verb, "tiocsti") == 0)
		return tiocsti();
	else
		return 64;
	return 0;
}

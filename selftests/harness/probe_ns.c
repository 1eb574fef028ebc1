// SPDX-License-Identifier: GPL-2.0-or-later
/* Probes for what is asked about namespaces of users, cgroups, time and network. */
#include "harness.h"
#include "link.h"
#include "probe.h"

bool probe_machine_calls(void)
{
	return has_syscall(SYS_delete_module) && has_syscall(SYS_init_module) &&
	       has_syscall(SYS_kexec_load) && has_syscall(SYS_swapoff) && has_syscall(SYS_acct) &&
	       has_syscall(SYS_fanotify_init);
}

bool probe_nsdelegate(void)
{
	char line[1024];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	bool found = false;

	while (mounts && fgets(line, sizeof(line), mounts))
		found |= strstr(line, " - cgroup2 ") && strstr(line, "nsdelegate");
	if (mounts)
		fclose(mounts);
	return found;
}

bool probe_listns(void)
{
	return has_syscall(SYS_listns);
}

static long long boot_time(void)
{
	const char *line = strstr(must_read("/proc/stat"), "btime ");

	return line ? strtoll(line + strlen("btime "), NULL, 10) : 0;
}

static bool shifts_boot_time(uint64_t unused)
{
	long long outside = boot_time();
	pid_t pid;
	int status;

	(void)unused;
	if (!may_unshare(CLONE_NEWTIME))
		return false;
	must_write("/proc/self/timens_offsets", "boottime 100000 0");
	pid = fork();
	if (!pid)
		_exit(boot_time() > outside - 50000);
	return waitpid(pid, &status, 0) == pid && !status;
}

bool probe_timens_stat(void)
{
	return exists("/proc/self/timens_offsets") && try_in_fork(shifts_boot_time, 0);
}

static bool makes_veth(uint64_t unused)
{
	(void)unused;
	return may_unshare(CLONE_NEWNET) && !link_add("veth", "probe", "peer");
}

bool probe_veth(void)
{
	return try_in_fork(makes_veth, 0);
}

bool probe_netns_cookie(void)
{
	_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	return !getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
}

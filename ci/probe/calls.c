// SPDX-License-Identifier: GPL-2.0-or-later
/* System calls that a container must not have: tried, with arguments that do no harm. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define NOWHERE         ((long)"/nonexistent")
#define CALL(call, ...) NAMED(#call, SYS_##call, __VA_ARGS__)
#define NAMED(text, nr, ...)                                                                       \
	{                                                                                          \
		.name = (text), .number = (nr), .argument = { __VA_ARGS__ }                        \
	}

/* Should one of them get through it fails for its arguments, or touches this process only. */
static const struct call {
	const char *name;
	long number, argument[5];
} table[] = {
	CALL(acct, NOWHERE),
	CALL(add_key, (long)"user", (long)"probe", (long)"x", 1, -1),
	CALL(bpf, 0),
	CALL(clock_settime, 0, 0),
	NAMED("clone_newuser", SYS_clone, CLONE_NEWUSER | SIGCHLD),
	CALL(clone3, 0, 0),
	CALL(delete_module, NOWHERE),
	CALL(finit_module, -1, (long)""),
	NAMED("fsopen", 430, (long)"tmpfs"),
	NAMED("fspick", 433, -1, NOWHERE),
	CALL(init_module, 0, 0, (long)""),
	NAMED("io_uring_setup", 425, 0, 0),
	CALL(kcmp, 1, 1, 0),
	CALL(kexec_load, 0, -1, 0, 0),
	CALL(keyctl, 0, -3, 0),
	CALL(lookup_dcookie, 0),
	CALL(mbind, 0, 0, 77),
	CALL(mount, NOWHERE, NOWHERE, 0, 0x1000),
	NAMED("mount_setattr", 442, -1, NOWHERE),
	NAMED("move_mount", 429, -1, NOWHERE, -1, NOWHERE),
	CALL(move_pages, 0, 0),
	CALL(open_by_handle_at, -1, 0, 0),
	NAMED("open_tree", 428, -1, NOWHERE),
	CALL(perf_event_open, 0),
	NAMED("personality_aslr", SYS_personality, ADDR_NO_RANDOMIZE),
	CALL(pivot_root, NOWHERE, NOWHERE),
	CALL(quotactl, 0, NOWHERE),
	CALL(reboot, 0),
	CALL(request_key, (long)"user", (long)"probe", 0, 0),
	CALL(set_mempolicy, 77),
	CALL(setns, -1, 0),
	CALL(settimeofday, 0, 0),
	NAMED("socket_vsock", SYS_socket, 40, SOCK_STREAM),
	CALL(swapoff, NOWHERE),
	CALL(swapon, NOWHERE, 0),
	CALL(syslog, 10, 0, 0),
	CALL(umount2, NOWHERE, 0),
	NAMED("unshare_newns", SYS_unshare, CLONE_NEWNS),
	NAMED("unshare_newuser", SYS_unshare, CLONE_NEWUSER),
	CALL(userfaultfd, 0x70000000),
	CALL(vhangup, 0),
#ifdef __x86_64__
	CALL(ioperm, 0, 1, 1),
	CALL(iopl, 3),
	CALL(uselib, NOWHERE),
	CALL(ustat, 0, 0),
	CALL(sysfs, 3),
	NAMED("x32_getpid", 0x40000000 | SYS_getpid, 0),
#endif
};

/* The same request with high bits set, which the kernel ignores (CVE-2019-10063). */
enum { HIGH_BIT = 32 };

#ifdef __x86_64__
/* getpid(2) by the entry of 32-bit programs. */
static long compat_getpid(void)
{
	long ret = 20;

	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
	return ret;
}
#endif

static void tell(const char *name, pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("call %s signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		printf("call %s error %d\n", name, WEXITSTATUS(status));
	else
		printf("call %s ok\n", name);
}

static void try_call(const struct call *call)
{
	pid_t pid = fork();

	if (pid == 0) {
		const long *a = call->argument;
		long ret = syscall(call->number, a[0], a[1], a[2], a[3], a[4]);

		_exit(ret < 0 ? errno : 0);
	}
	tell(call->name, pid);
}

void calls(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		try_call(&table[i]);
#ifdef __x86_64__
	pid_t pid = fork();

	if (pid == 0)
		_exit(compat_getpid() > 0 ? 0 : ENOSYS);
	tell("compat_getpid", pid);
#endif
}

int tiocsti(void)
{
	const unsigned long request[] = { TIOCSTI, TIOCSTI | 1UL << HIGH_BIT };

	for (int i = 0; i < 2; i++) {
		if (syscall(SYS_ioctl, 0, request[i], "x") < 0)
			printf("tiocsti error %d\n", errno);
		else
			printf("tiocsti ok\n");
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Which system calls isolation depends on, and how they are written. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../common/compat.h"
#include "saboteur.h"

/*
 * The arguments, a letter each: s string, S its first bytes by the next argument's count,
 * x hexadecimal, d decimal, f descriptor, p pointer to what is not shown; n: CLONE_NEW* flags,
 * N: a struct clone_args with them.
 */
static const struct {
	const char *name;
	uint64_t number;
	const char *arguments;
} table[] = {
#define ROW(name, arguments)                                                                       \
	{                                                                                          \
#name, SYS_##name, arguments                                                       \
	}
	ROW(mount, "sssxs"),    ROW(umount2, "sx"),
	ROW(pivot_root, "ss"),  ROW(chroot, "s"),
	ROW(chdir, "s"),        ROW(fchdir, "f"),
	ROW(unshare, "n"),      ROW(clone, "n"),
	ROW(clone3, "N"),       ROW(setns, "fx"),
	ROW(open_tree, "fsx"),  ROW(move_mount, "fsfsx"),
	ROW(fsopen, "sx"),      ROW(fsconfig, "fdssd"),
	ROW(fsmount, "fxx"),    ROW(mount_setattr, "fsxp"),
	ROW(sethostname, "Sd"), ROW(setdomainname, "Sd"),
	ROW(prctl, "dxx"),      ROW(capset, "pp"),
	ROW(seccomp, "dxp"),    ROW(setsid, ""),
	ROW(setpgid, "dd"),     ROW(setgroups, "dp"),
	ROW(setuid, "d"),       ROW(setgid, "d"),
	ROW(setreuid, "dd"),    ROW(setregid, "dd"),
	ROW(setresuid, "ddd"),  ROW(setresgid, "ddd"),
	ROW(setrlimit, "dp"),   ROW(prlimit64, "ddpp"),
	ROW(close, "f"),        ROW(close_range, "xxx"),
	ROW(dup3, "ffx"),       ROW(fcntl, "fdx"),
	ROW(mknodat, "fsxx"),   ROW(symlinkat, "sfs"),
	ROW(fchmod, "fx"),      ROW(fchmodat, "fsx"),
	ROW(umask, "x"),        ROW(keyctl, "dx"),
	ROW(personality, "x"),  ROW(sched_setaffinity, "ddp"),
	ROW(ioprio_set, "ddd"), ROW(bpf, "dpd"),
	ROW(write, "fSd"),
#ifdef SYS_dup2
	ROW(dup2, "ff"),        ROW(mknod, "sxx"),
	ROW(symlink, "ss"),     ROW(chmod, "sx"),
#endif
};

enum { TEXT = 256, STANDARD_FDS = 3 };

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

/* Bytes of the process, up to a page's end; how many. */
static size_t fetch(pid_t pid, uint64_t address, void *buffer, size_t size)
{
	size_t rest = (size_t)getpagesize() - address % (uint64_t)getpagesize();
	struct iovec here = { buffer, size < rest ? size : rest };
	struct iovec there = { (void *)(uintptr_t)address, here.iov_len };
	ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return got < 0 ? 0 : (size_t)got;
}

static void append_string(char *text, size_t size, const struct call *call, int index, size_t limit)
{
	uint64_t address = call->argument[index];
	char bytes[TEXT] = "";
	size_t got;

	if (!address) {
		append(text, size, "NULL");
		return;
	}
	if (limit > sizeof(bytes) - 1)
		limit = sizeof(bytes) - 1;
	got = fetch(call->pid, address, bytes, limit);
	/* A string may go on in the next page; a byte that is not there ends it. */
	if (got < limit && !memchr(bytes, 0, got))
		fetch(call->pid, address + got, bytes + got, limit - got);
	for (char *byte = bytes; *byte; byte++)
		if (*byte < ' ')
			*byte = ' ';
	append(text, size, "\"%s\"", bytes);
}

static void append_fd(char *text, size_t size, const struct call *call, int index)
{
	int fd = (int)call->argument[index];
	char path[64], target[TEXT] = "";

	if (fd == AT_FDCWD) {
		append(text, size, "AT_FDCWD");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", call->pid, fd);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		append(text, size, "%d", fd);
	else
		append(text, size, "<%s>", target);
}

static void append_flags(char *text, size_t size, uint64_t flags)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} names[] = {
		{ "CLONE_NEWNS", CLONE_NEWNS },     { "CLONE_NEWCGROUP", CLONE_NEWCGROUP },
		{ "CLONE_NEWUTS", CLONE_NEWUTS },   { "CLONE_NEWIPC", CLONE_NEWIPC },
		{ "CLONE_NEWUSER", CLONE_NEWUSER }, { "CLONE_NEWPID", CLONE_NEWPID },
		{ "CLONE_NEWNET", CLONE_NEWNET },   { "CLONE_NEWTIME", CLONE_NEWTIME },
	};
	const char *bar = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(flags & names[i].flag))
			continue;
		append(text, size, "%s%s", bar, names[i].name);
		bar = "|";
	}
}

static void append_argument(char *text, size_t size, const struct call *call, char kind, int index)
{
	uint64_t value = call->argument[index], flags = 0;

	switch (kind) {
	case 's': append_string(text, size, call, index, TEXT); break;
	case 'S': append_string(text, size, call, index, call->argument[index + 1]); break;
	case 'x': append(text, size, "0x%llx", (unsigned long long)value); break;
	case 'd': append(text, size, "%d", (int)value); break;
	case 'f': append_fd(text, size, call, index); break;
	case 'n': append_flags(text, size, value); break;
	case 'N':
		fetch(call->pid, value, &flags, sizeof(flags));
		append_flags(text, size, flags);
		break;
	default: append(text, size, "…");
	}
}

/* True for a descriptor that execve(2) would pass on. */
static bool is_passed_on(const struct call *call)
{
	char path[64], line[TEXT];
	unsigned flags = O_CLOEXEC;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", call->pid, (int)call->argument[0]);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "flags:", 6))
			flags = (unsigned)strtoul(line + 6, NULL, 8);
	if (info)
		fclose(info);
	return !(flags & O_CLOEXEC);
}

/* True for a file by which the kernel is told something. */
static bool is_kernel_file(const struct call *call)
{
	char path[64];
	struct statfs status;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", call->pid, (int)call->argument[0]);
	if (statfs(path, &status))
		return false;
	return status.f_type == PROC_SUPER_MAGIC || status.f_type == CGROUP_SUPER_MAGIC ||
	       status.f_type == CGROUP2_SUPER_MAGIC || status.f_type == SYSFS_MAGIC;
}

/* prctl(2) that sets something of the process's privileges or of its end. */
static bool sets_privilege(const uint64_t *argument)
{
	static const uint64_t sets[] = {
		PR_SET_PDEATHSIG,  PR_SET_DUMPABLE,        PR_SET_KEEPCAPS,
		PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS,    PR_SET_SECCOMP,
		PR_SET_TIMERSLACK, PR_SET_CHILD_SUBREAPER, PR_CAPBSET_DROP
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (argument[0] == sets[i])
			return true;
	return argument[0] == PR_CAP_AMBIENT &&
	       (argument[1] == PR_CAP_AMBIENT_LOWER || argument[1] == PR_CAP_AMBIENT_CLEAR_ALL);
}

static bool matters(const struct call *call, const char *text)
{
	const uint64_t *argument = call->argument;

	switch (call->number) {
	case SYS_clone:
	case SYS_clone3:
	case SYS_unshare: return strstr(text, "CLONE_NEW");
	case SYS_prctl: return sets_privilege(argument);
	/* A NULL filter asks whether the kernel knows a flag. */
	case SYS_seccomp: return argument[0] == SECCOMP_SET_MODE_FILTER && argument[2];
	case SYS_close: return (int)argument[0] >= STANDARD_FDS && is_passed_on(call);
	case SYS_fcntl: return argument[1] == F_SETFD && argument[2] & FD_CLOEXEC;
	case SYS_prlimit64: return argument[2];
	case SYS_write: return is_kernel_file(call);
	default: return true;
	}
}

bool call_text(const struct call *call, char *text, size_t size)
{
	size_t row = 0;
	const char *arguments;

	while (row < sizeof(table) / sizeof(table[0]) && table[row].number != call->number)
		row++;
	if (row == sizeof(table) / sizeof(table[0]))
		return false;
	arguments = table[row].arguments;
	snprintf(text, size, "%s(", table[row].name);
	for (int i = 0; arguments[i]; i++) {
		append(text, size, "%s", i ? ", " : "");
		append_argument(text, size, call, arguments[i], i);
	}
	append(text, size, ")");
	return matters(call, text);
}

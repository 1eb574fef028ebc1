// SPDX-License-Identifier: GPL-2.0-or-later
/* The registers of a stopped process: the part that differs between machines. */
#include <elf.h>
#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "../../common/compat.h"
#include "saboteur.h"

#ifdef __x86_64__
#define ARGUMENT(registers) ((registers).rdi)
#define RESULT(registers)   ((registers).rax)
#else
#define ARGUMENT(registers) ((registers).regs[0])
#define RESULT(registers)   ((registers).regs[0])
#endif

/* Reads (PTRACE_GETREGSET) or writes (PTRACE_SETREGSET) the general registers. */
static bool transfer(enum __ptrace_request how, pid_t pid, struct user_regs_struct *registers)
{
	struct iovec place = { registers, sizeof(*registers) };

	return ptrace(how, pid, NT_PRSTATUS, &place) == 0;
}

bool call_skip(pid_t pid)
{
#ifdef __x86_64__
	struct user_regs_struct registers = { 0 };

	if (!transfer(PTRACE_GETREGSET, pid, &registers))
		return false;
	registers.orig_rax = -1ULL;
	return transfer(PTRACE_SETREGSET, pid, &registers);
#else
	int none = -1;
	struct iovec place = { &none, sizeof(none) };

	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &place) == 0;
#endif
}

bool call_result(pid_t pid, long value)
{
	struct user_regs_struct registers = { 0 };

	if (!transfer(PTRACE_GETREGSET, pid, &registers))
		return false;
	RESULT(registers) = (unsigned long)value;
	return transfer(PTRACE_SETREGSET, pid, &registers);
}

bool call_clear(const struct call *call, uint64_t flags)
{
	struct user_regs_struct registers = { 0 };
	uint64_t left;
	struct iovec here = { &left, sizeof(left) };
	struct iovec there = { (void *)(uintptr_t)call->argument[0], sizeof(left) };

	if (call->number == SYS_clone3) {
		if (process_vm_readv(call->pid, &here, 1, &there, 1, 0) != sizeof(left))
			return false;
		left &= ~flags;
		return process_vm_writev(call->pid, &here, 1, &there, 1, 0) == sizeof(left);
	}
	if (!transfer(PTRACE_GETREGSET, call->pid, &registers))
		return false;
	ARGUMENT(registers) &= ~flags;
	return transfer(PTRACE_SETREGSET, call->pid, &registers);
}

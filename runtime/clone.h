/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone3(2) for a process that shares our memory and so needs a stack of its own. */
#ifndef RUNTIME_CLONE_H
#define RUNTIME_CLONE_H

#include "fault.h"
#include "raw.h"

#include <linux/sched.h>

/*
 * The inside on the host side's memory: no page table is copied. AddressSanitizer keeps
 * books on stacks that a second process on the same memory would spoil.
 */
#ifdef __SANITIZE_ADDRESS__
#define SHARE_MEMORY 0
#else
#define SHARE_MEMORY CLONE_VM
#endif

/*
 * A clone3() that only claims to have worked returns 0 to bulkhead itself, which would then
 * take itself for the new process, on the host. With this flag the kernel writes the new
 * process's tid to child_tid before it runs: 0 means that nobody did.
 */
#ifndef CLONE_CHILD_SETTID
#define CLONE_CHILD_SETTID 0x01000000
#endif

/*
 * clone3_call - start @entry(@arg) in a new process, on the stack that @args names (or,
 * with none, on a copy of this one). @entry must not return. Returns the new process's
 * pid, -errno, or -NOT_NEW when there is none; @born, which is for that alone, must live
 * as long as the new process. A C function cannot make this call: after it, both
 * processes would return through one stack.
 */
static inline long clone3_call(struct clone_args *args, int *born, void (*entry)(void *), void *arg)
{
	*born = 0;
	args->flags |= CLONE_CHILD_SETTID;
	args->child_tid = (uintptr_t)born;
#if defined(__x86_64__)
	register void (*fn)(void *) __asm__("r8") = entry;
	register void *a __asm__("r9") = arg;
	register int *b __asm__("r10") = born;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[not_new], %%rax\n\t"
			 "cmpl $0, (%%r10)\n\t"
			 "je 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(fn), "r"(a),
			   "r"(b), [not_new] "i"(-NOT_NEW)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = sizeof(*args);
	register void (*fn)(void *) __asm__("x2") = entry;
	register void *a __asm__("x3") = arg;
	register int *b __asm__("x4") = born;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x0, %[not_new]\n\t"
			 "ldr w9, [x4]\n\t"
			 "cbz w9, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x30, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(fn), "r"(a), "r"(b), [not_new] "i"(-NOT_NEW)
			 : "x9", "memory");
	return x0;
#endif
}

#endif

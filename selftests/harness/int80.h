/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_INT80_H
#define HARNESS_INT80_H

#include <errno.h>

/*
 * A system call by the entry of 32-bit x86 programs, with their call numbers: its result or
 * -errno. Where an x86 kernel lacks the entry the process gets SIGSEGV; other machines have
 * nothing like it that a 64-bit program could use: -ENOSYS.
 */
static inline long int80_call(long number, long a, long b, long c)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(0), "D"(0)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)result;
#else
	(void)number, (void)a, (void)b, (void)c;
	return -ENOSYS;
#endif
}

#endif

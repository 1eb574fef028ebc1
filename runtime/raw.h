/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls that return -errno and touch nothing else.
 *
 * The inside runs on the host side's memory until it executes the command
 * (CLONE_VM: no page table is copied). The C library's errno is then one variable
 * for two processes, so neither side may use a libc wrapper after clone3(): these
 * are for both. Names are the kernel's; results are those of man section 2, with
 * -errno in place of -1.
 */
#ifndef RUNTIME_RAW_H
#define RUNTIME_RAW_H

#include "../common/compat.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "bulkhead knows the system call convention of x86_64 and aarch64 only"
#endif

#define RAW_ARG(x)           ((long)(x))
#define RAW1(nr, a)          raw6(nr, RAW_ARG(a), 0, 0, 0, 0, 0)
#define RAW2(nr, a, b)       raw6(nr, RAW_ARG(a), RAW_ARG(b), 0, 0, 0, 0)
#define RAW3(nr, a, b, c)    raw6(nr, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), 0, 0, 0)
#define RAW4(nr, a, b, c, d) raw6(nr, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), RAW_ARG(d), 0, 0)
#define RAW5(nr, a, b, c, d, e)                                                                    \
	raw6(nr, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), RAW_ARG(d), RAW_ARG(e), 0)

/*
 * A call that must give a new descriptor: stdio is always open (main sees to it), so a
 * number below 3 is not an answer but a lie, and is treated as the failure that it is.
 */
static inline int raw_new_fd(long ret)
{
	return ret >= 0 && ret < 3 ? -EBADF : (int)ret;
}

#endif

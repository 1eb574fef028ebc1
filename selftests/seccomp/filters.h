/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of the tests' own. */
#ifndef SECCOMP_FILTERS_H
#define SECCOMP_FILTERS_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../harness/selftest.h"

/* seccomp(2): installs COUNT instructions. Returns what the call does. */
static inline long install_code(struct sock_filter *code, unsigned short count, unsigned flags)
{
	const struct sock_fprog program = { count, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* A filter that gives getppid(2) VERDICT, and every other call leave. */
static inline long install(uint32_t verdict, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install_code(code, sizeof(code) / sizeof(code[0]), flags);
}

/* A process without privilege may filter itself once it can gain none. */
static inline void give_up_new_privileges(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* getppid(2) without the C library's own view: -1 and errno, or its result. */
static inline long call_filtered(void)
{
	errno = 0;
	return syscall(SYS_getppid);
}

#endif

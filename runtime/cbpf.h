/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classic BPF as seccomp uses it, interpreted: for the generator, which compares two
 * programs, and for the tests. The subset is what libseccomp emits (linux/filter.h,
 * kernel/seccomp.c); anything else, and running off the end, is CBPF_BAD.
 */
#ifndef RUNTIME_CBPF_H
#define RUNTIME_CBPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CBPF_BAD 0xdeadbeefU /* no verdict of seccomp has this form */

/* Whether conditional jump IN is taken with accumulator A. */
static inline int cbpf_taken(const struct sock_filter *in, uint32_t a)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ: return a == in->k;
	case BPF_JGT: return a > in->k;
	case BPF_JGE: return a >= in->k;
	default: return (a & in->k) != 0; /* BPF_JSET */
	}
}

/* The verdict of the COUNT instructions at PROG for DATA. */
static inline uint32_t cbpf_run(const struct sock_filter *prog, size_t count,
				const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < count; pc++) {
		const struct sock_filter *in = &prog[pc];

		switch (BPF_CLASS(in->code)) {
		case BPF_LD:
			if (in->code != (BPF_LD | BPF_W | BPF_ABS) || in->k % 4 ||
			    in->k > sizeof(*data) - 4)
				return CBPF_BAD;
			memcpy(&a, (const char *)data + in->k, sizeof(a));
			break;
		case BPF_ALU:
			if (in->code != (BPF_ALU | BPF_AND | BPF_K))
				return CBPF_BAD;
			a &= in->k;
			break;
		case BPF_JMP:
			if (BPF_OP(in->code) == BPF_JA)
				pc += in->k;
			else
				pc += cbpf_taken(in, a) ? in->jt : in->jf;
			break;
		case BPF_RET: return in->code == (BPF_RET | BPF_K) ? in->k : CBPF_BAD;
		default: return CBPF_BAD;
		}
	}
	return CBPF_BAD;
}

#endif

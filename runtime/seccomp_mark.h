/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts that depend on the container's capabilities. The generated table holds a
 * marker for them, which carries two capabilities and what to answer without either; the
 * loader replaces each. A marker takes the form of a TRACE verdict, which the policy has
 * no other use for: were one to reach the kernel, the call would fail with ENOSYS.
 */
#ifndef RUNTIME_SECCOMP_MARK_H
#define RUNTIME_SECCOMP_MARK_H

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>

#define MARK_ABSENT 0x1000U /* without the capability: ENOSYS in place of EPERM */

/* Allowed with capability A or capability B (numbers of linux/capability.h, 0 to 63). */
#define NEEDS_EITHER(a, b) (SECCOMP_RET_TRACE | (unsigned int)(a) << 6 | (unsigned int)(b))
#define NEEDS(cap)         NEEDS_EITHER(cap, cap)

#define IS_MARKED(verdict)   (((verdict)&SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE)
#define MARKED_CAPS(verdict) (1ULL << ((verdict) >> 6 & 63) | 1ULL << ((verdict)&63))

/* VERDICT for a container that holds the capabilities CAPS (bit N is capability number N). */
static inline uint32_t resolve_mark(uint32_t verdict, uint64_t caps)
{
	if (!IS_MARKED(verdict))
		return verdict;
	if (caps & MARKED_CAPS(verdict))
		return SECCOMP_RET_ALLOW;
	return SECCOMP_RET_ERRNO | (verdict & MARK_ABSENT ? ENOSYS : EPERM);
}

#endif

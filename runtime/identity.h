/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls: the effective ids that the kernel handed to bulkhead when it executed it
 * (getauxval(3)). Bulkhead never changes its own on the host side, so they stay true, and
 * no system call stands between them and us.
 */
#ifndef RUNTIME_IDENTITY_H
#define RUNTIME_IDENTITY_H

#include <stdint.h>
#include <sys/auxv.h>

static inline uint32_t caller_uid(void)
{
	return (uint32_t)getauxval(AT_EUID);
}

static inline uint32_t caller_gid(void)
{
	return (uint32_t)getauxval(AT_EGID);
}

#endif

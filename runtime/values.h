/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values that options take. Each parser accepts the whole of @s or nothing, and
 * returns NULL, or what is wrong with @s in words that follow a colon.
 */
#ifndef RUNTIME_VALUES_H
#define RUNTIME_VALUES_H

#include "plan.h"

/* Decimal digits only, from @min to @max: no sign, blank or prefix. */
const char *parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* Bytes: a number, then K, M, G or T (powers of 1024) or nothing. At least one page. */
const char *parse_size(const char *s, uint64_t *out);

/* "1.5": CPUs, at least 0.01; as microseconds of each CPU_PERIOD_USEC. */
const char *parse_cpus(const char *s, uint64_t *quota_usec);

/* "MONOTONIC,BOOTTIME": seconds, either may be negative. */
const char *parse_clocks(const char *s, struct clock_offsets *out);

/* "UID" or "UID:GID"; without GID it is 0. */
const char *parse_user(const char *s, uint32_t *uid, uint32_t *gid);

/* "INSIDE:HOST:COUNT", appended to @maps; no overlap with what is there. */
const char *parse_id_map(const char *s, struct id_maps *maps);

/* "NS[,NS...]": the CLONE_NEW* flags of the namespaces named. */
const char *parse_namespaces(const char *s, uint64_t *flags);

/* "CAP_NET_RAW", "net_raw" or "ALL": the bit, or all of them. */
const char *parse_capability(const char *s, uint64_t *bits);

/* A name for sethostname(2): 1 to 64 letters, digits, dots, hyphens and underscores. */
const char *parse_hostname(const char *s);

/* "SRC:DST[:ro]"; cuts @s into pieces, which @out points into. */
const char *parse_bind(char *s, struct bind *out);

/* "DST[:size=N]"; likewise. */
const char *parse_tmpfs(char *s, struct tmpfs *out);

/* "NAME=VALUE" with a name. */
const char *parse_env(const char *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of namespaces and capabilities, each in one table. */
#ifndef RUNTIME_NAMES_H
#define RUNTIME_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* One row for each kind of namespace: namespaces(7). */
struct ns_name {
	const char *name; /* in options and in design vocabulary */
	const char *proc; /* in /proc/PID/ns */
	uint64_t flag;    /* CLONE_NEW* */
};

extern const struct ns_name ns_names[];
extern const size_t ns_count;

/* Capability N is cap_names[N], in lower case without "cap_": capabilities(7). */
extern const char *const cap_names[];
extern const size_t cap_count;

/* What a container keeps by default: the set that Docker's engine documents. */
extern const uint64_t default_caps;

/* Every namespace but user and time: those are asked for. */
extern const uint64_t default_namespaces;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line said, on its way to a plan. */
#ifndef RUNTIME_REQUEST_H
#define RUNTIME_REQUEST_H

#include "plan.h"

struct request {
	struct plan *plan;
	bool stage_only, userns;
	uint64_t shared;     /* namespaces to keep: CLONE_NEW* */
	uint64_t caps_added; /* bit N: CAP_N was asked for by name */
	const char *seccomp; /* "default", "none" or a file */
};

/* Sets @assignment, "NAME=VALUE", in the environment; the last one of a name wins. */
void request_env(struct request *r, char *assignment);

/*
 * request_complete - fill in the defaults, and refuse what contradicts itself. The one
 * who asks is whoever runs: the caller's ids decide whether the plan is rootless.
 * Returns 0, or -1 after printing what is wrong.
 */
int request_complete(struct request *r);

#endif

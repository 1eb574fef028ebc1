/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subordinate ids: subuid(5), subgid(5). */
#ifndef RUNTIME_SUBID_H
#define RUNTIME_SUBID_H

#include "plan.h"

/*
 * subid_maps - the default map of a caller without privilege: 0 inside is @own, and from
 * 1 on come the ranges that @file grants the caller, if @helper, which alone may map
 * them, is installed. Returns 0, or -errno when a file cannot be read.
 */
int subid_maps(const char *file, const char *helper, uint32_t own, struct id_maps *maps);

#endif

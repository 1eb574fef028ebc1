/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's seccomp filter: the default one, or one that the user brings. Nothing here
 * allocates or links a seccomp library.
 */
#ifndef RUNTIME_SECCOMP_H
#define RUNTIME_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* Room, in instructions, that any filter fits in: the kernel takes no longer one. */
#define SECCOMP_FILTER_ROOM BPF_MAXINSNS

/*
 * The default filter for a container that holds the capabilities CAPS (bit N is capability
 * number N), of *COUNT instructions. For the default capabilities it lies ready, a shorter
 * one, since fewer verdicts differ; for others it is made in ROOM, of SIZE instructions.
 * NULL when it does not fit there.
 */
const struct sock_filter *seccomp_default_filter(uint64_t caps, struct sock_filter *room,
						 size_t size, size_t *count);

/*
 * Makes a filter of any generated table of COUNT instructions in OUT, of ROOM: each verdict
 * that depends on a capability (seccomp_mark.h) becomes ALLOW or an error. Returns the number
 * of instructions, or -ENOSPC.
 */
int seccomp_resolve_filter(const struct sock_filter *table, size_t count, uint64_t caps,
			   struct sock_filter *out, size_t room);

/*
 * Reads a filter from FD up to its end: an array of struct sock_filter in the machine's
 * byte order, as seccomp_export_bpf(3) writes it and bwrap(1) --seccomp takes it. The kernel
 * judges what is in it. Returns the number of instructions or -errno; -EINVAL when the
 * size is zero, no whole number of instructions, or more than ROOM of them.
 */
int seccomp_read_filter(int fd, struct sock_filter *out, size_t room);

#endif

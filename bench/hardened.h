/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bulkhead's default isolation adds to the floor, as bare calls (hardened.c). */
#ifndef BENCH_HARDENED_H
#define BENCH_HARDENED_H

#include <stdbool.h>

/* Ends the program, as floor.c does it, when @result is negative; else returns it. */
int must(int result, const char *what);

/* /dev, /sys and the masks, below the rootfs that is the working directory, with a /proc. */
void harden_mounts(bool own_cgroup);

/* Session, keyring, capabilities and filter of this process. */
void harden_process(void);

#endif

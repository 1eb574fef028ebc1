/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a freshly booted guest needs before it can run a test. */
#ifndef SETUP_H
#define SETUP_H

#include <stddef.h>

/* Makes a real mount of the root file system and moves it over the initramfs, so that pivot_root()
 * works for the runtimes under test: it fails with EINVAL on a rootfs before Linux 7.0. */
void setup_leave_rootfs(void);

/* proc, sys, dev, devpts, shm, cgroup2 with every controller, run and tmp. */
void setup_mounts(void);

/* Writes what /etc/bulkhead/sysctls says. */
void setup_sysctls(void);

/* Loads what /etc/bulkhead/modules lists, in its order. */
void setup_modules(void);

/* Brings the loopback interface up. */
void setup_loopback(void);

/* Copies the value of KEY=VALUE on the kernel command line into VALUE; "" when it is absent. */
void setup_kernel_option(const char *key, char *value, size_t size);

/* Sends what went wrong above as "trouble" frames, once there is a channel. */
void setup_report_trouble(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `bulkhead features`: what this bulkhead can do on this kernel, as JSON. */
#ifndef RUNTIME_FEATURES_H
#define RUNTIME_FEATURES_H

/* Prints to standard output. Returns the exit status. */
int features_print(void);

#endif

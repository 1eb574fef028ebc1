/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems made by descriptor, so that no path decides where they are (fsopen(2), 5.2). */
#ifndef RUNTIME_NEWFS_H
#define RUNTIME_NEWFS_H

#include <stdint.h>

/* An option as in mount(8). */
struct newfs_option {
	const char *key, *value;
};

/*
 * newfs_make - a new mount of file system @type, attached nowhere yet, with @options up to
 * the one without a key, and @attributes, MOUNT_ATTR_* of mount_setattr(2). Returns a
 * descriptor of its root, or -errno, or -LIE if mode or size (in bytes) is another.
 */
int newfs_make(const char *type, const struct newfs_option *options, uint64_t attributes);

#endif

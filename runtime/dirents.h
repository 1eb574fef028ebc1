/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What getdents64(2) gives: struct linux_dirent64 of the kernel. */
#ifndef RUNTIME_DIRENT_H
#define RUNTIME_DIRENT_H

#include <stdbool.h>
#include <stdint.h>

struct dir_entry {
	uint64_t ino;
	int64_t off;
	uint16_t size; /* of this entry, in bytes */
	uint8_t type;  /* one of the below, or another */
	char name[];
};

enum {
	DIR_ENTRY_DEVICE = 2, /* DT_CHR */
	DIR_ENTRY_DIRECTORY = 4,
	DIR_ENTRY_FILE = 8,
	DIR_ENTRY_LINK = 10,
};

static inline bool dir_entry_is_dots(const struct dir_entry *e)
{
	return e->name[0] == '.' && (!e->name[1] || (e->name[1] == '.' && !e->name[2]));
}

#endif

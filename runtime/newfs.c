// SPDX-License-Identifier: GPL-2.0-or-later
#include "newfs.h"

#include "fault.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>

static long configure(int fs, unsigned int command, const char *key, const char *value)
{
	return RAW5(SYS_fsconfig, fs, command, key, value, 0);
}

static int inspect_mode(int tree, unsigned int mode)
{
	struct statx stx = { .stx_mode = 0 };
	int ret = sys_statx(tree, "", AT_EMPTY_PATH, STATX_MODE, &stx);

	return ret == 0 && (stx.stx_mode & 07777) != mode ? -LIE : ret;
}

/* The kernel rounds up to whole pages. */
static int inspect_size(int tree, uint64_t size)
{
	struct statfs st = { .f_blocks = 0 };
	int ret = sys_fstatfs(tree, &st);
	uint64_t have = st.f_blocks * (uint64_t)st.f_bsize;

	return ret == 0 && (have < size || have - size >= (uint64_t)st.f_bsize) ? -LIE : ret;
}

/* An option that got lost leaves what everybody may write to, or as large as the machine. */
static int inspect(int tree, const struct newfs_option *o)
{
	for (; o->key; o++) {
		if (strcmp(o->key, "mode") == 0)
			TRY(inspect_mode(tree, (unsigned int)strtoul(o->value, NULL, 8)));
		if (strcmp(o->key, "size") == 0)
			TRY(inspect_size(tree, strtoull(o->value, NULL, 10)));
	}
	return 0;
}

int newfs_make(const char *type, const struct newfs_option *options, uint64_t attributes)
{
	int tree, fs = raw_new_fd(RAW2(SYS_fsopen, type, FSOPEN_CLOEXEC));
	long ret = 0;

	if (fs < 0)
		return fs;
	for (const struct newfs_option *o = options; ret == 0 && o->key; o++)
		ret = configure(fs, FSCONFIG_SET_STRING, o->key, o->value);
	if (ret == 0)
		ret = configure(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (ret < 0) {
		sys_close(fs);
		return (int)ret;
	}
	tree = raw_new_fd(RAW3(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
	sys_close(fs);
	if (tree < 0)
		return tree;
	ret = inspect(tree, options);
	return ret < 0 ? (int)ret : tree;
}

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

/* The mode that @options ask for, or 0. */
static unsigned int wanted_mode(const struct newfs_option *options)
{
	for (; options->key; options++)
		if (strcmp(options->key, "mode") == 0)
			return (unsigned int)strtoul(options->value, NULL, 8);
	return 0;
}

/* An option that got lost leaves a tmpfs that everybody may write to. */
static int inspect_mode(int tree, unsigned int mode)
{
	struct statx stx = { .stx_mode = 0 };
	int ret = mode ? sys_statx(tree, "", AT_EMPTY_PATH, STATX_MODE, &stx) : 0;

	return ret == 0 && (stx.stx_mode & 07777) != mode ? -LIE : ret;
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
	ret = tree < 0 ? 0 : inspect_mode(tree, wanted_mode(options));
	return ret ? (int)ret : tree;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layered file systems: overlayfs stacks the layers, writes go to the upper one. The
 * layers are attached under short names on a scratch tmpfs first: overlayfs then needs
 * no path of the caller's in its options, whatever characters that may hold. Scratch
 * and layers are mounts of the old root: they leave with it.
 */
#include "janitor.h"
#include "steps.h"
#include "sys.h"
#include "text.h"
#include "upper.h"

#include <linux/magic.h>
#include <sched.h>
#include <string.h>

enum { OPTIONS_ROOM = 4096 }; /* mount(2): a page of options */

/* We stand on the new tmpfs, and not on what lies below it or where we came from. */
static int check_scratch(int fd)
{
	struct statfs st = { .f_type = 0 };
	uint64_t wanted = 0, here = 1;
	int ret = sys_fstatfs(fd, &st);

	if (ret == 0)
		ret = sys_mount_id(fd, "", &wanted);
	if (ret == 0)
		ret = sys_mount_id(AT_FDCWD, ".", &here);
	if (ret == 0 && (st.f_type != TMPFS_MAGIC || wanted != here))
		ret = LIE;
	return ret;
}

/* Over /proc: never over the root, below whose top a path cannot look. */
static int scratch_tmpfs(struct inside *in)
{
	static const char over[] = "/proc";
	int fd, ret;

	ret = sys_mount("tmpfs", over, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700");
	if (ret < 0)
		return fail(&in->fault, STEP_overlay, "a scratch tmpfs", ret);
	fd = sys_openat(AT_FDCWD, over, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	ret = fd < 0 ? fd : sys_fchdir(fd);
	if (ret == 0)
		ret = check_scratch(fd);
	sys_close(fd);
	return ret ? fail(&in->fault, STEP_overlay, "a scratch tmpfs", ret) : 0;
}

static int attach_at(int tree, const char *name)
{
	int ret = sys_mkdirat(AT_FDCWD, name, 0755);
	uint64_t wanted = 0, there = 1;

	if (ret == 0)
		ret = sys_attach_tree(tree, AT_FDCWD, name, 0);
	if (ret == 0)
		ret = sys_mount_id(tree, "", &wanted);
	if (ret == 0)
		ret = sys_mount_id(AT_FDCWD, name, &there);
	if (ret == 0 && wanted != there)
		ret = -LIE;
	sys_close(tree);
	return ret;
}

/* The layers' trees are opened before the scratch tmpfs hides one of them. */
static int open_layers(struct inside *in, int *trees)
{
	const struct plan *p = in->plan;

	for (size_t i = 0; i < p->n_layers; i++) {
		trees[i] =
			sys_open_tree(AT_FDCWD, p->layers[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (trees[i] < 0)
			return fail(&in->fault, STEP_find_layer, p->layers[i], trees[i]);
	}
	return 0;
}

static int attach_layers(struct inside *in, const int *trees)
{
	for (size_t i = 0; i < in->plan->n_layers; i++) {
		char name[24] = "";
		int ret;

		text_add_number(name, sizeof(name), i);
		ret = attach_at(trees[i], name);
		if (ret < 0)
			return fail(&in->fault, STEP_overlay, in->plan->layers[i], ret);
	}
	return 0;
}

/* The directory that --upper lies in; @parent has COMMAND_PATH_ROOM. */
static void name_parent(const struct plan *p, char *parent)
{
	*parent = '\0';
	text_add_bytes(parent, COMMAND_PATH_ROOM, p->upper,
		       (size_t)(text_basename(p->upper) - p->upper));
	if (!*parent)
		text_add(parent, COMMAND_PATH_ROOM, ".");
}

/*
 * The parent of --upper, since the work directory must lie on the same mount. In a user
 * namespace what is mounted below it cannot be left out; it is not in the way, either.
 */
static int open_upper(struct inside *in)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	char parent[COMMAND_PATH_ROOM];
	int tree;

	name_parent(in->plan, parent);
	tree = sys_open_tree(AT_FDCWD, parent, flags);
	if (tree == -EINVAL)
		tree = sys_open_tree(AT_FDCWD, parent, flags | AT_RECURSIVE);
	return tree < 0 ? fail(&in->fault, STEP_find_upper, parent, tree) : tree;
}

/* A mount on --upper is no part of its parent's: what is written would go beneath it. */
static int check_upper_mount(struct container *c)
{
	const char *upper = c->plan->upper;
	char parent[COMMAND_PATH_ROOM];
	uint64_t own = 0, around = 1;
	int ret = sys_mount_id(AT_FDCWD, upper, &own);

	name_parent(c->plan, parent);
	if (ret == 0)
		ret = sys_mount_id(AT_FDCWD, parent, &around);
	if (ret == 0 && own != around)
		ret = -EXDEV;
	return ret < 0 ? fail(&c->fault, STEP_find_upper, upper, ret) : 0;
}

static void add_upper_options(const struct plan *p, char *options)
{
	if (!p->upper) {
		text_add(options, OPTIONS_ROOM, ",upperdir=upper,workdir=work");
		return;
	}
	text_add(options, OPTIONS_ROOM, ",upperdir=up/");
	text_add_escaped(options, OPTIONS_ROOM, text_basename(p->upper));
	text_add(options, OPTIONS_ROOM, ",workdir=up/");
	text_add_escaped(options, OPTIONS_ROOM, text_basename(p->upper));
	text_add(options, OPTIONS_ROOM, UPPER_WORK_SUFFIX);
}

/* lowerdir= wants the topmost first. */
static int overlay_options(struct inside *in, char *options)
{
	const struct plan *p = in->plan;

	text_add(options, OPTIONS_ROOM, "lowerdir=");
	for (size_t i = p->n_layers; i-- > 0;) {
		text_add_number(options, OPTIONS_ROOM, i);
		if (i)
			text_add(options, OPTIONS_ROOM, ":");
	}
	add_upper_options(p, options);
	if (plan_is_in_userns(p))
		text_add(options, OPTIONS_ROOM, ",userxattr");
	if (strlen(options) >= OPTIONS_ROOM - 1)
		return fail(&in->fault, STEP_overlay, "overlayfs", E2BIG);
	return 0;
}

static int mount_overlay(struct inside *in)
{
	char options[OPTIONS_ROOM] = "";
	int ret = 0;

	TRY(overlay_options(in, options));
	if (!in->plan->upper) {
		ret = sys_mkdirat(AT_FDCWD, "upper", 0755);
		if (ret == 0)
			ret = sys_mkdirat(AT_FDCWD, "work", 0755);
	}
	if (ret == 0)
		ret = sys_mkdirat(AT_FDCWD, "merged", 0755);
	if (ret == 0)
		ret = sys_mount("overlay", "merged", "overlay", MS_NODEV, options);
	return ret < 0 ? fail(&in->fault, STEP_overlay, "overlayfs", ret) : 0;
}

static int check_overlay(struct inside *in)
{
	struct statfs st = { .f_type = 0 };
	int ret = sys_fstatfs(in->tree, &st);

	if (ret < 0 || st.f_type != OVERLAYFS_SUPER_MAGIC)
		return fail(&in->fault, STEP_overlay, "overlayfs", ret ? ret : LIE);
	return 0;
}

int layers_host(struct container *c)
{
	if (!c->plan->upper)
		return 0;
	TRY(check_upper_mount(c));
	TRY(janitor_start(c));
	return upper_work_make(c);
}

int layers_open(struct inside *in)
{
	TRY(open_layers(in, in->layer_trees));
	if (in->plan->upper) {
		in->upper_tree = open_upper(in);
		TRY(in->upper_tree);
	}
	return 0;
}

int layers_attach(struct inside *in)
{
	int ret = 0;

	in->devices_closed = true; /* by the overlay's own flags */
	TRY(scratch_tmpfs(in));
	TRY(attach_layers(in, in->layer_trees));
	if (in->plan->upper)
		ret = attach_at(in->upper_tree, "up");
	if (ret < 0)
		return fail(&in->fault, STEP_overlay, in->plan->upper, ret);
	TRY(mount_overlay(in));
	in->tree = sys_openat(AT_FDCWD, "merged", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (in->tree < 0)
		return fail(&in->fault, STEP_overlay, "overlayfs", in->tree);
	return check_overlay(in);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each hint can be told: there is a plan and a state of the host for which it is the one.
 * The host is made up: files are read and file systems asked through the stand-ins below.
 */
#include "../fault.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static FILE *fake_fopen(const char *path, const char *mode);
static int fake_statfs(const char *path, struct statfs *st);
static int fake_stat(const char *path, struct stat *st);

#define fopen            fake_fopen
#define statfs(path, st) fake_statfs(path, st)
#define stat(path, st)   fake_stat(path, st)
#include "../explain.c"
#undef fopen
#undef statfs
#undef stat

#include "unit.h"

/* A host, one trait at a time. */
enum trait {
	NOTHING_SPECIAL,
	MAX_USER_NAMESPACES_ZERO,
	UNPRIVILEGED_CLONE_OFF,
	APPARMOR_RESTRICTS,
	MEMFDS_CLOSED,
	INITRAMFS_ROOT,
	CHROOT,
	TRAIT_COUNT
};

static enum trait host;

static const struct {
	const char *path;
	enum trait trait;
	char then, else_;
} sysctls[] = {
	{ "/proc/sys/user/max_user_namespaces", MAX_USER_NAMESPACES_ZERO, '0', '7' },
	{ "/proc/sys/kernel/unprivileged_userns_clone", UNPRIVILEGED_CLONE_OFF, '0', '1' },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", APPARMOR_RESTRICTS, '1', '0' },
	{ "/proc/sys/vm/memfd_noexec", MEMFDS_CLOSED, '2', '1' },
};

static FILE *fake_fopen(const char *path, const char *mode)
{
	static char value[2];

	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		if (strcmp(path, sysctls[i].path) != 0)
			continue;
		value[0] = host == sysctls[i].trait ? sysctls[i].then : sysctls[i].else_;
		return fmemopen(value, 1, mode);
	}
	ck_abort_msg("an unexpected file: %s", path);
	return NULL;
}

static int fake_statfs(const char *path, struct statfs *st)
{
	ck_assert_str_eq(path, "/");
	st->f_type = host == INITRAMFS_ROOT ? RAMFS_MAGIC : 0xef53;
	return 0;
}

static int fake_stat(const char *path, struct stat *st)
{
	st->st_dev = 1;
	st->st_ino = host == CHROOT && strcmp(path, "/") == 0 ? 2 : 1;
	return 0;
}

static const struct plan plans[] = {
	{ .rootless = false, .namespaces = CLONE_NEWNS },
	{ .rootless = true, .namespaces = CLONE_NEWNS | CLONE_NEWUSER },
	{ .rootless = false, .namespaces = CLONE_NEWNS | CLONE_NEWUSER },
};

static const char *told(int step, int why, const struct plan *p)
{
	static char buf[512];
	struct fault f = { .step = (enum step)step, .why = why };

	return explain(&f, p, buf, sizeof(buf));
}

START_TEST(every_hint_is_told)
{
	const struct hint *h = &hints[_i];
	int why = h->why ? h->why : EIO;

	for (host = 0; host < TRAIT_COUNT; host++)
		for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
			if (strcmp(told(h->step, why, &plans[i]), h->text) == 0)
				return;
	ck_abort_msg("nobody is ever told: %s", h->text);
}
END_TEST

/* The classic errors, told apart: the same step and errno, another cause. */
static const struct {
	enum step step;
	int why;
	enum trait host;
	size_t plan; /* in plans[] */
	const char *want;
} causes[] = {
	{ STEP_clone, ENOSPC, MAX_USER_NAMESPACES_ZERO, 1, "user.max_user_namespaces is 0" },
	{ STEP_clone, ENOSPC, NOTHING_SPECIAL, 1, "max_*_namespaces" },
	{ STEP_clone, ENOSPC, MAX_USER_NAMESPACES_ZERO, 0, "max_*_namespaces" },
	{ STEP_unshare, ENOSPC, NOTHING_SPECIAL, 0, "max_*_namespaces" },
	{ STEP_clone, EPERM, UNPRIVILEGED_CLONE_OFF, 1, "unprivileged_userns_clone is 0" },
	{ STEP_clone, EPERM, APPARMOR_RESTRICTS, 1, "apparmor_restrict_unprivileged_userns" },
	{ STEP_clone, EPERM, CHROOT, 1, "a chroot forbids" },
	{ STEP_clone, EPERM, NOTHING_SPECIAL, 1, "user namespaces are forbidden here" },
	{ STEP_clone, EPERM, NOTHING_SPECIAL, 0, "CAP_SYS_ADMIN is missing" },
	{ STEP_pivot_root, EINVAL, INITRAMFS_ROOT, 0, "is an initramfs; before Linux 7.0" },
	{ STEP_pivot_root, EINVAL, CHROOT, 0, "bind mount the chroot" },
	{ STEP_pivot_root, EINVAL, NOTHING_SPECIAL, 0, "propagation" },
	{ STEP_overlay, EPERM, NOTHING_SPECIAL, 1, "needs Linux 5.11" },
	{ STEP_overlay, EPERM, NOTHING_SPECIAL, 0, "a capability is missing" },
	{ STEP_overlay, EINVAL, NOTHING_SPECIAL, 1, "mounted below --upper" },
	{ STEP_find_layer, EINVAL, NOTHING_SPECIAL, 2, "mounts below it" },
	{ STEP_init, EACCES, MEMFDS_CLOSED, 0, "vm.memfd_noexec is 2" },
	{ STEP_init, EACCES, NOTHING_SPECIAL, 0, "a capability is missing" },
	{ STEP_find_rootfs, ENOENT, NOTHING_SPECIAL, 0, "make rootfs" },
	{ STEP_find_rootfs, ENOTDIR, NOTHING_SPECIAL, 0, "unpack the archive" },
	{ STEP_find_rootfs, ELOOP, NOTHING_SPECIAL, 0, "in a circle" },
	{ STEP_make_cgroup, NO_CONTROLLER, NOTHING_SPECIAL, 0, "unified_cgroup_hierarchy" },
	{ STEP_make_cgroup, NO_DELEGATION, NOTHING_SPECIAL, 1, "Delegate=yes" },
};

START_TEST(causes_are_told_apart)
{
	const char *hint;

	host = causes[_i].host;
	hint = told(causes[_i].step, causes[_i].why, &plans[causes[_i].plan]);
	ck_assert_msg(strstr(hint, causes[_i].want), "\"%s\" is not in: %s", causes[_i].want, hint);
}
END_TEST

/* Where no row fits, the errno alone says something, or nothing is said. */
static const struct {
	int why;
	size_t plan;
	const char *want;
} generals[] = {
	{ LIE, 0, "a security module, a seccomp filter or a tracer" },
	{ ENOSYS, 0, "lacks the system call" },
	{ ENOMEM, 0, "out of memory" },
	{ EPERM, 0, "a capability is missing" },
	{ EACCES, 0, "a capability is missing" },
	{ EPERM, 1, "try as root" },
	{ EIO, 0, "" },
};

START_TEST(the_rest_is_told_by_errno)
{
	const char *hint = told(STEP_session, generals[_i].why, &plans[generals[_i].plan]);

	ck_assert_msg(*generals[_i].want ? !!strstr(hint, generals[_i].want) : !*hint, "%s", hint);
}
END_TEST

START_TEST(needs_no_plan)
{
	host = NOTHING_SPECIAL;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		ck_assert_ptr_nonnull(told(hints[i].step, hints[i].why, NULL));
}
END_TEST

START_TEST(every_hint_fits_into_a_line)
{
	ck_assert_uint_lt(strlen(hints[_i].text), 400);
	ck_assert_ptr_null(strchr(hints[_i].text, '\n'));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("explain");
	TCase *explain_case = tcase_create("explain");

	tcase_add_loop_test(explain_case, every_hint_is_told, 0, ARRAY_SIZE(hints));
	tcase_add_loop_test(explain_case, causes_are_told_apart, 0, ARRAY_SIZE(causes));
	tcase_add_loop_test(explain_case, the_rest_is_told_by_errno, 0, ARRAY_SIZE(generals));
	tcase_add_test(explain_case, needs_no_plan);
	tcase_add_loop_test(explain_case, every_hint_fits_into_a_line, 0, ARRAY_SIZE(hints));
	suite_add_tcase(suite, explain_case);
	return suite;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* File system contexts: fsopen(2), fsconfig(2), fsmount(2), fspick(2). */
#include "mountinfo.h"

#include <sys/statvfs.h>

#define CONTEXT_NEEDS NEED(admin) | NEED(mntns) | NEED(fsopen)

/* A configured tmpfs context. */
static int tmpfs_context(void)
{
	int fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));

	MUST(fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0));
	MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return fs;
}

static int attach(int tree_fd, const char *path)
{
	return move_mount(tree_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

TEST(mnt, context_becomes_a_mount,
     .says = "fsopen, fsconfig, fsmount and move_mount make the mount that was described",
     .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	_fd_ int fs = -EBADF, tree = -EBADF;
	struct mount_line line;

	own_stage();
	must_mkdir("spot");
	fs = tmpfs_context();
	tree = ASSERT_OK(fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	ASSERT_OK(attach(tree, "spot"));
	line = mount_at("spot");
	EXPECT_STREQ("tmpfs", line.type);
	EXPECT(has_option(line.super, "size=64k"));
	EXPECT(has_option(line.options, "nodev"));
	EXPECT(has_option(line.options, "noexec"));
	EXPECT(!has_option(line.options, "nosuid"));
	/* A context makes one mount. */
	EXPECT_ERRNO(EBUSY, fsmount(fs, FSMOUNT_CLOEXEC, 0));
}

struct attribute {
	const char *label;
	unsigned value;
	const char *options;
};

ROWS(attributes, struct attribute) = {
	{ "none", 0, "rw,relatime" },
	{ "rdonly", MOUNT_ATTR_RDONLY, "ro,relatime" },
	{ "nosuid", MOUNT_ATTR_NOSUID, "rw,nosuid,relatime" },
	{ "nodev", MOUNT_ATTR_NODEV, "rw,nodev,relatime" },
	{ "noexec", MOUNT_ATTR_NOEXEC, "rw,noexec,relatime" },
	{ "noatime", MOUNT_ATTR_NOATIME, "rw,noatime" },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, "rw" },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, "rw,nodiratime,relatime" },
};

/* The options of a mount that fsmount made with these attributes. */
static const char *options_of_a_mount(unsigned wanted)
{
	_fd_ int fs = -EBADF, tree = -EBADF;

	own_stage();
	must_mkdir("spot");
	fs = tmpfs_context();
	tree = ASSERT_OK(fsmount(fs, FSMOUNT_CLOEXEC, wanted));
	ASSERT_OK(attach(tree, "spot"));
	return text("%s", mount_at("spot").options);
}

TEST_EACH(attributes, mnt, fsmount_gives_the_attribute,
	  .says = "the mount that fsmount makes has the attribute asked for and no other",
	  .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	EXPECT_STREQ(row->options, options_of_a_mount(row->value));
}

TEST(mnt, fsmount_gives_nosymfollow,
     .says = "the mount that fsmount makes follows no symlinks where that was asked for",
     .checks = "mnt-010 mnt-035", .needs = CONTEXT_NEEDS | NEED(mount_setattr) | NEED(set_group))
{
	EXPECT_STREQ("rw,relatime,nosymfollow", options_of_a_mount(MOUNT_ATTR_NOSYMFOLLOW));
}

static int mounted_context(unsigned flags)
{
	_fd_ int fs = tmpfs_context();

	return MUST(fsmount(fs, flags, 0));
}

static void expect_cloexec(int want, int fd)
{
	EXPECT_EQ(want, fcntl(fd, F_GETFD));
	close(fd);
}

TEST(mnt, descriptors_close_on_exec_when_asked,
     .says = "descriptors of contexts and trees close on exec when that was asked for, else not",
     .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	own_stage();
	must_tmpfs("m");
	expect_cloexec(0, MUST(fsopen("tmpfs", 0)));
	expect_cloexec(FD_CLOEXEC, MUST(fsopen("tmpfs", FSOPEN_CLOEXEC)));
	expect_cloexec(0, MUST(fspick(AT_FDCWD, "m", 0)));
	expect_cloexec(FD_CLOEXEC, MUST(fspick(AT_FDCWD, "m", FSPICK_CLOEXEC)));
	expect_cloexec(0, mounted_context(0));
	expect_cloexec(FD_CLOEXEC, mounted_context(FSMOUNT_CLOEXEC));
	expect_cloexec(0, MUST(open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE)));
	expect_cloexec(FD_CLOEXEC,
		       MUST(open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
}

TEST(mnt, fsopen_checks_its_arguments,
     .says = "fsopen refuses unknown types (ENODEV), flags (EINVAL), pointers (EFAULT), nobody "
	     "(EPERM)",
     .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	own_stage();
	EXPECT_ERRNO(ENODEV, fsopen("nosuchfs", 0));
	EXPECT_ERRNO(EINVAL, fsopen("tmpfs", 1U << 30));
	EXPECT_ERRNO(EFAULT, fsopen((const char *)-1L, 0));
	AS_NOBODY { EXPECT_ERRNO(EPERM, fsopen("tmpfs", 0)); }
	EXPECT_OK(close(fsopen("tmpfs", 0)));
}

TEST(mnt, fsmount_checks_its_arguments,
     .says = "fsmount wants a created context (EINVAL), known flags and attributes (EINVAL)",
     .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	_fd_ int fresh = -EBADF, created = -EBADF, file = -EBADF;

	own_stage();
	fresh = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));
	created = tmpfs_context();
	file = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));
	EXPECT_ERRNO(EINVAL, fsmount(fresh, 0, 0));
	EXPECT_ERRNO(EINVAL, fsmount(file, 0, 0));
	EXPECT_ERRNO(EBADF, fsmount(9999, 0, 0));
	EXPECT_ERRNO(EINVAL, fsmount(created, 1U << 30, 0));
	EXPECT_ERRNO(EINVAL, fsmount(created, 0, 1U << 30));
	EXPECT_ERRNO(EINVAL, fsmount(created, 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME));
	AS_NOBODY { EXPECT_ERRNO(EPERM, fsmount(created, 0, 0)); }
	EXPECT_OK(close(fsmount(created, 0, 0)));
}

struct configuration {
	const char *label;
	unsigned command;
	const char *key, *value;
	int aux, want;
};

ROWS(configurations, struct configuration) = {
	{ "string", FSCONFIG_SET_STRING, "size", "1m", 0, 0 },
	{ "flag", FSCONFIG_SET_FLAG, "ro", NULL, 0, 0 },
	{ "unknown_key", FSCONFIG_SET_STRING, "nosuchkey", "1", 0, EINVAL },
	{ "bad_value", FSCONFIG_SET_STRING, "size", "large", 0, EINVAL },
	{ "string_without_a_value", FSCONFIG_SET_STRING, "size", NULL, 0, EINVAL },
	{ "flag_with_a_value", FSCONFIG_SET_FLAG, "ro", "1", 0, EINVAL },
	{ "flag_with_a_number", FSCONFIG_SET_FLAG, "ro", NULL, 1, EINVAL },
	{ "unknown_command", 99, "size", "1m", 0, EOPNOTSUPP },
	{ "reconfigure_what_is_not_there", FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0, EBUSY },
};

TEST_EACH(configurations, mnt, fsconfig_checks_its_arguments,
	  .says = "fsconfig refuses unknown keys, bad values and commands out of order",
	  .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	_fd_ int fs = -EBADF;

	own_stage();
	fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0, fsconfig(fs, row->command, row->key, row->value, row->aux));
	EXPECT_EQ(row->want, errno);
}

TEST(mnt, long_option_does_not_overflow,
     .says = "options that add up to more than a page are refused (CVE-2022-0185)",
     .checks = "mnt-037", .needs = CONTEXT_NEEDS)
{
	_fd_ int fs = -EBADF;
	char value[256];
	int accepted = 0;

	own_stage();
	/* A type whose options are still one legacy string. */
	fs = fsopen("cgroup2", FSOPEN_CLOEXEC);
	if (fs < 0)
		fs = MUST(fsopen("devpts", FSOPEN_CLOEXEC));
	memset(value, 'A', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	while (accepted < 64 && !fsconfig(fs, FSCONFIG_SET_STRING, "\x00", value, 0)) accepted++;
	EXPECT_LE(accepted, 16);
	EXPECT_EQ(EINVAL, errno);
}

TEST(mnt, fspick_reconfigures_a_file_system,
     .says = "fspick and fsconfig make a mounted file system read-only and writable again",
     .checks = "mnt-036", .needs = CONTEXT_NEEDS)
{
	_fd_ int fs = -EBADF;

	own_stage();
	must_tmpfs("spot");
	fs = ASSERT_OK(fspick(AT_FDCWD, "spot", FSPICK_CLOEXEC));
	ASSERT_OK(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	ASSERT_OK(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	EXPECT_ERRNO(EROFS, mkdir("spot/new", 0755));
	ASSERT_OK(fsconfig(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0));
	ASSERT_OK(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	EXPECT_OK(mkdir("spot/new", 0755));
}

TEST(mnt, fspick_checks_its_arguments,
     .says = "fspick wants a mount's root (EINVAL), known flags (EINVAL) and the right (EPERM)",
     .checks = "mnt-036", .needs = CONTEXT_NEEDS)
{
	own_stage();
	must_tmpfs("spot");
	must_mkdir("spot/plain");
	MUST(chmod(".", 0755));
	EXPECT_ERRNO(EINVAL, fspick(AT_FDCWD, "spot/plain", 0));
	EXPECT_ERRNO(EINVAL, fspick(AT_FDCWD, "spot", 1U << 30));
	EXPECT_ERRNO(ENOENT, fspick(AT_FDCWD, "missing", 0));
	EXPECT_ERRNO(EBADF, fspick(9999, "spot", 0));
	AS_NOBODY { EXPECT_ERRNO(EPERM, fspick(AT_FDCWD, "spot", 0)); }
	EXPECT_OK(close(fspick(AT_FDCWD, "spot", 0)));
}

TEST(mnt, context_belongs_to_its_maker,
     .says = "a context passed into a less privileged namespace cannot be completed there (EPERM)",
     .checks = "mnt-038", .needs = CONTEXT_NEEDS | NEED(userns))
{
	own_stage();

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS);

	ON_HOST {
		int fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));

		give_fd(fs);
		close(fs);
	}
	IN_CONTAINER {
		_fd_ int fs = take_fd();

		EXPECT_ERRNO(EPERM, fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	}
}

TEST(mnt, context_gives_its_errors_to_read,
     .says = "why fsconfig refused an option can be read from the context, ENODATA when nothing is "
	     "left",
     .checks = "mnt-035", .needs = CONTEXT_NEEDS)
{
	_fd_ int fs = -EBADF;
	char message[256] = "";

	own_stage();
	fs = MUST(fsopen("tmpfs", FSOPEN_CLOEXEC));
	EXPECT_ERRNO(ENODATA, read(fs, message, sizeof(message)));
	EXPECT_ERRNO(EINVAL, fsconfig(fs, FSCONFIG_SET_STRING, "nosuchkey", "1", 0));
	EXPECT_LT(0, read(fs, message, sizeof(message) - 1));
	EXPECT_CONTAINS("nosuchkey", message);
}

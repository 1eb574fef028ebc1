// SPDX-License-Identifier: GPL-2.0-or-later
/* What each flag of a mount does, and what binds, moves and remounts make of them. */
#include "mountinfo.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

/* What can be tried on a mount; each returns 0 or the errno. */
static int try_write(void)
{
	int fd = open("m/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_device(void)
{
	int fd = open("m/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* An empty executable: ENOEXEC means that it was allowed to run. */
static int try_exec(void)
{
	char *const nothing[] = { NULL };

	execve("m/empty", nothing, nothing);
	return errno == ENOEXEC ? 0 : errno;
}

/* What access(2) says, whom all permission bits let. */
static int ask_to_write(void)
{
	return access("m/file", W_OK) ? errno : 0;
}

static int ask_to_run(void)
{
	return access("m/empty", X_OK) ? errno : 0;
}

static int try_link(void)
{
	int fd = open("m/link", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

struct effect {
	const char *label;
	unsigned long flag;
	int (*attempt)(void);
	int want;
};

ROWS(effects, struct effect) = {
	{ "read_only", MS_RDONLY, try_write, EROFS },
	{ "read_only_is_told", MS_RDONLY, ask_to_write, EROFS },
	{ "noexec", MS_NOEXEC, try_exec, EACCES },
	{ "noexec_is_told", MS_NOEXEC, ask_to_run, EACCES },
	{ "nosuid_lets_run", MS_NOSUID, try_exec, 0 },
	{ "noexec_lets_write", MS_NOEXEC, try_write, 0 },
	{ "nodev_lets_write", MS_NODEV, try_write, 0 },
};

/* "m", where everything can be tried. */
static void things_to_try(void)
{
	own_stage();
	must_tmpfs("m");
	must_create("m/empty", "\n");
	MUST(chmod("m/empty", 0755));
	must_create("m/file", "1");
	MUST(symlink("file", "m/link"));
}

TEST_EACH(effects, mnt, flags_do_what_they_say,
	  .says = "each flag of a mount denies what it names and nothing else", .checks = "mnt-047",
	  .needs = NEED(admin) | NEED(mntns))
{
	things_to_try();
	EXPECT_EQ(0, row->attempt());
	unlink("m/new");
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | row->flag, NULL);
	EXPECT_EQ(row->want, row->attempt());
	unlink("m/new");
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL);
	EXPECT_EQ(0, row->attempt());
}

TEST(mnt, nodev_closes_devices,
     .says = "on a nodev mount opening a device fails with EACCES, on another path it opens",
     .checks = "mnt-047", .needs = NEED(root) | NEED(mntns))
{
	things_to_try();
	MUST(mknod("m/null", S_IFCHR | 0666, makedev(1, 3)));
	must_mkdir("open");
	must_mount("m", "open", NULL, MS_BIND, NULL);
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL);
	EXPECT_EQ(EACCES, try_device());
	EXPECT_OK(access("open/null", R_OK));
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL);
	EXPECT_EQ(0, try_device());
}

/*
 * The effective user id that a program has which nobody starts. It is looked at when the
 * program speaks, since exec closes descriptors before it changes ids; a program that has
 * ended is a zombie by then, and keeps its ids.
 */
static long effective_uid_of(const char *path)
{
	int output[2];
	char byte;
	pid_t pid;
	long uid;

	must_pipe(output);
	pid = must_fork();
	if (!pid) {
		must_become_nobody();
		MUST(dup2(output[1], 1));
		MUST(execl(path, path, "--list", NULL));
	}
	close(output[1]);
	MUST(read(output[0], &byte, 1));
	uid = strtol(strchr(status_field("Uid", pid), '\t'), NULL, 10);
	close(output[0]);
	must_wait(pid);
	return uid;
}

TEST(mnt, nosuid_takes_the_set_user_id_bit_away,
     .says = "a set-user-ID program gains nothing on a nosuid mount, and does elsewhere",
     .checks = "mnt-047", .needs = NEED(root) | NEED(mntns))
{
	own_stage();
	MUST(chmod(".", 0755));
	must_copy_self("copy", 04755);
	EXPECT_EQ(0, effective_uid_of("./copy"));
	must_mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL);
	EXPECT_EQ(65534, effective_uid_of("./copy"));
}

TEST(mnt, set_user_id_of_a_container_counts_for_nobody_outside,
     .says = "a set-user-ID program on a file system of a lesser user namespace gains nothing",
     .finding = "a program that the container made ran with the rights of its owner outside",
     .checks = "mnt-126", .needs = NEED(root) | NEED(mntns) | NEED(userns))
{
	own_stage();
	MUST(chmod(".", 0755));
	must_mkdir("spot");

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS);

	IN_CONTAINER {
		must_tmpfs("spot");
		must_copy_self("spot/copy", 04755);
	}
	ON_HOST {
		_fd_ int inside =
			MUST(open(text("/proc/%d/ns/mnt", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			MUST(setns(inside, CLONE_NEWNS));
			MUST(chdir(scratch()));
			EXPECT_EQ(65534, effective_uid_of("spot/copy"));
			must_tmpfs("spot");
			must_copy_self("spot/copy", 04755);
			EXPECT_EQ(0, effective_uid_of("spot/copy"));
		}
	}
}

struct access_time {
	const char *label;
	unsigned long flags;
	const char *path;
	int age;    /* seconds by which the last access is newer than the last change */
	bool moves; /* reading changes the access time */
};

ROWS(access_times, struct access_time) = {
	{ "strictatime", MS_STRICTATIME, "m/file", 150, true },
	{ "noatime", MS_NOATIME, "m/file", -5, false },
	{ "relatime_after_a_change", MS_RELATIME, "m/file", -5, true },
	{ "relatime_without_a_change", MS_RELATIME, "m/file", 150, false },
	{ "nodiratime_file", MS_STRICTATIME | MS_NODIRATIME, "m/file", 5, true },
	{ "nodiratime_directory", MS_STRICTATIME | MS_NODIRATIME, "m", 5, false },
	{ "diratime_directory", MS_STRICTATIME, "m", 5, true },
};

TEST_EACH(access_times, mnt, access_times_move_as_the_flags_say,
	  .says = "reading changes the access time as noatime, relatime, nodiratime say",
	  .checks = "mnt-047", .needs = NEED(admin) | NEED(mntns))
{
	long changed = time(NULL) - 100;
	struct timespec times[2] = { { .tv_sec = changed + row->age }, { .tv_sec = changed } };
	struct stat status;
	char buffer[4096];
	_fd_ int fd = -EBADF;

	things_to_try();
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | row->flags, NULL);
	MUST(utimensat(AT_FDCWD, row->path, times, 0));
	fd = MUST(open(row->path, O_RDONLY | O_CLOEXEC));
	if (row->path[1])
		MUST(read(fd, buffer, sizeof(buffer)));
	else
		MUST(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)));
	MUST(stat(row->path, &status));
	EXPECT_EQ(row->moves, status.st_atim.tv_sec != changed + row->age);
}

TEST(mnt, nosymfollow_follows_no_symlink,
     .says = "on a nosymfollow mount a path through a symlink fails with ELOOP, the link itself "
	     "works",
     .checks = "mnt-022", .needs = NEED(admin) | NEED(mntns))
{
	struct statfs status;
	char target[8];

	things_to_try();
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSYMFOLLOW, NULL);
	EXPECT_EQ(ELOOP, try_link());
	EXPECT_EQ(4, readlink("m/link", target, sizeof(target)));
	EXPECT_OK(symlink("file", "m/new"));
	EXPECT_OK(unlink("m/new"));
	MUST(statfs("m", &status));
	EXPECT(status.f_flags & ST_NOSYMFOLLOW);
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL);
	EXPECT_EQ(0, try_link());
}

TEST(mnt, bind_shows_a_file_at_a_second_path,
     .says = "a bound file or directory is the same file at both paths", .checks = "mnt-046",
     .needs = NEED(admin) | NEED(mntns))
{
	own_stage();
	must_mkdir("dir");
	must_create("dir/file", "first");
	must_create("other", "other");
	must_mkdir("view");
	ASSERT_OK(mount("dir/file", "other", NULL, MS_BIND, NULL));
	ASSERT_OK(mount("dir", "view", NULL, MS_BIND, NULL));
	EXPECT_STREQ("first", must_read("other"));
	must_write("other", "later");
	EXPECT_STREQ("later", must_read("view/file"));
	EXPECT_STREQ("/dir/file", mount_at("other").root);
	ASSERT_OK(umount("other"));
	EXPECT_STREQ("other", must_read("other"));
}

TEST(mnt, bind_ignores_new_flags,
     .says = "a bind takes the flags of its source; only a remount changes them, on it alone",
     .checks = "mnt-046 mnt-047", .needs = NEED(admin) | NEED(mntns))
{
	things_to_try();
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL);
	must_mkdir("view");
	ASSERT_OK(mount("m", "view", NULL, MS_BIND | MS_RDONLY, NULL));
	EXPECT(has_option(mount_at("view").options, "nodev"));
	EXPECT(!has_option(mount_at("view").options, "ro"));
	ASSERT_OK(mount(NULL, "view", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_ERRNO(EROFS, mkdir("view/new", 0755));
	EXPECT_OK(mkdir("m/new", 0755));
}

TEST(mnt, moved_mount_is_at_its_new_place_only,
     .says = "MS_MOVE takes a mount and what is on it to another place", .checks = "mnt-046",
     .needs = NEED(admin) | NEED(mntns))
{
	things_to_try();
	must_tmpfs("m/sub");
	must_mkdir("there");
	ASSERT_OK(mount("m", "there", NULL, MS_MOVE, NULL));
	EXPECT(!is_mounted("m"));
	EXPECT(is_mounted("there/sub"));
	EXPECT_STREQ("1", must_read("there/file"));
	EXPECT(!exists("m/file"));
}

TEST(mnt, mount_on_a_shared_parent_is_not_moved,
     .says = "moving a mount whose parent is shared fails with EINVAL, with a private one it works",
     .checks = "mnt-046", .needs = NEED(admin) | NEED(mntns))
{
	things_to_try();
	must_mkdir("there");
	must_mount(NULL, ".", NULL, MS_SHARED, NULL);
	EXPECT_ERRNO(EINVAL, mount("m", "there", NULL, MS_MOVE, NULL));
	must_mount(NULL, ".", NULL, MS_PRIVATE, NULL);
	EXPECT_OK(mount("m", "there", NULL, MS_MOVE, NULL));
}

TEST(mnt, super_block_read_only_covers_every_mount,
     .says = "a remount without MS_BIND makes all mounts of the file system read-only",
     .checks = "mnt-036 mnt-047", .needs = NEED(admin) | NEED(mntns))
{
	things_to_try();
	must_mkdir("view");
	must_mount("m", "view", NULL, MS_BIND, NULL);
	ASSERT_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_ERRNO(EROFS, mkdir("view/new", 0755));
	EXPECT(has_option(mount_at("view").super, "ro"));
	ASSERT_OK(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	EXPECT_OK(mkdir("view/new", 0755));
}

TEST(mnt, writer_keeps_a_mount_writable,
     .says = "a remount to read-only fails with EBUSY while a file is open for writing",
     .checks = "mnt-014 mnt-045", .needs = NEED(admin) | NEED(mntns))
{
	int writer;

	things_to_try();
	writer = MUST(open("m/file", O_WRONLY | O_CLOEXEC));
	EXPECT_ERRNO(EBUSY, mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_ERRNO(EBUSY, mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT(!has_option(mount_at("m").options, "ro"));
	close(writer);
	EXPECT_OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
}

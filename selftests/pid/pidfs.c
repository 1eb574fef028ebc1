// SPDX-License-Identifier: GPL-2.0-or-later
/* Pidfds as files: handles, attributes, mounts. */
#include "pid.h"

#include <sys/xattr.h>

union file {
	struct file_handle handle;
	char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static void must_name(int pidfd, union file *file)
{
	int mount_id;

	*file = (union file){ .handle.handle_bytes = MAX_HANDLE_SZ };
	MUST(name_to_handle_at(pidfd, "", &file->handle, &mount_id, AT_EMPTY_PATH));
}

static int open_named(int mount_fd, union file *file)
{
	return open_by_handle_at(mount_fd, &file->handle, O_CLOEXEC);
}

TEST(pid, a_handle_leads_back_to_the_process,
     .says = "a pidfd's file handle opens a pidfd of the same process while that is not reaped",
     .checks = "pid-40", .needs = NEED(pidns) | NEED(pidfs_handle))
{
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid), self = must_pidfd(getpid()), again = -EBADF;
	struct stat one, other;
	union file file;

	must_name(pidfd, &file);
	again = ASSERT_OK(open_named(self, &file));
	MUST(fstat(pidfd, &one));
	MUST(fstat(again, &other));
	EXPECT_EQ(one.st_ino, other.st_ino);
	EXPECT_EQ(pid, pid_here(again));
	EXPECT_OK(pidfd_send(again, SIGTERM, NULL, 0));
	EXPECT_SIGNAL(SIGTERM, must_wait(pid));
	EXPECT_ERRNO(ESTALE, open_named(self, &file));
}

TEST(pid, a_handle_of_a_stranger_does_not_open,
     .says = "a pidfd's handle opens in its own PID namespace and above, and nowhere else",
     .finding = "the container opened a process of the host by file handle", .checks = "pid-40",
     .needs = NEED(admin) | NEED(pidns) | NEED(pidfs_handle))
{
	_fd_ int self = must_pidfd(getpid());
	union file host, inner;
	pid_t pid;
	int go[2];

	must_pipe(go);
	must_name(self, &host);
	pid = must_clone3(CLONE_NEWPID);
	if (!pid) {
		_fd_ int own = must_pidfd(1);

		EXPECT_ERRNO(ESTALE, open_named(own, &host));
		must_name(own, &inner);
		EXPECT_OK(open_named(own, &inner));
		MUST(write(go[1], &inner, sizeof(inner)));
		for (;;) pause();
	}
	ASSERT_EQ((ssize_t)sizeof(inner), MUST(read(go[0], &inner, sizeof(inner))));
	IN_FORK {
		int opened = ASSERT_OK(open_named(self, &inner));

		EXPECT_EQ(pid, pid_here(opened));
	}
	EXPECT_SIGNAL(SIGKILL, must_kill(pid));
	EXPECT_ERRNO(ESTALE, open_named(self, &inner));
	close(go[0]);
	close(go[1]);
}

TEST(pid, the_same_process_is_the_same_file,
     .says = "two pidfds of a process have one inode number, two processes have two",
     .checks = "pid-40", .needs = NEED(pidns) | NEED(pidfs_handle))
{
	pid_t pid = must_idle();
	_fd_ int one = must_pidfd(pid), same = must_pidfd(pid), other = must_pidfd(getpid());
	struct stat status[3];

	MUST(fstat(one, &status[0]));
	MUST(fstat(same, &status[1]));
	MUST(fstat(other, &status[2]));
	EXPECT_EQ(status[0].st_ino, status[1].st_ino);
	EXPECT_NE(status[0].st_ino, status[2].st_ino);
	EXPECT_EQ(status[0].st_dev, status[2].st_dev);
	must_kill(pid);
}

TEST(pid, a_pidfd_is_a_file_of_its_own_kind,
     .says = "a pidfd cannot be given another owner or mode, executed, or looked up in",
     .checks = "pid-41", .needs = NEED(root) | NEED(pidns) | NEED(pidfs_xattr))
{
	_fd_ int self = must_pidfd(getpid());
	char *none[] = { NULL };

	EXPECT_ERRNO(EOPNOTSUPP, fchown(self, 0, 0));
	EXPECT_ERRNO(EOPNOTSUPP, fchmod(self, 0777));
	EXPECT_ERRNO(EACCES, syscall(SYS_execveat, self, "", none, none, AT_EMPTY_PATH));
	EXPECT_ERRNO(ENOTDIR, openat(self, "file", O_RDONLY));
	EXPECT_ERRNO(EINVAL, read(self, none, 1));
}

TEST(pid, attributes_stay_with_the_process,
     .says = "a trusted attribute of a pidfd is there again when the process is opened again",
     .checks = "pid-42", .needs = NEED(root) | NEED(pidns) | NEED(pidfs_xattr))
{
	pid_t pid = must_idle();
	char value[8] = "";
	int pidfd = must_pidfd(pid);

	/* Before the first attribute 0, not ENODATA (seen on 6.18). */
	EXPECT_GE(0, fgetxattr(pidfd, "trusted.selftest", value, sizeof(value)));
	EXPECT_OK(fsetxattr(pidfd, "trusted.selftest", "kept", 4, XATTR_CREATE));
	close(pidfd);
	pidfd = must_pidfd(pid);
	EXPECT_EQ(4, fgetxattr(pidfd, "trusted.selftest", value, sizeof(value)));
	EXPECT_STREQ("kept", value);
	EXPECT_ERRNO(EEXIST, fsetxattr(pidfd, "trusted.selftest", "new", 3, XATTR_CREATE));
	AS_NOBODY { EXPECT_ERRNO(EPERM, fsetxattr(pidfd, "trusted.selftest", "new", 3, 0)); }
	EXPECT_OK(fremovexattr(pidfd, "trusted.selftest"));
	EXPECT_ERRNO(ENODATA, fgetxattr(pidfd, "trusted.selftest", value, sizeof(value)));
	close(pidfd);
	must_kill(pid);
}

TEST(pid, a_pidfd_can_be_mounted,
     .says = "a pidfd bound to a path can be opened there, as a pidfd of the same process",
     .checks = "pid-43", .needs = NEED(root) | NEED(pidns) | NEED(mntns) | NEED(pidfs_mount))
{
	pid_t pid = must_idle();
	_fd_ int pidfd = must_pidfd(pid);

	UNSHARED(CLONE_NEWNS) {
		_fd_ int tree = -EBADF, again = -EBADF;

		must_private("/");
		must_mount("apart", scratch(), "tmpfs", 0, NULL);
		must_create(text("%s/process", scratch()), "%s", "");
		tree = ASSERT_OK(syscall(SYS_open_tree, pidfd, "",
					 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
		ASSERT_OK(syscall(SYS_move_mount, tree, "", AT_FDCWD, text("%s/process", scratch()),
				  MOVE_MOUNT_F_EMPTY_PATH));
		again = ASSERT_OK(open(text("%s/process", scratch()), O_RDONLY | O_CLOEXEC));
		EXPECT_EQ(pid, pid_here(again));
		EXPECT_OK(pidfd_send(again, 0, NULL, 0));
	}
	must_kill(pid);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The mount options of procfs that decide what is seen. Each test mounts its own. */
#include "pid.h"

#include <linux/capability.h>

#define IN_OWN_MOUNTS CONTAINER(.unshare = CLONE_NEWPID | CLONE_NEWNS, .proc = true)
#define PROC_NEEDS    NEED(admin) | NEED(pidns) | NEED(mntns) | NEED(userns_proc)

/* A directory of the container's own to mount in, where it then stands. */
static void must_stand_apart(void)
{
	must_mount("apart", scratch(), "tmpfs", 0, NULL);
	MUST(chdir(scratch()));
}

static void must_mount_proc(const char *name, const char *options)
{
	must_mkdir("%s", name);
	must_mount("proc", name, "proc", 0, options);
}

TEST(pid, only_processes_with_subset_pid,
     .says = "procfs with subset=pid has the processes, self and thread-self, and nothing else",
     .checks = "pid-48", .needs = PROC_NEEDS)
{
	static const char *const hidden[] = { "meminfo", "sys",           "kcore",  "cmdline",
					      "version", "sysrq-trigger", "mounts", "net" };

	IN_OWN_MOUNTS;

	IN_CONTAINER {
		must_stand_apart();
		must_mount_proc("subset", "subset=pid");
		EXPECT_STREQ("1", must_readlink("subset/self"));
		EXPECT_STREQ("1/task/1", must_readlink("subset/thread-self"));
		EXPECT_OK(open("subset/1/status", O_RDONLY | O_CLOEXEC));
		EXPECT_EQ(1, count_processes("subset"));
		for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
			EXPECT_ERRNO(ENOENT, open(text("subset/%s", hidden[i]), O_PATH));
		EXPECT(exists("/proc/meminfo"));
	}
}

struct hiding {
	const char *label;
	const char *option;
	bool seen; /* another user's directory is listed */
	int read;  /* errno of opening a file in it */
};

ROWS(hidings, struct hiding) = {
	{ "off", "hidepid=0", true, 0 },
	{ "noaccess", "hidepid=1", true, EPERM },
	{ "invisible", "hidepid=2", false, ENOENT },
	{ "ptraceable", "hidepid=4", false, ENOENT },
	{ "invisible_by_name", "hidepid=invisible", false, ENOENT },
};

static int errno_of_open(const char *path, int flags)
{
	_fd_ int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

TEST_EACH(hidings, pid, hidepid_hides_other_users,
	  .says = "hidepid hides the processes of other users from who has no privilege",
	  .checks = "pid-49", .needs = PROC_NEEDS | NEED(root))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		must_stand_apart();
		must_mount_proc("hide", row->option);
		AS_NOBODY {
			EXPECT_EQ(row->seen, exists("hide/1"));
			EXPECT_EQ(row->read, errno_of_open("hide/1/cmdline", O_RDONLY));
			EXPECT_EQ(row->seen ? 2 : 1, count_processes("hide"));
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
			EXPECT_EQ(0, errno_of_open("hide/self/cmdline", O_RDONLY));
		}
		EXPECT_EQ(0, errno_of_open("hide/1/cmdline", O_RDONLY));
	}
}

TEST(pid, a_group_may_be_let_in,
     .says = "gid= names the group that hidepid does not hide anything from", .checks = "pid-49",
     .needs = PROC_NEEDS | NEED(root))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		must_stand_apart();
		must_mount_proc("group", "hidepid=2,gid=65534");
		must_mount_proc("other", "hidepid=2,gid=65533");
		AS_NOBODY {
			EXPECT_EQ(0, errno_of_open("group/1/stat", O_RDONLY));
			EXPECT_EQ(ENOENT, errno_of_open("other/1/stat", O_RDONLY));
		}
	}
}

TEST(pid, each_procfs_has_its_options,
     .says = "two procfs of one PID namespace are two file systems with options of their own",
     .checks = "pid-49", .needs = PROC_NEEDS)
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		struct stat one, other;

		must_stand_apart();
		must_mount_proc("open", "hidepid=0");
		must_mount_proc("hidden", "hidepid=2");
		MUST(stat("open", &one));
		MUST(stat("hidden", &other));
		EXPECT_NE(one.st_dev, other.st_dev);
		EXPECT_CONTAINS("hidepid=invisible", mounted_at(text("%s/hidden", scratch())));
		EXPECT_LACKS("hidepid", mounted_at(text("%s/open", scratch())));
	}
}

struct option {
	const char *label;
	const char *key, *value;
	int want; /* errno, 0 = accepted */
};

ROWS(options_of_proc, struct option) = {
	{ "off", "hidepid", "0", 0 },
	{ "by_name", "hidepid", "ptraceable", 0 },
	{ "not_defined", "hidepid", "3", EINVAL },
	{ "too_large", "hidepid", "5", EINVAL },
	{ "negative", "hidepid", "-1", EINVAL },
	{ "empty", "hidepid", "", EINVAL },
	{ "no_name", "hidepid", "nowhere", EINVAL },
	{ "subset_pid", "subset", "pid", 0 },
	{ "subset_unknown", "subset", "everything", EINVAL },
	{ "unknown_option", "hidemypid", "1", EINVAL },
};

TEST_EACH(options_of_proc, pid, procfs_refuses_unknown_values,
	  .says = "fsconfig of procfs takes the values that are defined and no other: EINVAL",
	  .checks = "pid-48 pid-49", .needs = PROC_NEEDS | NEED(fsopen))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		_fd_ int proc = MUST(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));
		long done =
			syscall(SYS_fsconfig, proc, FSCONFIG_SET_STRING, row->key, row->value, 0);

		EXPECT_EQ(row->want, done ? errno : 0);
	}
}

/* procfs for another PID namespace, by the descriptor of one. */
static long set_pidns(int proc, int pidns)
{
	return syscall(SYS_fsconfig, proc, FSCONFIG_SET_FD, "pidns", NULL, pidns);
}

TEST(pid, procfs_for_a_namespace_by_descriptor,
     .says = "procfs with pidns= shows the PID namespace named, where the mounter has no self",
     .checks = "pid-47", .needs = PROC_NEEDS | NEED(fsopen) | NEED(proc_pidns))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		_fd_ int proc = MUST(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));
		pid_t inner = must_clone3(CLONE_NEWPID);
		_fd_ int pidns = -EBADF, mount_ = -EBADF;

		if (!inner)
			for (;;) pause();
		pidns = MUST(open(text("/proc/%d/ns/pid", inner), O_RDONLY | O_CLOEXEC));
		ASSERT_OK(set_pidns(proc, pidns));
		ASSERT_OK(syscall(SYS_fsconfig, proc, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		mount_ = ASSERT_OK(syscall(SYS_fsmount, proc, FSMOUNT_CLOEXEC, 0));
		EXPECT_OK(openat(mount_, "1/status", O_RDONLY | O_CLOEXEC));
		EXPECT_ERRNO(ENOENT, openat(mount_, "self/status", O_RDONLY));
		EXPECT_ERRNO(ENOENT, openat(mount_, "2", O_PATH));
		must_kill(inner);
	}
}

TEST(pid, procfs_for_a_namespace_by_path,
     .says = "pidns= takes a path to a PID namespace, and no other kind of namespace",
     .checks = "pid-47", .needs = PROC_NEEDS | NEED(fsopen) | NEED(proc_pidns))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		_fd_ int proc = MUST(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));
		_fd_ int uts = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

		EXPECT_OK(syscall(SYS_fsconfig, proc, FSCONFIG_SET_STRING, "pidns",
				  "/proc/self/ns/pid", 0));
		EXPECT_ERRNO(EINVAL, set_pidns(proc, uts));
		EXPECT_ERRNO(ENOENT, syscall(SYS_fsconfig, proc, FSCONFIG_SET_STRING, "pidns",
					     "/proc/self/ns/nowhere", 0));
	}
}

TEST(pid, procfs_keeps_its_namespace,
     .says = "a mounted procfs cannot be switched to another PID namespace: EBUSY",
     .checks = "pid-47", .needs = PROC_NEEDS | NEED(fsopen) | NEED(proc_pidns))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		_fd_ int proc = -EBADF, own = -EBADF;

		own = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
		proc = MUST(syscall(SYS_fspick, AT_FDCWD, "/proc", FSPICK_CLOEXEC));
		EXPECT_ERRNO(EBUSY, set_pidns(proc, own));
	}
}

TEST(pid, procfs_does_not_look_up,
     .says = "pidns= does not take a PID namespace that is above the mounter's own: EINVAL",
     .finding = "a container can mount a procfs of the host's PID namespace", .checks = "pid-47",
     .needs = PROC_NEEDS | NEED(fsopen) | NEED(proc_pidns))
{
	IN_OWN_MOUNTS;

	IN_CONTAINER {
		_fd_ int above = MUST(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
		_fd_ int proc = MUST(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));

		UNSHARED(CLONE_NEWPID) { EXPECT_ERRNO(EINVAL, set_pidns(proc, above)); }
		EXPECT_OK(set_pidns(proc, above));
	}
}

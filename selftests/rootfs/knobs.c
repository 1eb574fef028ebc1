// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's levers: not to be pulled from inside. */
#include "root.h"

#include <sys/fanotify.h>
#include <sys/resource.h>

#define KNOB_NEEDS NEED(root) | NEED(mntns) | NEED(own_proc) | NEED(masked)

struct knob {
	const char *label, *path;
};

ROWS(knobs, struct knob) = {
	{ "sysrq_trigger", "/proc/sysrq-trigger" },
	{ "sysrq", "/proc/sys/kernel/sysrq" },
	{ "core_pattern", "/proc/sys/kernel/core_pattern" },
	{ "modprobe", "/proc/sys/kernel/modprobe" },
	{ "hotplug", "/proc/sys/kernel/hotplug" },
	{ "panic_on_oops", "/proc/sys/kernel/panic_on_oops" },
	{ "randomize_va_space", "/proc/sys/kernel/randomize_va_space" },
	{ "unprivileged_bpf", "/proc/sys/kernel/unprivileged_bpf_disabled" },
	{ "drop_caches", "/proc/sys/vm/drop_caches" },
	{ "panic_on_oom", "/proc/sys/vm/panic_on_oom" },
	{ "protected_symlinks", "/proc/sys/fs/protected_symlinks" },
	{ "suid_dumpable", "/proc/sys/fs/suid_dumpable" },
	{ "binfmt_misc", "/proc/sys/fs/binfmt_misc/register" },
	{ "uevent_helper", "/sys/kernel/uevent_helper" },
	{ "profiling", "/sys/kernel/profiling" },
	{ "kexec_crash_size", "/sys/kernel/kexec_crash_size" },
	{ "rescan", "/sys/bus/pci/rescan" },
	{ "power_state", "/sys/power/state" },
	{ "efi_vars", "/sys/firmware/efi/vars/new_var" },
	{ "security_apparmor", "/sys/kernel/security/apparmor/.load" },
	{ "debug", "/sys/kernel/debug/sched_features" },
	{ "tracing", "/sys/kernel/tracing/trace_marker" },
	{ "kmsg", "/dev/kmsg" },
	{ "mem", "/dev/mem" },
};

/* 0 when the file could be opened for writing, or why not. */
static int write_error(const char *path)
{
	_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

/* Not there, not for us, or on a read-only mount. */
static bool is_out_of_reach(const char *path)
{
	int error = write_error(path);

	return error == EROFS || error == EACCES || error == ENOENT || error == EPERM;
}

TEST_EACH(knobs, rootfs, knob_of_the_kernel_is_not_writable,
	  .says = "a file that steers the kernel cannot be opened for writing inside",
	  .finding = "a file that steers the host's kernel is writable inside",
	  .checks = "rootfs-35", .layer = RUNTIME, .needs = KNOB_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT(is_out_of_reach(row->path));
		EXPECT(!is_out_of_reach("/proc/self/comm"));
	}
}

TEST_EACH(knobs, rootfs, knob_is_not_writable_in_a_user_namespace,
	  .says = "with a user namespace a file that steers the kernel is not writable, either",
	  .finding = "a file that steers the host's kernel is writable inside",
	  .checks = "rootfs-35", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(userns) | NEED(own_proc) | NEED(masked))
{
	CONTAINER(.unshare = CLONE_NEWNS | CLONE_NEWUSER, .userns = true);

	IN_CONTAINER { EXPECT(is_out_of_reach(row->path)); }
}

TEST(rootfs, kernel_addresses_are_hidden,
     .says = "/proc/kallsyms shows no addresses to the container's command",
     .finding = "the addresses of the kernel can be read inside", .checks = "rootfs-36",
     .layer = RUNTIME, .needs = KNOB_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		char first[17] = "0";
		_fd_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

		MUST_HOLD(exists("/proc/self"));
		if (fd >= 0)
			EXPECT_GE(read(fd, first, 16), 0);
		EXPECT(fd < 0 || first[0] == '0' || first[0] == 0);
	}
}

TEST(rootfs, kernel_log_is_not_read,
     .says = "/proc/kmsg and the syslog call refuse the container's command (EPERM)",
     .finding = "the kernel's log can be read inside", .checks = "rootfs-36", .layer = RUNTIME,
     .needs = KNOB_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		_fd_ int fd = -EBADF;
		char buffer[64];

		/* 5 = SYSLOG_ACTION_CLEAR: needs the right even where reading does not. */
		EXPECT_ERRNO(EPERM, syscall(SYS_syslog, 5, buffer, sizeof(buffer)));
		fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		EXPECT_LE(read(fd, buffer, sizeof(buffer)), 0);
	}
}

TEST(rootfs, binary_formats_are_not_registered,
     .says = "binfmt_misc is neither writable nor mountable for the container's command",
     .finding = "the container can register binary formats with the host's kernel",
     .checks = "rootfs-38", .layer = RUNTIME, .needs = KNOB_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT(is_out_of_reach("/proc/sys/fs/binfmt_misc/register"));
		EXPECT_ERRNO(EPERM, mount("none", "/mnt", "binfmt_misc", 0, NULL));
	}
}

TEST(rootfs, host_file_systems_are_not_mounted_anew,
     .says = "debugfs, tracefs, securityfs, cgroup and devtmpfs are not mountable for the command",
     .finding = "the command can mount a file system of the host's kernel",
     .checks = "rootfs-35 rootfs-40", .layer = RUNTIME, .needs = KNOB_NEEDS)
{
	static const char *const types[] = { "debugfs", "tracefs",  "securityfs", "cgroup2",
					     "cgroup",  "devtmpfs", "sysfs",      "bpf" };

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			EXPECT_ERRNO(EPERM, mount("none", "/mnt", types[i], 0, NULL));
	}
}

/* The checksum (FNV-1a) of a file; 0 when it cannot be read. */
static long long checksum(const char *path)
{
	_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t sum = 14695981039346656037ULL;
	unsigned char buffer[4096];
	ssize_t got;

	if (fd < 0)
		return 0;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < got; i++) sum = (sum ^ buffer[i]) * 1099511628211ULL;
	return (long long)(sum >> 1);
}

TEST(rootfs, program_of_the_host_is_not_overwritten,
     .says = "the program that started the command is not writable through /proc/PID/exe",
     .finding = "a file of the host was opened for writing through /proc/PID/exe (CVE-2019-5736)",
     .checks = "rootfs-30 rootfs-31", .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST { remember("sum", checksum("/proc/self/exe")); }
	IN_CONTAINER {
		DIR *proc = opendir("/proc");
		struct dirent *pid;

		MUST_HOLD(exists("/proc/self/exe"));
		while ((pid = readdir(proc))) {
			_fd_ int fd = -EBADF;

			if (pid->d_name[0] < '1' || pid->d_name[0] > '9')
				continue;
			fd = open(text("/proc/%s/exe", pid->d_name), O_WRONLY | O_CLOEXEC);
			EXPECT_EQ(-1, fd);
			EXPECT(errno == ETXTBSY || errno == EROFS || errno == EACCES ||
			       errno == EPERM);
		}
		closedir(proc);
	}
	ON_HOST { EXPECT_EQ(recall_number("sum"), checksum("/proc/self/exe")); }
}

TEST(rootfs, program_bound_read_only_is_not_written,
     .says = "the read-only bind of the host's program refuses writing through any path (EROFS)",
     .finding = "a file bound read-only was opened for writing", .checks = "rootfs-39 rootfs-31",
     .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(own_proc) | NEED(bind))
{
	CONTAINER(.unshare = CLONE_NEWNS, .bind = { text("%s:/mnt:ro", scratch()) });

	ON_HOST { must_create("file", "host"); }
	IN_CONTAINER {
		_fd_ int fd = ASSERT_OK(open("/mnt/file", O_RDONLY | O_CLOEXEC));

		EXPECT_ERRNO(EROFS, open("/mnt/file", O_WRONLY | O_CLOEXEC));
		EXPECT_ERRNO(EROFS, open(text("/proc/self/fd/%d", fd), O_WRONLY | O_CLOEXEC));
		EXPECT_ERRNO(EROFS, open("/proc/self/root/mnt/file", O_WRONLY | O_CLOEXEC));
		EXPECT_ERRNO(EROFS, truncate("/mnt/file", 0));
		EXPECT_ERRNO(EROFS, chmod("/mnt/file", 0777));
		EXPECT_ERRNO(EROFS, unlink("/mnt/file"));
		EXPECT_ERRNO(EROFS, link("/mnt/file", "/mnt/other"));
	}
	ON_HOST {
		EXPECT_STREQ("host", must_read("file"));
		MUST(unlink("file"));
	}
}

TEST(rootfs, core_of_the_command_stays_inside,
     .says = "a crash inside leaves no core file in the host's working directory",
     .finding = "a crash inside wrote a core file on the host", .checks = "rootfs-37",
     .layer = RUNTIME, .needs = NEED(mntns))
{
	CONTAINER(.unshare = CLONE_NEWNS, .tmpfs = { "/mnt" });

	IN_CONTAINER {
		const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
		pid_t pid;
		int status;

		setrlimit(RLIMIT_CORE, &all);
		MUST(chdir("/mnt"));
		pid = must_fork();
		if (!pid)
			abort();
		status = must_wait(pid);
		EXPECT_SIGNAL(SIGABRT, status);
	}
	ON_HOST {
		EXPECT(!exists("core"));
		EXPECT(!exists("/core"));
	}
}

struct watch {
	const char *label;
	unsigned flags;
};

/* Marks wider than one file or directory. */
ROWS(watches, struct watch) = {
	{ "mount", FAN_MARK_MOUNT },
	{ "file_system", FAN_MARK_FILESYSTEM },
	{ "mount_namespace", FAN_MARK_MNTNS },
};

/* A group that an unprivileged user may have: FAN_CLASS_NOTIF | FAN_REPORT_FID. */
static int watch(unsigned flags, const char *path)
{
	_fd_ int group = syscall(SYS_fanotify_init, 0x200 | FAN_CLOEXEC, 0);

	return syscall(SYS_fanotify_mark, group, FAN_MARK_ADD | flags, (uint64_t)FAN_MODIFY,
		       AT_FDCWD, path);
}

TEST_EACH(watches, rootfs, wide_watches_are_refused,
	  .says = "the command cannot watch a whole mount or file system by fanotify",
	  .finding = "the command can watch what others do on the host's file system",
	  .checks = "rootfs-45", .layer = RUNTIME, .needs = KNOB_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { EXPECT_EQ(-1, watch(row->flags, "/")); }
}

TEST(rootfs, wide_watches_need_the_right,
     .says = "without CAP_SYS_ADMIN fanotify watches a file and no mount or file system (EPERM)",
     .checks = "rootfs-45", .needs = NEED(admin) | NEED(mntns) | NEED(mount_notify))
{
	own_stage();
	must_create("file", "1");
	MUST(chmod(".", 0755));
	AS_NOBODY {
		EXPECT_OK(watch(0, "file"));
		EXPECT_ERRNO(EPERM, watch(FAN_MARK_MOUNT, "file"));
		EXPECT_ERRNO(EPERM, watch(FAN_MARK_FILESYSTEM, "file"));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Probes of what PID namespaces and pidfds have learnt since 5.10. See needs.h. */
#include "probe.h"

#include "harness.h"

#include <sys/ioctl.h>
#include <sys/xattr.h>

bool probe_posix_mqueue(void)
{
	return has_syscall(SYS_mq_getsetattr);
}

static int own_pidfd(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0);
}

bool probe_peer_pidfd(void)
{
	int ends[2], peer = -EBADF;
	socklen_t size = sizeof(peer);
	bool has;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	has = !getsockopt(ends[0], SOL_SOCKET, SO_PEERPIDFD, &peer, &size);
	close_fd(&peer);
	close(ends[0]);
	close(ends[1]);
	return has;
}

bool probe_pidns_ioctl(void)
{
	_fd_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	return ioctl(own, NS_GET_TGID_IN_PIDNS, getpid()) == getpid();
}

/* What PIDFD_GET_INFO says to have filled in, of what it was asked for. */
static uint64_t answered(int pidfd, uint64_t asked)
{
	struct pidfd_info info = { .mask = asked };

	return ioctl(pidfd, PIDFD_GET_INFO, &info) ? 0 : info.mask;
}

bool probe_pidfd_info(void)
{
	_fd_ int self = own_pidfd();

	return answered(self, PIDFD_INFO_PID) & PIDFD_INFO_PID;
}

bool probe_pidfd_exit(void)
{
	pid_t pid = fork();
	_fd_ int pidfd = -EBADF;

	if (!pid)
		_exit(0);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	waitpid(pid, NULL, 0);
	return answered(pidfd, PIDFD_INFO_EXIT) & PIDFD_INFO_EXIT;
}

bool probe_pidfd_supported(void)
{
	_fd_ int self = own_pidfd();

	return answered(self, PIDFD_INFO_SUPPORTED_MASK) & PIDFD_INFO_SUPPORTED_MASK;
}

bool probe_coredump_info(void)
{
	_fd_ int self = own_pidfd();

	return answered(self, PIDFD_INFO_COREDUMP) & PIDFD_INFO_COREDUMP;
}

bool probe_pidfs_handle(void)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} file = { .handle.handle_bytes = MAX_HANDLE_SZ };
	_fd_ int self = own_pidfd();
	int mount_id;

	return !name_to_handle_at(self, "", &file.handle, &mount_id, AT_EMPTY_PATH);
}

static bool may_clone_mount(uint64_t unused)
{
	_fd_ int self = own_pidfd();

	(void)unused;
	return may_unshare(CLONE_NEWNS) &&
	       syscall(SYS_open_tree, self, "", AT_EMPTY_PATH | OPEN_TREE_CLONE) >= 0;
}

bool probe_pidfs_mount(void)
{
	return try_in_fork(may_clone_mount, 0);
}

/* The attribute is not there, but it could be: 0 before the first one, ENODATA after it. */
bool probe_pidfs_xattr(void)
{
	_fd_ int self = own_pidfd();
	char value;

	return fgetxattr(self, "trusted.selftest", &value, 1) == 0 || errno == ENODATA;
}

/*
 * Root of a user namespace may open the file for writing only where its PID
 * namespace has a limit of its own. Nothing is written. The machine's root may
 * always open it, so root asks as nobody.
 */
static bool may_limit(uint64_t unused)
{
	int status = 1;
	unsigned uid;
	pid_t pid;

	(void)unused;
	if (!geteuid() && setresuid(65534, 65534, 65534))
		return false;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	uid = geteuid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return false;
	must_write_("/proc/self/uid_map", "0 %u 1", uid);
	pid = fork();
	if (!pid)
		_exit(open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC) < 0);
	return waitpid(pid, &status, 0) == pid && !status;
}

bool probe_own_pid_max(void)
{
	return try_in_fork(may_limit, 0);
}

static bool may_choose_pidns(uint64_t unused)
{
	_fd_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	int proc;

	(void)unused;
	if (!may_unshare(CLONE_NEWNS | CLONE_NEWPID))
		return false;
	proc = syscall(SYS_fsopen, "proc", 0);
	return !syscall(SYS_fsconfig, proc, FSCONFIG_SET_FD, "pidns", NULL, own) || errno == EPERM;
}

bool probe_proc_pidns(void)
{
	return try_in_fork(may_choose_pidns, 0);
}

bool probe_autoreap(void)
{
	struct clone_args args = { .flags = CLONE_AUTOREAP };
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	return pid > 0;
}

static bool may_open_unborn(uint64_t unused)
{
	(void)unused;
	return may_unshare(CLONE_NEWPID) &&
	       open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC) >= 0;
}

bool probe_unborn_pidns(void)
{
	return try_in_fork(may_open_unborn, 0);
}

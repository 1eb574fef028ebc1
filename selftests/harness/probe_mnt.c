// SPDX-License-Identifier: GPL-2.0-or-later
/* Probes of what mounts have learnt since 5.10. See needs.h. */
#include "probe.h"

#include "harness.h"

#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static bool own_mounts(void)
{
	if (geteuid() && unshare(CLONE_NEWUSER))
		return false;
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* mount(2) ignores a flag that it does not know: look whether it took effect. */
static bool follows_no_symlink(uint64_t flag)
{
	struct statfs status;

	return own_mounts() && !mount("none", "/tmp", "tmpfs", flag, NULL) &&
	       !statfs("/tmp", &status) && status.f_flags & ST_NOSYMFOLLOW;
}

bool probe_nosymfollow(void)
{
	return try_in_fork(follows_no_symlink, MS_NOSYMFOLLOW);
}

/* A user namespace that maps root to another id; -1 when there can be none. */
static int mapped_userns(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	int fd;

	if (!pid)
		pause();
	if (pid < 0)
		return -1;
	must_write(text("/proc/%d/uid_map", pid), "0 100000 1");
	must_write(text("/proc/%d/gid_map", pid), "0 100000 1");
	fd = open(text("/proc/%d/ns/user", pid), O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

static bool idmaps_tmpfs(uint64_t unused)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	(void)unused;
	if (geteuid() || fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return false;
	attr.userns_fd = mapped_userns();
	fs = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return !mount_setattr(fs, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

bool probe_idmapped_tmpfs(void)
{
	return try_in_fork(idmaps_tmpfs, 0);
}

/* Flags are checked before descriptors: EINVAL = unknown, EBADF = known. */
static bool knows_move_flag(uint64_t flag)
{
	return own_mounts() && move_mount(-1, "", -1, "", flag) && errno == EBADF;
}

bool probe_set_group(void)
{
	return try_in_fork(knows_move_flag, MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH |
						    MOVE_MOUNT_T_EMPTY_PATH);
}

bool probe_mount_beneath(void)
{
	return try_in_fork(knows_move_flag,
			   MOVE_MOUNT_BENEATH | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

bool probe_unique_mount_id(void)
{
	struct statx status;

	return !statx(AT_FDCWD, "/", 0, STATX_MNT_ID_UNIQUE, &status) &&
	       status.stx_mask & STATX_MNT_ID_UNIQUE;
}

bool probe_statmount_ns(void)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER1, .param = STATMOUNT_MNT_NS_ID };
	struct statmount answer = { .mask = 0 };
	struct statx status;

	if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID_UNIQUE, &status))
		return false;
	request.mnt_id = status.stx_mnt_id;
	return !syscall(SYS_statmount, &request, &answer, sizeof(answer), 0) &&
	       answer.mask & STATMOUNT_MNT_NS_ID;
}

bool probe_mount_notify(void)
{
	_fd_ int fd = fanotify_init(FAN_REPORT_MNT | FAN_CLOEXEC, 0);

	return fd >= 0 || errno == EPERM;
}

bool probe_open_tree_attr(void)
{
	return has_syscall(SYS_open_tree_attr);
}

static bool knows_open_tree_flag(uint64_t flag)
{
	return own_mounts() && open_tree(-1, "x", flag) < 0 && errno == EBADF;
}

bool probe_open_tree_namespace(void)
{
	return try_in_fork(knows_open_tree_flag, OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC);
}

bool probe_statmount_by_fd(void)
{
	struct mnt_id_req request = { .size = MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = -1U };
	char buffer[1024];

	return syscall(SYS_statmount, &request, buffer, sizeof(buffer), STATMOUNT_BY_FD) < 0 &&
	       errno == EBADF;
}

static bool knows_fsmount_flag(uint64_t flag)
{
	return own_mounts() && fsmount(-1, flag, 0) < 0 && errno == EBADF;
}

bool probe_fsmount_namespace(void)
{
	return try_in_fork(knows_fsmount_flag, FSMOUNT_NAMESPACE);
}

bool probe_empty_mntns(void)
{
	return try_in_fork(may_unshare, UNSHARE_EMPTY_MNTNS);
}

/* Of what cannot be mounted on, the entries of one directory; the tests try others. */
static bool keeps_fdinfo_free(uint64_t unused)
{
	(void)unused;
	return own_mounts() && mount("/proc/version", "/proc/self/fdinfo/0", NULL, MS_BIND, NULL) &&
	       errno == ENOENT;
}

bool probe_proc_unmountable(void)
{
	return try_in_fork(keeps_fdinfo_free, 0);
}

static bool takes_a_layer(uint64_t unused)
{
	int fs = own_mounts() ? fsopen("overlay", FSOPEN_CLOEXEC) : -EBADF;
	int layer = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unused;
	return !fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, layer);
}

bool probe_overlay_by_fd(void)
{
	return try_in_fork(takes_a_layer, 0);
}

static bool goes_beneath_root(uint64_t unused)
{
	int copy = own_mounts() ? open_tree(-1, "/", OPEN_TREE_CLONE | AT_RECURSIVE) : -EBADF;

	(void)unused;
	return !move_mount(copy, "", -1, "/", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH);
}

bool probe_beneath_root(void)
{
	return try_in_fork(goes_beneath_root, 0);
}

static bool labels_mounts(uint64_t unused)
{
	char label[256] = "";

	(void)unused;
	return getxattr("/etc/passwd", "security.selinux", label, sizeof(label) - 1) > 0 &&
	       own_mounts() && !mount("none", "/tmp", "tmpfs", 0, text("context=\"%s\"", label));
}

bool probe_selinux(void)
{
	return try_in_fork(labels_mounts, 0);
}

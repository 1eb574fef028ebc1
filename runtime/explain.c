// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hints: what a failure most likely means and what to do about it. A row matches by step
 * and reason; its probe, if any, must agree, so that causes with one errno stay apart.
 */
#include "fault.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

struct hint {
	int step, why; /* why 0: any */
	bool (*probe)(const struct plan *p);
	const char *text;
};

static bool reads(const char *path, char want)
{
	FILE *f = fopen(path, "re");
	int first = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return first == want;
}

static bool is_rootless(const struct plan *p)
{
	return p && p->rootless;
}

static bool wants_userns(const struct plan *p)
{
	return p && p->namespaces & CLONE_NEWUSER;
}

static bool in_userns(const struct plan *p)
{
	return p && plan_is_in_userns(p);
}

static bool wants_no_userns(const struct plan *p)
{
	return p && !(p->namespaces & CLONE_NEWUSER);
}

static bool userns_limit_zero(const struct plan *p)
{
	return wants_userns(p) && reads("/proc/sys/user/max_user_namespaces", '0');
}

static bool userns_clone_off(const struct plan *p)
{
	return wants_userns(p) && reads("/proc/sys/kernel/unprivileged_userns_clone", '0');
}

static bool userns_apparmor(const struct plan *p)
{
	return wants_userns(p) &&
	       reads("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1');
}

static bool memfds_are_closed(const struct plan *p)
{
	(void)p;
	return reads("/proc/sys/vm/memfd_noexec", '2');
}

static bool root_is_initramfs(const struct plan *p)
{
	struct statfs st;

	(void)p;
	return statfs("/", &st) == 0 && (st.f_type == RAMFS_MAGIC || st.f_type == TMPFS_MAGIC) &&
	       st.f_type != OVERLAYFS_SUPER_MAGIC;
}

static bool in_chroot(const struct plan *p)
{
	struct stat root, init;

	(void)p;
	return stat("/", &root) == 0 && stat("/proc/1/root/.", &init) == 0 &&
	       (root.st_ino != init.st_ino || root.st_dev != init.st_dev);
}

/* Of those that clone3() makes and those that the inside makes (namespaces.c). */
#define TOO_MANY_NAMESPACES "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces"
#define LACKS_NAMESPACE     "this kernel lacks one of the namespaces: see bulkhead features"

/* Specific rows before general ones: the first that matches is told. */
static const struct hint hints[] = {
	{ STEP_find_rootfs, ENOENT, NULL,
	  "there is no such directory; make one with `make rootfs`, or name one with --rootfs" },
	{ STEP_find_rootfs, ENOTDIR, NULL, "a rootfs is a directory: unpack the archive first" },
	{ STEP_find_rootfs, ELOOP, NULL, "its symbolic links go in a circle" },
	{ STEP_find_rootfs, EACCES, NULL, "you may not search a directory on the way" },
	{ STEP_find_layer, ENOENT, NULL, "each --layer is an existing directory" },
	{ STEP_find_layer, ENOTDIR, NULL, "each --layer is a directory" },
	{ STEP_find_layer, EINVAL, in_userns,
	  "in a user namespace no layer may have mounts below it" },
	{ STEP_find_upper, ENOENT, NULL, "make the directory of --upper first" },
	{ STEP_find_upper, EXDEV, NULL,
	  "it is another mount than its parent, where overlayfs works: name a directory below it" },
	{ STEP_find_upper, EBUSY, NULL, "overlayfs works there: another container uses it" },
	{ STEP_find_upper, EEXIST, NULL,
	  "overlayfs would work there, but it is not of bulkhead's making: rename it" },
	{ STEP_find_bind, ENOENT, NULL, "the source of a --bind must exist" },
	{ STEP_find_bind, EMFILE, NULL, "too many binds for this descriptor limit: ulimit -n" },
	{ STEP_make_cgroup, NO_CONTROLLER, NULL,
	  "limits need cgroup v2 with the memory, pids and cpu controllers; this host has "
	  "cgroup v1 or a hybrid: boot with systemd.unified_cgroup_hierarchy=1" },
	{ STEP_make_cgroup, NO_DELEGATION, NULL,
	  "start it by `systemd-run --user --scope -p Delegate=yes bulkhead run ...`, or as root" },
	{ STEP_clone, ENOSPC, userns_limit_zero,
	  "sysctl user.max_user_namespaces is 0: set it to more" },
	{ STEP_clone, EPERM, userns_clone_off,
	  "sysctl kernel.unprivileged_userns_clone is 0: set it to 1" },
	{ STEP_clone, EPERM, userns_apparmor,
	  "sysctl kernel.apparmor_restrict_unprivileged_userns is 1: set it to 0, or give "
	  "bulkhead an AppArmor profile with userns" },
	{ STEP_clone, EPERM, in_chroot, "a chroot forbids user namespaces" },
	{ STEP_clone, ENOSPC, NULL, TOO_MANY_NAMESPACES },
	{ STEP_unshare, ENOSPC, NULL, TOO_MANY_NAMESPACES },
	{ STEP_make_aside, ENOSPC, NULL, TOO_MANY_NAMESPACES },
	{ STEP_make_aside, EINVAL, NULL, LACKS_NAMESPACE },
	{ STEP_join_aside, EPERM, NULL,
	  "a security module keeps the container's first process from looking at bulkhead" },
	{ STEP_clone, EPERM, wants_userns,
	  "user namespaces are forbidden here: by a security module, a seccomp filter, or an "
	  "id map that does not hold your own id" },
	{ STEP_clone, EPERM, wants_no_userns,
	  "CAP_SYS_ADMIN is missing: you are root without it, as in a container; try --userns" },
	{ STEP_clone, EINVAL, NULL, LACKS_NAMESPACE },
	{ STEP_unshare, EINVAL, NULL, LACKS_NAMESPACE },
	{ STEP_clone, ENOSYS, NULL, "clone3 needs Linux 5.3, and no seccomp filter that hides it" },
	{ STEP_clone, NOT_NEW, NULL, "clone3 did not make a new process" },
	{ STEP_clone, ENOMEM, NULL, "the host is out of memory" },
	{ STEP_start, KILLED_EARLY, NULL, "out of memory? see dmesg" },
	{ STEP_clock_offsets, ERANGE, NULL,
	  "no clock may go below 0, or beyond 146 years: see --timens" },
	{ STEP_id_map, NO_MAP_HELPER, NULL, "see its message above, and /etc/subuid, /etc/subgid" },
	{ STEP_id_map, FOREIGN_PROC, NULL, "mount a new one first: unshare --mount-proc" },
	{ STEP_id_map, EPERM, NULL,
	  "only ids that you own or that /etc/subuid grants can be mapped" },
	{ STEP_become_root, EINVAL, NULL, "the id map has no 0" },
	{ STEP_host_mntns, HOST_NAMESPACE, NULL,
	  "`child` needs namespaces of its own: unshare -ump --fork bulkhead child ..., or "
	  "use run" },
	{ STEP_be_new, NOT_NEW, NULL,
	  "`child` must be PID 1 of a PID namespace, or be told --share pid" },
	{ STEP_stop_propagation, EPERM, NULL, "CAP_SYS_ADMIN over the mount namespace is missing" },
	{ STEP_open_root, ENOSYS, NULL, "open_tree needs Linux 5.2" },
	{ STEP_pivot_root, EINVAL, root_is_initramfs,
	  "the current root is an initramfs; before Linux 7.0 move it first: mount --rbind / /m; "
	  "cd /m; mount --move . /; chroot ." },
	{ STEP_pivot_root, EINVAL, in_chroot,
	  "the current root is not a mount: bind mount the chroot onto itself" },
	{ STEP_pivot_root, EINVAL, NULL,
	  "the current root is an initramfs or not a mount point, or its propagation is shared" },
	{ STEP_pivot_root, EPERM, NULL, "CAP_SYS_ADMIN is missing, or the caller is in a chroot" },
	{ STEP_overlay, EPERM, is_rootless, "overlayfs in a user namespace needs Linux 5.11" },
	{ STEP_overlay, EINVAL, in_userns,
	  "in a user namespace nothing may be mounted below --upper" },
	{ STEP_overlay, ELOOP, NULL, "a layer stands there twice, or lies within another" },
	{ STEP_overlay, ENODEV, NULL, "this kernel has no overlayfs: modprobe overlay" },
	{ STEP_make_target, EROFS, NULL,
	  "make it in the rootfs beforehand: the file system is read-only" },
	{ STEP_make_target, EEXIST, NULL, "a dangling symbolic link stands in the way" },
	{ STEP_check_target, IS_SYMLINK, NULL, "a rootfs that redirects it is not to be trusted" },
	{ STEP_check_target, IS_KERNEL_FS, NULL, "bind it elsewhere" },
	{ STEP_check_target, ENOTDIR, NULL,
	  "source and target must both be directories, or neither" },
	{ STEP_check_target, EISDIR, NULL,
	  "source and target must both be directories, or neither" },
	{ STEP_mount, ENOSYS, wants_userns,
	  "to share pid or net with a user namespace needs mount_setattr, Linux 5.12" },
	{ STEP_mount, EPERM, wants_userns,
	  "a user namespace may mount it only where the host's own is in full view; in "
	  "a container, parts of it are hidden" },
	{ STEP_device, EPERM, NULL,
	  "CAP_MKNOD is missing, or a device policy forbids it: try --userns" },
	{ STEP_keyring, EDQUOT, NULL, "the quota of keys is used up: see /proc/key-users" },
	{ STEP_seccomp, EINVAL, NULL, "the kernel refuses the program, or has no seccomp filters" },
	{ STEP_workdir, ENOENT, NULL, "--workdir is a directory inside the container" },
	{ STEP_init, EFBIG, NULL, "a file may not grow that large here: ulimit -f" },
	{ STEP_init, EACCES, memfds_are_closed,
	  "sysctl vm.memfd_noexec is 2: set it to 1, or do without --init" },
	{ STEP_find_command, ENOENT, NULL,
	  "it is not in the rootfs, or not in the container's PATH" },
	{ STEP_find_command, EACCES, NULL, "it is not an executable file for this user" },
	{ STEP_find_command, IS_RUNTIME, NULL, "an image must not lead back to the host's binary" },
	{ STEP_execute, ENOEXEC, NULL,
	  "it is no program of this machine: another architecture, or a script "
	  "without #!" },
	{ STEP_execute, EACCES, NULL, "it is not executable, or lies on a noexec mount" },
	{ STEP_execute, ENOENT, NULL, "its dynamic loader is missing in the rootfs" },
	{ STEP_execute, E2BIG, NULL, "the arguments and the environment are too long" },
};

static const char *general(int why, const struct plan *p)
{
	if (why == LIE)
		return "a security module, a seccomp filter or a tracer interferes";
	if (why == ENOSYS)
		return "this kernel lacks the system call, or a seccomp filter hides it";
	if (why == ENOMEM)
		return "the kernel is out of memory";
	if (why == EPERM || why == EACCES)
		return is_rootless(p) ? "a user may not do this here; try as root"
				      : "a capability is missing, or a security module forbids it";
	return "";
}

const char *explain(const struct fault *f, const struct plan *p, char *buf, size_t room)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		const struct hint *h = &hints[i];

		if (h->step != (int)f->step || (h->why && h->why != f->why))
			continue;
		if (!h->probe || h->probe(p)) {
			snprintf(buf, room, "%s", h->text);
			return buf;
		}
	}
	snprintf(buf, room, "%s", general(f->why, p));
	return buf;
}

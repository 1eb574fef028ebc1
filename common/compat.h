/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the C library or the installed kernel headers may lack: UAPI constants,
 * structures and system call numbers, each with the kernel version that brought
 * it. The only code that the runtime and the selftests share: it holds facts of
 * the kernel's interface and no logic, so that no common bug can hide in it.
 */
#ifndef COMMON_COMPAT_H
#define COMMON_COMPAT_H

#include <linux/types.h>
#include <sys/syscall.h>

/* System calls; numbers above 424 are the same on every architecture. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424 /* 5.1 */
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428 /* 5.2 */
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429 /* 5.2 */
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430 /* 5.2 */
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431 /* 5.2 */
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432 /* 5.2 */
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* 5.3 */
#endif
#ifndef SYS_clone3
#define SYS_clone3 435 /* 5.3 */
#endif
#ifndef SYS_close_range
#define SYS_close_range 436 /* 5.9 */
#endif
#ifndef SYS_openat2
#define SYS_openat2 437 /* 5.6 */
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* 5.6 */
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* 5.12 */
#endif
#ifndef SYS_statmount
#define SYS_statmount 457 /* 6.8 */
#endif
#ifndef SYS_listmount
#define SYS_listmount 458 /* 6.8 */
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467 /* 6.15 */
#endif

/* clone3(2) flags beyond the C library's. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* 5.6 */
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000 /* 4.6 */
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000 /* 5.2 */
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL /* 5.5 */
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* 5.7 */
#endif

/* Flags of mount system calls beyond the C library's. */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* 5.10 */
#endif
#ifndef ST_NOSYMFOLLOW
#define ST_NOSYMFOLLOW 0x2000 /* 5.10 */
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000 /* 5.12 */
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* 5.14 */
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100 /* 5.15 */
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* 6.5 */
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U /* 6.8 */
#endif
#ifndef FAN_REPORT_MNT
#define FAN_REPORT_MNT 0x00004000 /* 6.14 */
#endif
#ifndef FAN_MARK_MNTNS
#define FAN_MARK_MNTNS 0x00000110 /* 6.14 */
#endif
#ifndef FAN_MNT_ATTACH
#define FAN_MNT_ATTACH 0x01000000 /* 6.14 */
#define FAN_MNT_DETACH 0x02000000 /* 6.14 */
#endif
#ifndef OPEN_TREE_NAMESPACE
#define OPEN_TREE_NAMESPACE 0x00000002 /* 7.0 */
#endif
#ifndef STATMOUNT_BY_FD
#define STATMOUNT_BY_FD 0x00000001U /* 7.0 */
#endif
#ifndef FSMOUNT_NAMESPACE
#define FSMOUNT_NAMESPACE 0x00000002 /* 7.1 */
#endif
#ifndef UNSHARE_EMPTY_MNTNS
#define UNSHARE_EMPTY_MNTNS 0x00100000 /* 7.1 */
#endif
#ifndef CLONE_EMPTY_MNTNS
#define CLONE_EMPTY_MNTNS 0x2000000000ULL /* 7.1 */
#endif

/* statmount(2) and listmount(2), 6.8. */
#ifndef MNT_ID_REQ_SIZE_VER0
#define MNT_ID_REQ_SIZE_VER0 24
#define MNT_ID_REQ_SIZE_VER1 32 /* 6.11 */
struct mnt_id_req {
	__u32 size;
	__u32 mnt_ns_fd; /* 6.18; with STATMOUNT_BY_FD the descriptor of a mount */
	__u64 mnt_id;
	__u64 param;
	__u64 mnt_ns_id; /* 6.11 */
};
struct statmount {
	__u32 size, mnt_opts; /* mnt_opts: 6.11 */
	__u64 mask;
	__u32 sb_dev_major, sb_dev_minor;
	__u64 sb_magic;
	__u32 sb_flags, fs_type;
	__u64 mnt_id, mnt_parent_id;
	__u32 mnt_id_old, mnt_parent_id_old;
	__u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	__u32 mnt_root, mnt_point;
	__u64 mnt_ns_id;  /* 6.11 */
	__u64 spare2[49]; /* more fields since 6.13 */
	char str[];
};
#define STATMOUNT_SB_BASIC	 0x00000001U
#define STATMOUNT_MNT_BASIC	 0x00000002U
#define STATMOUNT_PROPAGATE_FROM 0x00000004U
#define STATMOUNT_MNT_ROOT	 0x00000008U
#define STATMOUNT_MNT_POINT	 0x00000010U
#define STATMOUNT_FS_TYPE	 0x00000020U
#define STATMOUNT_MNT_NS_ID	 0x00000040U /* 6.11 */
#define STATMOUNT_MNT_OPTS	 0x00000080U /* 6.11 */
#define LSMT_ROOT		 0xffffffffffffffffULL
#define LISTMOUNT_REVERSE	 0x00000001U /* 6.11 */
#endif

#endif

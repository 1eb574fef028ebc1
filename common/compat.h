/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the C library or the installed kernel headers may lack: UAPI constants,
 * structures and system call numbers, each with the kernel version that brought
 * it. The only code that the runtime and the selftests share: it holds facts of
 * the kernel's interface and no logic, so that no common bug can hide in it.
 */
#ifndef COMMON_COMPAT_H
#define COMMON_COMPAT_H

#include <linux/ioctl.h>
#include <linux/nsfs.h>
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

#ifndef SYS_listns
#define SYS_listns 470 /* 6.19 */
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

/* Numbers of another PID namespace, ioctl(2) on a descriptor of it: 6.11. */
#ifndef NS_GET_PID_FROM_PIDNS
#define NS_GET_PID_FROM_PIDNS  _IOR(0xb7, 0x6, int)
#define NS_GET_TGID_FROM_PIDNS _IOR(0xb7, 0x7, int)
#define NS_GET_PID_IN_PIDNS    _IOR(0xb7, 0x8, int)
#define NS_GET_TGID_IN_PIDNS   _IOR(0xb7, 0x9, int)
#endif

/* Namespaces by number: ids and file handles since 6.18, listns(2) since 6.19. */
#ifndef NS_GET_ID
#define NS_GET_ID _IOR(0xb7, 13, __u64)
#endif
#ifndef FD_NSFS_ROOT
#define FD_NSFS_ROOT (-10003)
#endif
#ifndef NS_ID_REQ_SIZE_VER0
struct ns_id_req {
	__u32 size;
	__u32 spare;
	__u64 ns_id;
	__u32 ns_type;
	__u32 spare2;
	__u64 user_ns_id;
};
#define NS_ID_REQ_SIZE_VER0 32
#endif

/* Which network namespace a socket is in, getsockopt(2). */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* 5.14 */
#endif

/* Processes by descriptor: sockets since 6.5, ioctl(2) since 6.11, clone3(2) since 7.2. */
#ifndef SO_PEERPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif
#ifndef PIDFD_GET_PID_NAMESPACE
#define PIDFD_GET_PID_NAMESPACE _IO(0xff, 5)
#define PIDFD_GET_UTS_NAMESPACE _IO(0xff, 10)
#endif
#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP       0x400000000ULL
#define CLONE_NNP            0x800000000ULL
#define CLONE_PIDFD_AUTOKILL 0x1000000000ULL
#endif

/* PIDFD_GET_INFO, 6.13; the size of the structure is a part of the request. */
#ifndef PIDFD_INFO_PID
#define PIDFD_INFO_PID       (1ULL << 0)
#define PIDFD_INFO_CREDS     (1ULL << 1)
#define PIDFD_INFO_CGROUPID  (1ULL << 2)
#define PIDFD_INFO_SIZE_VER0 64
struct pidfd_info {
	__u64 mask, cgroupid;
	__u32 pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	__s32 exit_code;                                           /* 6.15 */
	__u32 coredump_mask, coredump_signal, coredump_code, pad_; /* 6.16 */
	__u64 supported_mask;                                      /* 7.0 */
};
#define PIDFD_GET_INFO _IOWR(0xff, 11, struct pidfd_info)
#endif
#ifndef PIDFD_INFO_EXIT
#define PIDFD_INFO_EXIT (1ULL << 3) /* 6.15 */
#endif
#ifndef PIDFD_INFO_COREDUMP
#define PIDFD_INFO_COREDUMP (1ULL << 4) /* 6.16 */
#define PIDFD_COREDUMPED    (1U << 0)
#endif
#ifndef PIDFD_INFO_SUPPORTED_MASK
#define PIDFD_INFO_SUPPORTED_MASK (1ULL << 5) /* 7.0 */
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
#define STATMOUNT_SB_BASIC       0x00000001U
#define STATMOUNT_MNT_BASIC      0x00000002U
#define STATMOUNT_PROPAGATE_FROM 0x00000004U
#define STATMOUNT_MNT_ROOT       0x00000008U
#define STATMOUNT_MNT_POINT      0x00000010U
#define STATMOUNT_FS_TYPE        0x00000020U
#define STATMOUNT_MNT_NS_ID      0x00000040U /* 6.11 */
#define STATMOUNT_MNT_OPTS       0x00000080U /* 6.11 */
#define LSMT_ROOT                0xffffffffffffffffULL
#define LISTMOUNT_REVERSE        0x00000001U /* 6.11 */
#endif

#endif

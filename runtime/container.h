/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exists while a container is made: the host's half (struct container) and the
 * half of the container's first process (struct inside). Every step has one of these
 * two as its first argument, so a signature says whose hands do the work.
 */
#ifndef RUNTIME_CONTAINER_H
#define RUNTIME_CONTAINER_H

#include "fault.h"
#include "plan.h"

#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * The points at which host and inside meet on their channel. Each message carries its
 * meeting, the receiver verifies it, and end of file is a failure, never a wake.
 */
#define MEETINGS(X)                                                                                \
	X(RELEASED, "the host side is ready")       /* host to inside */                           \
	X(NETWORK, "the network namespace is made") /* host to inside */                           \
	X(CONNECTED, "the loopback is up")          /* host to inside */                           \
	X(TERMINAL, "here is the terminal")         /* inside to host */                           \
	X(READY, "only the execution is left")      /* inside to host */                           \
	X(FAILED, "a step failed: nothing was run") /* inside to host */

enum meeting {
#define X(name, words) MEET_##name,
	MEETINGS(X)
#undef X
};

struct message {
	enum meeting meeting;
	struct fault fault; /* with MEET_FAILED */
};

enum { CPU_ROOM = 8192, LONG_BITS = 8 * sizeof(long) };

/* As sched_setaffinity(2) has it: bit N is CPU N. Room for all that a kernel can have. */
struct cpus {
	long size; /* bytes that the kernel fills; less than 1: it does not tell */
	unsigned long bits[CPU_ROOM / LONG_BITS];
};

/* The host's half. Descriptors are -1 while they are not open. */
struct container {
	const struct plan *plan;
	struct fault fault;
	int channel[2];          /* [0] the host's end, [1] the inside's */
	int init_fd;             /* the sealed copy of bulkhead that becomes PID 1 with --init */
	pid_t host_pid;          /* bulkhead itself */
	pid_t pid;               /* the first process; 0 before clone3() and after waiting */
	int pidfd;               /* of the first process */
	pid_t container_pid;     /* what the usher of a time namespace has cloned */
	int64_t boottime_before; /* seconds on the host's CLOCK_BOOTTIME */
	pid_t janitor;           /* 0: none runs */
	int born[2];             /* tid that the kernel gave the usher, the janitor (clone.h) */
	int host_pidfd;          /* of bulkhead itself (janitor.h) */
	struct cpus cpus;        /* that bulkhead may use */
	uint64_t made_aside;     /* CLONE_NEW* that the host side makes meanwhile (netns.c) */
	uint64_t made_by_clone;  /* CLONE_NEW* for clone3() */
	uint64_t made_inside;    /* CLONE_NEW* that the inside makes itself */
	int cgroup;              /* directory */
	char cgroup_path[512];
	char work_path[512];   /* overlay's work directory beside --upper */
	int work;              /* that directory */
	bool works;            /* and it is ours, locked */
	uint64_t mnt_ns;       /* inode of the container's mount namespace, with --share pid */
	int mnt_ns_file;       /* and that namespace, open */
	bool adopts;           /* the container's orphans become bulkhead's children */
	int signals;           /* signalfd */
	int terminal;          /* master of the container's pty */
	bool ready;            /* the inside has said MEET_READY */
	uint64_t held;         /* bit N - 1: signal N came before the command could take it */
	int died_of;           /* signal whose default action bulkhead performed, or 0 */
	struct winsize window; /* of the caller's terminal, with --tty */
};

/* The kernel's file systems inside (kernelfs.c). */
enum { PROC, DEV, SYS, KERNEL_FS };

/* "self/exe" of "/proc/self/exe": the name at in->fs[PROC]. */
#define BELOW_PROC(path) ((path) + sizeof("/proc/") - 1)

/* The inside's half. */
struct inside {
	const struct plan *plan;
	struct container *host; /* to read only, and only what was set before clone3() */
	struct fault fault;
	int born; /* tid that the kernel gave us (clone.h) */
	int channel;
	int tree;               /* the new root, a mount tree */
	int root_at;            /* the directory that it is attached at */
	uint64_t root_mnt;      /* mount id of the new root, statx(2) */
	bool devices_closed;    /* no device node of the tree opens */
	bool submounts_covered; /* --read-only: all of the tree but its top is read-only */
	int *bind_trees;        /* plan->n_binds of them */
	int *layer_trees;       /* plan->n_layers of them */
	int upper_tree;         /* the parent of --upper */
	bool groups_stay;       /* the user namespace denies setgroups(2) */
	bool by_mountinfo;      /* no mount_setattr(2) here: remount one by one */
	struct rlimit64 descriptor_limit; /* of the caller, while many sources are open */
	int fs[KERNEL_FS];          /* the roots of /proc, /dev and /sys: no path leads elsewhere */
	uint64_t fs_mnt[KERNEL_FS]; /* their mount ids */
	bool proc_is_borrowed;      /* the host's, with what is mounted below it */
	int device_trees[8];
	bool no_rare_paths;           /* of kernelpaths.c here, says the host's sysfs */
	bool no_throttling;           /* likewise */
	int empty_dir;                /* the mask of directories, a mount (dev.c) */
	bool empty_dir_attached;      /* and it lies on the first of them */
	char **init_argv;             /* --init: what PID 1 is executed with; [2] takes the path */
	char path[COMMAND_PATH_ROOM]; /* the command, found */
	int status_file;              /* status.c */
};

#endif

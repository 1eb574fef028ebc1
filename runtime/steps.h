/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every step of a container's creation, by the file that holds it. X_host() works on
 * the host side, X_inside() in the container's first process, X_inspect() looks back
 * from there at what was built, just before the command is executed: a step whose
 * result is not in place ends the container (fails closed), whatever its system calls
 * returned. All return 0, or a negative number after fail().
 */
#ifndef RUNTIME_STEPS_H
#define RUNTIME_STEPS_H

#include "container.h"

/* pidns.c */
int pidns_inside(struct inside *in);      /* be the new process; die with bulkhead */
int pidns_tie_to_host(struct inside *in); /* again: changing ids undoes it */

/* namespaces.c */
void namespaces_share_out(struct container *c); /* who makes which? */
int namespaces_inside(struct inside *in);       /* make those left to the inside */

/* userns.c */
int userns_host(struct container *c); /* write the id maps */
int userns_inside(struct inside *in); /* wait for them, become root */

/* timens.c */
struct clone_args;
int timens_clone(struct container *c, struct clone_args *args, void (*entry)(void *),
		 struct inside *in);
int timens_inspect(struct inside *in);

/* stage.c: `child` */
int stage_check(struct container *c);        /* not in a namespace of the host's */
int stage_check_hostname(struct inside *in); /* the hostname to be set is not the host's */

/* mntns.c */
int mntns_inside(struct inside *in); /* cut propagation; refuse the host's own */

/* utsns.c */
int utsns_inside(struct inside *in);
int utsns_inspect(struct inside *in);

/* netns.c */
int netns_prepare(struct container *c); /* who makes it? */
int netns_host(struct container *c);    /* make it; loopback up */
int netns_inside(struct inside *in);    /* join it; or loopback up */
int netns_await(struct inside *in);     /* until the host side is done with it */

/* cgroupns.c */
int cgroupns_inspect(struct inside *in);

/* rootfs.c, layers.c */
int rootfs_host(struct container *c); /* does it exist? */
int rootfs_open(struct inside *in);   /* the tree of the new root */
int rootfs_attach(struct inside *in);
int rootfs_pivot(struct inside *in);   /* switch to it, the old root on top */
int rootfs_detach(struct inside *in);  /* the old root is gone */
int rootfs_protect(struct inside *in); /* no devices; --read-only */
int rootfs_inspect(struct inside *in);
int rootfs_protect_inspect(struct inside *in);
int layers_host(struct container *c); /* the work directory beside --upper */
int layers_open(struct inside *in);
int layers_attach(struct inside *in); /* overlayfs; leaves the tree in in->tree */

/* kernelfs.c: the kernel's file systems */
int kernelfs_open(struct inside *in); /* those that need the host in sight */
int kernelfs_mount_proc_dev(struct inside *in);
int kernelfs_mount_sys(struct inside *in);        /* what shows the network namespace, and below */
int kernelfs_enter(struct inside *in, int which); /* stand in PROC, DEV or SYS */

/* mask.c: kernel paths hidden or read-only */
int mask_look(struct inside *in); /* what is not there, while the host is in sight */
int mask_proc(struct inside *in); /* leaves us standing in /proc */
int mask_sys(struct inside *in);

/* dev.c */
int dev_open(struct inside *in); /* the host's nodes, where mknod is forbidden */
int dev_populate(struct inside *in);

/* binds.c */
bool binds_cover(const struct plan *p, const char *path); /* has the caller mounted there? */
int binds_host(struct container *c);                      /* do the sources exist? */
int binds_open(struct inside *in);                        /* sources, while the host is in sight */
int binds_targets(struct inside *in); /* with --read-only, while "/" is writable */
int binds_attach(struct inside *in);  /* targets, when it no longer is */

/* tty.c */
int tty_inside(struct inside *in);

/* process.c: a clean start state */
int process_begin(struct inside *in); /* what we make has the modes we ask for */
int process_inside(struct inside *in);
int process_end(struct inside *in); /* what the command makes has the usual modes */
int process_inspect(struct inside *in);

/* privs.c */
int privs_bound(struct inside *in);    /* bounding set */
int privs_user(struct inside *in);     /* groups, user */
int privs_reduce(struct inside *in);   /* capabilities, no_new_privs */
int seccomp_inside(struct inside *in); /* the last step but execve */

/* status.c */
int status_open(struct inside *in);
int status_inspect(struct inside *in); /* ids, capabilities, signals, no_new_privs */

/* command.c */
int command_find(struct inside *in);
int command_close_descriptors(struct inside *in);
int command_execute(struct inside *in); /* returns only on failure */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong: which step, on what, why. A step that fails records it and
 * returns; one place prints it (fault_print), with the hint that explain.c finds.
 */
#ifndef RUNTIME_FAULT_H
#define RUNTIME_FAULT_H

#include "plan.h"

/* Every step that can fail, with its words after "bulkhead: cannot". */
#define STEPS(X)                                                                                   \
	X(find_rootfs, "use the rootfs")                                                           \
	X(find_layer, "use the layer")                                                             \
	X(find_upper, "use the upper directory")                                                   \
	X(find_bind, "bind")                                                                       \
	X(read_filter, "read the seccomp filter")                                                  \
	X(prepare_host, "prepare the host side of")                                                \
	X(watch, "start the janitor of")                                                           \
	X(make_cgroup, "create a cgroup under")                                                    \
	X(limit, "limit")                                                                          \
	X(join_cgroup, "start in the cgroup")                                                      \
	X(clone, "create the namespaces")                                                          \
	X(clock_offsets, "set the clock offsets")                                                  \
	X(id_map, "write the id map")                                                              \
	X(start, "start the container on")                                                         \
	X(meet, "exchange between host and inside that")                                           \
	X(supervise, "supervise the container through")                                            \
	X(be_new, "start apart from the host in")                                                  \
	X(die_with_host, "tie the container's life to bulkhead with")                              \
	X(become_root, "become root of the user namespace with")                                   \
	X(host_mntns, "set up a container in the namespace")                                       \
	X(stop_propagation, "stop mount propagation at")                                           \
	X(open_root, "clone the mount tree of")                                                    \
	X(attach_root, "attach the new root at")                                                   \
	X(overlay, "stack the layers with")                                                        \
	X(pivot_root, "pivot_root to")                                                             \
	X(detach_old_root, "detach the old root from")                                             \
	X(make_target, "create the mount target")                                                  \
	X(check_target, "mount on")                                                                \
	X(mount, "mount")                                                                          \
	X(mask, "mask")                                                                            \
	X(protect, "make read-only")                                                               \
	X(device, "create the device")                                                             \
	X(device_link, "create the link")                                                          \
	X(hostname, "set the hostname to")                                                         \
	X(domainname, "set the domainname to")                                                     \
	X(make_aside, "make the container's namespaces with")                                      \
	X(join_aside, "join the container's namespaces with")                                      \
	X(loopback, "bring up the network interface")                                              \
	X(unshare, "leave the host's namespaces with")                                             \
	X(unshare_cgroup, "leave the host's cgroup namespace from")                                \
	X(terminal, "allocate a terminal with")                                                    \
	X(session, "start a session with")                                                         \
	X(keyring, "leave the host's session keyring with")                                        \
	X(signals, "reset the signals with")                                                       \
	X(scheduling, "reset the scheduling with")                                                 \
	X(oom_score, "set the oom_score_adj in")                                                   \
	X(groups, "drop the supplementary groups with")                                            \
	X(bounding, "drop from the bounding set")                                                  \
	X(user, "switch to the user")                                                              \
	X(caps, "reduce the capabilities with")                                                    \
	X(no_new_privs, "set no_new_privs with")                                                   \
	X(seccomp, "install the seccomp filter of")                                                \
	X(workdir, "enter the working directory")                                                  \
	X(look_back, "look back at the process in")                                                \
	X(descriptors, "close the inherited descriptors with")                                     \
	X(init, "start the init of the container from")                                            \
	X(start_under_init, "start under the init of the container")                               \
	X(find_command, "find the command")                                                        \
	X(execute, "execute")

enum step {
#define X(name, words) STEP_##name,
	STEPS(X)
#undef X
		STEP_COUNT
};

/* Not errno values: reasons of our own, told in fault.c. */
enum {
	LIE = 4000,     /* the kernel reported success, but nothing changed */
	NOT_NEW,        /* the process that should be new is an old one */
	IS_SYMLINK,     /* a mount target of ours is a symbolic link */
	WOULD_HIDE,     /* a target is a mount that the isolation is made of */
	IS_KERNEL_FS,   /* a bind target lies in /proc */
	IS_RUNTIME,     /* the command is bulkhead itself */
	HOST_NAMESPACE, /* `child` was started in a namespace of the host */
	NO_CONTROLLER,  /* cgroup v2 does not offer what the limit needs */
	KILLED_EARLY,   /* the first process ended before the command started */
	NO_INTERPRETER, /* the command is there, its interpreter is not */
	NO_DELEGATION,  /* no cgroup that we may write to */
	NO_MAP_HELPER,  /* newuidmap or newgidmap failed */
	FOREIGN_PROC,   /* /proc has the processes of another PID namespace */
};

struct fault {
	enum step step;
	int why;          /* errno value, or one of the above */
	char object[256]; /* what the step worked on; cut when longer */
};

/*
 * fail - record that @step failed on @object for reason @why (an errno value, its
 * negative, or a reason of our own). Returns a negative number, so that a step can
 * `return fail(...)`. Allocates nothing and leaves errno alone: safe on the inside.
 */
int fail(struct fault *f, enum step step, const char *object, long why);

/* The exit status that a fault gives bulkhead: 125, 126 or 127. */
int fault_status(const struct fault *f);

/* Returns @memory, or ends bulkhead with a line when the allocation that gave it has failed. */
void *must_have(void *memory);

/* fault_print - the one place that reports a fault: one line on standard error. */
void fault_print(const struct fault *f, const struct plan *p);

/* explain - the hint for a fault, or "" when there is none. @buf holds it. */
const char *explain(const struct fault *f, const struct plan *p, char *buf, size_t room);

/* A step that fails ends the sequence that it stands in. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		int err_ = (call);                                                                 \
		if (err_ < 0)                                                                      \
			return err_;                                                               \
	} while (0)

#endif

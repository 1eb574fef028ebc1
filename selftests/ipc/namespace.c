// SPDX-License-Identifier: GPL-2.0-or-later
/* How an IPC namespace comes into being, is entered, is limited, and goes. */
#include "sysv.h"

#include <linux/capability.h>

#define NEEDS NEED(admin) | NEED(ipcns)

struct road {
	const char *label;
	long call;
};

ROWS(roads, struct road) = {
	{ "unshare", SYS_unshare },
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
};

/* A process in a new IPC namespace; 0 inside, -1 as the call gave it. */
static pid_t start(long call)
{
	struct clone_args args = { .flags = CLONE_NEWIPC, .exit_signal = SIGCHLD };

	fflush(NULL);
	if (call == SYS_clone)
		return syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, 0);
	if (call == SYS_clone3)
		return syscall(SYS_clone3, &args, sizeof(args));
	return unshare(CLONE_NEWIPC) ? -1 : must_fork();
}

TEST_EACH(roads, ipc, a_new_namespace_is_empty,
	  .says = "a new IPC namespace is another one, and starts without any object",
	  .checks = "ipc-01 ipc-08", .needs = NEEDS)
{
	uint64_t old;
	pid_t pid;

	must_unshare(CLONE_NEWIPC);
	old = ns_id(0, "ipc");
	MUST(sysv_get(SHM, sysv_key, IPC_CREAT | 0600));
	pid = MUST(start(row->call));
	if (!pid) {
		EXPECT_NE(old, ns_id(0, "ipc"));
		EXPECT_ERRNO(ENOENT, sysv_get(SHM, sysv_key, 0));
		_exit(7);
	}
	EXPECT_EXIT(7, must_wait(pid));
}

TEST_EACH(roads, ipc, creating_needs_the_capability,
	  .says = "without CAP_SYS_ADMIN a new IPC namespace is refused with EPERM",
	  .checks = "ipc-11", .needs = NEEDS)
{
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, start(row->call));
	}
	IN_FORK {
		pid_t pid = ASSERT_OK(start(row->call));

		if (!pid)
			_exit(0);
		EXPECT_EXIT(0, must_wait(pid));
	}
}

TEST(ipc, fork_stays_in_the_namespace,
     .says = "a process created without CLONE_NEWIPC is in its creator's IPC namespace",
     .checks = "ipc-08", .needs = NEED(ipcns))
{
	uint64_t own = ns_id(0, "ipc");

	IN_FORK { EXPECT_EQ(own, ns_id(0, "ipc")); }
}

TEST(ipc, entering_needs_the_capability,
     .says = "setns into an IPC namespace without CAP_SYS_ADMIN fails with EPERM",
     .checks = "ipc-11", .needs = NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWIPC);

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/ipc", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			must_drop_cap(CAP_SYS_ADMIN);
			EXPECT_ERRNO(EPERM, setns(target, CLONE_NEWIPC));
			EXPECT_NE(ns_id(inside_pid(), "ipc"), ns_id(0, "ipc"));
		}
		IN_FORK {
			EXPECT_OK(setns(target, CLONE_NEWIPC));
			EXPECT_EQ(ns_id(inside_pid(), "ipc"), ns_id(0, "ipc"));
		}
	}
}

TEST(ipc, the_container_cannot_go_back,
     .says = "root of a user namespace cannot enter an IPC namespace that the host owns: EPERM",
     .finding = "the container re-entered the host's IPC namespace", .checks = "ipc-11",
     .needs = NEED(admin) | NEED(userns) | NEED(ipcns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWIPC);

	ON_HOST {
		_fd_ int own = MUST(open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC));

		give_fd(own);
	}
	IN_CONTAINER {
		_fd_ int outer = take_fd();
		_fd_ int own = MUST(open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC));

		EXPECT_ERRNO(EPERM, setns(outer, CLONE_NEWIPC));
		EXPECT_OK(setns(own, CLONE_NEWIPC));
	}
}

TEST(ipc, the_gone_do_not_count,
     .says = "user.max_ipc_namespaces counts those that are in use, and gives ENOSPC beyond",
     .checks = "ipc-24", .needs = NEED(admin) | NEED(userns) | NEED(ipcns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_ipc_namespaces", "0");
		EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWIPC));
		must_write("/proc/sys/user/max_ipc_namespaces", "1");
		IN_FORK {
			EXPECT_OK(unshare(CLONE_NEWIPC));
			EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWIPC));
		}
		/* The kernel frees it later, and tells nobody when. */
		IN_FORK {
			while (unshare(CLONE_NEWIPC)) {
				ASSERT_EQ(ENOSPC, errno);
				let_kernel_catch_up();
			}
			EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWIPC));
		}
	}
}

struct limit {
	const char *label;
	const char *path, *fresh, *small;
	enum kind kind;
	int want; /* errno beyond the small limit */
};

ROWS(limits, struct limit) = {
	{ "shmmni", "/proc/sys/kernel/shmmni", "4096\n", "1", SHM, ENOSPC },
	{ "shmall", "/proc/sys/kernel/shmall", "18446744073692774399\n", "1", SHM, ENOSPC },
	{ "shmmax", "/proc/sys/kernel/shmmax", "18446744073692774399\n", "4095", SHM, EINVAL },
	{ "msgmni", "/proc/sys/kernel/msgmni", "32000\n", "1", MSG, ENOSPC },
	{ "sem", "/proc/sys/kernel/sem", "32000\t1024000000\t500\t32000\n",
	  "32000 1024000000 500 1", SEM, ENOSPC },
};

TEST_EACH(limits, ipc, limits_are_the_namespaces_own,
	  .says = "the limits of System V IPC hold in one IPC namespace, and are fresh in the next",
	  .finding = "an IPC limit of one namespace holds in another", .checks = "ipc-17",
	  .needs = NEED(root) | NEED(ipcns))
{
	must_unshare(CLONE_NEWIPC);
	EXPECT_STREQ(row->fresh, must_read("%s", row->path));
	must_write(row->path, "%s", row->small);
	if (row->want == ENOSPC)
		EXPECT_OK(sysv_get(row->kind, IPC_PRIVATE, 0600));
	EXPECT_ERRNO(row->want, sysv_get(row->kind, IPC_PRIVATE, 0600));
	AS_NOBODY { EXPECT_ERRNO(EACCES, open(row->path, O_WRONLY | O_CLOEXEC)); }
	UNSHARED(CLONE_NEWIPC) {
		EXPECT_STREQ(row->fresh, must_read("%s", row->path));
		EXPECT_OK(sysv_get(row->kind, IPC_PRIVATE, 0600));
		EXPECT_OK(sysv_get(row->kind, IPC_PRIVATE, 0600));
	}
	EXPECT_STRNE(row->fresh, must_read("%s", row->path));
}

TEST(ipc, unused_memory_goes_where_that_is_asked_for,
     .says = "with shm_rmid_forced a segment goes with its last user, in that namespace alone",
     .checks = "ipc-17", .needs = NEED(root) | NEED(ipcns))
{
	must_unshare(CLONE_NEWIPC);
	IN_FORK { MUST(sysv_get(SHM, sysv_key, IPC_CREAT | 0600)); }
	EXPECT_OK(sysv_get(SHM, sysv_key, 0));
	must_write("/proc/sys/kernel/shm_rmid_forced", "1");
	EXPECT_ERRNO(ENOENT, sysv_get(SHM, sysv_key, 0));
	IN_FORK { MUST(sysv_get(SHM, sysv_key, IPC_CREAT | 0600)); }
	EXPECT_ERRNO(ENOENT, sysv_get(SHM, sysv_key, 0));
	UNSHARED(CLONE_NEWIPC) {
		EXPECT_STREQ("0\n", must_read("/proc/sys/kernel/shm_rmid_forced"));
		IN_FORK { MUST(sysv_get(SHM, sysv_key, IPC_CREAT | 0600)); }
		EXPECT_OK(sysv_get(SHM, sysv_key, 0));
	}
}

/* Memory of shared segments and files, in kB. */
static long long shared_memory(void)
{
	const char *line = strstr(must_read("/proc/meminfo"), "Shmem:");

	MUST_HOLD(line);
	return strtoll(line + strlen("Shmem:"), NULL, 10);
}

TEST(ipc, memory_goes_with_the_namespace,
     .says = "the memory of segments that nobody has attached is free when their namespace has "
	     "ended",
     .finding = "what a container had as shared memory is lost to the machine", .checks = "ipc-16",
     .needs = NEED(root) | NEED(ipcns) | NEED(spare_machine))
{
	enum { SIZE = 32 << 20 };
	const long long before = shared_memory();

	UNSHARED(CLONE_NEWIPC) {
		int id = MUST(shmget(IPC_PRIVATE, SIZE, 0600));
		char *memory = shmat(id, NULL, 0);

		MUST_HOLD(memory != (void *)-1);
		memset(memory, 'x', SIZE);
		EXPECT_LE(before + SIZE / 2 / 1024, shared_memory());
	}
	while (shared_memory() > before + SIZE / 2 / 1024) let_kernel_catch_up();
	EXPECT_GT(before + SIZE / 2 / 1024, shared_memory());
}

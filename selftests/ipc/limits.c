// SPDX-License-Identifier: GPL-2.0-or-later
/* The limits of an IPC namespace, and its end. */
#include "sysv.h"

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

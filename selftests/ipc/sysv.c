// SPDX-License-Identifier: GPL-2.0-or-later
/* System V IPC: whose objects a key, an id and /proc/sysvipc lead to. */
#include "sysv.h"

ROWS(kinds, struct sysv_kind) = {
	{ "shm", SHM },
	{ "sem", SEM },
	{ "msg", MSG },
};

#define NEEDS NEED(admin) | NEED(ipcns)

TEST_EACH(kinds, ipc, a_key_is_not_found_elsewhere,
	  .says = "the key of an object gives ENOENT in another IPC namespace",
	  .finding = "an IPC object is found from outside its namespace",
	  .checks = "ipc-01 ipc-03 ipc-04", .needs = NEEDS)
{
	int id;

	must_unshare(CLONE_NEWIPC);
	id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));
	UNSHARED(CLONE_NEWIPC) { EXPECT_ERRNO(ENOENT, sysv_get(row->kind, sysv_key, 0)); }
	IN_FORK { EXPECT_EQ(id, sysv_get(row->kind, sysv_key, 0)); }
}

TEST_EACH(kinds, ipc, an_id_is_not_valid_elsewhere,
	  .says = "the id of an object gives EINVAL in another IPC namespace",
	  .finding = "an IPC object is reached by its id from outside its namespace",
	  .checks = "ipc-01 ipc-03 ipc-04", .needs = NEEDS)
{
	int id;

	must_unshare(CLONE_NEWIPC);
	id = MUST(sysv_get(row->kind, IPC_PRIVATE, 0600));
	UNSHARED(CLONE_NEWIPC) {
		EXPECT_ERRNO(EINVAL, sysv_ctl(row->kind, id, IPC_STAT, NULL));
		EXPECT_ERRNO(EINVAL, sysv_ctl(row->kind, id, IPC_RMID, NULL));
	}
	EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, NULL));
	EXPECT_OK(sysv_ctl(row->kind, id, IPC_RMID, NULL));
}

/* What an object holds: a byte in memory, a value, the type of its one message; 0 = nothing. */
static void put(enum kind kind, int id, unsigned char value)
{
	struct msgbuf message = { .mtype = value };
	unsigned char *memory;

	if (kind == SEM)
		MUST(semctl(id, 0, SETVAL, value));
	if (kind == MSG)
		MUST(msgsnd(id, &message, 0, IPC_NOWAIT));
	if (kind != SHM)
		return;
	memory = shmat(id, NULL, 0);
	MUST_HOLD(memory != (void *)-1);
	*memory = value;
	MUST(shmdt(memory));
}

static int held(enum kind kind, int id)
{
	struct msgbuf message = { .mtype = 0 };
	unsigned char *memory;
	int value;

	if (kind == SEM)
		return semctl(id, 0, GETVAL);
	if (kind == MSG)
		return msgrcv(id, &message, 0, 0, IPC_NOWAIT) < 0 ? 0 : (int)message.mtype;
	memory = shmat(id, NULL, SHM_RDONLY);
	MUST_HOLD(memory != (void *)-1);
	value = *memory;
	MUST(shmdt(memory));
	return value;
}

TEST_EACH(kinds, ipc, equal_keys_are_different_objects,
	  .says = "one key names different objects in two IPC namespaces",
	  .finding = "what is put into an IPC object arrives in another namespace",
	  .checks = "ipc-02 ipc-03 ipc-04", .needs = NEEDS)
{
	int id;

	must_unshare(CLONE_NEWIPC);
	id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));
	put(row->kind, id, 7);
	UNSHARED(CLONE_NEWIPC) {
		int own = ASSERT_OK(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));

		EXPECT_EQ(0, held(row->kind, own));
		put(row->kind, own, 9);
		EXPECT_EQ(9, held(row->kind, own));
		EXPECT_OK(sysv_ctl(row->kind, own, IPC_RMID, NULL));
	}
	EXPECT_EQ(7, held(row->kind, id));
}

/* How many objects of /proc/sysvipc/KIND have the test's key. */
static int listed(const char *kind)
{
	const char *line = must_read("/proc/sysvipc/%s", kind);
	int count = 0;

	while ((line = strchr(line, '\n')))
		if (strtol(++line, NULL, 10) == sysv_key)
			count++;
	return count;
}

TEST_EACH(kinds, ipc, proc_lists_who_reads,
	  .says = "/proc/sysvipc lists the objects of the reader's IPC namespace and no others",
	  .finding = "/proc tells of IPC objects outside the container", .checks = "ipc-01 ipc-08",
	  .needs = NEEDS)
{
	must_unshare(CLONE_NEWIPC);
	EXPECT_EQ(0, listed(row->label));
	MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(1, listed(row->label));
	UNSHARED(CLONE_NEWIPC) { EXPECT_EQ(0, listed(row->label)); }
	IN_FORK { EXPECT_EQ(1, listed(row->label)); }
}

TEST_EACH(kinds, ipc, setns_switches_at_once,
	  .says = "after setns key, id and /proc/sysvipc are those of the entered IPC namespace",
	  .checks = "ipc-08", .needs = NEEDS)
{
	_fd_ int outer = -EBADF;
	int id;

	must_unshare(CLONE_NEWIPC);
	outer = MUST(open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC));
	id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));
	must_unshare(CLONE_NEWIPC);
	ASSERT_ERRNO(ENOENT, sysv_get(row->kind, sysv_key, 0));
	EXPECT_EQ(0, listed(row->label));
	ASSERT_OK(setns(outer, CLONE_NEWIPC));
	EXPECT_EQ(id, sysv_get(row->kind, sysv_key, 0));
	EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, NULL));
	EXPECT_EQ(1, listed(row->label));
}

TEST_EACH(kinds, ipc, objects_stay_while_a_descriptor_holds_them,
	  .says = "objects stay in an IPC namespace without a process that a descriptor holds",
	  .checks = "ipc-08 ipc-21", .needs = NEEDS)
{
	int kept, id;

	CONTAINER(.unshare = CLONE_NEWIPC);

	IN_CONTAINER {
		id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0600));
		put(row->kind, id, 5);
		remember("id", id);
	}
	ON_HOST {
		kept = MUST(open(text("/proc/%d/ns/ipc", inside_pid()), O_RDONLY | O_CLOEXEC));
		container_stop(1);
		IN_FORK {
			ASSERT_OK(setns(kept, CLONE_NEWIPC));
			EXPECT_EQ(recall_number("id"), sysv_get(row->kind, sysv_key, 0));
			EXPECT_EQ(5, held(row->kind, (int)recall_number("id")));
		}
		close(kept);
	}
}

TEST_EACH(kinds, ipc, owners_are_told_as_the_reader_maps_them,
	  .says = "an object's owner is told as the reader's user namespace maps him, or as 65534",
	  .checks = "ipc-19", .needs = NEED(root) | NEED(userns) | NEED(ipcns))
{
	struct ipc_perm perm;
	int id;

	must_unshare(CLONE_NEWIPC);
	IN_FORK {
		MUST(setresgid(1002, 1002, 1002));
		MUST(setresuid(1001, 1001, 1001));
		remember("id", MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | 0666)));
	}
	id = (int)recall_number("id");

	CONTAINER(.unshare = CLONE_NEWUSER, .userns = true, .uid_map = "0 0 1\n7 1001 1");

	ON_HOST {
		EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, &perm));
		EXPECT_EQ(1001, perm.uid);
		EXPECT_EQ(1002, perm.cgid);
	}
	IN_CONTAINER {
		id = (int)recall_number("id");
		EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, &perm));
		EXPECT_EQ(7, perm.uid);
		EXPECT_EQ(7, perm.cuid);
		EXPECT_EQ(65534, perm.gid);
		EXPECT_EQ(65534, perm.cgid);
	}
}

TEST_EACH(kinds, ipc, a_user_namespace_gives_no_right,
	  .says = "all capabilities of a user namespace open no object of the namespace outside it",
	  .finding = "root of a user namespace uses the host's IPC objects", .checks = "ipc-22",
	  .needs = NEED(admin) | NEED(userns) | NEED(ipcns))
{
	int id;

	must_unshare(CLONE_NEWIPC);
	id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0));
	EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, NULL));
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_ERRNO(EACCES, sysv_ctl(row->kind, id, IPC_STAT, NULL));
		must_unshare(CLONE_NEWIPC);
		id = MUST(sysv_get(row->kind, sysv_key, IPC_CREAT | IPC_EXCL | 0));
		EXPECT_OK(sysv_ctl(row->kind, id, IPC_STAT, NULL));
	}
}

/* The memory of a new segment; `id` takes its id. */
static char *must_attach(int *id)
{
	char *memory;

	*id = MUST(shmget(IPC_PRIVATE, 4096, 0600));
	memory = shmat(*id, NULL, 0);
	MUST_HOLD(memory != (void *)-1);
	return memory;
}

TEST(ipc, attached_memory_goes_along,
     .says = "memory attached before a process leaves its IPC namespace stays shared",
     .checks = "ipc-20", .needs = NEEDS)
{
	char *memory;
	int id;

	must_unshare(CLONE_NEWIPC);
	memory = must_attach(&id);
	UNSHARED(CLONE_NEWIPC) {
		*memory = 'x';
		EXPECT_OK(shmdt(memory));
	}
	EXPECT_EQ('x', *memory);
}

static unsigned long attachments(int id)
{
	struct shmid_ds about;

	MUST(shmctl(id, IPC_STAT, &about));
	return about.shm_nattch;
}

TEST(ipc, each_fork_attaches_memory_too,
     .says = "a removed segment stays while any process, forked ones too, has it attached",
     .checks = "ipc-25", .needs = NEEDS)
{
	char *memory;
	int id;

	must_unshare(CLONE_NEWIPC);
	memory = must_attach(&id);
	IN_FORK { EXPECT_EQ(2, attachments(id)); }
	EXPECT_EQ(1, attachments(id));
	MUST(shmctl(id, IPC_RMID, NULL));
	IN_FORK { *memory = 'x'; }
	EXPECT_EQ(1, attachments(id));
	EXPECT_EQ('x', *memory);
	EXPECT_OK(shmdt(memory));
	EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &(struct shmid_ds){ 0 }));
}

TEST(ipc, leaving_undoes_semaphores,
     .says = "a process that leaves its IPC namespace has its SEM_UNDO operations undone there",
     .checks = "ipc-23", .needs = NEEDS)
{
	struct sembuf take = { .sem_op = -1, .sem_flg = SEM_UNDO | IPC_NOWAIT };
	int id;

	must_unshare(CLONE_NEWIPC);
	id = MUST(semget(IPC_PRIVATE, 1, 0600));
	MUST(semctl(id, 0, SETVAL, 1));
	remember("id", id);

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		MUST(semop((int)recall_number("id"), &take, 1));
		EXPECT_EQ(0, semctl((int)recall_number("id"), 0, GETVAL));
		must_unshare(CLONE_NEWIPC);
	}
	ON_HOST { EXPECT_EQ(1, semctl(id, 0, GETVAL)); }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom System V IPC objects name as their last users: by the numbers of who asks. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "pid.h"

/* Each makes an object, uses it and returns its id. */
static int use_memory(void)
{
	return MUST(shmget(IPC_PRIVATE, 4096, 0600));
}

static int use_queue(void)
{
	const struct msgbuf message = { .mtype = 1 };
	int id = MUST(msgget(IPC_PRIVATE, 0600));

	MUST(msgsnd(id, &message, 0, 0));
	return id;
}

static int use_semaphore(void)
{
	struct sembuf post = { .sem_op = 1 };
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));

	MUST(semop(id, &post, 1));
	return id;
}

/* Each tells who that was. */
static pid_t user_of_memory(int id)
{
	struct shmid_ds about;

	MUST(shmctl(id, IPC_STAT, &about));
	return about.shm_cpid;
}

static pid_t user_of_queue(int id)
{
	struct msqid_ds about;

	MUST(msgctl(id, IPC_STAT, &about));
	return about.msg_lspid;
}

static pid_t user_of_semaphore(int id)
{
	return MUST(semctl(id, 0, GETPID));
}

struct object {
	const char *label;
	int (*use)(void);
	pid_t (*user)(int id);
};

ROWS(objects, struct object) = {
	{ "shared_memory", use_memory, user_of_memory },
	{ "message_queue", use_queue, user_of_queue },
	{ "semaphore", use_semaphore, user_of_semaphore },
};

TEST_EACH(objects, pid, an_ipc_object_names_its_user_to_each_in_his_numbers,
	  .says = "who used an IPC object has the reader's number for it, and 0 where it has none",
	  .checks = "pid-79", .needs = NEED(admin) | NEED(pidns) | NEED(ipcns))
{
	must_unshare(CLONE_NEWIPC); /* the objects vanish with it */

	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) {
		int id = row->use();

		EXPECT_EQ(1, row->user(id));
		remember("id", text("%d", id));
	}
	ON_HOST { EXPECT_EQ(pid_of(a), row->user(recall_number("id"))); }
	IN(b) {
		EXPECT_EQ(0, row->user(recall_number("id")));
		remember("other", text("%d", row->use()));
	}
	IN(a) { EXPECT_EQ(0, row->user(recall_number("other"))); }
}

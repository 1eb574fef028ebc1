/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V shared memory, semaphores and message queues, handled alike. */
#ifndef IPC_SYSV_H
#define IPC_SYSV_H

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "../harness/selftest.h"

enum kind { SHM, SEM, MSG };

struct sysv_kind {
	const char *label; /* as in /proc/sysvipc */
	enum kind kind;
};

static const key_t sysv_key = 0x5e1f7e58;

/* shmget(2), semget(2), msgget(2): an object of one page, one semaphore, or no message. */
static inline int sysv_get(enum kind kind, key_t key, int flags)
{
	if (kind == SHM)
		return shmget(key, 4096, flags);
	if (kind == SEM)
		return semget(key, 1, flags);
	return msgget(key, flags);
}

/* shmctl(2), semctl(2), msgctl(2) with IPC_STAT, which fills `perm`, or IPC_RMID. */
static inline int sysv_ctl(enum kind kind, int id, int command, struct ipc_perm *perm)
{
	union {
		struct shmid_ds shm;
		struct semid_ds sem;
		struct msqid_ds msg;
	} about = { .shm = { .shm_nattch = 0 } };
	int result;

	if (kind == SHM)
		result = shmctl(id, command, &about.shm);
	else if (kind == SEM)
		result = semctl(id, 0, command, &about);
	else
		result = msgctl(id, command, &about.msg);
	/* Each of the three begins with it. */
	if (perm)
		memcpy(perm, &about, sizeof(*perm));
	return result;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* POSIX message queues: who sees them by name, and what a mount of them shows. */
#include "../harness/selftest.h"

#include <mqueue.h>
#include <sys/resource.h>

#define NEEDS NEED(admin) | NEED(ipcns) | NEED(posix_mqueue)

static const char name[] = "/selftest-ipc";

static mqd_t make_queue(int flags)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 8 };

	return mq_open(name, O_RDWR | O_CREAT | flags, 0600, &attributes);
}

TEST(ipc, a_queue_is_not_opened_elsewhere,
     .says = "the name of a POSIX message queue gives ENOENT in another IPC namespace",
     .finding = "a POSIX message queue is opened from outside its namespace", .checks = "ipc-05",
     .needs = NEEDS)
{
	mqd_t queue;

	must_unshare(CLONE_NEWIPC);
	queue = MUST(make_queue(O_EXCL));
	UNSHARED(CLONE_NEWIPC) {
		EXPECT_ERRNO(ENOENT, mq_open(name, O_RDWR));
		EXPECT_ERRNO(ENOENT, mq_unlink(name));
	}
	IN_FORK { EXPECT_OK(mq_open(name, O_RDWR)); }
	EXPECT_OK(mq_unlink(name));
	mq_close(queue);
}

TEST(ipc, equal_names_are_different_queues,
     .says = "one name is different POSIX message queues in two IPC namespaces",
     .finding = "a message arrives in a queue of another namespace", .checks = "ipc-05",
     .needs = NEEDS)
{
	struct mq_attr seen;
	mqd_t queue;

	must_unshare(CLONE_NEWIPC);
	queue = MUST(make_queue(O_EXCL));
	MUST(mq_send(queue, "outer", 5, 0));
	UNSHARED(CLONE_NEWIPC) {
		mqd_t own = ASSERT_OK(make_queue(O_EXCL));

		MUST(mq_getattr(own, &seen));
		EXPECT_EQ(0, seen.mq_curmsgs);
		MUST(mq_send(own, "inner", 5, 0));
	}
	MUST(mq_getattr(queue, &seen));
	EXPECT_EQ(1, seen.mq_curmsgs);
	mq_close(queue);
}

TEST(ipc, an_open_queue_goes_along,
     .says = "a queue that is open stays in use after its process left the IPC namespace",
     .checks = "ipc-05", .needs = NEEDS)
{
	char message[8];
	mqd_t queue;

	must_unshare(CLONE_NEWIPC);
	queue = MUST(make_queue(O_EXCL));
	UNSHARED(CLONE_NEWIPC) { EXPECT_OK(mq_send(queue, "from", 4, 0)); }
	EXPECT_EQ(4, mq_receive(queue, message, sizeof(message), NULL));
	mq_close(queue);
}

TEST(ipc, a_mount_shows_who_mounted_it,
     .says = "a mount of mqueue shows the queues of the IPC namespace that it was mounted in",
     .finding = "a mount shows queues of another IPC namespace", .checks = "ipc-06",
     .needs = NEEDS | NEED(mntns))
{
	UNSHARED(CLONE_NEWNS | CLONE_NEWIPC) {
		must_private("/");
		must_tmpfs("m");
		must_mount("selftest", must_mkdir("m/outer"), "mqueue", 0, NULL);
		MUST(make_queue(O_EXCL));
		EXPECT(exists("m/outer%s", name));
		IN_FORK {
			must_unshare(CLONE_NEWIPC);
			must_mount("selftest", must_mkdir("m/inner"), "mqueue", 0, NULL);
			EXPECT(exists("m/outer%s", name));
			EXPECT(!exists("m/inner%s", name));
			MUST(mknod("m/inner/other", S_IFREG | 0600, 0));
			EXPECT_OK(mq_open("/other", O_RDWR));
			EXPECT(!exists("m/outer/other"));
		}
	}
	MUST(rmdir("m"));
}

TEST(ipc, queues_stay_without_a_mount,
     .says = "queues are there again when mqueue is unmounted and mounted anew", .checks = "ipc-06",
     .needs = NEEDS | NEED(mntns))
{
	UNSHARED(CLONE_NEWNS | CLONE_NEWIPC) {
		must_private("/");
		must_tmpfs("m");
		must_mount("selftest", "m", "mqueue", 0, NULL);
		MUST(mknod("m/selftest-ipc", S_IFREG | 0600, 0));
		MUST(umount("m"));
		EXPECT(!exists("m/selftest-ipc"));
		EXPECT_OK(mq_open(name, O_RDWR));
		must_mount("selftest", "m", "mqueue", 0, NULL);
		EXPECT(exists("m/selftest-ipc"));
	}
	MUST(rmdir("m"));
}

TEST(ipc, a_mount_outlives_its_namespace,
     .says = "queues of an IPC namespace that ended stay in its mount; new ones give EACCES",
     .checks = "ipc-07", .needs = NEEDS | NEED(mntns))
{
	int go[2];
	pid_t member;
	char byte;

	must_pipe(go);
	UNSHARED(CLONE_NEWNS) {
		must_private("/");
		must_tmpfs("m");
		member = must_clone3(CLONE_NEWIPC);
		if (!member) {
			must_mount("selftest", "m", "mqueue", 0, NULL);
			MUST(mknod("m/first", S_IFREG | 0600, 0));
			MUST(write(go[1], "", 1));
			for (;;) pause();
		}
		MUST(read(go[0], &byte, 1));
		EXPECT_OK(mknod("m/second", S_IFREG | 0600, 0));
		MUST(kill(member, SIGKILL));
		must_wait(member);
		/* It is freed a little later; until then this makes a queue. */
		while (!mknod("m/third", S_IFREG | 0600, 0)) {
			MUST(unlink("m/third"));
			let_kernel_catch_up();
		}
		EXPECT_EQ(EACCES, errno);
		EXPECT(exists("m/first") && exists("m/second"));
	}
	MUST(rmdir("m"));
	close(go[0]);
	close(go[1]);
}

struct limit {
	const char *label;
	const char *path, *fresh, *small;
	int want; /* errno beyond the small limit */
};

ROWS(limits, struct limit) = {
	{ "queues_max", "/proc/sys/fs/mqueue/queues_max", "256\n", "0", ENOSPC },
	{ "msg_max", "/proc/sys/fs/mqueue/msg_max", "10\n", "1", EINVAL },
	{ "msgsize_max", "/proc/sys/fs/mqueue/msgsize_max", "8192\n", "128", EINVAL },
};

/* As a user whom the limits bind. */
static mqd_t ask_for_more(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 129 };

	return mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
}

TEST_EACH(
	limits, ipc, queue_limits_are_the_namespaces_own,
	.says = "the limits of message queues hold in one IPC namespace, and are fresh in the next",
	.finding = "a limit of one IPC namespace holds in another", .checks = "ipc-09 ipc-17",
	.needs = NEED(root) | NEED(ipcns) | NEED(posix_mqueue))
{
	must_unshare(CLONE_NEWIPC);
	EXPECT_STREQ(row->fresh, must_read("%s", row->path));
	must_write(row->path, "%s", row->small);
	AS_NOBODY { EXPECT_ERRNO(row->want, ask_for_more()); }
	UNSHARED(CLONE_NEWIPC) {
		EXPECT_STREQ(row->fresh, must_read("%s", row->path));
		AS_NOBODY { EXPECT_OK(ask_for_more()); }
	}
	EXPECT_STRNE(row->fresh, must_read("%s", row->path));
}

TEST(ipc, queues_count_for_their_owner,
     .says = "what a queue may hold counts against its owner's RLIMIT_MSGQUEUE: EMFILE beyond",
     .checks = "ipc-09", .needs = NEEDS)
{
	struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	must_unshare(CLONE_NEWIPC);
	AS_NOBODY {
		EXPECT_OK(make_queue(0));
		MUST(mq_unlink(name));
		MUST(setrlimit(RLIMIT_MSGQUEUE, &none));
		EXPECT_ERRNO(EMFILE, make_queue(0));
	}
}

/* Asks for SIGUSR1, which is blocked, when a message comes into the empty queue. */
static void must_await(mqd_t queue)
{
	struct sigevent by_signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &signals, NULL));
	MUST(mq_notify(queue, &by_signal));
}

static siginfo_t awaited(void)
{
	const struct timespec soon = { .tv_sec = 2 };
	siginfo_t told = { 0 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	MUST(sigtimedwait(&signals, &told, &soon));
	MUST_HOLD(told.si_code == SI_MESGQ);
	return told;
}

/* Both know the sender by one number: the kernel translates it twice where they differ. */
TEST(ipc, a_notification_tells_whom_the_reader_knows,
     .says = "with a queue's notification come the ids by which the receiver's namespaces know the "
	     "sender, or none",
     .finding = "a message queue tells a container about processes of the host", .checks = "ipc-26",
     .needs = NEEDS | NEED(root) | NEED(userns) | NEED(pidns))
{
	char message[8];
	siginfo_t told;
	mqd_t queue;

	must_unshare(CLONE_NEWIPC);
	queue = MUST(make_queue(O_EXCL));

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWPID, .uid_map = "1007 1007 1",
		  .gid_map = "1007 1007 1");

	ON_HOST { must_await(queue); }
	IN_CONTAINER {
		MUST(setresuid(1007, 1007, 1007));
		MUST(mq_send(queue, "up", 2, 0));
	}
	ON_HOST {
		told = awaited();
		EXPECT_EQ(inside_pid(), told.si_pid);
		EXPECT_EQ(1007, told.si_uid);
		MUST(mq_receive(queue, message, sizeof(message), NULL));
	}
	IN_CONTAINER { must_await(queue); }
	ON_HOST { MUST(mq_send(queue, "down", 4, 0)); }
	IN_CONTAINER {
		told = awaited();
		EXPECT_EQ(0, told.si_pid);
		EXPECT_EQ(65534, told.si_uid);
	}
	mq_close(queue);
}

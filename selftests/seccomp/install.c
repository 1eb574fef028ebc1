// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may install a system call filter, which ones, and that it stays. */
#include "filters.h"

#include <pthread.h>

TEST(seccomp, stranger_gives_up_new_privileges_first,
     .says = "without CAP_SYS_ADMIN a filter is refused with EACCES until no_new_privs is set",
     .finding = "a process can filter a set-user-ID program that it executes",
     .checks = "seccomp-01", .needs = NEED(seccomp) | NEED(new_privs))
{
	AS_NOBODY {
		EXPECT_ERRNO(EACCES, install(SECCOMP_RET_ALLOW, 0));
		give_up_new_privileges();
		EXPECT_OK(install(SECCOMP_RET_ALLOW, 0));
	}
}

TEST(seccomp, root_of_a_user_namespace_may_filter,
     .says = "CAP_SYS_ADMIN in the caller's own user namespace is enough for a filter",
     .checks = "seccomp-01", .needs = NEED(seccomp) | NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_OK(install(SECCOMP_RET_ERRNO | EDOM, 0));
		EXPECT_ERRNO(EDOM, call_filtered());
	}
}

struct length {
	const char *label;
	unsigned short length;
	int want;
};

ROWS(filter_lengths, struct length) = {
	{ "empty", 0, EINVAL },
	{ "one_instruction", 1, 0 },
	{ "longest", BPF_MAXINSNS, 0 },
	{ "one_too_long", BPF_MAXINSNS + 1, EINVAL },
};

static struct sock_filter many[BPF_MAXINSNS + 1];

static void fill_with_leave(void)
{
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

TEST_EACH(filter_lengths, seccomp, filter_has_a_length,
	  .says = "a filter has 1 to 4096 instructions: EINVAL for any other",
	  .checks = "seccomp-02", .needs = NEED(seccomp))
{
	fill_with_leave();
	IN_FORK {
		give_up_new_privileges();
		if (row->want)
			EXPECT_ERRNO(row->want, install_code(many, row->length, 0));
		else
			EXPECT_OK(install_code(many, row->length, 0));
	}
}

TEST(seccomp, filters_of_a_process_are_limited,
     .says = "all filters of a process together have at most 32768 instructions: ENOMEM then",
     .finding = "a process can stack filters without end, which the kernel runs at each call",
     .checks = "seccomp-02", .needs = NEED(seccomp))
{
	enum { WHOLE_PATH = 32768 }; /* MAX_INSNS_PER_PATH of kernel/seccomp.c */

	fill_with_leave();
	IN_FORK {
		int most = WHOLE_PATH / BPF_MAXINSNS, count = 0;

		give_up_new_privileges();
		while (count <= most && install_code(many, BPF_MAXINSNS, 0) == 0) count++;
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_LT(0, count);
		EXPECT_LE(count, most);
	}
}

TEST(seccomp, filter_is_for_ever,
     .says = "a filter passes to children, a later one does not lift it, nor does strict mode",
     .finding = "a process gets rid of the filter that was put on it", .checks = "seccomp-08",
     .needs = NEED(seccomp))
{
	IN_FORK {
		EXPECT_OK(call_filtered());
		give_up_new_privileges();
		ASSERT_OK(install(SECCOMP_RET_ERRNO | EDOM, 0));
		EXPECT_OK(install(SECCOMP_RET_ALLOW, 0));
		EXPECT_ERRNO(EDOM, call_filtered());
		EXPECT_ERRNO(EINVAL, prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
		EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
		IN_FORK { EXPECT_ERRNO(EDOM, call_filtered()); }
	}
}

/* A thread that waits, then says what it is told of a filtered call. */
struct listener {
	int go[2];
	int ready[2];
	bool filters_itself;
	long tid;
	int told;
};

static void *wait_and_call(void *data)
{
	struct listener *me = data;
	char byte = 0;

	me->tid = syscall(SYS_gettid);
	if (me->filters_itself)
		MUST(install(SECCOMP_RET_ALLOW, 0));
	MUST(write(me->ready[1], &byte, 1));
	MUST(read(me->go[0], &byte, 1));
	call_filtered();
	me->told = errno;
	return NULL;
}

static pthread_t must_listen(struct listener *me)
{
	pthread_t thread;
	char byte;

	must_pipe(me->go);
	must_pipe(me->ready);
	MUST_HOLD(pthread_create(&thread, NULL, wait_and_call, me) == 0);
	MUST(read(me->ready[0], &byte, 1));
	return thread;
}

/* Puts a filter on both threads, if it can, and lets the other one call. Returns what TSYNC does. */
static long filter_with(struct listener *other)
{
	pthread_t thread;
	char byte = 0;
	long result;

	give_up_new_privileges();
	thread = must_listen(other);
	result = install(SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC);
	MUST(write(other->go[1], &byte, 1));
	MUST_HOLD(pthread_join(thread, NULL) == 0);
	return result;
}

TEST(seccomp, threads_are_filtered_together,
     .says = "SECCOMP_FILTER_FLAG_TSYNC puts the filter on every thread of the process",
     .finding = "a thread keeps out of the filter that was put on its process",
     .checks = "seccomp-05", .needs = NEED(seccomp))
{
	IN_FORK {
		struct listener other = { .filters_itself = false };

		EXPECT_EQ(0, filter_with(&other));
		EXPECT_EQ(EDOM, other.told);
	}
}

TEST(seccomp, thread_with_another_filter_is_named,
     .says = "TSYNC fails with the id of a thread that has a filter of its own, and changes "
	     "nothing",
     .checks = "seccomp-05", .needs = NEED(seccomp))
{
	IN_FORK {
		struct listener other = { .filters_itself = true };
		long named = filter_with(&other);

		EXPECT_EQ(other.tid, named);
		EXPECT_EQ(0, other.told);
		EXPECT_OK(call_filtered());
	}
}

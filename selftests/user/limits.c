// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of a user hold in user namespaces that he makes: getrlimit(2), RLIMIT_NPROC. */
#include "user.h"

enum { FEW = 4, LONER = 61007 }; /* a uid that runs nothing else */

static void must_allow_processes(rlim_t count)
{
	const struct rlimit limit = { count, count };

	MUST(setrlimit(RLIMIT_NPROC, &limit));
}

/* How many processes can be made before fork fails, and no more than twice FEW. */
static int count_forks(void)
{
	pid_t made[2 * FEW];
	int count = 0;

	while (count < 2 * FEW && (made[count] = fork()) >= 0) {
		if (!made[count])
			for (;;) pause();
		count++;
	}
	for (int i = 0; i < count; i++) must_evict(made[i]);
	return count;
}

TEST(user, processes_count_for_the_owner,
     .says = "root of a user namespace has no more processes than RLIMIT_NPROC lets its owner have",
     .finding = "a container escapes its user's limit on processes", .checks = "user-48",
     .needs = NEED(free_userns) | NEED(root) | NEED(userns))
{
	IN_FORK {
		must_become(LONER);
		must_allow_processes(FEW);
		EXPECT_EQ(FEW - 1, count_forks());
		must_unshare(CLONE_NEWUSER);
		must_map_root(getpid(), LONER);
		EXPECT_EQ(FEW - 1, count_forks());
		must_unshare(CLONE_NEWUSER);
		EXPECT_EQ(FEW - 1, count_forks());
	}
}

/* errno of an execve by a process that became LONER, with that limit. */
static int execute_with_limit(rlim_t count)
{
	pid_t pid = must_fork();

	if (!pid) {
		must_allow_processes(count);
		must_become(LONER);
		MUST(dup2(MUST(open("/dev/null", O_WRONLY | O_CLOEXEC)), 1));
		execl("/proc/self/exe", "again", "--list", NULL);
		_exit(errno);
	}
	return WEXITSTATUS(must_wait(pid));
}

TEST(user, who_exceeds_the_limit_does_not_execute,
     .says = "a process that takes the id of a user with too many processes executes no program",
     .checks = "user-48", .needs = NEED(root))
{
	pid_t other = must_stay_as(LONER);

	EXPECT_EQ(EAGAIN, execute_with_limit(0));
	EXPECT_EQ(0, execute_with_limit(2));
	must_evict(other);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* IN_FORK, AS_NOBODY and UNSHARED: a block in a process of its own, waited for and judged. */
#include "harness.h"

/* A block that ran to its end says so; any other exit status is an early end. */
enum { BLOCK_DONE = 113 };

static void judge_end(int status, const char *file, int line)
{
	if (WIFSIGNALED(status)) {
		board->crashed++;
		fail_at(file, line, "the forked block was killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status) != BLOCK_DONE) {
		fail_unless_told(file, line, "the forked block ended early with exit status %d",
				 WEXITSTATUS(status));
	}
}

bool fork_enter(uint64_t flags, bool nobody, const char *file, int line)
{
	pid_t pid;

	stand_at(file, line);
	fflush(NULL);
	pid = must_clone3_(flags);
	if (pid) {
		judge_end(must_wait_(pid), file, line);
		return false;
	}
	if (nobody)
		must_become_nobody_();
	return true;
}

bool fork_leave(void)
{
	fflush(NULL);
	_exit(BLOCK_DONE);
}

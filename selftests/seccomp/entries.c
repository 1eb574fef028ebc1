// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's entry for 32-bit x86 programs, whose calls have numbers of their own. */
#include "../harness/int80.h"
#include "../harness/selftest.h"

#include <linux/keyctl.h>

struct call {
	const char *label;
	long number; /* arch/x86/entry/syscalls/syscall_32.tbl */
	long argument[2];
};

/* With arguments that do no harm should the call get through: see filter.c. */
ROWS(calls_by_int80, struct call) = {
	{ "bpf", 357, { 9999 } },
	{ "add_key", 286, { 0 } },
	{ "keyctl", 288, { KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING } },
};

TEST_EACH(calls_by_int80, seccomp, int80_is_no_way_around,
	  .says = "a call that the filter refuses is refused by the entry for 32-bit programs, too",
	  .finding = "the entry for 32-bit programs leads past the filter", .checks = "seccomp-23",
	  .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_proc) | NEED(seccomp) | NEED(int80))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		pid_t pid = must_fork();
		int status;

		if (!pid) {
			const long *argument = row->argument;
			long result = int80_call(row->number, argument[0], argument[1], 1);

			_exit(result == -EPERM || result == -ENOSYS ? 0 : 1);
		}
		status = must_wait(pid);
		EXPECT(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS));
	}
}

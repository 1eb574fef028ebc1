// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's entries for programs of another kind, whose calls have numbers of their own. */
#include "../harness/int80.h"
#include "../harness/selftest.h"

#include <linux/keyctl.h>

/* arch/x86/entry/syscalls/syscall_32.tbl; x32 numbers are those of 64 bits with a bit more. */
enum { I386_ADD_KEY = 286, I386_KEYCTL = 288, I386_BPF = 357, X32_BIT = 0x40000000 };

struct entry {
	const char *label;
	long (*call)(long number, long a, long b, long c);
	long number, argument[2];
};

static __attribute__((unused)) long x32_call(long number, long a, long b, long c)
{
	long result = syscall(number | X32_BIT, a, b, c);

	return result < 0 ? -errno : result;
}

/* With arguments that do no harm should the call get through: see filter.c. */
ROWS(entries, struct entry) = {
	{ "int80_bpf", int80_call, I386_BPF, { 9999 } },
	{ "int80_add_key", int80_call, I386_ADD_KEY, { 0 } },
	{ "int80_keyctl",
	  int80_call,
	  I386_KEYCTL,
	  { KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING } },
#ifdef __x86_64__
	{ "x32_bpf", x32_call, SYS_bpf, { 9999 } },
	{ "x32_add_key", x32_call, SYS_add_key, { 0 } },
#endif
};

static bool is_refused(long result)
{
	return result == -EPERM || result == -ENOSYS;
}

TEST_EACH(entries, seccomp, other_entry_is_no_way_around,
	  .says = "a call that the filter refuses is refused by the entries for 32-bit and x32 "
		  "programs, too",
	  .finding = "the entries for 32-bit or x32 programs lead past the filter",
	  .checks = "seccomp-23", .layer = RUNTIME,
	  .needs = NEED(mntns) | NEED(own_proc) | NEED(seccomp) | NEED(int80))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		pid_t pid = must_fork();
		int status;

		if (!pid)
			_exit(is_refused(
				      row->call(row->number, row->argument[0], row->argument[1], 1))
				      ? 0
				      : 1);
		status = must_wait(pid);
		EXPECT(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS));
	}
}

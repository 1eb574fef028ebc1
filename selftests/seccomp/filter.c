// SPDX-License-Identifier: GPL-2.0-or-later
/* The system call filter of a container's command, where the runtime promises one. */
#include "../harness/selftest.h"

#include <linux/keyctl.h>

#define FILTER_NEEDS NEED(mntns) | NEED(own_proc) | NEED(seccomp)

TEST(seccomp, command_is_filtered, .says = "the command runs under a system call filter",
     .finding = "the command may make every system call", .checks = "seccomp-22", .layer = RUNTIME,
     .needs = FILTER_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { EXPECT_STREQ("2", status_field("Seccomp", 0)); }
}

struct blocked {
	const char *label;
	long number, argument[3];
};

/* With arguments that do no harm should the call get through: then they give other errors. */
ROWS(blocked_calls, struct blocked) = {
	{ "kexec_load", SYS_kexec_load, { 0, 17, 0 } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "delete_module", SYS_delete_module, { 0 } },
	{ "bpf", SYS_bpf, { 9999 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "add_key", SYS_add_key, { 0 } },
	{ "request_key", SYS_request_key, { 0 } },
	{ "keyctl", SYS_keyctl, { KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1 } },
	{ "swapon", SYS_swapon, { 0 } },
};

TEST_EACH(blocked_calls, seccomp, dangerous_call_is_blocked,
	  .says = "a call that only serves the machine's administrator fails with EPERM or ENOSYS",
	  .finding = "the filter lets through a call that only serves the machine's administrator",
	  .checks = "seccomp-25", .layer = RUNTIME, .needs = FILTER_NEEDS)
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		const long *argument = row->argument;

		EXPECT_EQ(-1, syscall(row->number, argument[0], argument[1], argument[2], 0, 0));
		EXPECT(errno == EPERM || errno == ENOSYS);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The capabilities of a container's command, and the ways to more. */
#include "../harness/selftest.h"

#include <linux/capability.h>
#include <linux/keyctl.h>

#define CAPS_NEEDS NEED(root) | NEED(mntns)

enum set { INHERITABLE, PERMITTED, EFFECTIVE, BOUNDING, AMBIENT, SETS };

/* One of the caller's sets, asked of the kernel: the container may have no /proc. */
static uint64_t caps_in(enum set set)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t caps = 0;

	MUST(syscall(SYS_capget, &head, data));
	for (int cap = 0; cap < 64; cap++) {
		uint32_t bit = 1U << cap % 32;
		const bool held[SETS] = {
			[INHERITABLE] = data[cap / 32].inheritable & bit,
			[PERMITTED] = data[cap / 32].permitted & bit,
			[EFFECTIVE] = data[cap / 32].effective & bit,
			[BOUNDING] = prctl(PR_CAPBSET_READ, cap) == 1,
			[AMBIENT] = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1,
		};

		caps |= (uint64_t)held[set] << cap;
	}
	return caps;
}

/* What container engines leave a command by default. */
static uint64_t usual_caps(void)
{
	static const int usual[] = { CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,
				     CAP_FOWNER,  CAP_MKNOD,        CAP_NET_RAW,
				     CAP_SETGID,  CAP_SETUID,       CAP_SETFCAP,
				     CAP_SETPCAP, CAP_SYS_CHROOT,   CAP_NET_BIND_SERVICE,
				     CAP_KILL,    CAP_AUDIT_WRITE };
	uint64_t caps = 0;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		caps |= UINT64_C(1) << usual[i];
	return caps;
}

TEST(caps, no_more_than_the_usual_are_left,
     .says = "no set of the command holds more than what container engines leave by default",
     .finding = "the command has, or may get, a capability that nobody asked for",
     .checks = "caps-05 caps-21", .layer = RUNTIME, .needs = CAPS_NEEDS | NEED(default_caps))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (enum set set = 0; set < SETS; set++)
			EXPECT_EQ(0, caps_in(set) & ~usual_caps());
		EXPECT_NE(0, caps_in(EFFECTIVE));
	}
}

struct power {
	const char *label;
	int cap;
};

/* What no default of any runtime leaves, for it is power over the machine. */
ROWS(powers, struct power) = {
	{ "load_modules", CAP_SYS_MODULE },
	{ "raw_io", CAP_SYS_RAWIO },
	{ "set_the_time", CAP_SYS_TIME },
	{ "read_the_kernel_log", CAP_SYSLOG },
	{ "override_mac", CAP_MAC_OVERRIDE },
	{ "administer_mac", CAP_MAC_ADMIN },
	{ "wake_alarm", CAP_WAKE_ALARM },
	{ "block_suspend", CAP_BLOCK_SUSPEND },
	{ "accounting", CAP_SYS_PACCT },
	{ "performance", CAP_PERFMON },
	{ "bpf", CAP_BPF },
};

TEST_EACH(powers, caps, power_over_the_machine_is_gone,
	  .says = "the command has no capability over the machine, in none of its sets",
	  .finding = "the command has, or may get, a capability over the whole machine",
	  .checks = "caps-05", .layer = RUNTIME, .needs = CAPS_NEEDS | NEED(few_caps))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		for (enum set set = 0; set < SETS; set++)
			EXPECT_EQ(0, caps_in(set) >> row->cap & 1);
		EXPECT_NE(0, caps_in(EFFECTIVE));
	}
}

TEST(caps, nothing_is_inherited_or_ambient,
     .says = "inheritable and ambient sets are empty, whatever the caller's are",
     .finding = "capabilities survive execve without a program that grants them",
     .checks = "caps-05 caps-19", .layer = RUNTIME, .needs = CAPS_NEEDS | NEED(no_inherited_caps))
{
	ON_HOST {
		struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct data[2];

		MUST(syscall(SYS_capget, &head, data));
		data[0].inheritable |= data[0].permitted;
		MUST(syscall(SYS_capset, &head, data));
		MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
		MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_TIME, 0, 0));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_EQ(0, caps_in(INHERITABLE));
		EXPECT_EQ(0, caps_in(AMBIENT));
	}
}

TEST(caps, no_program_gives_new_privileges,
     .says = "no_new_privs is set: a set-user-ID program is a program like any other",
     .finding = "a set-user-ID program inside gives privileges", .checks = "caps-12 caps-20",
     .layer = RUNTIME, .needs = NEED(mntns) | NEED(no_new_privs))
{
	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER { EXPECT_EQ(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
}

/* The serial number of a key in the session keyring. */
static long find_key(const char *name)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);
}

TEST(caps, a_session_keyring_is_left_by_joining_another_only,
     .says = "a key of the session keyring is found after fork and in new namespaces, and not "
	     "after joining a new session keyring: ENOKEY",
     .checks = "caps-16", .needs = NEED(admin) | NEED(mntns) | NEED(ipcns) | NEED(own_keyring))
{
	static const char name[] = "selftest:session";
	long key;

	MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
	key = MUST(syscall(SYS_add_key, "user", name, "secret", 6, KEY_SPEC_SESSION_KEYRING));
	UNSHARED(CLONE_NEWNS | CLONE_NEWIPC) { EXPECT_EQ(key, find_key(name)); }
	IN_FORK {
		EXPECT_EQ(key, find_key(name));
		MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
		EXPECT_ERRNO(ENOKEY, find_key(name));
	}
	EXPECT_EQ(key, find_key(name));
}

TEST(caps, keyring_of_the_caller_is_closed,
     .says = "a key in the session keyring of the caller is not found inside",
     .finding = "the command reads keys of the runtime's caller", .checks = "caps-17",
     .layer = RUNTIME, .needs = NEED(mntns) | NEED(own_keyring))
{
	static const char name[] = "selftest:key";

	ON_HOST {
		MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
		MUST(syscall(SYS_add_key, "user", name, "secret", 6, KEY_SPEC_SESSION_KEYRING));
		EXPECT_LT(0, find_key(name));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_EQ(-1, find_key(name));
		EXPECT(errno == ENOKEY || errno == EPERM || errno == ENOSYS);
	}
}

/* True when the text of /proc/keys has a keyring whose serial number the earlier text lacks. */
static bool has_new_keyring(const char *before, const char *now)
{
	for (; *now; now += strcspn(now, "\n") + 1) {
		const char *kind = strstr(now, " keyring ");

		if (kind && kind < now + strcspn(now, "\n") && !strstr(before, text("%.9s", now)))
			return true;
	}
	return false;
}

/* Where a filter forbids keyctl(2) the command cannot tell, but the host can. */
TEST(caps, keyring_of_the_container_is_a_new_one,
     .says = "with the container a session keyring comes into being",
     .finding = "the command is in the session keyring of the runtime's caller",
     .checks = "caps-17", .layer = RUNTIME, .needs = NEED(root) | NEED(mntns) | NEED(own_keyring))
{
	static char before[65536];

	ON_HOST {
		MUST_HOLD(exists("/proc/keys"));
		MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
		snprintf(before, sizeof(before), "%s", must_read("/proc/keys"));
	}

	CONTAINER(.unshare = CLONE_NEWNS);

	ON_HOST {
		EXPECT(!has_new_keyring(before, before));
		EXPECT(has_new_keyring(before, must_read("/proc/keys")));
	}
}

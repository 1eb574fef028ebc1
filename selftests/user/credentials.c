// SPDX-License-Identifier: GPL-2.0-or-later
/* Capabilities and ids in a user namespace: at its start, by setuid(2), by execve(2). */
#include "user.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>

static uint64_t caps(const char *set, pid_t pid)
{
	return strtoull(status_field(set, pid), NULL, 16);
}

static void make_ambient(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	MUST(syscall(SYS_capget, &header, sets));
	sets[cap / 32].inheritable |= 1U << cap % 32;
	MUST(syscall(SYS_capset, &header, sets));
	MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
}

enum { MAKE, ENTER };

struct way {
	const char *label;
	int how;
};

ROWS(ways, struct way) = {
	{ "made", MAKE },
	{ "entered", ENTER },
};

TEST_EACH(
	ways, user, credentials_start_afresh,
	.says = "who comes into a user namespace has no ambient and inheritable capability, a full "
		"bounding set and no securebits",
	.finding = "what was arranged outside a user namespace holds inside", .checks = "user-36",
	.needs = USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	make_ambient(CAP_NET_RAW);
	MUST(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0));
	MUST(prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0));
	EXPECT_NE(0, caps("CapAmb", 0));
	IN_FORK {
		if (row->how == MAKE)
			must_unshare(CLONE_NEWUSER);
		else
			must_enter(owner);
		EXPECT_EQ(0, caps("CapAmb", 0));
		EXPECT_EQ(0, caps("CapInh", 0));
		EXPECT_EQ(0, prctl(PR_GET_SECUREBITS));
		EXPECT_EQ(1, prctl(PR_CAPBSET_READ, CAP_SYS_CHROOT));
		EXPECT_EQ(caps("CapBnd", 0), caps("CapEff", 0));
		EXPECT_EQ(caps("CapBnd", 0), caps("CapPrm", 0));
	}
	EXPECT_EQ(SECBIT_NOROOT, prctl(PR_GET_SECUREBITS));
	must_evict(owner);
}

TEST(user, execve_gives_all_to_root_only,
     .says = "execve leaves uid 0 of a user namespace all capabilities, and any other uid none",
     .checks = "user-07", .needs = NEED(root) | NEED(userns) | NEED(ptrace))
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	ASSERT_OK(put(owner, "uid_map", "0 0 1\n7 7 1"));
	IN_FORK {
		pid_t as_root, as_seven;

		must_enter(owner);
		as_root = must_exec("/proc/self/exe", 0);
		EXPECT_EQ(caps("CapBnd", as_root), caps("CapEff", as_root));
		must_evict(as_root);
		as_seven = must_exec("/proc/self/exe", 7);
		EXPECT_EQ(0, caps("CapEff", as_seven));
		EXPECT_EQ(0, caps("CapPrm", as_seven));
		must_evict(as_seven);
	}
	must_evict(owner);
}

static int by_setuid(unsigned id)
{
	return setuid(id);
}

static int by_seteuid(unsigned id)
{
	return seteuid(id);
}

static int by_setreuid(unsigned id)
{
	return setreuid(id, -1);
}

static int by_setresuid(unsigned id)
{
	return setresuid(-1, -1, id);
}

static int by_setgid(unsigned id)
{
	return setgid(id);
}

static int by_setregid(unsigned id)
{
	return setregid(id, -1);
}

static int by_setresgid(unsigned id)
{
	return setresgid(-1, -1, id);
}

struct setter {
	const char *label;
	int (*set)(unsigned id);
};

ROWS(setters, struct setter) = {
	{ "setuid", by_setuid },       { "seteuid", by_seteuid }, { "setreuid", by_setreuid },
	{ "setresuid", by_setresuid }, { "setgid", by_setgid },   { "setregid", by_setregid },
	{ "setresgid", by_setresgid },
};

TEST_EACH(setters, user, only_mapped_ids_are_taken,
	  .says = "a process takes ids that its user namespace maps; another gives EINVAL",
	  .finding = "a process in a container takes an id that it was not given",
	  .checks = "user-43", .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle_with("0 0 1\n7 1007 1");

	IN_FORK {
		must_enter(owner);
		EXPECT_ERRNO(EINVAL, row->set(1007));
		EXPECT_ERRNO(EINVAL, row->set(1));
		EXPECT_OK(row->set(7));
	}
	must_evict(owner);
}

TEST_EACH(
	setters, user, ids_are_taken_with_the_capability_only,
	.says = "without CAP_SETUID or CAP_SETGID over the user namespace a foreign id gives EPERM",
	.finding = "a process in a container takes an id without the right to", .checks = "user-43",
	.needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle_with("0 0 1\n7 1007 1");

	IN_FORK {
		must_enter(owner);
		must_drop_cap(CAP_SETUID);
		must_drop_cap(CAP_SETGID);
		EXPECT_ERRNO(EPERM, row->set(7));
		EXPECT_OK(row->set(0));
	}
	must_evict(owner);
}

TEST(user, the_file_system_id_is_a_mapped_one,
     .says = "setfsuid and setfsgid take no id that the user namespace does not map",
     .finding = "a process in a container reaches files by an id that it was not given",
     .checks = "user-43", .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle_with("0 0 1\n7 1007 1");

	IN_FORK {
		must_enter(owner);
		/* Both return what was before, whether they did anything or not. */
		setfsuid(1);
		setfsgid(1);
		EXPECT_EQ(0, setfsuid(7));
		EXPECT_EQ(0, setfsgid(7));
		EXPECT_EQ(7, setfsuid(-1));
		EXPECT_EQ(7, setfsgid(-1));
	}
	must_evict(owner);
}

TEST(user, each_additional_group_gives_its_access,
     .says = "a process has the access of each of its additional groups, and of no other",
     .checks = "user-50", .needs = NEED(root))
{
	enum { COUNT = 40, FIRST = 61000 };
	gid_t groups[COUNT];

	must_create("file", "1");
	MUST(chmod("file", 0040));
	for (int i = 0; i < COUNT; i++) groups[i] = FIRST + (i * 7) % COUNT * 2;
	IN_FORK {
		MUST(setgroups(COUNT, groups));
		for (gid_t gid = FIRST; gid < FIRST + 2 * COUNT; gid++) {
			MUST(chown("file", 0, gid));
			IN_FORK {
				MUST(setresuid(1007, 1007, 1007));
				EXPECT_EQ(gid % 2 ? -1 : 0, access("file", R_OK));
			}
		}
	}
	MUST(unlink("file"));
}

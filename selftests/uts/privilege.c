// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may rename: CAP_SYS_ADMIN over the user namespace that owns the UTS namespace. */
#include "../harness/selftest.h"

#include <linux/capability.h>

struct setter {
	const char *label;
	long call;
};

ROWS(callers, struct setter) = {
	{ "sethostname", SYS_sethostname },
	{ "setdomainname", SYS_setdomainname },
};

TEST_EACH(callers, uts, renaming_needs_the_capability,
	  .says = "a rename without CAP_SYS_ADMIN fails with EPERM and changes nothing",
	  .finding = "a process without CAP_SYS_ADMIN renamed the system", .checks = "uts-08",
	  .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	MUST(syscall(row->call, "before", 6));
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, syscall(row->call, "after", 5));
	}
	EXPECT_STREQ("before", row->call == SYS_sethostname ? hostname() : domainname());
	IN_FORK { EXPECT_OK(syscall(row->call, "after", 5)); }
	EXPECT_STREQ("after", row->call == SYS_sethostname ? hostname() : domainname());
}

TEST_EACH(callers, uts, nobody_may_rename,
	  .says = "an unprivileged user cannot rename, whatever the arguments: EPERM comes first",
	  .checks = "uts-08 uts-07", .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	AS_NOBODY {
		EXPECT_ERRNO(EPERM, syscall(row->call, "after", 5));
		EXPECT_ERRNO(EPERM, syscall(row->call, "after", 65));
		EXPECT_ERRNO(EPERM, syscall(row->call, NULL, 5));
	}
}

TEST_EACH(callers, uts, the_capability_alone_suffices,
	  .says = "CAP_SYS_ADMIN is the only capability that a rename needs", .checks = "uts-08",
	  .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	IN_FORK {
		for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
			if (cap != CAP_SYS_ADMIN && cap != CAP_SETPCAP)
				must_drop_cap(cap);
		must_drop_cap(CAP_SETPCAP);
		EXPECT_OK(syscall(row->call, "admin-only", 10));
	}
	EXPECT_STREQ("admin-only", row->call == SYS_sethostname ? hostname() : domainname());
}

TEST_EACH(callers, uts, a_user_namespace_alone_gives_no_right,
	  .says = "all capabilities of a user namespace do not rename the UTS namespace outside it",
	  .finding = "root of a user namespace renamed the host", .checks = "uts-16",
	  .needs = NEED(userns) | NEED(utsns))
{
	remember("host", hostname());
	remember("domain", domainname());
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_ERRNO(EPERM, syscall(row->call, "taken", 5));
		must_unshare(CLONE_NEWUTS);
		EXPECT_OK(syscall(row->call, "own", 3));
	}
	EXPECT_STREQ(recall("host"), hostname());
	EXPECT_STREQ(recall("domain"), domainname());
}

TEST_EACH(callers, uts, a_nested_user_namespace_gives_no_right,
	  .says = "root of a nested user namespace cannot rename the container it stands in",
	  .checks = "uts-16", .needs = NEED(free_userns) | NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS);

	IN_CONTAINER {
		ASSERT_OK(syscall(row->call, "container", 9));
		UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EPERM, syscall(row->call, "nested", 6)); }
		EXPECT_STREQ("container", row->call == SYS_sethostname ? hostname() : domainname());
	}
}

TEST(uts, the_owners_creator_may_rename,
     .says = "who rules the outer user namespace may enter and rename an inner UTS namespace",
     .checks = "uts-06 uts-08", .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS, .hostname = "inner");

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/uts", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			ASSERT_OK(setns(target, CLONE_NEWUTS));
			EXPECT_OK(sethostname("renamed", 7));
		}
	}
	IN_CONTAINER { EXPECT_STREQ("renamed", hostname()); }
}

TEST(uts, the_container_cannot_go_back,
     .says = "root of a user namespace cannot enter a UTS namespace that the host owns: EPERM",
     .finding = "the container re-entered the host's UTS namespace", .checks = "uts-06 uts-16",
     .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS, .hostname = "inside");

	ON_HOST {
		_fd_ int own = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

		give_fd(own);
	}
	IN_CONTAINER {
		_fd_ int outer = take_fd();
		_fd_ int own = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));

		EXPECT_ERRNO(EPERM, setns(outer, CLONE_NEWUTS));
		EXPECT_STREQ("inside", hostname());
		EXPECT_OK(setns(own, CLONE_NEWUTS));
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What a UTS namespace leaves behind when it ends, and what its kernel says of itself. */
#include <sys/personality.h>

#include "../harness/selftest.h"

TEST(uts, the_gone_do_not_count,
     .says = "a UTS namespace that nobody is in any more makes room for another",
     .checks = "uts-20", .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_uts_namespaces", "1");
		for (int i = 0; i < 3; i++) {
			IN_FORK {
				EXPECT_OK(unshare(CLONE_NEWUTS));
				EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWUTS));
			}
		}
	}
}

TEST(uts, a_descriptor_keeps_the_namespace_counted,
     .says = "a UTS namespace without a process counts for as long as a descriptor of it is open",
     .checks = "uts-20", .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		int fd;

		must_write("/proc/sys/user/max_uts_namespaces", "1");
		fd = must_deserted(CLONE_NEWUTS, "ns/uts");
		IN_FORK { EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWUTS)); }
		close(fd);
		IN_FORK { EXPECT_OK(unshare(CLONE_NEWUTS)); }
	}
}

static const char *release(void)
{
	static struct utsname name;

	MUST(uname(&name));
	return name.release;
}

TEST(uts, an_old_release_is_for_who_asks,
     .says = "the personality UNAME26 shows its process a release 2.6, and nobody else",
     .checks = "uts-21", .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { remember("release", release()); }
	IN_CONTAINER {
		MUST(personality(UNAME26));
		EXPECT_CONTAINS("2.6.", text("%.4s", release()));
		remember("name", hostname());
	}
	ON_HOST {
		EXPECT_STREQ(recall("release"), release());
		EXPECT_STREQ(recall("name"), hostname());
	}
	IN_CONTAINER { MUST(personality(0)); }
	IN_CONTAINER { EXPECT_STREQ(recall("release"), release()); }
}

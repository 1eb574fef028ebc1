// SPDX-License-Identifier: GPL-2.0-or-later
/* Who sees which hostname. */
#include "../harness/selftest.h"

TEST(uts, rename_stays_inside, .says = "a hostname set in the container is not seen on the host",
     .finding = "the container renamed the host", .checks = "uts-03 uts-19",
     .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { remember("before", hostname()); }
	IN_CONTAINER { EXPECT_STREQ(recall("before"), hostname()); }
	IN_CONTAINER { ASSERT_OK(sethostname("inside", 6)); }
	ON_HOST { EXPECT_STREQ(recall("before"), hostname()); }
	IN_CONTAINER { EXPECT_STREQ("inside", hostname()); }
}

TEST(uts, members_share_one_name,
     .says = "a hostname set by one member of a UTS namespace is what every member reads",
     .checks = "uts-01 uts-02", .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER {
		IN_FORK { ASSERT_OK(sethostname("sibling", 7)); }
		EXPECT_STREQ("sibling", hostname());
		IN_FORK { EXPECT_STREQ("sibling", hostname()); }
	}
}

TEST(uts, two_containers_keep_their_names_apart,
     .says = "two containers each have the hostname that they were given",
     .finding = "one of two containers does not have the hostname it was given", .checks = "uts-03",
     .layer = BOTH, .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(a, .unshare = CLONE_NEWUTS, .hostname = "first");
	CONTAINER(b, .unshare = CLONE_NEWUTS, .hostname = "second");

	IN(a) { EXPECT_STREQ("first", hostname()); }
	IN(b) { EXPECT_STREQ("second", hostname()); }
	IN(a) { EXPECT_STREQ("first", hostname()); }
}

TEST(uts, configured_name_is_reported,
     .says = "the hostname asked for is what uname and /proc report inside",
     .finding = "the container does not have the hostname that was asked for", .checks = "uts-09",
     .layer = RUNTIME, .needs = NEED(hostname) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "bulkhead-uts");

	ON_HOST { remember("host", hostname()); }
	IN_CONTAINER {
		EXPECT_STREQ("bulkhead-uts", hostname());
		EXPECT_STREQ("bulkhead-uts\n", must_read("/proc/sys/kernel/hostname"));
	}
	ON_HOST { EXPECT_STREQ(recall("host"), hostname()); }
}

struct name_length {
	const char *label;
	size_t length;
	int want; /* errno, 0 = success */
};

ROWS(name_lengths, struct name_length) = {
	{ "empty", .length = 0 },
	{ "longest", .length = 64 },
	{ "one_too_long", .length = 65, .want = EINVAL },
	{ "negative", .length = -1, .want = EINVAL },
};

TEST_EACH(name_lengths, uts, sethostname_checks_the_length,
	  .says = "sethostname takes 0 to 64 bytes and refuses any other length with EINVAL",
	  .checks = "uts-07 uts-17", .needs = NEED(admin) | NEED(utsns))
{
	static const char name[66] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX";

	must_unshare(CLONE_NEWUTS);
	if (row->want) {
		EXPECT_ERRNO(row->want, syscall(SYS_sethostname, name, row->length));
		return;
	}
	ASSERT_OK(syscall(SYS_sethostname, name, row->length));
	EXPECT_EQ(row->length, strlen(hostname()));
	EXPECT_EQ(0, strncmp(name, hostname(), row->length));
}

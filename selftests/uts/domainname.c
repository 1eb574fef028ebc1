// SPDX-License-Identifier: GPL-2.0-or-later
/* The NIS domainname: the other name of a UTS namespace, and the two kept apart. */
#include "../harness/selftest.h"

TEST(uts, domain_change_stays_inside,
     .says = "a domainname set in the container is not seen on the host",
     .finding = "the container changed the host's domainname", .checks = "uts-03 uts-19",
     .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { remember("before", domainname()); }
	IN_CONTAINER { EXPECT_STREQ(recall("before"), domainname()); }
	IN_CONTAINER { ASSERT_OK(setdomainname("inside.example", 14)); }
	ON_HOST { EXPECT_STREQ(recall("before"), domainname()); }
	IN_CONTAINER { EXPECT_STREQ("inside.example", domainname()); }
}

TEST(uts, members_share_one_domain,
     .says = "a domainname set by one member of a UTS namespace is what every member reads",
     .checks = "uts-01 uts-02", .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	IN_FORK { ASSERT_OK(setdomainname("shared.example", 14)); }
	EXPECT_STREQ("shared.example", domainname());
	IN_FORK { EXPECT_STREQ("shared.example", domainname()); }
}

TEST(uts, two_containers_keep_their_domains_apart,
     .says = "two UTS namespaces do not see each other's domainname",
     .finding = "one container's domainname showed up in the other", .checks = "uts-03",
     .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(a, .unshare = CLONE_NEWUTS);
	CONTAINER(b, .unshare = CLONE_NEWUTS);

	IN(a) { ASSERT_OK(setdomainname("first", 5)); }
	IN(b) { ASSERT_OK(setdomainname("second", 6)); }
	IN(a) { EXPECT_STREQ("first", domainname()); }
	IN(b) { EXPECT_STREQ("second", domainname()); }
}

TEST(uts, the_two_names_do_not_touch,
     .says = "setting the domainname leaves the hostname alone, and the other way round",
     .checks = "uts-02 uts-17", .needs = NEED(admin) | NEED(utsns))
{
	static const char longest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("host", 4));
	ASSERT_OK(setdomainname(longest, 64));
	EXPECT_STREQ("host", hostname());
	ASSERT_OK(sethostname(longest, 64));
	ASSERT_OK(setdomainname("domain", 6));
	EXPECT_STREQ(longest, hostname());
	EXPECT_STREQ("domain", domainname());
}

struct length {
	const char *label;
	size_t length;
	int want; /* errno, 0 = success */
};

ROWS(domain_lengths, struct length) = {
	{ "empty", .length = 0 },
	{ "longest", .length = 64 },
	{ "one_too_long", .length = 65, .want = EINVAL },
	{ "negative", .length = -1, .want = EINVAL },
};

TEST_EACH(domain_lengths, uts, setdomainname_checks_the_length,
	  .says = "setdomainname takes 0 to 64 bytes and refuses any other length with EINVAL",
	  .checks = "uts-07 uts-17", .needs = NEED(admin) | NEED(utsns))
{
	static const char name[66] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX";

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(setdomainname("before", 6));
	if (row->want) {
		EXPECT_ERRNO(row->want, syscall(SYS_setdomainname, name, row->length));
		EXPECT_STREQ("before", domainname());
		return;
	}
	ASSERT_OK(syscall(SYS_setdomainname, name, row->length));
	EXPECT_EQ(row->length, strlen(domainname()));
	EXPECT_EQ(0, strncmp(name, domainname(), row->length));
}

struct setter {
	const char *label;
	long call;
	size_t offset; /* of the name in struct utsname */
};

ROWS(setters, struct setter) = {
	{ "sethostname", SYS_sethostname, offsetof(struct utsname, nodename) },
	{ "setdomainname", SYS_setdomainname, offsetof(struct utsname, domainname) },
};

TEST_EACH(setters, uts, a_bad_pointer_changes_nothing,
	  .says = "a name at a bad address is refused with EFAULT and the old name stays",
	  .checks = "uts-07", .needs = NEED(admin) | NEED(utsns))
{
	struct utsname now;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(syscall(row->call, "before", 6));
	EXPECT_ERRNO(EFAULT, syscall(row->call, NULL, 6));
	EXPECT_ERRNO(EFAULT, syscall(row->call, (void *)-4096L, 64));
	ASSERT_OK(uname(&now));
	EXPECT_STREQ("before", (const char *)&now + row->offset);
	EXPECT_OK(syscall(row->call, NULL, 0));
}

TEST_EACH(setters, uts, a_shorter_name_leaves_no_rest,
	  .says = "after a shorter name nothing of the longer one is left in uname's buffer",
	  .checks = "uts-17", .needs = NEED(admin) | NEED(utsns))
{
	static const char longest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct utsname now;
	int rest = 0;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(syscall(row->call, longest, 64));
	memset(&now, 'Z', sizeof(now));
	ASSERT_OK(uname(&now));
	EXPECT_EQ(0, ((const char *)&now)[row->offset + 64]);
	ASSERT_OK(syscall(row->call, "ab", 2));
	ASSERT_OK(uname(&now));
	EXPECT_STREQ("ab", (const char *)&now + row->offset);
	for (size_t i = 2; i < sizeof(now.nodename); i++)
		rest |= ((const char *)&now)[row->offset + i];
	EXPECT_EQ(0, rest);
}

TEST_EACH(setters, uts, a_name_is_bytes,
	  .says = "the kernel takes any bytes for a name and gives back the same",
	  .checks = "uts-17", .needs = NEED(admin) | NEED(utsns))
{
	static const char bytes[] = "\x01 a/b\\%s\t\xc3\xa9\xff";
	struct utsname now;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(syscall(row->call, bytes, sizeof(bytes) - 1));
	ASSERT_OK(uname(&now));
	EXPECT_EQ(0, memcmp(bytes, (const char *)&now + row->offset, sizeof(bytes)));
}

TEST(uts, only_the_names_differ,
     .says = "system, release, version and machine are the kernel's, in any UTS namespace",
     .checks = "uts-03 uts-04", .layer = BOTH, .needs = NEED(admin) | NEED(utsns))
{
	struct utsname now;

	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "only-names");

	ON_HOST {
		ASSERT_OK(uname(&now));
		remember("sysname", now.sysname);
		remember("release", now.release);
		remember("version", now.version);
		remember("machine", now.machine);
	}
	IN_CONTAINER {
		ASSERT_OK(uname(&now));
		EXPECT_STREQ(recall("sysname"), now.sysname);
		EXPECT_STREQ(recall("release"), now.release);
		EXPECT_STREQ(recall("version"), now.version);
		EXPECT_STREQ(recall("machine"), now.machine);
		MUST_HOLD(!strcmp("only-names", now.nodename));
	}
}

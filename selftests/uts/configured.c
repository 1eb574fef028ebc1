// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that contradict each other, or that are the host's: what a runtime must refuse. */
#include "../harness/selftest.h"

/* The name of the host's UTS namespace: what must not change. */
static void remember_names(void)
{
	remember("host", hostname());
	remember("domain", domainname());
}

static void expect_names_unchanged(void)
{
	EXPECT_STREQ(recall("host"), hostname());
	EXPECT_STREQ(recall("domain"), domainname());
}

TEST(uts, a_shared_namespace_is_not_renamed,
     .says = "a hostname without a UTS namespace of its own is refused; without it it starts",
     .finding = "a hostname without a UTS namespace renames the host, or is dropped",
     .checks = "uts-15", .layer = RUNTIME, .needs = NEED(admin) | NEED(utsns) | NEED(hostname))
{
	remember_names();
	EXPECT(CONTAINER_STARTS(.share = "uts"));
	EXPECT(!CONTAINER_STARTS(.share = "uts", .hostname = "pushy"));
	expect_names_unchanged();
}

TEST(uts, a_shared_namespace_keeps_its_domainname,
     .says = "a domainname without a UTS namespace of its own is refused",
     .finding = "a domainname without a UTS namespace renames the host, or is dropped",
     .checks = "uts-15 uts-14", .layer = RUNTIME, .needs = NEED(admin) | NEED(utsns))
{
	remember_names();
	EXPECT(CONTAINER_STARTS(.domainname = "pushy.example"));
	EXPECT(!CONTAINER_STARTS(.share = "uts", .domainname = "pushy.example"));
	expect_names_unchanged();
}

TEST(uts, a_shared_namespace_has_the_hosts_name,
     .says = "a container that shares the host's UTS namespace sees the host's name",
     .finding = "a container that should share the host's names has others", .checks = "uts-15",
     .layer = RUNTIME, .needs = NEED(admin) | NEED(utsns))
{
	remember_names();
	CONTAINER(.share = "uts");

	ON_HOST { EXPECT_EQ(ns_id(0, "uts"), ns_id(inside_pid(), "uts")); }
	IN_CONTAINER { expect_names_unchanged(); }
}

TEST(uts, the_hostname_is_no_sysctl,
     .says = "kernel.hostname as a sysctl is refused, with a UTS namespace and without",
     .finding = "a sysctl sets the hostname beside the field that is meant for it",
     .checks = "uts-13", .layer = RUNTIME, .needs = NEED(root) | NEED(utsns))
{
	remember_names();
	EXPECT(CONTAINER_STARTS(.sysctl = { "kernel.msgmax=8192" }));
	EXPECT(!CONTAINER_STARTS(.sysctl = { "kernel.hostname=pushy" }));
	EXPECT(!CONTAINER_STARTS(.share = "uts", .sysctl = { "kernel.hostname=pushy" }));
	expect_names_unchanged();
}

TEST(uts, a_domainname_sysctl_needs_the_namespace,
     .says = "kernel.domainname as a sysctl is set in an own UTS namespace, else refused",
     .finding = "a sysctl of the UTS namespace is set on the host", .checks = "uts-14",
     .layer = RUNTIME, .needs = NEED(root) | NEED(utsns))
{
	ON_HOST {
		remember_names();
		EXPECT(!CONTAINER_STARTS(.share = "uts",
					 .sysctl = { "kernel.domainname=pushy.example" }));
	}
	CONTAINER(.sysctl = { "kernel.domainname=ship.example" });

	IN_CONTAINER { EXPECT_STREQ("ship.example", domainname()); }
	ON_HOST { expect_names_unchanged(); }
}

TEST(uts, a_domainname_sysctl_may_not_contradict,
     .says = "kernel.domainname as a sysctl may repeat the domainname, not contradict it",
     .finding = "one of two domainnames that contradict each other wins silently",
     .checks = "uts-12", .layer = RUNTIME, .needs = NEED(root) | NEED(utsns))
{
	EXPECT(CONTAINER_STARTS(.domainname = "ship.example",
				.sysctl = { "kernel.domainname=ship.example" }));
	EXPECT(!CONTAINER_STARTS(.domainname = "ship.example",
				 .sysctl = { "kernel.domainname=other.example" }));
}

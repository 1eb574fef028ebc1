// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of a container, as a runtime makes it. */
#include "../harness/selftest.h"

TEST(uts, the_namespace_is_its_own, .says = "the container's UTS namespace is not the host's",
     .finding = "the container runs in the host's UTS namespace", .checks = "uts-03 uts-19",
     .layer = BOTH, .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST { EXPECT_NE(ns_id(0, "uts"), ns_id(inside_pid(), "uts")); }
	IN_CONTAINER { EXPECT_GE(64, strlen(hostname())); }
}

TEST(uts, two_containers_are_two_namespaces,
     .says = "two containers have two UTS namespaces, whatever they are called",
     .finding = "two containers share one UTS namespace", .checks = "uts-03", .layer = BOTH,
     .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(a, .unshare = CLONE_NEWUTS, .hostname = "same");
	CONTAINER(b, .unshare = CLONE_NEWUTS, .hostname = "same");

	ON_HOST { EXPECT_NE(ns_id(pid_of(a), "uts"), ns_id(pid_of(b), "uts")); }
	IN(a) { MUST_HOLD(!strcmp("same", hostname())); }
	IN(b) { MUST_HOLD(!strcmp("same", hostname())); }
}

struct asked {
	const char *label;
	const char *name;
};

ROWS(names, struct asked) = {
	{ "one_letter", "x" },
	{ "digits", "007" },
	{ "with_dots", "web.shop.example" },
	{ "with_dashes", "a-b-c" },
	{ "mixed_case", "WebShop" },
	{ "longest_label", "abcdefghij0123456789abcdefghij0123456789abcdefghij0123456789abc" },
};

TEST_EACH(names, uts, any_valid_name_is_set_as_asked,
	  .says = "the hostname inside is byte for byte the one asked for",
	  .finding = "the container's hostname differs from the one asked for", .checks = "uts-09",
	  .layer = BOTH, .needs = NEED(admin) | NEED(utsns) | NEED(hostname))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = row->name);

	IN_CONTAINER { EXPECT_STREQ(row->name, hostname()); }
}

TEST(uts, domainname_is_set_as_asked,
     .says = "the domainname inside, by system call and by /proc, is the one asked for",
     .finding = "the container's domainname is not the one asked for", .checks = "uts-11",
     .layer = RUNTIME, .needs = NEED(admin) | NEED(utsns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .domainname = "ship.example");

	IN_CONTAINER { EXPECT_STREQ("ship.example", domainname()); }
	IN_CONTAINER { EXPECT_CONTAINS("ship.example", must_read("/proc/sys/kernel/domainname")); }
	ON_HOST { EXPECT_STRNE("ship.example", domainname()); }
}

TEST(uts, every_process_reads_the_name,
     .says = "processes started in the container read the hostname asked for, too",
     .checks = "uts-09 uts-01", .layer = BOTH, .needs = NEED(admin) | NEED(utsns) | NEED(hostname))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "for-all");

	IN_CONTAINER {
		IN_FORK { EXPECT_STREQ("for-all", hostname()); }
		AS_NOBODY { EXPECT_STREQ("for-all", hostname()); }
	}
}

TEST(uts, no_name_asked_is_no_error,
     .says = "a container without a hostname of its own starts, in a UTS namespace of its own",
     .checks = "uts-10", .layer = BOTH, .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	ON_HOST {
		EXPECT_NE(ns_id(0, "uts"), ns_id(inside_pid(), "uts"));
		remember("host", hostname());
		remember("raw", !through_subject());
	}
	/* A runtime may choose a name by itself; the kernel hands on the creator's. */
	IN_CONTAINER {
		if (recall_number("raw"))
			EXPECT_STREQ(recall("host"), hostname());
		else
			EXPECT_STRNE("", hostname());
	}
	ON_HOST { EXPECT_STREQ(recall("host"), hostname()); }
}

struct attempt {
	const char *label;
	long call;        /* the system call, or */
	const char *path; /* the file to write */
};

ROWS(attempts, struct attempt) = {
	{ "sethostname", .call = SYS_sethostname },
	{ "setdomainname", .call = SYS_setdomainname },
	{ "proc_hostname", .path = "/proc/sys/kernel/hostname" },
	{ "proc_domainname", .path = "/proc/sys/kernel/domainname" },
};

/* A runtime may let the container rename itself or not: it is the container's affair. */
TEST_EACH(attempts, uts, a_rename_by_any_road_stays_inside,
	  .says = "whatever the container does to its names, the host keeps its own",
	  .finding = "the container renamed the host", .checks = "uts-03 uts-19", .layer = BOTH,
	  .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "before");

	ON_HOST {
		remember("host", hostname());
		remember("domain", domainname());
	}
	IN_CONTAINER {
		_fd_ int fd = row->path ? open(row->path, O_WRONLY | O_CLOEXEC) : -1;
		long done = row->call ? syscall(row->call, "escaped", 7) : write(fd, "escaped", 7);

		note("renamed by %s: %s", row->label, done < 0 ? "no" : "yes");
		EXPECT(done < 0 || strstr(row->label, "domain") || !strcmp("escaped", hostname()));
	}
	ON_HOST {
		EXPECT_STREQ(recall("host"), hostname());
		EXPECT_STREQ(recall("domain"), domainname());
	}
}

TEST(uts, a_rename_does_not_reach_the_neighbour,
     .says = "what one container does to its name, the other does not see",
     .finding = "one container renamed the other", .checks = "uts-03", .layer = BOTH,
     .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(a, .unshare = CLONE_NEWUTS, .hostname = "first");
	CONTAINER(b, .unshare = CLONE_NEWUTS, .hostname = "second");

	IN(a) { remember("renamed", sethostname("pushy", 5)); }
	IN(b) { EXPECT_STRNE("pushy", hostname()); }
	IN(a) { EXPECT_STREQ(recall_number("renamed") ? "first" : "pushy", hostname()); }
}

TEST(uts, a_rename_of_the_host_stays_outside,
     .says = "a rename of the host does not reach a running container",
     .finding = "a rename of the host showed up in the container", .checks = "uts-03",
     .layer = BOTH, .needs = NEED(root) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "steady");

	ON_HOST {
		remember("before", hostname());
		ASSERT_OK(sethostname("stormy", 6));
	}
	IN_CONTAINER { EXPECT_STRNE("stormy", hostname()); }
	ON_HOST {
		EXPECT_STREQ("stormy", hostname());
		ASSERT_OK(sethostname(recall("before"), strlen(recall("before"))));
	}
}

TEST(uts, the_host_keeps_its_names_afterwards,
     .says = "after the container's end the host has the names that it had before",
     .finding = "a container left the host renamed", .checks = "uts-19", .layer = BOTH,
     .needs = NEED(admin) | NEED(utsns))
{
	ON_HOST {
		remember("host", hostname());
		remember("domain", domainname());
		remember("namespace", (long long)ns_id(0, "uts"));
	}
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "short-lived");

	ON_HOST { EXPECT_STREQ(recall("host"), hostname()); }
	IN_CONTAINER { MUST_HOLD(!strcmp("short-lived", hostname())); }
	ON_HOST {
		container_stop(1);
		EXPECT_STREQ(recall("host"), hostname());
		EXPECT_STREQ(recall("domain"), domainname());
		EXPECT_EQ(recall_number("namespace"), ns_id(0, "uts"));
	}
}

TEST(uts, a_user_namespace_changes_nothing,
     .says = "the hostname asked for is set in a container with a user namespace as well",
     .finding = "a container with a user namespace has the wrong hostname",
     .checks = "uts-09 uts-16", .layer = BOTH,
     .needs = NEED(admin) | NEED(userns) | NEED(utsns) | NEED(hostname))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS, .hostname = "mapped");

	ON_HOST {
		EXPECT_STRNE("mapped", hostname());
		EXPECT_NE(ns_id(0, "user"), ns_id(inside_pid(), "user"));
	}
	IN_CONTAINER { EXPECT_STREQ("mapped", hostname()); }
}

/* Counts the visible processes whose UTS namespace is not the caller's. */
static int strangers(void)
{
	uint64_t own = ns_id(0, "uts");
	int count = 0;

	for (int pid = 1; pid < 4096; pid++) {
		struct stat status;

		if (!stat(text("/proc/%d/ns/uts", pid), &status))
			count += status.st_ino != own;
	}
	return count;
}

TEST(uts, no_process_inside_has_another,
     .says = "no process that the container can see is in a UTS namespace but the container's",
     .finding = "a process of another UTS namespace can be reached from inside",
     .checks = "uts-03 uts-19", .layer = BOTH,
     .needs = NEED(admin) | NEED(utsns) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(.unshare = CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS, .proc = true);

	IN_CONTAINER { EXPECT_EQ(0, strangers()); }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers that run as somebody, share the host's PID namespace, or another's. */
#include "pid.h"

TEST(pid, the_command_is_one_whoever_it_runs_as,
     .says = "a container's command that runs as an ordinary user is PID 1",
     .finding = "the command is not PID 1 when it runs as another user", .checks = "pid-51",
     .layer = RUNTIME, .needs = NEED(root) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID, .user = "1000:1001");

	IN_CONTAINER {
		EXPECT_EQ(1000, geteuid());
		EXPECT_EQ(1001, getegid());
		EXPECT_EQ(1, getpid());
	}
}

TEST(pid, without_a_namespace_it_has_a_pid_of_the_host,
     .says = "without a PID namespace of its own the command has the PID that the host sees",
     .finding = "a container that should share the host's PIDs has its own", .checks = "pid-52",
     .layer = RUNTIME, .needs = NEED(root) | NEED(pidns))
{
	CONTAINER(.share = "pid");

	IN_CONTAINER { remember("inside", getpid()); }
	ON_HOST {
		EXPECT_EQ(ns_id(0, "pid"), ns_id(inside_pid(), "pid"));
		EXPECT_EQ(inside_pid(), recall_number("inside"));
		EXPECT_NE(1, recall_number("inside"));
	}
}

/* Host side: the option that joins the first container's PID namespace. */
static const char *of_the_first(void)
{
	return on_host() ? text("pid:/proc/%d/ns/pid", container_pid(1)) : NULL;
}

TEST(pid, a_joined_namespace_is_shared,
     .says = "containers that share a PID namespace see, and may signal, each other's processes",
     .finding = "containers that should share a PID namespace do not see each other",
     .checks = "pid-53", .layer = RUNTIME,
     .needs = NEED(root) | NEED(pidns) | NEED(own_proc) | NEED(joining))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .join = of_the_first());

	ON_HOST { EXPECT_EQ(ns_id(pid_of(a), "pid"), ns_id(pid_of(b), "pid")); }
	IN(a) { EXPECT_EQ(1, getpid()); }
	IN(b) {
		EXPECT_NE(1, getpid());
		remember("b", getpid());
		EXPECT_STREQ("1", status_field("NSpid", 1));
		EXPECT_OK(kill(1, 0));
	}
	IN(a) {
		EXPECT(exists("/proc/%lld", recall_number("b")));
		EXPECT_OK(kill(recall_number("b"), 0));
	}
	/* Before the namespace's first process ends, which would take this one with it. */
	ON_HOST { EXPECT_SIGNAL(SIGKILL, container_stop(2)); }
}

TEST(pid, separate_namespaces_are_not_shared,
     .says = "containers with a PID namespace each do not see each other's processes",
     .finding = "a container sees another container's processes", .checks = "pid-53",
     .layer = RUNTIME, .needs = NEED(root) | NEED(pidns) | NEED(own_proc))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	ON_HOST { EXPECT_NE(ns_id(pid_of(a), "pid"), ns_id(pid_of(b), "pid")); }
	IN(a) { remember("seen", count_processes("/proc")); }
	IN(b) { EXPECT_EQ(recall_number("seen"), count_processes("/proc")); }
}

TEST(pid, an_added_process_is_in_the_namespace,
     .says = "a process added to a container is in its PID namespace, with a PID of its own there",
     .finding = "a process added to a container is not in its PID namespace", .checks = "pid-54",
     .layer = RUNTIME, .needs = NEED(root) | NEED(pidns) | NEED(own_proc) | NEED(adding))
{
	struct added added = { 0 };

	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST {
		added = must_add(1);
		remember("added", added.inside);
		EXPECT_EQ(ns_id(inside_pid(), "pid"), ns_id(added.pid, "pid"));
		EXPECT_CONTAINS(text("\t%d", added.inside),
				text("\t%s", status_field("NSpid", added.pid)));
	}
	IN_CONTAINER {
		EXPECT_NE(1, recall_number("added"));
		EXPECT(exists("/proc/%lld", recall_number("added")));
		EXPECT_OK(kill(recall_number("added"), 0));
	}
	ON_HOST { added_end(&added); }
}

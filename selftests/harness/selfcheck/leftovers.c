// SPDX-License-Identifier: GPL-2.0-or-later
/* What a test leaves behind is its failure by name, and is gone for the next test. */
#include "../link.h"
#include "../selftest.h"

static _Noreturn void stay(void)
{
	for (;;) pause();
}

TEST(selfcheck, forked_process_left_behind)
{
	EXPECT(true);
	if (!must_fork())
		stay();
}

TEST(selfcheck, daemon_left_behind)
{
	EXPECT(true);
	if (!must_fork()) {
		setsid();
		if (!must_fork()) {
			setsid();
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			stay();
		}
		_exit(0);
	}
}

TEST(selfcheck, process_left_behind_inside, .needs = NEED(admin))
{
	CONTAINER(.unshare = CLONE_NEWUTS);

	IN_CONTAINER {
		EXPECT(true);
		if (!must_fork())
			stay();
	}
}

TEST(selfcheck, crowd_left_behind)
{
	EXPECT(true);
	for (int i = 0; i < 5; i++)
		if (!must_fork()) {
			setsid();
			for (int j = 0; j < 3; j++)
				if (!fork())
					stay();
			stay();
		}
}

TEST(selfcheck, descriptor_left_behind)
{
	EXPECT(true);
	MUST(open("/dev/null", O_RDONLY));
}

TEST(selfcheck, file_left_behind)
{
	EXPECT(true);
	must_create("forgotten\rok 46 # SKIP", "text");
}

TEST(selfcheck, file_was_removed)
{
	EXPECT(!exists("forgotten\rok 46 # SKIP"));
}

TEST(selfcheck, directory_tree_left_behind)
{
	EXPECT(true);
	must_mkdir("a/b/c");
	must_create("a/b/c/file", "text");
}

TEST(selfcheck, mount_left_behind, .needs = NEED(root))
{
	EXPECT(true);
	must_tmpfs("mounted");
}

TEST(selfcheck, namespace_left_behind, .needs = NEED(root) | NEED(netns))
{
	EXPECT(true);
	must_create("netns", "%s", "");
	IN_FORK {
		must_unshare(CLONE_NEWNET);
		must_mount("/proc/self/ns/net", "netns", NULL, MS_BIND, NULL);
	}
}

TEST(selfcheck, network_device_left_behind, .needs = NEED(root) | NEED(netns) | NEED(veth))
{
	EXPECT(true);
	MUST(link_add("veth", "veth1", "veth0"));
}

TEST(selfcheck, cgroup_left_behind, .needs = NEED(root) | NEED(cgroup2))
{
	const char *root =
		exists("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";

	EXPECT(true);
	MUST(mkdir(text("%s/selfcheck-%d", root, getpid()), 0755));
}

TEST(selfcheck, cgroup_left_in_the_programs_own, .needs = NEED(root) | NEED(cgroup2))
{
	const char *root =
		exists("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
	const char *line = strstr(must_read("/proc/self/cgroup"), "0::");

	EXPECT(true);
	MUST_HOLD(line);
	MUST(mkdir(
		text("%s%.*s/selfcheck-%d", root, (int)strcspn(line + 3, "\n"), line + 3, getpid()),
		0755));
}

TEST(selfcheck, input_ends_the_test, .says = "time for others to act while a test runs")
{
	char byte;

	EXPECT_EQ(0, MUST(read(0, &byte, 1)));
}

TEST(selfcheck, shared_memory_left_behind, .needs = NEED(root))
{
	EXPECT(true);
	must_create("/dev/shm/selfcheck", "text");
}

TEST(selfcheck, hostname_of_the_stage_left_changed, .needs = NEED(root) | NEED(utsns))
{
	EXPECT(true);
	MUST(sethostname("changed", 7));
}

TEST(selfcheck, mount_taken_away, .needs = NEED(root))
{
	EXPECT(true);
	MUST(umount("/dev/shm"));
}

TEST(selfcheck, nothing_left_behind, .says = "the tests above did not spoil the stage")
{
	EXPECT_LACKS("changed", hostname());
	EXPECT(!exists("/dev/shm/selfcheck"));
	EXPECT(!exists("mounted"));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Cgroup namespaces: how much of the hierarchy a process is told of, and may move in. */
#include "../harness/selftest.h"

#define NEEDS NEED(root) | NEED(cgroupns) | NEED(cgroup2)

/* Where the second version is mounted, alone or beside the first. */
static const char *hierarchy(void)
{
	return exists("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

/* A process's cgroup, as the caller's cgroup namespace has it. */
static const char *cgroup_of(pid_t pid)
{
	const char *line = strstr(must_read("/proc/%d/cgroup", pid), "0::");

	MUST_HOLD(line);
	return text("%.*s", (int)strcspn(line + 3, "\n"), line + 3);
}

/* Two cgroups, one in the other, at the top. */
FIXTURE(cgroups)
{
	char outer[64];
	char inner[80];
};

SETUP(cgroups)
{
	snprintf(self->outer, sizeof(self->outer), "/selftest-outer-%d", getpid());
	snprintf(self->inner, sizeof(self->inner), "%s/inner", self->outer);
	MUST(mkdir(text("%s%s", hierarchy(), self->outer), 0755));
	MUST(mkdir(text("%s%s", hierarchy(), self->inner), 0755));
}

CLEANUP(cgroups)
{
	rmdir(text("%s%s", hierarchy(), self->inner));
	rmdir(text("%s%s", hierarchy(), self->outer));
}

/* Moves the caller: 0, or -1 with the errno of the write. */
static int move_to(const char *cgroup)
{
	_fd_ int fd =
		MUST(open(text("%s%s/cgroup.procs", hierarchy(), cgroup), O_WRONLY | O_CLOEXEC));

	return write(fd, "0", 1) < 0 ? -1 : 0;
}

TEST(cgroup, a_namespace_starts_where_it_is_made,
     .says = "in a new cgroup namespace its maker's cgroup is \"/\"; outside it keeps its path",
     .finding = "the container reads where in the host's cgroups it is",
     .checks = "cgroup-45 cgroup-55", .needs = NEEDS, .fixture = USES(cgroups))
{
	const struct cgroups *cgroups = FIXED(cgroups);

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		uint64_t old = ns_id(0, "cgroup");

		MUST(move_to(cgroups->outer));
		EXPECT_STREQ(cgroups->outer, cgroup_of(getpid()));
		must_unshare(CLONE_NEWCGROUP);
		EXPECT_NE(old, ns_id(0, "cgroup"));
		EXPECT_STREQ("/", cgroup_of(getpid()));
	}
	ON_HOST { EXPECT_STREQ(cgroups->outer, cgroup_of(inside_pid())); }
	IN_CONTAINER {
		MUST(move_to(cgroups->inner));
		EXPECT_STREQ("/inner", cgroup_of(getpid()));
		UNSHARED(CLONE_NEWCGROUP) { EXPECT_STREQ("/", cgroup_of(getpid())); }
	}
}

TEST(cgroup, what_is_outside_is_above,
     .says = "a process outside the reader's cgroup namespace is told as above its root",
     .finding = "the container reads where in the host's cgroups a process is",
     .checks = "cgroup-45", .needs = NEEDS, .fixture = USES(cgroups))
{
	const struct cgroups *cgroups = FIXED(cgroups);
	pid_t host = getpid();

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		MUST(move_to(cgroups->inner));
		must_unshare(CLONE_NEWCGROUP);
		EXPECT_CONTAINS("/../..", cgroup_of(host));
		MUST(move_to(cgroups->inner));
		EXPECT_STREQ("/", cgroup_of(getpid()));
	}
	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/cgroup", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			ASSERT_OK(setns(target, CLONE_NEWCGROUP));
			EXPECT_EQ(ns_id(inside_pid(), "cgroup"), ns_id(0, "cgroup"));
			EXPECT_CONTAINS("/../..", cgroup_of(getpid()));
			EXPECT_STREQ("/", cgroup_of(inside_pid()));
		}
	}
}

/* Which cgroup a mount of the hierarchy starts at, as the caller's cgroup namespace has it. */
static const char *root_of_mount(const char *path)
{
	const char *line = mounted_at(path);
	char root[256] = "";

	MUST_HOLD(line);
	sscanf(line, "%*s %*s %*s %255s", root);
	return text("%s", root);
}

TEST(cgroup, a_mount_shows_the_namespace,
     .says = "a cgroup mount made in a cgroup namespace starts at that namespace's root",
     .finding = "the container mounts the host's cgroups", .checks = "cgroup-45",
     .needs = NEEDS | NEED(mntns), .fixture = USES(cgroups))
{
	const struct cgroups *cgroups = FIXED(cgroups);

	CONTAINER(.unshare = CLONE_NEWNS);

	IN_CONTAINER {
		MUST(move_to(cgroups->outer));
		must_unshare(CLONE_NEWCGROUP);
		must_mount("selftest", scratch(), "cgroup2", 0, NULL);
		EXPECT(exists("%s/inner", scratch()));
		EXPECT(exists("%s/cgroup.events", scratch()));
		EXPECT_CONTAINS(text("%d", getpid()), must_read("%s/cgroup.procs", scratch()));
		EXPECT_STREQ("/", root_of_mount(scratch()));
		EXPECT_STREQ("/..", root_of_mount(hierarchy()));
	}
}

TEST(cgroup, no_process_is_moved_out,
     .says = "a process is moved within the mover's cgroup namespace only, even by root: ENOENT",
     .finding = "the container moves a process out of its cgroup, and of its limits",
     .checks = "cgroup-46", .needs = NEEDS | NEED(nsdelegate), .fixture = USES(cgroups))
{
	const struct cgroups *cgroups = FIXED(cgroups);

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		MUST(move_to(cgroups->outer));
		must_unshare(CLONE_NEWCGROUP);
		EXPECT_ERRNO(ENOENT, move_to(""));
		EXPECT_OK(move_to(cgroups->inner));
		EXPECT_ERRNO(ENOENT, move_to(""));
		EXPECT_OK(move_to(cgroups->outer));
		EXPECT_STREQ("/", cgroup_of(getpid()));
	}
}

static long set_limit(const char *cgroup)
{
	_fd_ int fd = open(text("%s%s/pids.max", hierarchy(), cgroup), O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : write(fd, "1000", 4);
}

TEST(cgroup, the_limits_of_the_root_are_set_outside,
     .says = "the limits of a cgroup namespace's root are not written from inside it, even by "
	     "root: EPERM",
     .finding = "the container lifts the limits that it was given", .checks = "cgroup-47",
     .needs = NEEDS | NEED(nsdelegate) | NEED(limits), .fixture = USES(cgroups))
{
	const struct cgroups *cgroups = FIXED(cgroups);

	CONTAINER(.unshare = 0);

	IN_CONTAINER {
		MUST(move_to(cgroups->outer));
		EXPECT_OK(set_limit(cgroups->outer));
		must_unshare(CLONE_NEWCGROUP);
		EXPECT_ERRNO(EPERM, set_limit(cgroups->outer));
		EXPECT_OK(move_to(cgroups->inner));
		must_write(text("%s%s/cgroup.subtree_control", hierarchy(), cgroups->outer),
			   "+pids");
		EXPECT_OK(set_limit(cgroups->inner));
	}
	ON_HOST { EXPECT_OK(set_limit(cgroups->outer)); }
}

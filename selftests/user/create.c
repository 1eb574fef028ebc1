// SPDX-License-Identifier: GPL-2.0-or-later
/* How a user namespace comes into being, who enters it, how many there may be. */
#include "user.h"

#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

struct road {
	const char *label;
	long call;
};

ROWS(roads, struct road) = {
	{ "unshare", SYS_unshare },
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
};

/* A process with these flags beside CLONE_NEWUSER; 0 inside, -1 as the call gave it. */
static pid_t start(long call, uint64_t flags)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | flags, .exit_signal = SIGCHLD };

	fflush(NULL);
	if (call == SYS_clone)
		return syscall(SYS_clone, CLONE_NEWUSER | flags | SIGCHLD, NULL, NULL, NULL, 0);
	if (call == SYS_clone3)
		return syscall(SYS_clone3, &args, sizeof(args));
	return unshare((int)(CLONE_NEWUSER | flags)) ? -1 : must_fork();
}

static uint64_t effective(void)
{
	return strtoull(status_field("CapEff", 0), NULL, 16);
}

/* What a process without a bounding set taken from it may have at most. */
static uint64_t all_caps(void)
{
	int count = 0;

	while (prctl(PR_CAPBSET_READ, count) >= 0) count++;
	return (UINT64_C(1) << count) - 1;
}

TEST_EACH(roads, user, anybody_makes_one,
	  .says = "anybody makes a user namespace, and has all capabilities in that",
	  .checks = "user-01 user-06", .needs = NEED(free_userns) | NEED(userns))
{
	uint64_t old = ns_id(0, "user");

	AS_NOBODY {
		pid_t pid;

		EXPECT_EQ(0, effective());
		pid = ASSERT_OK(start(row->call, 0));
		if (!pid) {
			EXPECT_NE(old, ns_id(0, "user"));
			EXPECT_EQ(all_caps(), effective());
			_exit(7);
		}
		EXPECT_EXIT(7, must_wait(pid));
	}
	IN_FORK { EXPECT_EQ(old, ns_id(0, "user")); }
}

TEST(user, a_root_that_others_share_is_left,
     .says = "clone refuses CLONE_FS and CLONE_THREAD with CLONE_NEWUSER: EINVAL",
     .checks = "user-29", .needs = NEED(userns))
{
	EXPECT_ERRNO(EINVAL, start(SYS_clone, CLONE_FS));
	EXPECT_ERRNO(EINVAL, start(SYS_clone3, CLONE_FS));
	EXPECT_ERRNO(EINVAL, start(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM));
	EXPECT_ERRNO(EINVAL, start(SYS_clone3, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM));
}

TEST(user, a_thread_is_in_the_way,
     .says = "a process with two threads neither makes nor enters a user namespace: EINVAL",
     .checks = "user-29", .needs = USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);
	_fd_ int userns = open_userns(owner);

	IN_FORK {
		struct beside thread = must_thread();

		EXPECT_ERRNO(EINVAL, unshare(CLONE_NEWUSER));
		EXPECT_ERRNO(EINVAL, setns(userns, CLONE_NEWUSER));
		end_thread(&thread);
		while (setns(userns, CLONE_NEWUSER)) {
			ASSERT_EQ(EINVAL, errno);
			let_kernel_catch_up();
		}
		EXPECT_EQ(ns_id(owner, "user"), ns_id(0, "user"));
	}
	must_evict(owner);
}

TEST(user, in_a_chroot_none_is_made,
     .says = "a process whose root is not that of its mount namespace gets EPERM",
     .finding = "a chroot is left by way of a user namespace", .checks = "user-28",
     .needs = USER_NEEDS)
{
	IN_FORK { EXPECT_OK(start(SYS_clone3, 0)); }
	IN_FORK {
		must_mkdir("new");
		MUST(chroot("new"));
		EXPECT_ERRNO(EPERM, start(SYS_clone, 0));
		EXPECT_ERRNO(EPERM, start(SYS_clone3, 0));
		EXPECT_ERRNO(EPERM, start(SYS_unshare, 0));
	}
	MUST(rmdir("new"));
}

struct mapped {
	const char *label;
	bool uid, gid;
	int want;
};

ROWS(mapped, struct mapped) = {
	{ "nothing", .want = EPERM },
	{ "uid", .uid = true, .want = EPERM },
	{ "gid", .gid = true, .want = EPERM },
	{ "both", .uid = true, .gid = true },
};

TEST_EACH(mapped, user, the_unmapped_make_none,
	  .says = "a process whose uid or gid is not mapped makes no user namespace: EPERM",
	  .checks = "user-28", .needs = NEED(free_userns) | USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	if (row->uid)
		ASSERT_OK(put(owner, "uid_map", "0 0 1"));
	if (row->gid)
		ASSERT_OK(put(owner, "gid_map", "0 0 1"));
	IN_FORK {
		must_enter(owner);
		if (row->want)
			EXPECT_ERRNO(row->want, unshare(CLONE_NEWUSER));
		else
			EXPECT_OK(unshare(CLONE_NEWUSER));
	}
	must_evict(owner);
}

TEST(user, ones_own_is_not_entered,
     .says = "setns to the caller's own user namespace fails with EINVAL, and gives no capability",
     .finding = "a process regains its capabilities by setns to where it is", .checks = "user-29",
     .needs = NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) {
		_fd_ int own = open_userns(getpid());

		must_drop_cap(CAP_NET_ADMIN);
		EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUSER));
		EXPECT(!(effective() & UINT64_C(1) << CAP_NET_ADMIN));
	}
}

TEST(user, there_is_no_way_up,
     .says = "from a user namespace its parent and its siblings are not entered: EPERM",
     .finding = "a process left its user namespace for the one outside", .checks = "user-05",
     .needs = USER_NEEDS)
{
	pid_t sibling = must_settle(CLONE_NEWUSER), owner = must_settle(CLONE_NEWUSER);
	_fd_ int parent = open_userns(getpid()), beside = open_userns(sibling);

	IN_FORK {
		must_enter(owner);
		EXPECT_ERRNO(EPERM, setns(parent, CLONE_NEWUSER));
		EXPECT_ERRNO(EPERM, setns(parent, 0));
		EXPECT_ERRNO(EPERM, setns(beside, CLONE_NEWUSER));
		EXPECT_EQ(ns_id(owner, "user"), ns_id(0, "user"));
	}
	IN_FORK { EXPECT_OK(setns(beside, CLONE_NEWUSER)); }
	must_evict(owner);
	must_evict(sibling);
}

TEST(user, its_maker_enters_it,
     .says = "who made a user namespace enters it without any capability, and has all there",
     .checks = "user-05", .needs = NEED(free_userns) | NEED(userns))
{
	AS_NOBODY {
		pid_t owner;

		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		owner = must_settle(CLONE_NEWUSER);
		IN_FORK {
			_fd_ int userns = open_userns(owner);

			EXPECT_OK(setns(userns, CLONE_NEWUSER));
			EXPECT_EQ(ns_id(owner, "user"), ns_id(0, "user"));
			EXPECT_EQ(all_caps(), effective());
		}
		must_evict(owner);
	}
}

TEST(user, others_do_not_enter_it,
     .says = "a user who neither made a user namespace nor has a capability cannot enter it: EPERM",
     .finding = "a normal user becomes root of somebody's container", .checks = "user-05",
     .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);
	_fd_ int userns = open_userns(owner);

	AS_NOBODY { EXPECT_ERRNO(EPERM, setns(userns, CLONE_NEWUSER)); }
	IN_FORK { EXPECT_OK(setns(userns, CLONE_NEWUSER)); }
	must_evict(owner);
}

/* User namespaces one in the other until that is refused; how many there were. */
static int nest(void)
{
	int depth = 0;

	while (!unshare(CLONE_NEWUSER)) {
		must_map_root(getpid(), 0);
		depth++;
	}
	return depth;
}

TEST(user, they_nest_thirty_three_deep,
     .says = "user namespaces nest 33 deep below the first one, then ENOSPC", .timeout = 60,
     .checks = "user-08 user-31", .needs = NEED(free_userns) | NEED(root) | NEED(userns))
{
	IN_FORK {
		EXPECT_EQ(33, nest());
		EXPECT_EQ(ENOSPC, errno);
		EXPECT_EQ(0, getuid());
	}
}

struct counted {
	const char *label; /* user.max_LABEL_namespaces */
	uint64_t flag;
};

ROWS(counted, struct counted) = {
	{ "user", CLONE_NEWUSER },     { "mnt", CLONE_NEWNS },    { "uts", CLONE_NEWUTS },
	{ "pid", CLONE_NEWPID },       { "ipc", CLONE_NEWIPC },   { "net", CLONE_NEWNET },
	{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};

#define COUNTED_NEEDS                                                                              \
	USER_NEEDS | NEED(mntns) | NEED(utsns) | NEED(pidns) | NEED(ipcns) | NEED(netns) |         \
		NEED(cgroupns) | NEED(timens)

TEST_EACH(
	counted, user, a_limit_holds_below,
	.says = "a limit on namespaces holds in nested user namespaces too, whatever is set there",
	.finding = "a container makes more namespaces than it may", .checks = "user-13 user-39",
	.needs = NEED(free_userns) | COUNTED_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		const char *file = text("/proc/sys/user/max_%s_namespaces", row->label);

		/* The nested user namespace itself is one. */
		must_write(file, "%d", row->flag == CLONE_NEWUSER);
		UNSHARED(CLONE_NEWUSER) {
			must_map_root(getpid(), 0);
			must_write(file, "1000");
			EXPECT_STREQ("1000\n", must_read("%s", file));
			EXPECT_ERRNO(ENOSPC, unshare((int)row->flag));
		}
		must_write(file, "1000");
		UNSHARED(CLONE_NEWUSER) {
			must_map_root(getpid(), 0);
			EXPECT_OK(unshare((int)row->flag));
		}
	}
}

TEST(user, a_limit_is_set_by_its_root_only,
     .says = "the limits of user.max_* are written by who is root there, and each namespace has "
	     "its own",
     .checks = "user-39", .needs = NEED(free_userns) | USER_NEEDS)
{
	static const char file[] = "/proc/sys/user/max_uts_namespaces";

	remember("before", must_read("%s", file));

	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		EXPECT_STREQ("2147483647\n", must_read("%s", file));
		must_write(file, "7");
		AS_NOBODY { EXPECT_STREQ("7\n", must_read("%s", file)); }
		IN_FORK {
			must_drop_cap(CAP_SYS_RESOURCE);
			must_drop_cap(CAP_DAC_OVERRIDE);
			EXPECT_ERRNO(EACCES, open(file, O_WRONLY | O_CLOEXEC));
		}
		UNSHARED(CLONE_NEWUSER) { EXPECT_STREQ("2147483647\n", must_read("%s", file)); }
	}
	ON_HOST { EXPECT_STREQ(recall("before"), must_read("%s", file)); }
}

TEST(user, its_parent_and_maker_are_told,
     .says = "a user namespace's descriptor tells its parent, its type and the uid of its maker",
     .checks = "user-06", .needs = NEED(free_userns) | USER_NEEDS)
{
	const char *map = text("7 %u 1", geteuid());

	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = map, .gid_map = map);

	IN_CONTAINER {
		pid_t owner = must_settle(CLONE_NEWUSER);
		_fd_ int userns = open_userns(owner);
		_fd_ int parent = ASSERT_OK(ioctl(userns, NS_GET_PARENT));
		_fd_ int belongs_to = ASSERT_OK(ioctl(userns, NS_GET_USERNS));
		uid_t maker = 1;

		EXPECT_EQ(ns_id(0, "user"), inode(parent));
		EXPECT_EQ(ns_id(0, "user"), inode(belongs_to));
		EXPECT_EQ(CLONE_NEWUSER, ioctl(userns, NS_GET_NSTYPE));
		EXPECT_OK(ioctl(userns, NS_GET_OWNER_UID, &maker));
		EXPECT_EQ(7, maker);
		must_evict(owner);
	}
}

TEST(user, what_is_above_is_not_told,
     .says = "from inside a user namespace neither its parent nor its maker's uid is told",
     .finding = "a container gets a descriptor of the user namespace outside",
     .checks = "user-05 user-06", .needs = NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) {
		_fd_ int own = open_userns(getpid());
		uid_t maker = 1;

		EXPECT_ERRNO(EPERM, ioctl(own, NS_GET_PARENT));
		EXPECT_ERRNO(EPERM, ioctl(own, NS_GET_USERNS));
		EXPECT_OK(ioctl(own, NS_GET_OWNER_UID, &maker));
		EXPECT_EQ(UNMAPPED, maker);
	}
}

TEST(user, a_descriptor_keeps_it,
     .says = "a user namespace lives on with its maps while a descriptor holds it",
     .checks = "user-05", .needs = USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);
	_fd_ int userns = open_userns(owner);

	ASSERT_OK(put(owner, "uid_map", "7 0 1"));
	must_evict(owner);
	IN_FORK {
		EXPECT_OK(setns(userns, CLONE_NEWUSER));
		EXPECT_EQ(7, getuid());
	}
}

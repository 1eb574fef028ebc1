// SPDX-License-Identifier: GPL-2.0-or-later
/* How a UTS namespace comes into being, is entered, and goes. */
#include "../harness/selftest.h"

#include <linux/capability.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sys/ioctl.h>

enum way { BY_UNSHARE, BY_CLONE, BY_CLONE3 };

/* A forked process in a new UTS namespace, or -1 as the call gave it. 0 inside. */
static pid_t start(enum way way, uint64_t flags)
{
	struct clone_args args = { .flags = CLONE_NEWUTS | flags, .exit_signal = SIGCHLD };
	pid_t pid;

	fflush(NULL);
	if (way == BY_CLONE)
		return syscall(SYS_clone, CLONE_NEWUTS | flags | SIGCHLD, NULL, NULL, NULL, 0);
	if (way == BY_CLONE3)
		return syscall(SYS_clone3, &args, sizeof(args));
	if (unshare((int)(CLONE_NEWUTS | flags)))
		return -1;
	pid = must_fork();
	return pid;
}

struct road {
	const char *label;
	enum way way;
};

ROWS(roads, struct road) = {
	{ "unshare", BY_UNSHARE },
	{ "clone", BY_CLONE },
	{ "clone3", BY_CLONE3 },
};

TEST_EACH(roads, uts, a_new_namespace_starts_as_a_copy,
	  .says = "a new UTS namespace starts with its creator's hostname and domainname",
	  .checks = "uts-04", .needs = NEED(admin) | NEED(utsns))
{
	uint64_t old;
	pid_t pid;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("original", 8));
	ASSERT_OK(setdomainname("original.example", 16));
	old = ns_id(0, "uts");
	pid = MUST(start(row->way, 0));
	if (!pid) {
		EXPECT_NE(old, ns_id(0, "uts"));
		EXPECT_STREQ("original", hostname());
		EXPECT_STREQ("original.example", domainname());
		_exit(7);
	}
	EXPECT_EXIT(7, must_wait(pid));
}

TEST_EACH(roads, uts, a_copy_is_no_link,
	  .says = "what the creator is renamed to later does not reach the new UTS namespace",
	  .finding = "a rename of the host showed up in the container", .checks = "uts-03 uts-04",
	  .needs = NEED(admin) | NEED(utsns))
{
	_fd_ int outer = -EBADF;
	pid_t pid;
	int go[2];

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("early", 5));
	outer = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
	must_pipe(go);
	pid = MUST(start(row->way, 0));
	if (!pid) {
		char byte;

		MUST(read(go[0], &byte, 1));
		EXPECT_STREQ("early", hostname());
		_exit(7);
	}
	/* With unshare the creator itself moved: back to where it came from. */
	ASSERT_OK(setns(outer, CLONE_NEWUTS));
	ASSERT_OK(sethostname("late", 4));
	MUST(write(go[1], "", 1));
	EXPECT_EXIT(7, must_wait(pid));
	EXPECT_STREQ("late", hostname());
	close(go[0]);
	close(go[1]);
}

TEST_EACH(roads, uts, creating_needs_the_capability,
	  .says = "without CAP_SYS_ADMIN a new UTS namespace is refused with EPERM",
	  .checks = "uts-05", .needs = NEED(admin) | NEED(utsns))
{
	IN_FORK {
		must_drop_cap(CAP_SYS_ADMIN);
		EXPECT_ERRNO(EPERM, start(row->way, 0));
	}
	IN_FORK {
		pid_t pid = ASSERT_OK(start(row->way, 0));

		if (!pid)
			_exit(0);
		EXPECT_EXIT(0, must_wait(pid));
	}
}

TEST_EACH(roads, uts, a_user_namespace_comes_first,
	  .says = "anybody may create a UTS namespace along with a user namespace that owns it",
	  .checks = "uts-05 uts-16",
	  .needs = NEED(free_userns) | NEED(admin) | NEED(userns) | NEED(utsns))
{
	AS_NOBODY {
		pid_t pid = ASSERT_OK(start(row->way, CLONE_NEWUSER));

		if (!pid) {
			EXPECT_OK(sethostname("mine", 4));
			EXPECT_STREQ("mine", hostname());
			_exit(7);
		}
		EXPECT_EXIT(7, must_wait(pid));
	}
}

TEST(uts, fork_stays_in_the_namespace,
     .says = "a process created without CLONE_NEWUTS is in its creator's UTS namespace",
     .checks = "uts-01", .needs = NEED(utsns))
{
	uint64_t own = ns_id(0, "uts");

	remember("name", hostname());
	IN_FORK {
		EXPECT_EQ(own, ns_id(0, "uts"));
		EXPECT_STREQ(recall("name"), hostname());
	}
}

TEST(uts, three_levels_are_three_names,
     .says = "UTS namespaces created one from the other each keep their own hostname",
     .checks = "uts-03 uts-04", .needs = NEED(admin) | NEED(utsns))
{
	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("one", 3));
	UNSHARED(CLONE_NEWUTS) {
		ASSERT_OK(sethostname("two", 3));
		UNSHARED(CLONE_NEWUTS) {
			EXPECT_STREQ("two", hostname());
			ASSERT_OK(sethostname("three", 5));
			EXPECT_STREQ("three", hostname());
		}
		EXPECT_STREQ("two", hostname());
	}
	EXPECT_STREQ("one", hostname());
}

struct type {
	const char *label;
	int nstype;
	int want; /* errno, 0 = success */
};

ROWS(types, struct type) = {
	{ "any", .nstype = 0 },
	{ "uts", .nstype = CLONE_NEWUTS },
	{ "ipc", .nstype = CLONE_NEWIPC, .want = EINVAL },
	{ "uts_and_ipc", .nstype = CLONE_NEWUTS | CLONE_NEWIPC, .want = EINVAL },
};

TEST_EACH(types, uts, setns_enters_by_descriptor,
	  .says = "setns with a UTS descriptor and no or the right type enters, else EINVAL",
	  .checks = "uts-06", .needs = NEED(admin) | NEED(utsns))
{
	_fd_ int outer = -EBADF;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("outer", 5));
	outer = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("inner", 5));
	if (row->want)
		EXPECT_ERRNO(row->want, setns(outer, row->nstype));
	else
		EXPECT_OK(setns(outer, row->nstype));
	EXPECT_STREQ(row->want ? "inner" : "outer", hostname());
}

TEST(uts, setns_enters_by_pidfd,
     .says = "setns with a pidfd and CLONE_NEWUTS enters that process's UTS namespace",
     .checks = "uts-06", .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "by-pidfd");

	ON_HOST {
		_fd_ int pidfd = must_pidfd(inside_pid());

		IN_FORK {
			ASSERT_OK(setns(pidfd, CLONE_NEWUTS));
			EXPECT_STREQ("by-pidfd", hostname());
		}
		EXPECT_STRNE("by-pidfd", hostname());
	}
}

TEST(uts, entering_needs_the_capability,
     .says = "setns into a UTS namespace without CAP_SYS_ADMIN fails with EPERM",
     .checks = "uts-06", .needs = NEED(admin) | NEED(utsns))
{
	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "closed");

	ON_HOST {
		_fd_ int target =
			MUST(open(text("/proc/%d/ns/uts", inside_pid()), O_RDONLY | O_CLOEXEC));

		IN_FORK {
			must_drop_cap(CAP_SYS_ADMIN);
			EXPECT_ERRNO(EPERM, setns(target, CLONE_NEWUTS));
			EXPECT_STRNE("closed", hostname());
		}
		IN_FORK { EXPECT_OK(setns(target, CLONE_NEWUTS)); }
	}
}

TEST(uts, a_descriptor_keeps_the_namespace,
     .says = "a UTS namespace lives on with its names while a descriptor holds it",
     .checks = "uts-06", .needs = NEED(admin) | NEED(utsns))
{
	int kept;

	CONTAINER(.unshare = CLONE_NEWUTS, .hostname = "kept");

	ON_HOST {
		kept = MUST(open(text("/proc/%d/ns/uts", inside_pid()), O_RDONLY | O_CLOEXEC));
		container_stop(1);
		IN_FORK {
			ASSERT_OK(setns(kept, CLONE_NEWUTS));
			EXPECT_STREQ("kept", hostname());
		}
		close(kept);
	}
}

TEST(uts, a_mount_keeps_the_namespace,
     .says = "a UTS namespace bound to a file lives on and can be entered from there",
     .checks = "uts-06", .needs = NEED(admin) | NEED(utsns) | NEED(mntns))
{
	UNSHARED(CLONE_NEWNS | CLONE_NEWUTS) {
		must_private("/");
		must_tmpfs(scratch());
		ASSERT_OK(sethostname("pinned", 6));
		must_create(text("%s/uts", scratch()), "%s", "");
		must_mount("/proc/self/ns/uts", text("%s/uts", scratch()), NULL, MS_BIND, NULL);
		must_unshare(CLONE_NEWUTS);
		ASSERT_OK(sethostname("elsewhere", 9));
		IN_FORK {
			_fd_ int pinned =
				MUST(open(text("%s/uts", scratch()), O_RDONLY | O_CLOEXEC));

			ASSERT_OK(setns(pinned, CLONE_NEWUTS));
			EXPECT_STREQ("pinned", hostname());
		}
		EXPECT_STREQ("elsewhere", hostname());
	}
}

/* A thread moves into a new UTS namespace and renames that. */
static void *rename_in_thread(void *unused)
{
	must_unshare(CLONE_NEWUTS);
	MUST(sethostname("of-the-thread", 13));
	EXPECT_STREQ("of-the-thread", hostname());
	return unused;
}

TEST(uts, a_thread_may_leave_alone,
     .says = "a thread that unshares its UTS namespace leaves the other threads where they are",
     .checks = "uts-03", .needs = NEED(admin) | NEED(utsns))
{
	pthread_t thread;

	must_unshare(CLONE_NEWUTS);
	ASSERT_OK(sethostname("of-the-process", 14));
	MUST(pthread_create(&thread, NULL, rename_in_thread, NULL) ? -1 : 0);
	pthread_join(thread, NULL);
	EXPECT_STREQ("of-the-process", hostname());
}

TEST(uts, the_number_is_limited,
     .says = "user.max_uts_namespaces limits the UTS namespaces of a user namespace: ENOSPC",
     .checks = "uts-05", .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		must_write("/proc/sys/user/max_uts_namespaces", "0");
		EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWUTS));
		must_write("/proc/sys/user/max_uts_namespaces", "1");
		IN_FORK {
			EXPECT_OK(unshare(CLONE_NEWUTS));
			EXPECT_ERRNO(ENOSPC, unshare(CLONE_NEWUTS));
		}
	}
}

TEST(uts, its_type_and_owner_are_told,
     .says = "a UTS namespace's descriptor tells its type and the user namespace that owns it",
     .checks = "uts-05 uts-16", .needs = NEED(admin) | NEED(userns) | NEED(utsns))
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUTS);

	IN_CONTAINER {
		_fd_ int uts = MUST(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
		_fd_ int owner = ASSERT_OK(ioctl(uts, NS_GET_USERNS));
		struct stat status;

		EXPECT_EQ(CLONE_NEWUTS, ioctl(uts, NS_GET_NSTYPE));
		MUST(fstat(owner, &status));
		EXPECT_EQ(ns_id(0, "user"), status.st_ino);
		EXPECT_ERRNO(EINVAL, ioctl(uts, NS_GET_PARENT));
	}
}

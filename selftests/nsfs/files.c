// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of namespaces: what they are, what may be done to them, what they tell. */
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "types.h"

ROWS(types, struct ns_type) = { ALL_NS_TYPES };

TEST_EACH(types, nsfs, a_link_names_the_namespace,
	  .says = "a link of /proc/PID/ns names type and number; its file has the number and the "
		  "type",
	  .checks = "nsfs-30", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label), own = open_ns(0, row->label);
	struct stat one, other;

	EXPECT_STREQ(text("%s:[%llu]", row->label, (unsigned long long)inode(target)),
		     must_readlink("/proc/%d/ns/%s", member, row->label));
	EXPECT_EQ(row->flag, ioctl(target, NS_GET_NSTYPE));
	MUST(fstat(target, &one));
	MUST(fstat(own, &other));
	EXPECT_NE(other.st_ino, one.st_ino);
	EXPECT_EQ(other.st_dev, one.st_dev);
	EXPECT_EQ(S_IFREG | 0444, one.st_mode);
	must_evict(member);
}

TEST_EACH(types, nsfs, a_namespace_file_is_not_changed,
	  .says = "a namespace's file is not written, changed or removed, even by root: EPERM",
	  .checks = "nsfs-25", .needs = TYPE_NEEDS)
{
	const char *path = text("/proc/self/ns/%s", row->label);
	_fd_ int own = open_ns(0, row->label);

	EXPECT_ERRNO(EPERM, open(path, O_WRONLY | O_CLOEXEC));
	EXPECT_ERRNO(EPERM, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_ERRNO(EPERM, fchmod(own, 0666));
	EXPECT_ERRNO(EPERM, fchown(own, 0, 0));
	EXPECT_ERRNO(EPERM, unlink(path));
	EXPECT_ERRNO(EINVAL, read(own, &(char){ 0 }, 1));
}

/* A mount namespace is bound in older ones only, and since 6.18 their order is a matter of chance. */
ROWS(bindable, struct ns_type) = {
	{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC },   { "net", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID },   { "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP },
	{ "time", CLONE_NEWTIME },
};

TEST_EACH(bindable, nsfs, a_bind_mount_keeps_a_namespace,
	  .says = "a namespace bound to a file stays after its last process, and is entered from "
		  "there",
	  .checks = "nsfs-25", .needs = TYPE_NEEDS | NEED(tmpfs))
{
	UNSHARED(CLONE_NEWNS) {
		pid_t member;
		uint64_t id;

		must_private("/");
		must_tmpfs(scratch());
		MUST(chdir(scratch()));
		must_create("kept", "%s", "");
		member = must_settle(row->flag);
		id = ns_id(member, row->label);
		must_mount(text("/proc/%d/ns/%s", member, row->label), "kept", NULL, MS_BIND, NULL);
		must_evict(member);
		EXPECT_CONTAINS(text(" %s:[%llu] ", row->label, (unsigned long long)id),
				mounted_at(text("%s/kept", scratch())));
		IN_FORK {
			_fd_ int kept = MUST(open("kept", O_RDONLY | O_CLOEXEC));

			EXPECT_EQ(id, inode(kept));
			EXPECT_OK(setns(kept, (int)row->flag));
		}
		EXPECT_OK(umount("kept"));
	}
}

/* Whether one more namespace of that type can be made, by a process that ends with it. */
static bool is_room(uint64_t flag)
{
	pid_t pid = must_fork();

	if (!pid)
		_exit(unshare((int)flag) ? errno : 0);
	return !WEXITSTATUS(must_wait(pid));
}

/* Not so user namespaces: credentials keep them as well, and go when the kernel sees fit. */
ROWS(held_by_files, struct ns_type) = {
	{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID },   { "mnt", CLONE_NEWNS },  { "cgroup", CLONE_NEWCGROUP },
	{ "time", CLONE_NEWTIME },
};

TEST_EACH(held_by_files, nsfs, a_descriptor_keeps_it_counted,
	  .says = "a namespace counts for user.max_* as long as a descriptor of it is open",
	  .checks = "nsfs-31", .needs = TYPE_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		int held;

		must_write(text("/proc/sys/user/max_%s_namespaces", row->label), "1");
		held = must_deserted(row->flag, text("ns/%s", row->label));
		IN_FORK { EXPECT_ERRNO(ENOSPC, unshare((int)row->flag)); }
		close(held);
		/* Some types are freed a little later. */
		while (!is_room(row->flag)) let_kernel_catch_up();
	}
}

TEST_EACH(types, nsfs, the_owner_is_told,
	  .says = "each namespace tells the user namespace that owns it",
	  .checks = "nsfs-07 cgroup-19 time-20", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag), ruler = must_settle(row->flag | CLONE_NEWUSER);
	_fd_ int ours = open_ns(member, row->label), theirs = open_ns(ruler, row->label);
	_fd_ int owner_of_ours = ASSERT_OK(ioctl(ours, NS_GET_USERNS));
	_fd_ int owner_of_theirs = ASSERT_OK(ioctl(theirs, NS_GET_USERNS));

	EXPECT_EQ(ns_id(0, "user"), inode(owner_of_ours));
	/* Who owns a user namespace is its parent. */
	EXPECT_EQ(ns_id(row->flag == CLONE_NEWUSER ? 0 : ruler, "user"), inode(owner_of_theirs));
	must_evict(member);
	must_evict(ruler);
}

TEST_EACH(types, nsfs, an_owner_outside_is_not_told,
	  .says = "which user namespace owns a namespace is not told to who is below it: EPERM",
	  .finding = "a container gets a descriptor of the user namespace outside",
	  .checks = "nsfs-07 cgroup-19 time-20", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int ours = open_ns(member, row->label);

	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EPERM, ioctl(ours, NS_GET_USERNS)); }
	must_evict(member);
}

TEST_EACH(types, nsfs, only_some_have_parents_and_makers,
	  .says = "PID and user namespaces have parents, user namespaces makers: EINVAL for others",
	  .checks = "nsfs-06 nsfs-08", .needs = TYPE_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int target = open_ns(member, row->label);
	uid_t maker = 1;

	if (row->flag == CLONE_NEWPID || row->flag == CLONE_NEWUSER) {
		_fd_ int parent = ASSERT_OK(ioctl(target, NS_GET_PARENT));

		EXPECT_EQ(ns_id(0, row->label), inode(parent));
	} else {
		EXPECT_ERRNO(EINVAL, ioctl(target, NS_GET_PARENT));
	}
	if (row->flag == CLONE_NEWUSER)
		EXPECT_OK(ioctl(target, NS_GET_OWNER_UID, &maker));
	else
		EXPECT_ERRNO(EINVAL, ioctl(target, NS_GET_OWNER_UID, &maker));
	EXPECT_EQ(row->flag == CLONE_NEWUSER ? geteuid() : 1, maker);
	must_evict(member);
}

struct question {
	const char *label;
	unsigned long request;
};

ROWS(questions, struct question) = {
	{ "userns", NS_GET_USERNS },
	{ "parent", NS_GET_PARENT },
	{ "type", NS_GET_NSTYPE },
	{ "maker", NS_GET_OWNER_UID },
};

TEST_EACH(questions, nsfs, other_files_do_not_answer,
	  .says = "what is no namespace does not answer for one: ENOTTY; nor is any other request "
		  "answered",
	  .checks = "nsfs-09", .needs = NEED(utsns))
{
	_fd_ int directory = MUST(open("/", O_RDONLY | O_CLOEXEC)), own = open_ns(0, "uts");
	uid_t maker;

	EXPECT_ERRNO(ENOTTY, ioctl(directory, row->request, &maker));
	EXPECT_ERRNO(ENOTTY, ioctl(own, _IO(NSIO, 0x7f), &maker));
	EXPECT_ERRNO(ENOTTY, ioctl(own, row->request ^ _IO(1, 0), &maker));
}

TEST(nsfs, there_is_no_link_before_there_is_a_namespace,
     .says = "pid_for_children leads nowhere until the new PID namespace has its first process, or "
	     "into that (since 7.2)",
     .checks = "nsfs-26", .needs = TYPE_NEEDS)
{
	uint64_t own = ns_id(0, "pid");
	char target[64];

	must_unshare(CLONE_NEWPID);
	if (readlink("/proc/self/ns/pid_for_children", target, sizeof(target)) < 0)
		EXPECT_EQ(ENOENT, errno);
	else
		EXPECT_NE(own, ns_id(0, "pid_for_children"));
	IN_FORK {
		EXPECT_OK(readlink("/proc/self/ns/pid_for_children", target, sizeof(target)));
		EXPECT_EQ(ns_id(0, "pid"), ns_id(0, "pid_for_children"));
	}
}

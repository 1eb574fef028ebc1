// SPDX-License-Identifier: GPL-2.0-or-later
/* Which maps a user namespace may have, and who may write them. */
#include "user.h"

#include <grp.h>

ROWS(kinds, struct id_kind) = { ID_KINDS };

TEST_EACH(kinds, user, a_map_is_written_once,
	  .says = "a second write to a map fails with EPERM and changes nothing",
	  .finding = "a process changes which ids it has outside", .checks = "user-24",
	  .needs = USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	EXPECT_OK(put(owner, row->map, "3 0 1"));
	remember("map", must_read("/proc/%d/%s", owner, row->map));
	EXPECT_ERRNO(EPERM, put(owner, row->map, "4 0 1"));
	EXPECT_ERRNO(EPERM, put(owner, row->map, "3 0 1"));
	EXPECT_STREQ(recall("map"), must_read("/proc/%d/%s", owner, row->map));
	must_evict(owner);
}

struct malformed {
	const char *label;
	const char *map;
};

ROWS(malformed, struct malformed) = {
	{ "empty_line", "\n" },
	{ "words", "a b c" },
	{ "two_numbers", "0 0" },
	{ "four_numbers", "0 0 1 1" },
	{ "junk_behind", "0 0 1x" },
	{ "no_ids", "0 0 0" },
	{ "no_such_id_inside", "4294967295 0 1" },
	{ "no_such_id_outside", "0 4294967295 1" },
	{ "beyond_the_last_inside", "4294967294 0 2" },
	{ "beyond_the_last_outside", "0 4294967294 2" },
	{ "twice_inside", "0 0 2\n1 5 1" },
	{ "twice_inside_around", "5 5 1\n0 10 10" },
	{ "twice_outside", "0 0 2\n5 1 1" },
	{ "twice_outside_around", "5 5 1\n10 0 10" },
	{ "good_line_first", "0 0 1\nx" },
};

TEST_EACH(malformed, user, a_bad_map_is_refused,
	  .says = "a map that is malformed, overlaps or goes beyond the last id gives EINVAL, and "
		  "may be written anew",
	  .checks = "user-26", .needs = USER_NEEDS)
{
	const struct id_kind kinds_in_turn[] = { ID_KINDS };
	pid_t owner = must_settle(CLONE_NEWUSER);

	for (int i = 0; i < 2; i++) {
		EXPECT_ERRNO(EINVAL, put(owner, kinds_in_turn[i].map, row->map));
		EXPECT_STREQ("", must_read("/proc/%d/%s", owner, kinds_in_turn[i].map));
		EXPECT_OK(put(owner, kinds_in_turn[i].map, "0 0 1"));
	}
	must_evict(owner);
}

TEST_EACH(kinds, user, a_map_has_its_limits,
	  .says = "a map of 341 lines, of a page, or not written at its start gives EINVAL",
	  .checks = "user-26", .needs = NEED(root) | NEED(userns))
{
	const size_t page = sysconf(_SC_PAGESIZE);
	pid_t owner = must_settle(CLONE_NEWUSER);
	_fd_ int fd = MUST(open(text("/proc/%d/%s", owner, row->map), O_WRONLY | O_CLOEXEC));
	const char *too_many = scattered(341);
	char *blanks = calloc(1, page);

	MUST_HOLD(blanks);
	memset(blanks, ' ', page);
	blanks[0] = blanks[2] = '0';
	blanks[4] = '1';
	EXPECT_ERRNO(EINVAL, write(fd, too_many, strlen(too_many)));
	EXPECT_ERRNO(EINVAL, write(fd, blanks, page));
	EXPECT_EQ((ssize_t)page - 1, write(fd, blanks, page - 1));
	EXPECT_ERRNO(EINVAL, write(fd, "0 0 1", 5));
	free(blanks);
	must_evict(owner);
}

TEST_EACH(kinds, user, only_what_the_parent_has_is_mapped,
	  .says = "an outside id that the parent namespace does not map gives EPERM",
	  .finding = "a nested container maps an id of the host that its parent was not given",
	  .checks = "user-27", .needs = NEED(free_userns) | USER_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		pid_t nested = must_settle(CLONE_NEWUSER);

		EXPECT_ERRNO(EPERM, put(nested, row->map, "0 1 1"));
		EXPECT_ERRNO(EPERM, put(nested, row->map, "0 0 2"));
		EXPECT_ERRNO(EPERM, put(nested, row->map, "0 0 1\n1 1 1"));
		EXPECT_OK(put(nested, row->map, "0 0 1"));
		must_evict(nested);
	}
}

/* By a user with uid and gid 65534. */
struct unprivileged {
	const char *label;
	const char *file;
	const char *map;
	bool deny;
	int want; /* errno, 0 = success */
};

ROWS(unprivileged, struct unprivileged) = {
	{ "own_uid", "uid_map", "0 65534 1", .want = 0 },
	{ "other_uid", "uid_map", "0 65533 1", .want = EPERM },
	{ "root", "uid_map", "0 0 1", .want = EPERM },
	{ "two_uids", "uid_map", "0 65533 2", .want = EPERM },
	{ "two_lines", "uid_map", "0 65534 1\n1 65533 1", .want = EPERM },
	{ "own_gid", "gid_map", "0 65534 1", .deny = true },
	{ "own_gid_with_setgroups", "gid_map", "0 65534 1", .want = EPERM },
	{ "other_gid", "gid_map", "0 65533 1", .deny = true, .want = EPERM },
};

TEST_EACH(unprivileged, user, without_privilege_only_oneself_is_mapped,
	  .says = "who has no capability maps his own id, alone, and his gid without setgroups: "
		  "else EPERM",
	  .finding = "a normal user takes another's id", .checks = "user-25",
	  .needs = NEED(free_userns) | NEED(root) | NEED(userns))
{
	AS_NOBODY {
		pid_t owner;

		/* Else the files of the new process belong to root. */
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		owner = must_settle(CLONE_NEWUSER);
		if (row->deny)
			ASSERT_OK(put(owner, "setgroups", "deny"));
		if (row->want)
			EXPECT_ERRNO(row->want, put(owner, row->file, row->map));
		else
			EXPECT_OK(put(owner, row->file, row->map));
		must_evict(owner);
	}
}

TEST_EACH(kinds, user, a_map_needs_the_right_in_the_parent,
	  .says = "a namespace does not map others' ids for itself: that needs the capability "
		  "outside",
	  .finding = "root of a user namespace gives himself ids of the host", .checks = "user-25",
	  .needs = NEED(root) | NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_ERRNO(EPERM, put(getpid(), row->map, "0 1 1"));
		EXPECT_ERRNO(EPERM, put(getpid(), row->map, "0 0 2"));
		EXPECT_ERRNO(EPERM, put(getpid(), row->map, "0 0 4294967295"));
	}
}

TEST_EACH(kinds, user, who_opened_the_map_counts,
	  .says = "a map that a normal user opened maps no foreign id, though root writes to it",
	  .finding = "a privileged writer was tricked into mapping ids", .checks = "user-25",
	  .needs = NEED(free_userns) | NEED(root) | NEED(userns))
{
	int opened, opened_by_root;
	pid_t owner;

	MUST(seteuid(UNMAPPED));
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	owner = must_settle(CLONE_NEWUSER);
	opened = MUST(open(text("/proc/%d/%s", owner, row->map), O_WRONLY | O_CLOEXEC));
	MUST(seteuid(0));
	opened_by_root = MUST(open(text("/proc/%d/%s", owner, row->map), O_WRONLY | O_CLOEXEC));
	EXPECT_ERRNO(EPERM, write(opened, "0 1 1", 5));
	EXPECT_OK(write(opened_by_root, "0 1 1", 5));
	must_evict(owner);
	close(opened);
	close(opened_by_root);
}

TEST_EACH(kinds, user, who_writes_the_map_counts,
	  .says = "a map that root opened maps no foreign id when a normal user writes to it",
	  .finding = "a normal user maps ids with a descriptor of root's", .checks = "user-25",
	  .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);
	_fd_ int opened = MUST(open(text("/proc/%d/%s", owner, row->map), O_WRONLY | O_CLOEXEC));

	MUST(seteuid(UNMAPPED));
	EXPECT_ERRNO(EPERM, write(opened, "0 1 1", 5));
	MUST(seteuid(0));
	EXPECT_OK(write(opened, "0 1 1", 5));
	must_evict(owner);
}

TEST(user, who_is_outside_may_not_write_a_map,
     .says = "a process in neither the namespace nor its parent cannot write its maps: EPERM",
     .checks = "user-25", .needs = NEED(free_userns) | USER_NEEDS)
{
	CONTAINER(.userns = true, .unshare = CLONE_NEWUSER);

	IN_CONTAINER {
		pid_t nested = must_settle(CLONE_NEWUSER);

		remember("nested", nested);
	}
	ON_HOST { EXPECT_ERRNO(EPERM, put((pid_t)recall_number("nested"), "uid_map", "0 0 1")); }
	IN_CONTAINER {
		EXPECT_OK(put((pid_t)recall_number("nested"), "uid_map", "0 0 1"));
		must_evict((pid_t)recall_number("nested"));
	}
}

TEST(user, deny_is_final,
     .says = "once setgroups is denied it stays so: allow gives EPERM, anything else EINVAL",
     .finding = "a process drops groups that were to keep it out", .checks = "user-04",
     .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	EXPECT_STREQ("allow\n", must_read("/proc/%d/setgroups", owner));
	EXPECT_ERRNO(EINVAL, put(owner, "setgroups", "perhaps"));
	EXPECT_ERRNO(EINVAL, put(owner, "setgroups", "denyx"));
	EXPECT_OK(put(owner, "setgroups", "allow"));
	EXPECT_OK(put(owner, "setgroups", "deny"));
	EXPECT_ERRNO(EPERM, put(owner, "setgroups", "allow"));
	EXPECT_OK(put(owner, "setgroups", "deny"));
	EXPECT_STREQ("deny\n", must_read("/proc/%d/setgroups", owner));
	must_evict(owner);
}

TEST(user, deny_comes_before_the_map,
     .says = "with a gid_map setgroups can no longer be denied: EPERM", .checks = "user-04",
     .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	ASSERT_OK(put(owner, "gid_map", "0 0 1"));
	EXPECT_ERRNO(EPERM, put(owner, "setgroups", "deny"));
	EXPECT_STREQ("allow\n", must_read("/proc/%d/setgroups", owner));
	must_evict(owner);
}

TEST(user, deny_is_inherited,
     .says = "below a user namespace where setgroups is denied it is denied from the start",
     .checks = "user-04", .needs = NEED(free_userns) | USER_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	ASSERT_OK(put(owner, "setgroups", "deny"));
	ASSERT_OK(put(owner, "uid_map", "0 0 1"));
	ASSERT_OK(put(owner, "gid_map", "0 0 1"));
	IN_FORK {
		must_enter(owner);
		UNSHARED(CLONE_NEWUSER) {
			EXPECT_STREQ("deny\n", must_read("/proc/self/setgroups"));
			EXPECT_ERRNO(EPERM, put(getpid(), "setgroups", "allow"));
		}
	}
	must_evict(owner);
}

struct stage {
	const char *label;
	bool map, deny;
	int want;
};

ROWS(stages, struct stage) = {
	{ "without_a_map", .want = EPERM },
	{ "denied_without_a_map", .deny = true, .want = EPERM },
	{ "denied", .map = true, .deny = true, .want = EPERM },
	{ "allowed", .map = true },
};

TEST_EACH(stages, user, setgroups_waits_for_the_map,
	  .says = "setgroups fails with EPERM before there is a gid_map and while it is denied",
	  .finding = "a process drops groups that were to keep it out", .checks = "user-30",
	  .needs = NEED(root) | NEED(userns))
{
	const gid_t group = 0;
	pid_t owner = must_settle(CLONE_NEWUSER);

	if (row->deny)
		ASSERT_OK(put(owner, "setgroups", "deny"));
	if (row->map)
		ASSERT_OK(put(owner, "gid_map", "0 0 1"));
	IN_FORK {
		must_enter(owner);
		if (row->want) {
			EXPECT_ERRNO(row->want, setgroups(0, NULL));
			EXPECT_ERRNO(row->want, setgroups(1, &group));
		} else {
			EXPECT_OK(setgroups(1, &group));
			EXPECT_EQ(1, getgroups(0, NULL));
		}
	}
	must_evict(owner);
}

TEST(user, groups_are_kept_though_unmapped,
     .says = "groups that are not mapped are kept, told as 65534, and cannot be set",
     .checks = "user-30", .needs = NEED(root) | NEED(userns))
{
	const gid_t before[] = { 4321, 0 }, unmapped[] = { 1 };
	pid_t owner = must_settle(CLONE_NEWUSER);
	gid_t seen[2] = { 0 };

	ASSERT_OK(put(owner, "gid_map", "7 0 1"));
	IN_FORK {
		MUST(setgroups(2, before));
		must_enter(owner);
		EXPECT_EQ(2, getgroups(2, seen));
		EXPECT_EQ(7 + UNMAPPED, (int)(seen[0] + seen[1]));
		EXPECT_ERRNO(EINVAL, setgroups(1, unmapped));
		EXPECT_EQ(2, getgroups(0, NULL));
	}
	must_evict(owner);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the maps of a user namespace do: who is who, on either side. */
#include "user.h"

ROWS(kinds, struct id_kind) = { ID_KINDS };

TEST_EACH(kinds, user, without_a_map_everybody_is_unmapped,
	  .says = "without a map each id in a new user namespace is the overflow id",
	  .checks = "user-01", .needs = NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) {
		EXPECT_EQ(UNMAPPED, row->get());
		EXPECT_EQ(UNMAPPED, row->get_effective());
		EXPECT_STREQ("65534\t65534\t65534\t65534", status_field(row->field, 0));
		EXPECT_STREQ("", must_read("/proc/self/%s", row->map));
	}
	IN_FORK { EXPECT_STRNE("", must_read("/proc/self/%s", row->map)); }
}

TEST_EACH(kinds, user, a_map_takes_effect_at_once,
	  .says = "from the write of a map on, the process has the id that the map gives it",
	  .checks = "user-02", .needs = USER_NEEDS)
{
	unsigned outside = row->get_effective();

	UNSHARED(CLONE_NEWUSER) {
		must_write("/proc/self/setgroups", "deny");
		EXPECT_EQ(UNMAPPED, row->get());
		must_write(text("/proc/self/%s", row->map), "7 %u 1", outside);
		EXPECT_EQ(7, row->get());
		EXPECT_EQ(7, row->get_effective());
		EXPECT_STREQ("7\t7\t7\t7", status_field(row->field, 0));
		EXPECT_ERRNO(EINVAL, row->set(8, -1, -1));
	}
	EXPECT_EQ(outside, row->get());
}

/* The three columns of a map of one line. */
static const char *columns(pid_t pid, const char *map)
{
	unsigned inside = 0, outside = 0, count = 0;

	sscanf(must_read("/proc/%d/%s", pid, map), "%u %u %u", &inside, &outside, &count);
	return text("%u %u %u", inside, outside, count);
}

TEST_EACH(kinds, user, a_map_is_told_as_the_reader_maps_it,
	  .says = "the outside ids of a map are told as the reader's user namespace maps them",
	  .checks = "user-03", .needs = NEED(free_userns) | USER_NEEDS)
{
	const char *map = text("5 %u 1", row->get_effective());
	pid_t nested = 0;

	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = map, .gid_map = map);

	IN_CONTAINER {
		nested = must_settle(CLONE_NEWUSER);
		ASSERT_OK(put(nested, row->map, "9 5 1"));
		remember("nested", nested);
		EXPECT_STREQ("9 5 1", columns(nested, row->map));
		IN_FORK {
			must_enter(nested);
			EXPECT_STREQ("9 5 1", columns(getpid(), row->map));
			EXPECT_EQ(9, row->get());
		}
	}
	ON_HOST {
		EXPECT_STREQ(text("9 %u 1", row->get_effective()),
			     columns((pid_t)recall_number("nested"), row->map));
		EXPECT_STREQ(text("5 %u 1", row->get_effective()), columns(inside_pid(), row->map));
	}
	IN_CONTAINER { must_evict(nested); }
}

/* The first number of that line in a status file, told to who opened it. */
static unsigned told(int status_fd, const char *field)
{
	char content[4096] = "";
	const char *line;

	MUST(pread(status_fd, content, sizeof(content) - 1, 0));
	line = strstr(content, text("\n%s:", field));
	MUST_HOLD(line);
	return strtoul(line + 5, NULL, 10);
}

static void expect_scattered(const struct id_kind *kind, unsigned lines)
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	ASSERT_OK(put(owner, kind->map, scattered(lines)));
	IN_FORK {
		_fd_ int outside = MUST(open("/proc/self/status", O_RDONLY | O_CLOEXEC));

		must_enter(owner);
		/* Its capabilities are to stay when it leaves uid 0. */
		MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
		for (unsigned id = 0; id < lines; id++) {
			ASSERT_OK(kind->set(id, -1, -1));
			ASSERT_EQ(id, kind->get());
			ASSERT_EQ(1000 + 2 * id, told(outside, kind->field));
		}
		EXPECT_ERRNO(EINVAL, kind->set(lines, -1, -1));
	}
	must_evict(owner);
}

/* The kernel keeps up to 5 lines in place, more in two sorted arrays; 340 is its limit. */
TEST_EACH(kinds, user, each_line_of_a_map_counts,
	  .says = "with 1, 5, 6 or 340 lines each id of a map is that id outside, and no other is",
	  .finding = "an id in the container is another one on the host",
	  .checks = "user-09 user-26", .needs = NEED(root) | NEED(userns))
{
	expect_scattered(row, 1);
	expect_scattered(row, 5);
	expect_scattered(row, 6);
	expect_scattered(row, 340);
}

TEST_EACH(kinds, user, a_line_maps_its_range,
	  .says = "a line maps as many ids as it says: the last of them, and not the one behind it",
	  .checks = "user-09", .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	ASSERT_OK(put(owner, row->map, "0 0 1\n10 1000 100"));
	IN_FORK {
		_fd_ int outside = MUST(open("/proc/self/status", O_RDONLY | O_CLOEXEC));

		must_enter(owner);
		EXPECT_OK(row->set(109, -1, -1));
		EXPECT_EQ(1099, told(outside, row->field));
		EXPECT_ERRNO(EINVAL, row->set(110, -1, -1));
		EXPECT_ERRNO(EINVAL, row->set(9, -1, -1));
	}
	must_evict(owner);
}

/* CVE-2018-18955: with more than five lines nested ids were not translated twice. */
TEST(user, nested_maps_translate_twice,
     .says = "a nested map of more than five lines gives no id outside the outer map's",
     .finding = "an id of a nested container is an id of the host that was not given to it",
     .checks = "user-09", .needs = NEED(free_userns) | NEED(root) | NEED(userns))
{
	CONTAINER(.unshare = CLONE_NEWUSER, .uid_map = "0 100000 1000", .gid_map = "0 100000 1000");

	IN_CONTAINER {
		pid_t nested;

		MUST(setresgid(0, 0, 0));
		MUST(setresuid(0, 0, 0));
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		nested = must_settle(CLONE_NEWUSER);
		ASSERT_OK(put(nested, "uid_map", "0 0 1\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n5 5 995"));
		remember("nested", nested);
		ASSERT_OK(kill(nested, 0));
	}
	ON_HOST {
		IN_FORK {
			_fd_ int outside = MUST(open("/proc/self/status", O_RDONLY | O_CLOEXEC));

			must_enter((pid_t)recall_number("nested"));
			EXPECT_OK(setresuid(0, -1, -1));
			EXPECT_EQ(100000, told(outside, "Uid"));
			EXPECT_OK(setresuid(900, -1, -1));
			EXPECT_EQ(100900, told(outside, "Uid"));
		}
	}
	IN_CONTAINER { must_evict((pid_t)recall_number("nested")); }
}

TEST(user, all_ids_can_be_mapped,
     .says = "a map of all 4294967295 ids is accepted, and each is itself", .checks = "user-16",
     .needs = NEED(root) | NEED(userns))
{
	pid_t owner = must_settle(CLONE_NEWUSER);

	EXPECT_OK(put(owner, "uid_map", "0 0 4294967295"));
	IN_FORK {
		must_enter(owner);
		EXPECT_EQ(0, getuid());
		EXPECT_OK(setresuid(4294967294U, -1, -1));
		EXPECT_EQ(4294967294U, getuid());
	}
	must_evict(owner);
}

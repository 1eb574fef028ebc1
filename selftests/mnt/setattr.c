// SPDX-License-Identifier: GPL-2.0-or-later
/* mount_setattr(2) and open_tree_attr(2): attributes of one mount or of a tree. */
#include "mountinfo.h"

#include <sys/statvfs.h>

#define SETATTR_NEEDS NEED(admin) | NEED(mntns) | NEED(mount_setattr)

static int set_attributes(const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr));
}

static int set_propagation(const char *path, unsigned flags, uint64_t propagation)
{
	struct mount_attr attr = { .propagation = propagation };

	return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr));
}

/* "tree" with "tree/sub" mounted in it. */
static void tree(void)
{
	own_stage();
	must_tmpfs("tree");
	must_tmpfs("tree/sub");
}

struct attribute {
	const char *label;
	uint64_t set, clear; /* clear: what has to be cleared for set to be accepted */
	unsigned long flag;  /* of statvfs */
};

ROWS(attributes, struct attribute) = {
	{ "read_only", MOUNT_ATTR_RDONLY, 0, ST_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, ST_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0, ST_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, ST_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, ST_NOATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, ST_NODIRATIME },
};

static unsigned long flags_of(const char *path)
{
	struct statvfs status;

	MUST(statvfs(path, &status));
	return status.f_flag;
}

static bool shows(const char *path, unsigned long flag)
{
	return flags_of(path) & flag;
}

TEST_EACH(attributes, mnt, attribute_is_set_and_cleared,
	  .says = "mount_setattr sets an attribute on one mount, with AT_RECURSIVE on all below",
	  .checks = "mnt-010", .needs = SETATTR_NEEDS)
{
	tree();
	ASSERT_OK(set_attributes("tree", 0, row->set, row->clear));
	EXPECT(shows("tree", row->flag));
	EXPECT(!shows("tree/sub", row->flag));
	ASSERT_OK(set_attributes("tree", AT_RECURSIVE, row->set, row->clear));
	EXPECT(shows("tree/sub", row->flag));
	ASSERT_OK(set_attributes("tree", AT_RECURSIVE, 0, row->clear ? row->clear : row->set));
	EXPECT(!shows("tree", row->flag));
	EXPECT(!shows("tree/sub", row->flag));
}

TEST(mnt, read_only_attribute_takes_effect,
     .says = "a mount made read-only by mount_setattr refuses writing, another of the file system "
	     "does not",
     .checks = "mnt-010", .needs = SETATTR_NEEDS)
{
	tree();
	must_mkdir("view");
	must_mount("tree", "view", NULL, MS_BIND, NULL);
	ASSERT_OK(set_attributes("tree", 0, MOUNT_ATTR_RDONLY, 0));
	EXPECT_ERRNO(EROFS, mkdir("tree/new", 0755));
	EXPECT_OK(mkdir("tree/sub/new", 0755));
	EXPECT_OK(mkdir("view/new", 0755));
}

TEST(mnt, writer_below_stops_the_whole_tree,
     .says = "a recursive read-only fails with EBUSY while a submount has a writer, and changes "
	     "nothing",
     .checks = "mnt-014", .needs = SETATTR_NEEDS)
{
	int writer;

	tree();
	must_tmpfs("tree/zzz");
	must_create("tree/sub/file", "1");
	writer = MUST(open("tree/sub/file", O_WRONLY | O_CLOEXEC));
	EXPECT_ERRNO(EBUSY, set_attributes("tree", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0));
	EXPECT_OK(mkdir("tree/new", 0755));
	EXPECT_OK(mkdir("tree/zzz/new", 0755));
	close(writer);
	EXPECT_OK(set_attributes("tree", AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0));
	EXPECT_ERRNO(EROFS, mkdir("tree/zzz/other", 0755));
}

struct propagation {
	const char *label;
	uint64_t value;
	int want;
	const char *tag; /* at the start of what mountinfo then shows */
};

/* On a shared mount whose group has another member. */
ROWS(propagations, struct propagation) = {
	{ "none_leaves_it", 0, 0, "shared:" },
	{ "shared", MS_SHARED, 0, "shared:" },
	{ "slave", MS_SLAVE, 0, "master:" },
	{ "private", MS_PRIVATE, 0, "" },
	{ "unbindable", MS_UNBINDABLE, 0, "unbindable" },
	{ "two_at_once", MS_SHARED | MS_SLAVE, EINVAL, "shared:" },
	{ "unknown", 1 << 5, EINVAL, "shared:" },
	{ "recursive_bit", MS_PRIVATE | MS_REC, EINVAL, "shared:" },
};

TEST_EACH(propagations, mnt, propagation_is_set_by_mount_setattr,
	  .says = "the propagation field takes one kind or none, and EINVAL answers anything else",
	  .checks = "mnt-012", .needs = SETATTR_NEEDS)
{
	int result;

	tree();
	must_mount(NULL, "tree", NULL, MS_SHARED, NULL);
	must_mkdir("peer");
	must_mount("tree", "peer", NULL, MS_BIND, NULL);
	errno = 0;
	result = set_propagation("tree", 0, row->value);
	EXPECT_EQ(row->want ? -1 : 0, result);
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(0, strncmp(row->tag, mount_at("tree").tags, strlen(row->tag)));
	EXPECT_EQ(!row->tag[0], !mount_at("tree").tags[0]);
	EXPECT_STREQ("", mount_at("tree/sub").tags);
}

TEST(mnt, propagation_is_set_recursively,
     .says = "mount_setattr with AT_RECURSIVE sets the propagation of all mounts below",
     .checks = "mnt-012", .needs = SETATTR_NEEDS)
{
	tree();
	ASSERT_OK(set_propagation("tree", AT_RECURSIVE, MS_SHARED));
	EXPECT_NE(0, group_at("shared", "tree"));
	EXPECT_NE(0, group_at("shared", "tree/sub"));
	EXPECT_NE(group_at("shared", "tree"), group_at("shared", "tree/sub"));
}

struct wrong {
	const char *label;
	unsigned flags;
	uint64_t set, clear;
	size_t size;
	int want;
};

enum { WHOLE = MOUNT_ATTR_SIZE_VER0 };

ROWS(wrongs, struct wrong) = {
	{ "nothing_to_do", 0, 0, 0, WHOLE, 0 },
	{ "unknown_flag", 1U << 30, MOUNT_ATTR_NODEV, 0, WHOLE, EINVAL },
	{ "unknown_attribute", 0, 1ULL << 40, 0, WHOLE, EINVAL },
	{ "unknown_attribute_cleared", 0, 0, 1ULL << 40, WHOLE, EINVAL },
	{ "atime_not_cleared_as_a_whole", 0, MOUNT_ATTR_NOATIME, 0, WHOLE, EINVAL },
	{ "atime_cleared_in_part", 0, 0, MOUNT_ATTR_NOATIME, WHOLE, EINVAL },
	{ "two_atimes", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, WHOLE,
	  EINVAL },
	{ "clears_an_id_map", 0, 0, MOUNT_ATTR_IDMAP, WHOLE, EINVAL },
	{ "too_small", 0, MOUNT_ATTR_NODEV, 0, WHOLE - 1, EINVAL },
	{ "empty", 0, MOUNT_ATTR_NODEV, 0, 0, EINVAL },
	{ "larger_with_zeros", 0, MOUNT_ATTR_NODEV, 0, WHOLE + 8, 0 },
	{ "larger_than_a_page", 0, MOUNT_ATTR_NODEV, 0, 8192, E2BIG },
};

TEST_EACH(wrongs, mnt, mount_setattr_checks_its_arguments,
	  .says = "mount_setattr refuses unknown bits, bad combinations and wrong sizes",
	  .checks = "mnt-013", .needs = SETATTR_NEEDS)
{
	static union {
		struct mount_attr attr;
		char bytes[8192];
	} big;

	tree();
	big.attr = (struct mount_attr){ .attr_set = row->set, .attr_clr = row->clear };
	errno = 0;
	EXPECT_EQ(row->want ? -1 : 0,
		  mount_setattr(AT_FDCWD, "tree", row->flags, &big.attr, row->size));
	EXPECT_EQ(row->want, errno);
	EXPECT_EQ(!row->want && row->set, shows("tree", ST_NODEV));
}

TEST(mnt, mount_setattr_looks_at_the_tail,
     .says = "a larger struct whose unknown tail is not zero is refused with E2BIG",
     .checks = "mnt-013", .needs = SETATTR_NEEDS)
{
	struct {
		struct mount_attr known;
		uint64_t unknown;
	} larger = { .known.attr_set = MOUNT_ATTR_NODEV, .unknown = 1 };

	tree();
	EXPECT_ERRNO(E2BIG, mount_setattr(AT_FDCWD, "tree", 0, &larger.known, sizeof(larger)));
	EXPECT(!shows("tree", ST_NODEV));
	larger.unknown = 0;
	EXPECT_OK(mount_setattr(AT_FDCWD, "tree", 0, &larger.known, sizeof(larger)));
	EXPECT(shows("tree", ST_NODEV));
	EXPECT_ERRNO(EFAULT, mount_setattr(AT_FDCWD, "tree", 0, (struct mount_attr *)-1L, WHOLE));
}

TEST(mnt, mount_setattr_wants_a_mount,
     .says = "mount_setattr on a directory that is no mount point fails with EINVAL",
     .checks = "mnt-015", .needs = SETATTR_NEEDS)
{
	tree();
	must_mkdir("tree/plain");
	EXPECT_ERRNO(EINVAL, set_attributes("tree/plain", 0, MOUNT_ATTR_NODEV, 0));
	EXPECT_ERRNO(ENOENT, set_attributes("tree/missing", 0, MOUNT_ATTR_NODEV, 0));
	EXPECT_OK(set_attributes("tree", 0, MOUNT_ATTR_NODEV, 0));
}

TEST(mnt, mount_setattr_needs_the_right,
     .says = "mount_setattr without CAP_SYS_ADMIN fails with EPERM", .checks = "mnt-015",
     .needs = SETATTR_NEEDS)
{
	tree();
	MUST(chmod(".", 0755));
	AS_NOBODY { EXPECT_ERRNO(EPERM, set_attributes("tree", 0, MOUNT_ATTR_NODEV, 0)); }
	EXPECT_OK(set_attributes("tree", 0, MOUNT_ATTR_NODEV, 0));
}

TEST(mnt, mount_of_another_namespace_is_not_changed,
     .says = "mount_setattr on a mount of another mount namespace fails with EINVAL",
     .checks = "mnt-015", .needs = SETATTR_NEEDS)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV };
	_fd_ int foreign = -EBADF, alive = -EBADF;

	tree();
	foreign = MUST(open("tree", O_PATH | O_CLOEXEC));
	alive = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	must_unshare(CLONE_NEWNS);
	EXPECT_ERRNO(EINVAL, mount_setattr(foreign, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	EXPECT_OK(set_attributes(full("tree"), 0, MOUNT_ATTR_NODEV, 0));
}

TEST_EACH(attributes, mnt, locked_attribute_is_not_cleared,
	  .says = "in a less privileged namespace an attribute that came with the mount stays "
		  "(EPERM)",
	  .finding = "the container took away an attribute that the host had set",
	  .checks = "mnt-023 mnt-015", .needs = SETATTR_NEEDS | NEED(userns))
{
	uint64_t clear = row->clear ? row->clear : row->set;

	tree();
	MUST(set_attributes("tree", 0, row->set, row->clear));

	CONTAINER(.unshare = CLONE_NEWUSER | CLONE_NEWNS);

	IN_CONTAINER {
		EXPECT_ERRNO(EPERM, set_attributes("tree", 0, 0, clear));
		EXPECT(shows("tree", row->flag));
		EXPECT_OK(set_attributes("tree", 0, row->set, row->clear));
		EXPECT_ERRNO(EPERM, set_attributes("tree", AT_RECURSIVE, 0, clear));
	}
	ON_HOST { EXPECT_OK(set_attributes("tree", 0, 0, clear)); }
}

TEST(mnt, nosymfollow_is_an_attribute,
     .says = "MOUNT_ATTR_NOSYMFOLLOW makes paths through symlinks fail with ELOOP",
     .checks = "mnt-010 mnt-022", .needs = SETATTR_NEEDS | NEED(set_group))
{
	tree();
	MUST(symlink("sub", "tree/link"));
	EXPECT_OK(access("tree/link", F_OK));
	ASSERT_OK(set_attributes("tree", 0, MOUNT_ATTR_NOSYMFOLLOW, 0));
	EXPECT_ERRNO(ELOOP, access("tree/link", F_OK));
	EXPECT_OK(access("tree/sub", F_OK));
}

TEST(mnt, open_tree_attr_clones_with_attributes,
     .says = "open_tree_attr gives a copy with the attributes, and leaves the original",
     .checks = "mnt-011", .needs = SETATTR_NEEDS | NEED(open_tree_attr))
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	_fd_ int copy = -EBADF;

	tree();
	must_mkdir("view");
	copy = ASSERT_OK(syscall(SYS_open_tree_attr, -1, full("tree"),
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE, &attr,
				 sizeof(attr)));
	ASSERT_OK(move_mount(copy, "", -1, full("view"), MOVE_MOUNT_F_EMPTY_PATH));
	EXPECT(shows("view", ST_RDONLY));
	EXPECT(shows("view/sub", ST_NODEV));
	EXPECT(!shows("tree", ST_RDONLY));
	EXPECT(!shows("tree/sub", ST_NODEV));
}

enum { SEEN_ONE = ST_NOSUID | ST_NODEV, SEEN_OTHER = ST_NOEXEC | ST_NODIRATIME };

/* A process that sets one lot of attributes and clears the other, without end. */
static pid_t must_insist_on(uint64_t set, uint64_t clear)
{
	pid_t pid = must_fork();

	if (pid)
		return pid;
	for (;;) MUST(set_attributes("tree", 0, set, clear));
}

static unsigned long seen(void)
{
	return flags_of("tree") & (SEEN_ONE | SEEN_OTHER);
}

static bool is_whole(unsigned long flags)
{
	return flags == SEEN_ONE || flags == SEEN_OTHER;
}

TEST(mnt, concurrent_changes_do_not_mix,
     .says = "of two callers at a time one is whole after the other: no state is half of each",
     .checks = "mnt-016", .needs = SETATTR_NEEDS)
{
	enum {
		ONE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		OTHER = MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME
	};
	unsigned long now = SEEN_ONE, before;
	pid_t writers[2];
	int turns = 0;

	tree();
	MUST(set_attributes("tree", 0, ONE, 0));
	writers[0] = must_insist_on(ONE, OTHER);
	writers[1] = must_insist_on(OTHER, ONE);
	/* Both have had their turns, however few processors there are. */
	while (turns < 40 && is_whole(now)) {
		before = now;
		now = seen();
		turns += now != before;
	}
	EXPECT(is_whole(now));
	EXPECT(!is_whole(SEEN_ONE | SEEN_OTHER));
	for (int i = 0; i < 2; i++) {
		MUST(kill(writers[i], SIGKILL));
		EXPECT_SIGNAL(SIGKILL, must_wait(writers[i]));
	}
	EXPECT(is_whole(seen()));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Namespaces by number: their 64-bit ids, file handles, and the list of them, listns(2). */
#include <sys/ioctl.h>

#include "types.h"

ROWS(types, struct ns_type) = { ALL_NS_TYPES };

#define ID_NEEDS TYPE_NEEDS | NEED(listns)

static uint64_t id_of(int ns)
{
	uint64_t id = 0;

	MUST(ioctl(ns, NS_GET_ID, &id));
	return id;
}

TEST_EACH(types, nsfs, an_id_is_one_namespaces,
	  .says = "a namespace has an id that stays the same and that no other namespace has",
	  .checks = "nsfs-12", .needs = ID_NEEDS)
{
	pid_t member = must_settle(row->flag), other = must_settle(row->flag);
	_fd_ int one = open_ns(member, row->label), again = open_ns(member, row->label);
	_fd_ int two = open_ns(other, row->label), own = open_ns(0, row->label);

	EXPECT_NE(0, id_of(one));
	EXPECT_EQ(id_of(one), id_of(again));
	EXPECT_NE(id_of(one), id_of(two));
	EXPECT_NE(id_of(one), id_of(own));
	must_evict(member);
	EXPECT_EQ(id_of(one), id_of(again));
	must_evict(other);
}

union file {
	struct file_handle handle;
	char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static void must_name(int ns, union file *file)
{
	int mount_id;

	*file = (union file){ .handle.handle_bytes = MAX_HANDLE_SZ };
	MUST(name_to_handle_at(ns, "", &file->handle, &mount_id, AT_EMPTY_PATH));
}

static int open_named(union file *file, int flags)
{
	return open_by_handle_at(FD_NSFS_ROOT, &file->handle, flags | O_CLOEXEC);
}

TEST_EACH(types, nsfs, a_handle_leads_back,
	  .says = "a namespace's file handle opens the namespace while that is in use, then ESTALE",
	  .checks = "nsfs-13 nsfs-14", .needs = ID_NEEDS)
{
	pid_t member = must_settle(row->flag);
	int held = open_ns(member, row->label);
	union file file;

	must_name(held, &file);
	{
		_fd_ int again = ASSERT_OK(open_named(&file, O_RDONLY));

		EXPECT_EQ(inode(held), inode(again));
		EXPECT_EQ(row->flag, ioctl(again, NS_GET_NSTYPE));
		EXPECT_ERRNO(EPERM, open_named(&file, O_RDWR));
	}
	must_evict(member);
	{
		_fd_ int again = ASSERT_OK(open_named(&file, O_RDONLY));

		EXPECT_EQ(inode(held), inode(again));
	}
	close(held);
	/* Some kinds are freed a little later. */
	for (;;) {
		_fd_ int again = open_named(&file, O_RDONLY);

		if (again < 0)
			break;
		let_kernel_catch_up();
	}
	EXPECT_EQ(ESTALE, errno);
}

TEST_EACH(types, nsfs, a_handle_of_a_stranger_does_not_open,
	  .says = "from another user namespace the handle of a namespace outside opens nothing",
	  .finding = "a container opened a namespace of the host by its handle",
	  .checks = "nsfs-13", .needs = ID_NEEDS)
{
	pid_t member = must_settle(row->flag);
	_fd_ int held = open_ns(member, row->label), again = -EBADF;
	union file file;

	must_name(held, &file);
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(ESTALE, open_named(&file, O_RDONLY)); }
	again = EXPECT_OK(open_named(&file, O_RDONLY));
	must_evict(member);
}

enum { MANY = 64 }; /* ids asked for at once */

/* The ids of that type, owned by that user namespace (0 = whatever owns them), after `last`. */
static long list(uint32_t type, uint64_t owner, uint64_t last, uint64_t *ids, size_t count)
{
	struct ns_id_req request = {
		.size = sizeof(request), .ns_id = last, .ns_type = type, .user_ns_id = owner
	};

	return syscall(SYS_listns, &request, ids, count, 0);
}

static bool is_listed(uint32_t type, uint64_t owner, uint64_t id)
{
	uint64_t ids[MANY], last = 0;
	long count;

	while ((count = list(type, owner, last, ids, MANY)) > 0) {
		for (long i = 0; i < count; i++)
			if (ids[i] == id)
				return true;
		last = ids[count - 1];
	}
	/* Behind the last id there is none to begin with, and there may be none at all. */
	MUST_HOLD(!count || errno == ENOENT);
	return false;
}

TEST_EACH(types, nsfs, what_is_in_use_is_listed,
	  .says = "listns lists a namespace under its type while it is in use, then no more",
	  .checks = "nsfs-16 nsfs-14", .needs = ID_NEEDS)
{
	const uint32_t other = row->flag == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS;
	pid_t member = must_settle(row->flag);
	int held = open_ns(member, row->label);
	uint64_t id = id_of(held);

	EXPECT(is_listed(row->flag, 0, id));
	EXPECT(is_listed(0, 0, id));
	EXPECT(is_listed(row->flag | other, 0, id));
	EXPECT(!is_listed(other, 0, id));
	must_evict(member);
	EXPECT(is_listed(row->flag, 0, id));
	close(held);
	while (is_listed(row->flag, 0, id)) let_kernel_catch_up();
	EXPECT(!is_listed(0, 0, id));
}

TEST_EACH(types, nsfs, an_owner_has_its_own_list,
	  .says = "listns by owner lists what that user namespace owns, and nothing else",
	  .checks = "nsfs-16", .needs = ID_NEEDS)
{
	pid_t owner = must_settle(CLONE_NEWUSER | row->flag), member = must_settle(row->flag);
	_fd_ int userns = open_ns(owner, "user"), theirs = open_ns(owner, row->label);
	_fd_ int ours = open_ns(member, row->label), own = open_ns(0, "user");

	if (row->flag != CLONE_NEWUSER) {
		EXPECT(is_listed(row->flag, id_of(userns), id_of(theirs)));
		EXPECT(!is_listed(row->flag, id_of(own), id_of(theirs)));
	}
	EXPECT(is_listed(row->flag, id_of(own), id_of(ours)));
	EXPECT(!is_listed(row->flag, id_of(userns), id_of(ours)));
	must_evict(owner);
	must_evict(member);
}

TEST_EACH(types, nsfs, a_container_lists_its_own_only,
	  .says = "listns in a user namespace lists what the caller is in, and none of what is "
		  "outside",
	  .finding = "a container lists the host's namespaces", .checks = "nsfs-17",
	  .needs = ID_NEEDS)
{
	pid_t member = must_settle(row->flag), owner = must_settle(row->flag | CLONE_NEWUSER);
	_fd_ int ours = open_ns(member, row->label), theirs = open_ns(owner, row->label);
	_fd_ int userns = open_ns(owner, "user");

	IN_FORK {
		MUST(setns(userns, CLONE_NEWUSER));
		if (row->flag != CLONE_NEWUSER)
			MUST(setns(theirs, (int)row->flag));
		/* A child, because a PID namespace is entered by birth. */
		IN_FORK {
			EXPECT(is_listed(row->flag, 0, id_of(theirs)));
			EXPECT(!is_listed(row->flag, 0, id_of(ours)));
			EXPECT(!is_listed(0, 0, id_of(ours)));
		}
	}
	must_evict(owner);
	must_evict(member);
}

TEST(nsfs, a_list_goes_on_where_it_ended,
     .says = "listns lists each namespace once, in order of ids, however few are asked for at once",
     .checks = "nsfs-16", .needs = ID_NEEDS)
{
	uint64_t last = 0, mine[3], ids[2];
	pid_t members[3];
	int seen = 0;
	long count;

	for (int i = 0; i < 3; i++) {
		members[i] = must_settle(CLONE_NEWUTS);
		_fd_ int ns = open_ns(members[i], "uts");
		mine[i] = id_of(ns);
	}
	while ((count = list(CLONE_NEWUTS, 0, last, ids, 2)) > 0)
		for (long i = 0; i < count; i++) {
			ASSERT_LT(last, ids[i]);
			last = ids[i];
			for (int m = 0; m < 3; m++) seen += ids[i] == mine[m];
		}
	/* Behind the last id there is none to begin with. */
	EXPECT_EQ(-1, count);
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(3, seen);
	for (int i = 0; i < 3; i++) must_evict(members[i]);
}

TEST(nsfs, a_wrong_list_is_refused,
     .says = "listns refuses a size, spare fields, flags and a buffer that cannot be right",
     .checks = "nsfs-16", .needs = ID_NEEDS)
{
	struct ns_id_req request = { .size = sizeof(request) };
	uint64_t ids[4];

	EXPECT_OK(syscall(SYS_listns, &request, ids, 4, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_listns, &request, ids, 4, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_listns, NULL, ids, 4, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_listns, &request, NULL, 4, 0));
	EXPECT_ERRNO(EOVERFLOW, syscall(SYS_listns, &request, ids, 1000001, 0));
	request.spare = 1;
	EXPECT_ERRNO(EINVAL, syscall(SYS_listns, &request, ids, 4, 0));
	request = (struct ns_id_req){ .size = sizeof(request) - 1 };
	EXPECT_ERRNO(EINVAL, syscall(SYS_listns, &request, ids, 4, 0));
	request.size = 0;
	EXPECT_ERRNO(EINVAL, syscall(SYS_listns, &request, ids, 4, 0));
	request = (struct ns_id_req){ .size = sizeof(request), .ns_type = CLONE_VM };
	EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_listns, &request, ids, 4, 0));
}

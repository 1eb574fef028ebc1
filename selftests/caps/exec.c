// SPDX-License-Identifier: GPL-2.0-or-later
/* What execve(2) makes of capabilities: capabilities(7), "Transformation of capabilities". */
#include "../harness/selftest.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/xattr.h>

#define EXEC_NEEDS NEED(root) | NEED(mntns) | NEED(new_privs)

#define BIT(cap) (UINT64_C(1) << (cap))
#define RAW      BIT(CAP_NET_RAW)
#define CHOWN    BIT(CAP_CHOWN)
#define KILL     BIT(CAP_KILL)
#define BOUNDING (~UINT64_C(0)) /* all that the bounding set has */

/* Permitted, and in effect at once. */
#define GRANTED(caps)                                                                              \
	{                                                                                          \
		.permitted = (caps), .effective = (caps)                                           \
	}

/* Someone who owns nothing, and the owner of a set-user-ID program. */
enum { USER = 4242, OWNER = 4243 };

/* The capabilities that a program file gives, and the other things that decide. */
struct change {
	const char *label;
	unsigned uid; /* of who executes */
	unsigned long securebits;
	bool no_new_privs;
	bool poor;          /* has no capability before */
	uint64_t unbounded; /* not in the bounding set */
	uint64_t inheritable, ambient;
	bool set_user_id; /* the program is OWNER's */
	uint64_t file_permitted, file_inheritable;
	bool file_effective;
	struct {
		uint64_t permitted, effective, inheritable, ambient;
	} then;
};

/* A capability set of a process, 0: ours. */
static uint64_t caps_of(const char *set, pid_t pid)
{
	return strtoull(status_field(set, pid), NULL, 16);
}

/* This program under the name "program", with what @row says of the file. */
static void make_program(const struct change *row)
{
	const struct vfs_cap_data data = {
		.magic_etc =
			VFS_CAP_REVISION_2 | (row->file_effective ? VFS_CAP_FLAGS_EFFECTIVE : 0),
		.data = { { (uint32_t)row->file_permitted, (uint32_t)row->file_inheritable } },
	};

	MUST(chmod(".", 0755));
	must_copy_self("program", 0755);
	if (row->set_user_id) { /* chown(2) takes the bit away */
		MUST(chown("program", OWNER, OWNER));
		MUST(chmod("program", 04755));
	}
	if (row->file_permitted | row->file_inheritable)
		MUST(setxattr("program", "security.capability", &data, XATTR_CAPS_SZ_2, 0));
}

static void drop_all(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 } };

	MUST(syscall(SYS_capset, &head, none));
}

/*
 * Permitted stays full when the uid changes, but for the poor, so that what is missing later
 * went by execve.
 */
static void become(const struct change *row)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int cap = 0; cap < 64; cap++)
		if (row->unbounded & BIT(cap))
			MUST(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	MUST(syscall(SYS_capget, &head, data));
	data[0].inheritable = (uint32_t)row->inheritable;
	MUST(syscall(SYS_capset, &head, data));
	for (int cap = 0; cap < 64; cap++)
		if (row->ambient & BIT(cap))
			MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
	MUST(prctl(PR_SET_SECUREBITS, row->securebits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0));
	if (row->no_new_privs)
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(setresgid(row->uid, row->uid, row->uid));
	MUST(setresuid(row->uid, row->uid, row->uid));
	if (row->poor)
		drop_all();
}

/* A process that executes the program. It speaks when execve is over, or ends with its errno. */
static pid_t execute(const struct change *row, int *output)
{
	int ends[2];
	pid_t pid;

	must_pipe(ends);
	pid = must_fork();
	if (!pid) {
		become(row);
		MUST(dup2(ends[1], 1));
		execl("./program", "program", "--list", NULL);
		_exit(errno);
	}
	close(ends[1]);
	*output = ends[0];
	return pid;
}

static bool speaks(int output)
{
	char byte;

	return MUST(read(output, &byte, 1)) == 1;
}

ROWS(changes, struct change) = {
	{ "root", .then = GRANTED(BOUNDING) },
	{ "root_with_noroot", .securebits = SECBIT_NOROOT },
	{ "root_with_less_bounding", .unbounded = RAW, .then = GRANTED(BOUNDING & ~RAW) },
	{ "user", .uid = USER },
	{ "inheritable", .uid = USER, .inheritable = RAW, .then = { .inheritable = RAW } },
	{ "ambient", .uid = USER, .inheritable = RAW | KILL, .ambient = RAW,
	  .then = { .permitted = RAW,
		    .effective = RAW,
		    .inheritable = RAW | KILL,
		    .ambient = RAW } },
	{ "file_permitted", .uid = USER, .file_permitted = RAW, .then = { .permitted = RAW } },
	{ "file_effective", .uid = USER, .file_permitted = RAW, .file_effective = true,
	  .then = GRANTED(RAW) },
	{ "file_beyond_bounding", .uid = USER, .unbounded = RAW, .file_permitted = RAW | CHOWN,
	  .then = { .permitted = CHOWN } },
	{ "file_inheritable", .uid = USER, .inheritable = RAW | KILL,
	  .file_inheritable = RAW | CHOWN,
	  .then = { .permitted = RAW, .inheritable = RAW | KILL } },
	{ "file_and_ambient", .uid = USER, .inheritable = RAW, .ambient = RAW,
	  .file_permitted = CHOWN, .then = { .permitted = CHOWN, .inheritable = RAW } },
	{ "set_user_id_and_ambient", .uid = USER, .inheritable = RAW, .ambient = RAW,
	  .set_user_id = true, .then = { .inheritable = RAW } },
	{ "file_for_the_poor", .uid = USER, .poor = true, .file_permitted = RAW,
	  .file_effective = true, .then = GRANTED(RAW) },
	{ "file_for_the_poor_with_no_new_privs", .uid = USER, .poor = true, .no_new_privs = true,
	  .file_permitted = RAW, .file_effective = true },
};

TEST_EACH(changes, caps, execve_leaves_what_the_rules_say,
	  .says = "permitted, effective, inheritable and ambient sets after execve are those that "
		  "capabilities(7) computes",
	  .finding = "execve leaves or gives a process other capabilities than it must",
	  .checks = "caps-01 caps-02", .needs = EXEC_NEEDS)
{
	uint64_t all = caps_of("CapBnd", 0);
	_fd_ int output = -EBADF;
	pid_t pid;

	own_stage();
	make_program(row);
	pid = execute(row, &output);
	ASSERT(speaks(output));
	EXPECT_EQ(row->then.permitted & all, caps_of("CapPrm", pid));
	EXPECT_EQ(row->then.effective & all, caps_of("CapEff", pid));
	EXPECT_EQ(row->then.inheritable, caps_of("CapInh", pid));
	EXPECT_EQ(row->then.ambient, caps_of("CapAmb", pid));
	EXPECT_EXIT(0, must_wait(pid));
}

TEST(caps, program_that_must_have_a_capability_starts_with_it_only,
     .says = "a file whose effective bit is set does not start where the bounding set lacks what "
	     "it gives, and does where it has it",
     .checks = "caps-01", .needs = EXEC_NEEDS)
{
	const struct change without = {
		.uid = USER, .file_permitted = RAW | CHOWN, .file_effective = true, .unbounded = RAW
	};
	struct change with = without;
	_fd_ int first = -EBADF, second = -EBADF;
	pid_t pid;

	own_stage();
	make_program(&without);
	pid = execute(&without, &first);
	EXPECT(!speaks(first));
	EXPECT_EXIT(EPERM, must_wait(pid));
	with.unbounded = KILL;
	pid = execute(&with, &second);
	EXPECT(speaks(second));
	EXPECT_EXIT(0, must_wait(pid));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The default seccomp filter: what it answers, call by call, for both architectures (run by
 * an interpreter), and what the running kernel then does (installed in a process of its own).
 */
#include <check.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cbpf.h"
#include "../names.h"
#include "../seccomp.h"
#include "../seccomp_mark.h"
#include "filter_aarch64.h"
#include "filter_x86_64.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define ALLOW   SECCOMP_RET_ALLOW
#define KILL    SECCOMP_RET_KILL_PROCESS
#define EPERM_  (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_ (SECCOMP_RET_ERRNO | ENOSYS)

#define CAP(c)  (1ULL << (c))
#define GARBAGE 0xabcd000000000000ULL
#define NONE    (-1) /* the architecture has no such call */

struct table {
	uint32_t arch;
	const struct sock_filter *in;
	size_t count;
	const struct sock_filter *in_default_caps; /* the same, for the default capabilities */
	size_t count_default_caps;
};

static const struct table x86_64 = { AUDIT_ARCH_X86_64, filter_x86_64, ARRAY_SIZE(filter_x86_64),
				     filter_x86_64_default_caps,
				     ARRAY_SIZE(filter_x86_64_default_caps) };
static const struct table aarch64 = { AUDIT_ARCH_AARCH64, filter_aarch64,
				      ARRAY_SIZE(filter_aarch64), filter_aarch64_default_caps,
				      ARRAY_SIZE(filter_aarch64_default_caps) };

/* The verdict of TABLE, resolved for CAPS, on a call with two arguments. */
static uint32_t verdict(const struct table *table, uint64_t caps, uint32_t arch, int nr,
			uint64_t arg0, uint64_t arg1)
{
	static struct sock_filter out[SECCOMP_FILTER_ROOM];
	struct seccomp_data data = { .nr = nr, .arch = arch, .args = { arg0, arg1, arg1 } };
	int count = seccomp_resolve_filter(table->in, table->count, caps, out, ARRAY_SIZE(out));

	ck_assert_int_gt(count, 0);
	return cbpf_run(out, (size_t)count, &data);
}

/* Numbers are written out: taken from the generator's source they would prove nothing. */
static const struct fact {
	const char *call;
	int x86_64;
	int aarch64;
	uint64_t arg0;
	uint64_t arg1; /* and the one after it */
	uint64_t caps;
	uint32_t want;
} facts[] = {
	{ "read", 0, 63, 0, 0, 0, ALLOW },
	{ "openat", 257, 56, 0, 0, 0, ALLOW },
	{ "execve", 59, 221, 0, 0, 0, ALLOW },
	{ "exit_group", 231, 94, 0, 0, 0, ALLOW },
	{ "futex_requeue (6.7)", 456, 456, 0, 0, 0, ALLOW },
	{ "arch_prctl", 158, NONE, 0, 0, 0, ALLOW },

	{ "mount", 165, 40, 0, 0, 0, EPERM_ },
	{ "mount with all but its capability", 165, 40, 0, 0, ~CAP(CAP_SYS_ADMIN), EPERM_ },
	{ "mount with its capability", 165, 40, 0, 0, CAP(CAP_SYS_ADMIN), ALLOW },
	{ "umount2", 166, 39, 0, 0, 0, EPERM_ },
	{ "open_tree", 428, 428, 0, 0, 0, EPERM_ },
	{ "move_mount", 429, 429, 0, 0, 0, EPERM_ },
	{ "fsopen", 430, 430, 0, 0, 0, EPERM_ },
	{ "fsconfig", 431, 431, 0, 0, 0, EPERM_ },
	{ "fsmount", 432, 432, 0, 0, 0, EPERM_ },
	{ "fspick", 433, 433, 0, 0, 0, EPERM_ },
	{ "mount_setattr", 442, 442, 0, 0, 0, EPERM_ },
	{ "pivot_root, even so", 155, 41, 0, 0, ~0ULL, EPERM_ },
	{ "setns", 308, 268, 0, 0, 0, EPERM_ },
	{ "setns with its capability", 308, 268, 0, 0, CAP(CAP_SYS_ADMIN), ALLOW },
	{ "unshare", 272, 97, CLONE_NEWUSER, 0, 0, EPERM_ },
	{ "sethostname", 170, 161, 0, 0, 0, EPERM_ },

	{ "clone of a process", 56, 220, SIGCHLD, 0, 0, ALLOW },
	{ "clone of a thread", 56, 220, CLONE_VM | CLONE_FS | CLONE_THREAD, 0, 0, ALLOW },
	{ "clone, user namespace", 56, 220, CLONE_NEWUSER | SIGCHLD, 0, 0, EPERM_ },
	{ "clone, mnt namespace", 56, 220, CLONE_NEWNS, 0, 0, EPERM_ },
	{ "clone, pid namespace", 56, 220, CLONE_NEWPID, 0, 0, EPERM_ },
	{ "clone, net namespace", 56, 220, CLONE_NEWNET, 0, 0, EPERM_ },
	{ "clone, ipc namespace", 56, 220, CLONE_NEWIPC, 0, 0, EPERM_ },
	{ "clone, uts namespace", 56, 220, CLONE_NEWUTS, 0, 0, EPERM_ },
	{ "clone, cgroup namespace", 56, 220, 0x02000000, 0, 0, EPERM_ },
	{ "clone, garbage above", 56, 220, GARBAGE | CLONE_NEWUSER, 0, 0, EPERM_ },
	{ "clone, capable", 56, 220, CLONE_NEWUSER, 0, CAP(CAP_SYS_ADMIN), ALLOW },
	{ "clone3", 435, 435, 0, 0, 0, ENOSYS_ },
	{ "clone3, capable", 435, 435, 0, 0, CAP(CAP_SYS_ADMIN), ALLOW },

	{ "personality, query", 135, 92, 0xffffffff, 0, 0, ALLOW },
	{ "personality, query, sign-extended", 135, 92, ~0ULL, 0, 0, ALLOW },
	{ "personality linux32", 135, 92, 8, 0, 0, ALLOW },
	{ "personality without randomisation", 135, 92, 0x0040000, 0, ~0ULL, EPERM_ },

	{ "socket inet", 41, 198, AF_INET, 0, 0, ALLOW },
	{ "socket unix", 41, 198, AF_UNIX, 0, 0, ALLOW },
	{ "socket vsock", 41, 198, AF_VSOCK, 0, ~0ULL, EPERM_ },
	{ "socket vsock, garbage above", 41, 198, GARBAGE | AF_VSOCK, 0, 0, EPERM_ },
	{ "socket alg", 41, 198, AF_ALG, 0, 0, EPERM_ },

	{ "ioctl TCGETS", 16, 29, 0, TCGETS, 0, ALLOW },
	{ "ioctl, sign-extended", 16, 29, 0, 0xffffffff80045430ULL, 0, ALLOW },
	{ "ioctl TIOCSTI", 16, 29, 0, TIOCSTI, ~0ULL, EPERM_ },
	{ "ioctl TIOCSTI, garbage above", 16, 29, 0, GARBAGE | TIOCSTI, 0, EPERM_ },
	{ "ioctl TIOCSTI, one bit above", 16, 29, 0, 1ULL << 32 | TIOCSTI, 0, EPERM_ },
	{ "ioctl TIOCLINUX, garbage above", 16, 29, 0, GARBAGE | TIOCLINUX, 0, EPERM_ },

	{ "mknod, file", 133, NONE, 0, 0600, 0, ALLOW },
	{ "mknod, fifo", 133, NONE, 0, S_IFIFO | 0600, 0, ALLOW },
	{ "mknod, character device", 133, NONE, 0, S_IFCHR | 0600, CAP(CAP_MKNOD), EPERM_ },
	{ "mknod, block device", 133, NONE, 0, S_IFBLK | 0600, CAP(CAP_MKNOD), EPERM_ },
	{ "mknodat, socket", 259, 33, 0, S_IFSOCK | 0600, 0, ALLOW },
	{ "mknodat, regular", 259, 33, 0, S_IFREG | 0600, 0, ALLOW },
	{ "mknodat, character device", 259, 33, 0, S_IFCHR | 0600, CAP(CAP_MKNOD), EPERM_ },
	{ "mknodat, block device", 259, 33, 0, S_IFBLK, CAP(CAP_MKNOD), EPERM_ },
	{ "mknodat, garbage above", 259, 33, 0, GARBAGE | S_IFBLK, 0, EPERM_ },
	{ "mknodat, capable", 259, 33, 0, S_IFBLK, CAP(CAP_SYS_ADMIN), ALLOW },

	{ "bpf", 321, 280, 0, 0, 0, EPERM_ },
	{ "bpf, CAP_BPF", 321, 280, 0, 0, CAP(CAP_BPF), ALLOW },
	{ "bpf, CAP_SYS_ADMIN", 321, 280, 0, 0, CAP(CAP_SYS_ADMIN), ALLOW },
	{ "perf_event_open", 298, 241, 0, 0, CAP(CAP_BPF), EPERM_ },
	{ "perf_event_open, CAP_PERFMON", 298, 241, 0, 0, CAP(CAP_PERFMON), ALLOW },
	{ "syslog, CAP_SYSLOG", 103, 116, 0, 0, CAP(CAP_SYSLOG), ALLOW },
	{ "open_by_handle_at", 304, 265, 0, 0, 0, EPERM_ },
	{ "open_by_handle_at, capable", 304, 265, 0, 0, CAP(CAP_DAC_READ_SEARCH), ALLOW },
	{ "chroot", 161, 51, 0, 0, 0, EPERM_ },
	{ "chroot, capable", 161, 51, 0, 0, CAP(CAP_SYS_CHROOT), ALLOW },
	{ "init_module", 175, 105, 0, 0, CAP(CAP_SYS_ADMIN), EPERM_ },
	{ "init_module, capable", 175, 105, 0, 0, CAP(CAP_SYS_MODULE), ALLOW },
	{ "finit_module", 313, 273, 0, 0, 0, EPERM_ },
	{ "delete_module", 176, 106, 0, 0, 0, EPERM_ },
	{ "reboot", 169, 142, 0, 0, 0, EPERM_ },
	{ "settimeofday", 164, 170, 0, 0, 0, EPERM_ },
	{ "clock_settime, capable", 227, 112, 0, 0, CAP(CAP_SYS_TIME), ALLOW },
	{ "iopl", 172, NONE, 0, 0, 0, EPERM_ },
	{ "iopl, capable", 172, NONE, 0, 0, CAP(CAP_SYS_RAWIO), ALLOW },
	{ "pidfd_getfd", 438, 438, 0, 0, 0, EPERM_ },
	{ "process_madvise, capable", 440, 440, 0, 0, CAP(CAP_SYS_PTRACE), ALLOW },

	{ "keyctl", 250, 219, 0, 0, ~0ULL, EPERM_ },
	{ "add_key", 248, 217, 0, 0, ~0ULL, EPERM_ },
	{ "request_key", 249, 218, 0, 0, ~0ULL, EPERM_ },
	{ "io_uring_setup", 425, 425, 0, 0, ~0ULL, EPERM_ },
	{ "io_uring_enter", 426, 426, 0, 0, ~0ULL, EPERM_ },
	{ "io_uring_register", 427, 427, 0, 0, ~0ULL, EPERM_ },
	{ "userfaultfd", 323, 282, 0, 0, ~0ULL, EPERM_ },
	{ "kexec_load", 246, 104, 0, 0, ~0ULL, EPERM_ },
	{ "kexec_file_load", 320, 294, 0, 0, ~0ULL, EPERM_ },
	{ "modify_ldt", 154, NONE, 0, 0, ~0ULL, EPERM_ },

	{ "a gap in the numbering", 400, 400, 0, 0, ~0ULL, ENOSYS_ },
	{ "the first call after the policy's", 457, 457, 0, 0, ~0ULL, ENOSYS_ },
	{ "a call of the far future", 1000, 1000, 0, 0, ~0ULL, ENOSYS_ },
	{ "an x32 getpid", 0x40000000 + 39, NONE, 0, 0, ~0ULL, KILL },
	{ "an x32 execve", 0x40000000 + 520, NONE, 0, 0, ~0ULL, KILL },
	{ "no x32 here", NONE, 0x40000000 + 39, 0, 0, ~0ULL, ENOSYS_ },
};

START_TEST(answers)
{
	const struct fact *f = &facts[_i];

	if (f->x86_64 != NONE)
		ck_assert_msg(verdict(&x86_64, f->caps, x86_64.arch, f->x86_64, f->arg0, f->arg1) ==
				      f->want,
			      "x86_64: %s", f->call);
	if (f->aarch64 != NONE)
		ck_assert_msg(verdict(&aarch64, f->caps, aarch64.arch, f->aarch64, f->arg0,
				      f->arg1) == f->want,
			      "aarch64: %s", f->call);
}
END_TEST

static void compare_for_default_caps(const struct table *t, int nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = nr, .arch = t->arch, .args = { arg0, arg1, arg1 } };

	ck_assert_msg(cbpf_run(t->in_default_caps, t->count_default_caps, &data) ==
			      verdict(t, default_caps, t->arch, nr, arg0, arg1),
		      "architecture %#x, call %d", t->arch, nr);
}

/* The two programs of an architecture are one filter; the second is there to be shorter. */
START_TEST(default_caps_have_a_program_of_their_own)
{
	const struct table *t = _i ? &aarch64 : &x86_64;

	ck_assert_uint_lt(t->count_default_caps, t->count);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		compare_for_default_caps(t, _i ? facts[i].aarch64 : facts[i].x86_64, facts[i].arg0,
					 facts[i].arg1);
	for (int nr = -1; nr < 600; nr++)
		compare_for_default_caps(t, nr, 0, 0);
}
END_TEST

static const struct {
	const struct table *table;
	uint32_t arch;
} foreign[] = {
	{ &x86_64, AUDIT_ARCH_I386 }, { &x86_64, AUDIT_ARCH_AARCH64 }, { &x86_64, 0 },
	{ &aarch64, AUDIT_ARCH_ARM }, { &aarch64, AUDIT_ARCH_X86_64 }, { &aarch64, ~0U },
};

START_TEST(kills_other_architectures)
{
	for (int nr = -1; nr < 500; nr++)
		ck_assert_uint_eq(verdict(foreign[_i].table, ~0ULL, foreign[_i].arch, nr, 0, 0),
				  KILL);
}
END_TEST

static struct sock_filter room[SECCOMP_FILTER_ROOM];

START_TEST(leaves_no_marker)
{
	static const uint64_t caps[] = { 0, ~0ULL, CAP(CAP_SYS_ADMIN), CAP(CAP_KILL) };
	size_t count = 0;
	const struct sock_filter *out = seccomp_default_filter(_i < 4 ? caps[_i] : default_caps,
							       room, ARRAY_SIZE(room), &count);
	int markers = 0;

	for (size_t i = 0; i < ARRAY_SIZE(filter_x86_64); i++)
		markers += BPF_CLASS(filter_x86_64[i].code) == BPF_RET &&
			   IS_MARKED(filter_x86_64[i].k);
	ck_assert_int_gt(markers, 0);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++)
		if (BPF_CLASS(out[i].code) == BPF_RET)
			ck_assert(!IS_MARKED(out[i].k));
}
END_TEST

START_TEST(wants_room)
{
	size_t count = 0, again;

	ck_assert_ptr_eq(seccomp_default_filter(0, room, ARRAY_SIZE(room), &count), room);
	ck_assert_uint_gt(count, 0);
	ck_assert_ptr_eq(seccomp_default_filter(0, room, count, &again), room);
	ck_assert_uint_eq(again, count);
	ck_assert_ptr_null(seccomp_default_filter(0, room, count - 1, &again));
	ck_assert_ptr_null(seccomp_default_filter(0, room, 0, &again));
}
END_TEST

/* Files of SIZE bytes, read with room for three instructions. */
static const struct {
	size_t size;
	int want;
} files[] = {
	{ 0, -EINVAL }, { 1, -EINVAL }, { 8, 1 },        { 12, -EINVAL },
	{ 16, 2 },      { 24, 3 },      { 25, -EINVAL }, { 32, -EINVAL },
};

START_TEST(reads_a_filter)
{
	static const char bytes[64] = "0123456789abcdef0123456789ABCDEF";
	struct sock_filter out[4] = { { 0 } };
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, files[_i].size, file), files[_i].size);
	rewind(file);
	ck_assert_int_eq(seccomp_read_filter(fileno(file), out, 3), files[_i].want);
	if (files[_i].want > 0)
		ck_assert_mem_eq(out, bytes, files[_i].size);
	ck_assert_uint_eq(out[3].k, 0);
	fclose(file);
}
END_TEST

START_TEST(reads_a_pipe_in_pieces)
{
	struct sock_filter out[4];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (fork() == 0) {
		for (int i = 0; i < 16; i++)
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_eq(seccomp_read_filter(ends[0], out, 4), 2);
	close(ends[0]);
	wait(NULL);
}
END_TEST

START_TEST(reports_a_read_error)
{
	struct sock_filter out[4];

	ck_assert_int_eq(seccomp_read_filter(-1, out, 4), -EBADF);
}
END_TEST

/* --- On the running kernel --- */

static void install(uint64_t caps)
{
	size_t count = 0;
	struct sock_fprog prog;

	prog.filter =
		(struct sock_filter *)seccomp_default_filter(caps, room, ARRAY_SIZE(room), &count);
	prog.len = (unsigned short)count;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		_exit(99);
}

/* Arguments that the kernel itself answers with another errno: these are the filter's. */
static const struct {
	const char *call;
	long nr;
	long arg0;
	long arg1;
	int want;
} live[] = {
	{ "getppid", SYS_getppid, 0, 0, 0 },
	{ "ioctl, bad descriptor", SYS_ioctl, -1, TCGETS, EBADF },
	{ "ioctl TIOCSTI", SYS_ioctl, -1, TIOCSTI, EPERM },
	{ "ioctl TIOCSTI, garbage above", SYS_ioctl, -1, 1L << 40 | TIOCSTI, EPERM },
	{ "keyctl, bad command", SYS_keyctl, -1, 0, EPERM },
	{ "mount of nothing", SYS_mount, 0, 0, EPERM },
	{ "unshare, no such flag", SYS_unshare, 1, 0, EPERM },
	{ "setns, bad descriptor", SYS_setns, -1, 0, EPERM },
	{ "clone3 of nothing", 435, 0, 0, ENOSYS },
	{ "io_uring_setup of nothing", 425, 0, 0, EPERM },
	{ "socket vsock, no such type", SYS_socket, AF_VSOCK, 99, EPERM },
};

START_TEST(kernel_obeys)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		install(0);
		errno = 0;
		syscall(live[_i].nr, live[_i].arg0, live[_i].arg1, 0, 0, 0);
		_exit(errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == live[_i].want, "%s: status %#x",
		      live[_i].call, (unsigned int)status);
}
END_TEST

START_TEST(kernel_runs_programs)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		install(0);
		execl("/bin/sh", "sh", "-c", "x=$(echo a | cat) && test \"$x\" = a", NULL);
		_exit(98);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

#if defined(__x86_64__)
static long through_int80(long nr)
{
	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory", "r8", "r9", "r10", "r11");
	return nr;
}

/*
 * getpid by the i386 entry (20; SIGSEGV where the kernel has no such entry) and by x32's
 * number: neither may return.
 */
START_TEST(kernel_kills_other_entries)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would make an exit of it */
		install(~0ULL);
		if (_i == 0)
			through_int80(20);
		else
			syscall(0x40000000 | 39);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert(WTERMSIG(status) == SIGSYS || (_i == 0 && WTERMSIG(status) == SIGSEGV));
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("seccomp");
	TCase *table = tcase_create("table"), *file = tcase_create("file");
	TCase *kernel = tcase_create("kernel");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(table, answers, 0, ARRAY_SIZE(facts));
	tcase_add_loop_test(table, kills_other_architectures, 0, ARRAY_SIZE(foreign));
	tcase_add_loop_test(table, default_caps_have_a_program_of_their_own, 0, 2);
	tcase_add_loop_test(table, leaves_no_marker, 0, 5);
	tcase_add_test(table, wants_room);
	tcase_add_loop_test(file, reads_a_filter, 0, ARRAY_SIZE(files));
	tcase_add_test(file, reads_a_pipe_in_pieces);
	tcase_add_test(file, reports_a_read_error);
	tcase_add_loop_test(kernel, kernel_obeys, 0, ARRAY_SIZE(live));
	tcase_add_test(kernel, kernel_runs_programs);
#if defined(__x86_64__)
	tcase_add_loop_test(kernel, kernel_kills_other_entries, 0, 2);
#endif
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, file);
	suite_add_tcase(suite, kernel);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

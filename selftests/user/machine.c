// SPDX-License-Identifier: GPL-2.0-or-later
/* What belongs to the whole machine: all capabilities of a user namespace do not reach it. */
#include "user.h"

#include <sys/fanotify.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/xattr.h>

/*
 * Each asks for what only the machine's root may have. Where that would change the machine the
 * request is a wrong one, by a name that is not there or a number out of range: the kernel
 * looks at the permission first.
 */
static long unload_module(void)
{
	return syscall(SYS_delete_module, "selftest-no-such-module", O_NONBLOCK);
}

static long load_module(void)
{
	return syscall(SYS_init_module, "", 1, "");
}

static long load_kernel(void)
{
	const unsigned long no_such_flag = 0x8000;

	return syscall(SYS_kexec_load, 0, 0, NULL, no_such_flag);
}

static long stop_swapping(void)
{
	return swapoff("/selftest-no-such-file");
}

static long keep_accounts(void)
{
	return syscall(SYS_acct, "/selftest-no-such-file");
}

static long reboot_without_magic(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long set_console_level(void)
{
	const int set_level = 8, no_such_level = 99;

	return klogctl(set_level, NULL, no_such_level);
}

static long set_clock(void)
{
	const struct timezone no_such_zone = { .tz_minuteswest = 10000 };

	return syscall(SYS_settimeofday, NULL, &no_such_zone);
}

static long adjust_clock(void)
{
	struct timex no_such_tick = { .modes = ADJ_TICK, .tick = 1 };

	return adjtimex(&no_such_tick);
}

static long set_memory_map(void)
{
	const int no_such_field = 99;

	return prctl(PR_SET_MM, no_such_field, 0, 0, 0);
}

static long raise_limit(void)
{
	const struct rlimit low = { 16, 16 }, high = { 16, 17 };

	MUST(setrlimit(RLIMIT_NOFILE, &low));
	return setrlimit(RLIMIT_NOFILE, &high);
}

/* No allowance of the caller's for what follows. */
static void forgo(int resource)
{
	const struct rlimit none = { 0, 0 };

	MUST(setrlimit(resource, &none));
}

static long be_preferred(void)
{
	forgo(RLIMIT_NICE);
	return setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1);
}

static long be_real_time(void)
{
	const struct sched_param lowest = { .sched_priority = 1 };

	forgo(RLIMIT_RTPRIO);
	return sched_setscheduler(0, SCHED_FIFO, &lowest);
}

static long lock_memory(void)
{
	forgo(RLIMIT_MEMLOCK);
	return mlock(&errno, sizeof(errno));
}

static long enlarge_pipe(void)
{
	int ends[2];

	must_pipe(ends);
	return fcntl(ends[0], F_SETPIPE_SZ, 2 * atoi(must_read("/proc/sys/fs/pipe-max-size")));
}

static long decide_on_opens(void)
{
	return fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
}

static long trust_a_file(void)
{
	return fsetxattr(MUST(open(".", O_RDONLY | O_CLOEXEC)), "trusted.selftest", "", 0, 0);
}

struct request {
	const char *label;
	long (*ask)(void);
	int refusal; /* in a user namespace */
	int answer;  /* to the machine's root; 0 = success */
};

ROWS(requests, struct request) = {
	{ "reboot", reboot_without_magic, EPERM, EINVAL },
	{ "set_console_level", set_console_level, EPERM, EINVAL },
	{ "set_clock", set_clock, EPERM, EINVAL },
	{ "adjust_clock", adjust_clock, EPERM, EINVAL },
	{ "set_memory_map", set_memory_map, EPERM, EINVAL },
	{ "raise_limit", raise_limit, EPERM, 0 },
	{ "be_preferred", be_preferred, EACCES, 0 },
	{ "be_real_time", be_real_time, EPERM, 0 },
	{ "lock_memory", lock_memory, EPERM, 0 },
	{ "enlarge_pipe", enlarge_pipe, EPERM, 0 },
	{ "trust_a_file", trust_a_file, EPERM, 0 },
};

/* Calls that can be left out of a kernel. */
ROWS(optional_requests, struct request) = {
	{ "unload_module", unload_module, EPERM, ENOENT },
	{ "load_module", load_module, EPERM, ENOEXEC },
	{ "load_kernel", load_kernel, EPERM, EINVAL },
	{ "stop_swapping", stop_swapping, EPERM, ENOENT },
	{ "keep_accounts", keep_accounts, EPERM, ENOENT },
	{ "decide_on_opens", decide_on_opens, EPERM, 0 },
};

static void expect_answer(const struct request *request)
{
	IN_FORK {
		if (request->answer)
			EXPECT_ERRNO(request->answer, request->ask());
		else
			EXPECT_OK(request->ask());
	}
}

TEST_EACH(requests, user, the_machine_is_out_of_reach,
	  .says = "what concerns the whole machine is refused to root of a user namespace",
	  .finding = "root of a user namespace rules the machine", .checks = "user-44",
	  .needs = NEED(userns))
{
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(row->refusal, row->ask()); }
}

TEST_EACH(
	optional_requests, user, the_machines_parts_are_out_of_reach,
	.says = "modules, kernels, swap, accounts and opens of the machine are refused to root of "
		"a user namespace",
	.finding = "root of a user namespace rules the machine", .checks = "user-44",
	.needs = NEED(userns) | NEED(machine_calls))
{
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(row->refusal, row->ask()); }
}

TEST_EACH(requests, user, the_machine_obeys_its_root,
	  .says = "the same requests of the machine's root are not refused", .checks = "user-44",
	  .needs = NEED(root) | NEED(spare_machine))
{
	expect_answer(row);
}

TEST_EACH(optional_requests, user, the_machines_parts_obey_its_root,
	  .says = "requests for modules, kernels, swap, accounts and opens are not refused to the "
		  "machine's root",
	  .checks = "user-44", .needs = NEED(root) | NEED(spare_machine) | NEED(machine_calls))
{
	expect_answer(row);
}

static long map_page_zero(void)
{
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

TEST(user, page_zero_is_out_of_reach,
     .says = "root of a user namespace cannot map the page where the kernel's null pointers lead, "
	     "which the machine's root can",
     .checks = "user-44", .needs = NEED(root) | NEED(userns) | NEED(guarded_pages))
{
	UNSHARED(CLONE_NEWUSER) { EXPECT_ERRNO(EPERM, map_page_zero()); }
	IN_FORK { EXPECT_OK(map_page_zero()); }
}

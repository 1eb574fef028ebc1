// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No system call that takes a PID reaches a process outside. Each call is made
 * for a process of the host and, as its sibling, for one of the container: a
 * filter that refuses the call whatever the PID refuses both in the same way.
 */
#include "pid.h"

#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

static long by_kill(pid_t pid)
{
	return kill(pid, 0);
}

static long by_tkill(pid_t pid)
{
	return syscall(SYS_tkill, pid, 0);
}

static long by_tgkill(pid_t pid)
{
	return syscall(SYS_tgkill, pid, pid, 0);
}

static long by_sigqueueinfo(pid_t pid)
{
	siginfo_t info = { .si_signo = SIGCONT, .si_code = SI_QUEUE };

	return syscall(SYS_rt_sigqueueinfo, pid, SIGCONT, &info);
}

static long by_tgsigqueueinfo(pid_t pid)
{
	siginfo_t info = { .si_signo = SIGCONT, .si_code = SI_QUEUE };

	return syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGCONT, &info);
}

static long by_pidfd_open(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static long by_getpgid(pid_t pid)
{
	return getpgid(pid);
}

static long by_getsid(pid_t pid)
{
	return getsid(pid);
}

static long by_setpgid(pid_t pid)
{
	return setpgid(pid, 0);
}

static long by_getscheduler(pid_t pid)
{
	return sched_getscheduler(pid);
}

static long by_setscheduler(pid_t pid)
{
	return sched_setscheduler(pid, SCHED_OTHER, &(const struct sched_param){ 0 });
}

static long by_getparam(pid_t pid)
{
	struct sched_param param;

	return sched_getparam(pid, &param);
}

static long by_getattr(pid_t pid)
{
	char attr[64];

	return syscall(SYS_sched_getattr, pid, attr, sizeof(attr), 0);
}

static long by_getaffinity(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof(set), &set);
}

static long by_setaffinity(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) || sched_setaffinity(pid, sizeof(set), &set)
		       ? -1
		       : 0;
}

static long by_rr_get_interval(pid_t pid)
{
	struct timespec interval;

	return sched_rr_get_interval(pid, &interval);
}

static long by_getpriority(pid_t pid)
{
	return syscall(SYS_getpriority, PRIO_PROCESS, pid);
}

static long by_setpriority(pid_t pid)
{
	return setpriority(PRIO_PROCESS, pid, 19);
}

static long by_ioprio_get(pid_t pid)
{
	return syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, pid);
}

static long by_prlimit(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
}

static long by_ptrace(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static long by_process_vm_readv(pid_t pid)
{
	static char byte;
	const struct iovec part = { &byte, 1 };

	return process_vm_readv(pid, &part, 1, &part, 1, 0);
}

static long by_robust_list(pid_t pid)
{
	void *head;
	size_t size;

	return syscall(SYS_get_robust_list, pid, &head, &size);
}

static long by_capget(pid_t pid)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, pid };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data);
}

static long by_kcmp(pid_t pid)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0);
}

static long by_move_pages(pid_t pid)
{
	return syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0);
}

static long by_perf_event(pid_t pid)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_DUMMY,
					.exclude_kernel = 1 };

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static long by_fsetown(pid_t pid)
{
	int ends[2];
	long result;

	must_pipe(ends);
	result = fcntl(ends[0], F_SETOWN, pid);
	close(ends[0]);
	close(ends[1]);
	return result;
}

static long by_wait(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG);
}

static long by_clock(pid_t pid)
{
	clockid_t clock;

	errno = clock_getcpuclockid(pid, &clock);
	return errno ? -1 : 0;
}

struct road {
	const char *label;
	long (*call)(pid_t pid);
	int want; /* errno for a process that is not there */
};

ROWS(roads, struct road) = {
	{ "kill", by_kill, ESRCH },
	{ "tkill", by_tkill, ESRCH },
	{ "tgkill", by_tgkill, ESRCH },
	{ "rt_sigqueueinfo", by_sigqueueinfo, ESRCH },
	{ "rt_tgsigqueueinfo", by_tgsigqueueinfo, ESRCH },
	{ "pidfd_open", by_pidfd_open, ESRCH },
	{ "getpgid", by_getpgid, ESRCH },
	{ "getsid", by_getsid, ESRCH },
	{ "setpgid", by_setpgid, ESRCH },
	{ "sched_getscheduler", by_getscheduler, ESRCH },
	{ "sched_setscheduler", by_setscheduler, ESRCH },
	{ "sched_getparam", by_getparam, ESRCH },
	{ "sched_getattr", by_getattr, ESRCH },
	{ "sched_getaffinity", by_getaffinity, ESRCH },
	{ "sched_setaffinity", by_setaffinity, ESRCH },
	{ "sched_rr_get_interval", by_rr_get_interval, ESRCH },
	{ "getpriority", by_getpriority, ESRCH },
	{ "setpriority", by_setpriority, ESRCH },
	{ "ioprio_get", by_ioprio_get, ESRCH },
	{ "prlimit", by_prlimit, ESRCH },
	{ "ptrace", by_ptrace, ESRCH },
	{ "process_vm_readv", by_process_vm_readv, ESRCH },
	{ "get_robust_list", by_robust_list, ESRCH },
	{ "capget", by_capget, ESRCH },
	{ "kcmp", by_kcmp, ESRCH },
	{ "move_pages", by_move_pages, ESRCH },
	{ "perf_event_open", by_perf_event, ESRCH },
	{ "fcntl_setown", by_fsetown, ESRCH },
	{ "waitpid", by_wait, ECHILD },
	{ "clock_getcpuclockid", by_clock, ESRCH },
};

static int errno_of(const struct road *road, pid_t pid)
{
	errno = 0;
	return road->call(pid) == -1 ? errno : 0;
}

TEST_EACH(roads, pid, no_call_reaches_a_pid_outside,
	  .says = "a system call on the PID of a host's process fails as for one that is not there",
	  .finding = "a system call from inside reached a process of the host", .checks = "pid-06",
	  .layer = BOTH, .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	ON_HOST { remember("outer", getpid()); }
	IN_CONTAINER {
		pid_t inner = must_idle();
		int inner_errno = errno_of(row, inner);
		int outer_errno = errno_of(row, recall_number("outer"));
		bool refused =
			inner_errno == EPERM || inner_errno == EACCES || inner_errno == ENOSYS;

		EXPECT_GT(recall_number("outer"), inner);
		if (refused)
			note("%s is refused for any PID", row->label);
		else
			EXPECT_EQ(0, inner_errno);
		/* Refused by a filter, or by who is asked once the process was found. */
		if (!refused || outer_errno != inner_errno)
			EXPECT_EQ(row->want ? row->want : ESRCH, outer_errno);
		must_kill(inner);
	}
}

TEST(pid, neighbours_do_not_reach_each_other,
     .says = "a process of one container cannot be signalled from another: ESRCH",
     .finding = "one container can signal a process of another", .checks = "pid-06", .layer = BOTH,
     .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(a, .unshare = CLONE_NEWPID);
	CONTAINER(b, .unshare = CLONE_NEWPID);

	IN(a) {
		for (int i = 0; i < 5; i++) try_fork();
		remember("neighbour", must_idle());
		EXPECT_OK(kill(recall_number("neighbour"), 0));
	}
	IN(b) {
		/* Never meant for a process of the machine that has this number. */
		ASSERT_EQ(1, getpid());
		EXPECT_ERRNO(ESRCH, kill(recall_number("neighbour"), SIGKILL));
		EXPECT_ERRNO(ESRCH, kill(recall_number("neighbour"), 0));
	}
	IN(a) {
		EXPECT_SIGNAL(SIGTERM, (kill(recall_number("neighbour"), SIGTERM),
					must_wait(recall_number("neighbour"))));
	}
}

TEST(pid, the_host_reaches_inside,
     .says = "the host signals a process of the container by the number that it has outside",
     .checks = "pid-06", .needs = NEED(admin) | NEED(pidns))
{
	CONTAINER(.unshare = CLONE_NEWPID);

	IN_CONTAINER {
		remember("member", must_idle());
		give_fd(must_pidfd(recall_number("member")));
	}
	ON_HOST {
		_fd_ int member = take_fd();

		EXPECT_OK(kill(pid_here(member), SIGTERM));
	}
	IN_CONTAINER { EXPECT_SIGNAL(SIGTERM, must_wait(recall_number("member"))); }
}

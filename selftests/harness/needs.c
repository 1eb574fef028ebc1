// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probes: each tries the thing itself in a process of its own, never a version
 * number, at most once a program run. What the probe of a namespace needs of
 * privilege it gets by a user namespace where the caller is not root.
 */
#include "harness.h"
#include "int80.h"
#include "probe.h"

#include <linux/capability.h>
#include <sys/ptrace.h>

enum { UNKNOWN, PRESENT, ABSENT };
static int state[NEED_COUNT];

/* True when `attempt` returns true in a forked process. */
bool try_in_fork(bool (*attempt)(uint64_t), uint64_t argument)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(attempt(argument) ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool may_unshare(uint64_t flags)
{
	if (geteuid() && !(flags & CLONE_NEWUSER) && unshare(CLONE_NEWUSER))
		return false;
	return !unshare(flags);
}

static bool has_namespace(uint64_t flag)
{
	return try_in_fork(may_unshare, flag);
}

/* A system call that the kernel lacks says ENOSYS to any arguments. */
bool has_syscall(long number)
{
	errno = 0;
	return syscall(number, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS;
}

static bool may_mount(uint64_t type)
{
	if (geteuid() && unshare(CLONE_NEWUSER))
		return false;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	return !mount("none", "/tmp", (const char *)(uintptr_t)type, 0, NULL) || errno == EINVAL;
}

static bool has_filesystem(const char *type)
{
	return try_in_fork(may_mount, (uintptr_t)type);
}

static bool probe_root(void)
{
	return geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1 &&
	       strstr(must_read("/proc/self/uid_map"), "4294967295") && has_namespace(CLONE_NEWNS);
}

static bool probe_admin(void)
{
	return has_namespace(CLONE_NEWNS);
}

static bool probe_userns(void)
{
	return has_namespace(CLONE_NEWUSER);
}

/*
 * The switches are looked at, not what they do: a kernel that refuses although it is not told
 * to is a finding.
 */
static bool probe_free_userns(void)
{
	static const struct {
		const char *path;
		char forbids;
	} switches[] = {
		{ "/proc/sys/user/max_user_namespaces", '0' },
		{ "/proc/sys/kernel/unprivileged_userns_clone", '0' },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1' },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (exists("%s", switches[i].path) &&
		    must_read("%s", switches[i].path)[0] == switches[i].forbids)
			return false;
	return true;
}

static bool probe_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

static bool probe_guarded_pages(void)
{
	return exists("/proc/sys/vm/mmap_min_addr") &&
	       strcmp(must_read("/proc/sys/vm/mmap_min_addr"), "0\n") != 0;
}

static bool probe_ptrace(void)
{
	pid_t child = fork();
	bool may;

	if (!child)
		for (;;)
			pause();
	may = child > 0 && !ptrace(PTRACE_SEIZE, child, NULL, NULL);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return may;
}

static bool calls_by_int80(uint64_t number)
{
	return int80_call((long)number, 0, 0, 0) == getpid();
}

static bool probe_int80(void)
{
	return try_in_fork(calls_by_int80, 20); /* getpid(2) */
}

static bool probe_utsns(void)
{
	return exists("/proc/self/ns/uts");
}

static bool probe_pidns(void)
{
	return exists("/proc/self/ns/pid");
}

static bool probe_mntns(void)
{
	return has_namespace(CLONE_NEWNS);
}

static bool probe_ipcns(void)
{
	return exists("/proc/self/ns/ipc");
}

static bool probe_netns(void)
{
	return exists("/proc/self/ns/net");
}

static bool probe_cgroupns(void)
{
	return exists("/proc/self/ns/cgroup");
}

static bool probe_timens(void)
{
	return exists("/proc/self/ns/time");
}

static bool probe_seccomp(void)
{
	return exists("/proc/sys/kernel/seccomp/actions_avail");
}

static bool probe_overlay(void)
{
	return strstr(must_read("/proc/filesystems"), "\toverlay\n") || has_filesystem("overlay");
}

static bool probe_tmpfs(void)
{
	return has_filesystem("tmpfs");
}

static bool probe_fhandle(void)
{
	return has_syscall(SYS_name_to_handle_at);
}

static bool probe_kcmp(void)
{
	return has_syscall(SYS_kcmp);
}

static bool probe_checkpoint(void)
{
	return exists("/proc/sys/kernel/ns_last_pid");
}

static bool probe_cgroup2(void)
{
	return exists("/sys/fs/cgroup/cgroup.procs") ||
	       exists("/sys/fs/cgroup/unified/cgroup.procs");
}

static bool probe_limits(void)
{
	const char *list = exists("/sys/fs/cgroup/cgroup.controllers")
				   ? text(" %s", must_read("/sys/fs/cgroup/cgroup.controllers"))
				   : "";

	return strstr(list, " memory") && strstr(list, " pids") &&
	       (strstr(list, " cpu ") || strstr(list, " cpu\n"));
}

static bool probe_cgroup_kill(void)
{
	return contain_cgroup_kill();
}

static bool probe_pidfd_getfd(void)
{
	return has_syscall(SYS_pidfd_getfd);
}

static bool probe_openat2(void)
{
	return has_syscall(SYS_openat2);
}

static bool probe_close_range(void)
{
	/* A valid, empty range: no descriptor is that high. */
	return syscall(SYS_close_range, ~0U - 1, ~0U, 0) == 0;
}

static bool probe_mount_setattr(void)
{
	return has_syscall(SYS_mount_setattr);
}

static bool probe_statmount(void)
{
	return has_syscall(SYS_statmount);
}

static bool probe_listmount(void)
{
	return has_syscall(SYS_listmount);
}

static bool probe_open_tree(void)
{
	return has_syscall(SYS_open_tree);
}

static bool probe_fsopen(void)
{
	return has_syscall(SYS_fsopen);
}

static bool mounts_proc(uint64_t unused)
{
	pid_t pid;
	int status;

	(void)unused;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
		return false;
	pid = fork();
	if (!pid)
		_exit(!!mount("proc", "/proc", "proc", 0, NULL));
	return waitpid(pid, &status, 0) == pid && !status;
}

static bool probe_userns_proc(void)
{
	return try_in_fork(mounts_proc, 0);
}

static bool probe_own_keyring(void)
{
	return has_syscall(SYS_keyctl);
}

static bool probe_spare_machine(void)
{
	return exists("/etc/bulkhead/sysctls");
}

static bool probe_never(void)
{
	return false;
}

static const struct {
	const char *name;
	enum need_kind kind;
	const char *origin, *since, *provides;
	bool (*probe)(void); /* NULL: only a subject can lack it */
} needs[NEED_COUNT] = {
#define NEED_ROW(name, kind, origin, since, provides)                                              \
	{ #name, kind, origin, since, provides, probe_##name },
	NEED_TABLE(NEED_ROW)
#undef NEED_ROW
#define PROVISION_ROW(name, provides) { #name, NEED_PRIV, "", "", provides, NULL },
		PROVISION_TABLE(PROVISION_ROW)
#undef PROVISION_ROW
};

const char *need_name(unsigned index)
{
	return index < NEED_COUNT ? needs[index].name : NULL;
}

static bool present(unsigned index)
{
	if (!needs[index].probe)
		return true;
	if (state[index] == UNKNOWN)
		state[index] = needs[index].probe() ? PRESENT : ABSENT;
	return state[index] == PRESENT;
}

/* A kernel may have user namespaces and not allow them: a sysctl or a security module. */
static enum need_kind cause(unsigned index)
{
	if (index == NEED_INDEX_userns && exists("/proc/self/ns/user"))
		return NEED_PRIV;
	return needs[index].kind;
}

static void reason_code(unsigned index, char *reason, size_t size)
{
	static const char *const words[] = { [NEED_PRIV] = "no-priv",
					     [NEED_KCONFIG] = "no-kconfig:",
					     [NEED_SYSCALL] = "no-syscall:" };

	enum need_kind kind = cause(index);

	snprintf(reason, size, "%s%s (%s, since %s)", words[kind],
		 kind == NEED_PRIV ? "" : needs[index].origin, needs[index].name,
		 needs[index].since);
}

bool needs_absent(need_set wanted, struct outcome *outcome)
{
	char *reason = outcome->why;
	size_t size = sizeof(outcome->why);

	outcome->verdict = SKIP;
	for (unsigned i = 0; i < NEED_COUNT; i++) {
		if (!(wanted >> i & 1))
			continue;
		if (options.subject && needs[i].provides[0] &&
		    !subject_provides(needs[i].provides)) {
			snprintf(reason, size, "subject-lacks:%s", needs[i].provides);
			return true;
		}
		if (!present(i)) {
			if (skips_promised(needs[i].kind, needs[i].since)) {
				outcome->verdict = FAIL;
				reason += snprintf(reason, size, "should be there: ");
			}
			reason_code(i, reason, size - (reason - outcome->why));
			return true;
		}
	}
	return false;
}

void enter_own_userns(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (!uid)
		return;
	must_unshare(CLONE_NEWUSER);
	must_write("/proc/self/uid_map", "0 %u 1", uid);
	must_write("/proc/self/setgroups", "deny");
	must_write("/proc/self/gid_map", "0 %u 1", gid);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Setting the stage of a test: what cannot be done is BROKEN at the caller's line. */
#include "harness.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/sendfile.h>

static void write_all(const char *path, int flags, const char *format, va_list list)
	__attribute__((format(printf, 3, 0)));

static void write_all(const char *path, int flags, const char *format, va_list list)
{
	char content[4096];
	int length = vsnprintf(content, sizeof(content), format, list);
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		world_broken("open for writing", path);
	if (length >= (int)sizeof(content) || write(fd, content, length) != length)
		world_broken("write", path);
	close(fd);
}

void must_write_(const char *path, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	write_all(path, O_WRONLY, format, list);
	va_end(list);
}

void must_create_(const char *path, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	write_all(path, O_WRONLY | O_CREAT | O_TRUNC, format, list);
	va_end(list);
}

const char *must_mkdir_(const char *format, ...)
{
	static char path[PATH_MAX];
	va_list list;

	va_start(list, format);
	vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(path, 0755) && errno != EEXIST && errno != EROFS)
			world_broken("make the directory", path);
		*slash = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST)
		world_broken("make the directory", path);
	return path;
}

void must_unshare_(uint64_t flags)
{
	if (unshare((int)flags))
		world_broken("unshare", text("%#llx", (unsigned long long)flags));
}

pid_t must_fork_(void)
{
	return must_clone3_(0);
}

pid_t must_clone3_(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	pid_t pid;

	fflush(NULL);
	pid = flags ? syscall(SYS_clone3, &args, sizeof(args)) : fork();
	if (pid < 0)
		world_broken("clone3", text("%#llx", (unsigned long long)flags));
	return pid;
}

int must_wait_(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			world_broken("wait for", text("%d", pid));
	return status;
}

pid_t must_settle_(uint64_t flags)
{
	pid_t pid = must_clone3_(flags);

	if (!pid)
		for (;;)
			pause();
	return pid;
}

void must_evict_(pid_t pid)
{
	if (kill(pid, SIGKILL))
		world_broken("end", text("%d", pid));
	must_wait_(pid);
}

int must_deserted_(uint64_t flags, const char *file)
{
	pid_t member = must_settle_(flags);
	const char *path = text("/proc/%d/%s", member, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		world_broken("open", path);
	must_evict_(member);
	return fd;
}

static void *wait_for_end(void *end)
{
	int fd = (int)(intptr_t)end;
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	close(fd);
	return NULL;
}

struct beside must_thread_(void)
{
	pthread_t id;
	int ends[2];

	must_pipe_(ends);
	errno = pthread_create(&id, NULL, wait_for_end, (void *)(intptr_t)ends[0]);
	if (errno)
		world_broken("start", "a thread");
	return (struct beside){ .id = id, .go = ends[1] };
}

void end_thread_(const struct beside *thread)
{
	close(thread->go);
	pthread_join(thread->id, NULL);
}

void let_kernel_catch_up(void)
{
	/* Without it, or where it is refused, the caller's next look is a busy one. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void must_pipe_(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC))
		world_broken("make", "a pipe");
}

int must_pidfd_(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		world_broken("open a pidfd of", text("%d", pid));
	return fd;
}

void must_mount_(const char *source, const char *target, const char *type, unsigned long flags,
		 const char *data)
{
	if (mount(source, target, type, flags, data))
		world_broken("mount", target);
}

void must_private_(const char *path)
{
	must_mount_(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL);
}

void must_tmpfs_(const char *path)
{
	must_mkdir_("%s", path);
	must_mount_("selftest", path, "tmpfs", 0, NULL);
}

void own_stage_(void)
{
	must_unshare_(CLONE_NEWNS);
	must_private_("/");
	must_mount_("stage", scratch(), "tmpfs", 0, NULL);
	if (chdir(scratch()))
		world_broken("enter", scratch());
}

void must_copy_self_(const char *path, mode_t mode)
{
	_fd_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_fd_ int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	ssize_t sent = from < 0 || to < 0 ? -1 : 1;

	while (sent > 0)
		sent = sendfile(to, from, NULL, 1 << 20);
	if (sent < 0 || fchmod(to, mode))
		world_broken("copy this program to", path);
}

void must_map_root_(pid_t pid, unsigned id)
{
	must_write_(text("/proc/%d/uid_map", pid), "0 %u 1", id);
	if (exists("/proc/%d/setgroups", pid))
		must_write_(text("/proc/%d/setgroups", pid), "deny");
	must_write_(text("/proc/%d/gid_map", pid), "0 %u 1", id);
}

static void set_caps(const struct __user_cap_data_struct *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(SYS_capset, &header, sets))
		world_broken("set", "the capabilities");
}

void must_become_nobody_(void)
{
	const struct __user_cap_data_struct none[2] = { 0 };

	/* Where only one id is mapped (EINVAL), or without the right (EPERM), the id stays. */
	if (setgroups(0, NULL) && errno != EPERM)
		world_broken("drop", "the supplementary groups");
	if (setresgid(65534, 65534, 65534) && errno != EINVAL && errno != EPERM)
		world_broken("change to", "gid 65534");
	if (setresuid(65534, 65534, 65534) && errno != EINVAL && errno != EPERM)
		world_broken("change to", "uid 65534");
	set_caps(none);
}

void must_drop_cap_(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets))
		world_broken("get", "the capabilities");
	if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
		world_broken("drop from the bounding set", text("%d", cap));
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
	sets[cap / 32].effective &= ~(1U << cap % 32);
	sets[cap / 32].permitted &= ~(1U << cap % 32);
	sets[cap / 32].inheritable &= ~(1U << cap % 32);
	set_caps(sets);
}

void must_tree_(const char *root)
{
	static const char *const directories[] = { "bin",  "dev", "etc", "oldroot",
						   "proc", "sys", "tmp" };

	must_tmpfs_(root);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		must_mkdir_("%s/%s", root, directories[i]);
}

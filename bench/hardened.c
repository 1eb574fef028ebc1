// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hardened floor: bulkhead's default isolation by the fewest calls, one after the
 * other. Nothing is checked afterwards, no symlink of the rootfs is looked out for, nobody
 * supervises. What it takes beyond the floor is what the isolation itself costs, without a
 * second CPU; the rest of what a runtime takes is the price of failing closed.
 */
#include "hardened.h"

#include "../runtime/kernelpaths.h"
#include "../runtime/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#if defined(__x86_64__)
#include "filter_x86_64.h"
#define FILTER filter_x86_64_default_caps
#else
#include "filter_aarch64.h"
#define FILTER filter_aarch64_default_caps
#endif

enum { KERNEL_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC };

static void make_device(const char *path, unsigned int major, unsigned int minor)
{
	must(mknod(path, S_IFCHR | 0666, makedev(major, minor)), "make a device");
}

static int cover(const struct kernel_path *p)
{
	const char *path = p->path + 1; /* below the working directory */
	const char *by = path;
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | KERNEL_FLAGS;

	if (p->how == HIDE_FILE)
		return mount("dev/null", path, NULL, MS_BIND, NULL);
	if (p->how == HIDE_DIR)
		by = "dev/pts"; /* empty, until devpts covers it */
	return mount(by, path, NULL, MS_BIND, NULL) ? -1 : mount(NULL, path, NULL, flags, NULL);
}

/* What this kernel does not have needs no cover. */
static void cover_all(const struct kernel_path *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cover(&paths[i]) < 0 && errno != ENOENT)
			must(-1, "cover a path of the kernel");
}

static void make_dev(void)
{
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=67108864"),
	     "mount /dev");
	make_device("dev/null", 1, 3);
	make_device("dev/zero", 1, 5);
	make_device("dev/full", 1, 7);
	make_device("dev/random", 1, 8);
	make_device("dev/urandom", 1, 9);
	make_device("dev/tty", 5, 0);
	must(symlink("/proc/self/fd", "dev/fd"), "link");
	must(symlink("/proc/self/fd/0", "dev/stdin"), "link");
	must(symlink("/proc/self/fd/1", "dev/stdout"), "link");
	must(symlink("/proc/self/fd/2", "dev/stderr"), "link");
	must(symlink("pts/ptmx", "dev/ptmx"), "link");
	must(mkdir("dev/shm", 01777), "make /dev/shm");
	must(mount("dev/shm", "dev/shm", NULL, MS_BIND, NULL), "bind /dev/shm");
	must(mount(NULL, "dev/shm", NULL, MS_REMOUNT | MS_BIND | KERNEL_FLAGS, NULL), "remount");
	must(mkdir("dev/pts", 0555), "make /dev/pts");
}

static void make_terminals(void)
{
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620,gid=5"),
	     "mount /dev/pts");
}

void harden_mounts(bool own_cgroup)
{
	umask(0);
	make_dev();
	cover_all(proc_paths, proc_path_count);
	must(mount("sysfs", "sys", "sysfs", MS_RDONLY | KERNEL_FLAGS, NULL), "mount /sys");
	if (own_cgroup)
		must(mount("cgroup2", "sys/fs/cgroup", "cgroup2", MS_RDONLY | KERNEL_FLAGS, NULL),
		     "mount /sys/fs/cgroup");
	cover_all(sys_paths, sys_path_count);
	make_terminals();
	umask(022);
}

static void reduce_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	for (size_t cap = 0; cap < cap_count; cap++)
		if (!(default_caps & 1ULL << cap))
			must(prctl(PR_CAPBSET_DROP, cap), "drop a capability");
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = (unsigned int)(default_caps >> 32 * i);
	must((int)syscall(SYS_capset, &header, data), "reduce the capabilities");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
}

void harden_process(void)
{
	const struct sock_fprog program = { sizeof(FILTER) / sizeof(FILTER[0]),
					    (struct sock_filter *)FILTER };

	must(setsid(), "begin a session");
	must((int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "join a keyring");
	must(sethostname("floor", 5), "set the hostname");
	reduce_capabilities();
	must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "install the filter");
}

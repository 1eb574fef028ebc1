// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire.h"

static const struct {
	const char *source, *target, *type, *data;
	unsigned long flags;
	mode_t mode;
} mounts[] = {
	{ "proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555 },
	{ "sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555 },
	{ "devtmpfs", "/dev", "devtmpfs", "mode=0755", MS_NOSUID, 0755 },
	{ "devpts", "/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC,
	  0755 },
	{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, 01777 },
	{ "mqueue", "/dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 01777 },
	/* As systemd mounts it: a cgroup namespace is a border. */
	{ "cgroup2", "/sys/fs/cgroup", "cgroup2", "nsdelegate", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	  0755 },
	{ "tmpfs", "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV, 0755 },
	{ "tmpfs", "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, 01777 },
};

static const struct {
	const char *path, *target;
} dev_links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

static char trouble_text[2048];

/* Remembers a failure: there is no channel yet while the guest is set up. */
__attribute__((format(printf, 1, 2))) static void trouble(const char *format, ...)
{
	size_t used = strlen(trouble_text);
	int error = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(trouble_text + used, sizeof(trouble_text) - used, format, args);
	va_end(args);
	used = strlen(trouble_text);
	snprintf(trouble_text + used, sizeof(trouble_text) - used, ": %s\n", strerror(error));
}

void setup_report_trouble(void)
{
	char *rest = trouble_text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (*line)
			wire_send("trouble", line, strlen(line));
}

void setup_leave_rootfs(void)
{
	mkdir("/.newroot", 0755);
	if (mount("/", "/.newroot", NULL, MS_BIND | MS_REC, NULL) || chdir("/.newroot") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		trouble("cannot leave the initramfs root");
	rmdir("/.newroot");
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* Gives the root cgroup's children every controller that this kernel has. */
static void enable_controllers(void)
{
	char have[512], word[80];
	char *rest = have;
	FILE *file = fopen("/sys/fs/cgroup/cgroup.controllers", "re");

	if (!file || !fgets(have, sizeof(have), file))
		have[0] = '\0';
	if (file)
		fclose(file);
	for (char *name = strsep(&rest, " \n"); name; name = strsep(&rest, " \n")) {
		snprintf(word, sizeof(word), "+%s", name);
		if (*name && write_text("/sys/fs/cgroup/cgroup.subtree_control", word))
			trouble("cannot enable cgroup controller \"%s\"", name);
	}
}

void setup_mounts(void)
{
	umask(0);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, mounts[i].mode);
		if (mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags,
			  mounts[i].data))
			trouble("cannot mount \"%s\"", mounts[i].target);
	}
	for (size_t i = 0; i < sizeof(dev_links) / sizeof(dev_links[0]); i++)
		if (symlink(dev_links[i].target, dev_links[i].path) && errno != EEXIST)
			trouble("cannot link \"%s\"", dev_links[i].path);
	mkdir("/root", 0700);
	umask(022);
	enable_controllers();
}

/* Calls APPLY for each line "WORD REST" of a list; # starts a comment, a missing file is empty. */
static void each_line(const char *path, void (*apply)(const char *word, const char *rest))
{
	char line[512];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line, *word;

		line[strcspn(line, "#\n")] = '\0';
		word = strsep(&rest, " \t");
		if (*word)
			apply(word, rest ? rest : "");
	}
	if (file)
		fclose(file);
}

static void apply_sysctl(const char *name, const char *value)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	if (write_text(path, value) && errno != ENOENT)
		trouble("cannot set \"%s\"", path);
}

void setup_sysctls(void)
{
	each_line("/etc/bulkhead/sysctls", apply_sysctl);
}

static void load_module(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) && errno != EEXIST))
		trouble("cannot load module \"%s\"", path);
	if (fd >= 0)
		close(fd);
}

void setup_modules(void)
{
	each_line("/etc/bulkhead/modules", load_module);
}

void setup_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		trouble("cannot bring up \"lo\"");
	if (fd >= 0)
		close(fd);
}

void setup_kernel_option(const char *key, char *value, size_t size)
{
	char line[4096];
	char *rest = line;
	size_t len = strlen(key);
	FILE *file = fopen("/proc/cmdline", "re");

	value[0] = '\0';
	if (!file || !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	for (char *word = strsep(&rest, " \n"); word; word = strsep(&rest, " \n"))
		if (strncmp(word, key, len) == 0 && word[len] == '=')
			snprintf(value, size, "%s", word + len + 1);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stage: as root the program runs its tests in mount, UTS, IPC and network
 * namespaces of its own. So what a faulty runtime does to "the host" is done to
 * them and not to the machine, and what other processes of the machine do is
 * never taken for a test's leftover. Mounts propagate within the stage (shared),
 * as on most hosts. Without root there is nothing to protect: the tests make
 * user namespaces of their own.
 */
#include "harness.h"

#include <ftw.h>
#include <net/if.h>
#include <sys/ioctl.h>

#define SHM "/dev/shm" /* the stage has its own, and what is in there counts as left behind */

static char scratch_path[PATH_MAX];
static dev_t shm_device;
static bool own;

bool stage_is_own(void)
{
	return own;
}

const char *stage_scratch(void)
{
	return scratch_path;
}

const char *scratch(void)
{
	return scratch_path;
}

static void loopback_up(void)
{
	_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };

	ioctl(fd, SIOCSIFFLAGS, &request);
}

static bool leave_the_machine(void)
{
	if (geteuid() || unshare(CLONE_NEWNS))
		return false;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))
		return false;
	/* Each where the kernel has it: without the option there is nothing to leave. */
	unshare(CLONE_NEWUTS);
	unshare(CLONE_NEWIPC);
	if (!unshare(CLONE_NEWNET))
		loopback_up();
	return true;
}

static dev_t device_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : status.st_dev;
}

/* False when the stage has none, or a test took it away and the machine's shows. */
bool stage_shm_is_own(void)
{
	return own && shm_device && device_of(SHM) == shm_device;
}

void stage_mend(void)
{
	if (!own || stage_shm_is_own())
		return;
	if (!mount("selftest", SHM, "tmpfs", MS_NOSUID | MS_NODEV, NULL))
		shm_device = device_of(SHM);
}

void stage_set(void)
{
	const char *base = getenv("TMPDIR");

	own = leave_the_machine();
	if (!base || base[0] != '/' || !strncmp(base, SHM, strlen(SHM)))
		base = "/tmp";
	snprintf(scratch_path, sizeof(scratch_path), "%s/selftest-XXXXXX", base);
	if (!mkdtemp(scratch_path)) {
		fprintf(stderr, "selftest: cannot make a scratch directory \"%s\": %s\n",
			scratch_path, strerror(errno));
		exit(1);
	}
	if (own && mount("selftest", scratch_path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"))
		note("the scratch directory has no tmpfs of its own: %s", strerror(errno));
	stage_mend();
	setenv("TMPDIR", scratch_path, 1);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	if (at->level > 0)
		remove(path);
	return 0;
}

/* Empties a directory; never across a mount point. */
void stage_sweep(const char *directory)
{
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void stage_strike(void)
{
	if (chdir("/"))
		return;
	if (own)
		umount2(scratch_path, MNT_DETACH);
	else
		stage_sweep(scratch_path);
	rmdir(scratch_path);
}

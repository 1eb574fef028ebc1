// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inside's half of --tty: a terminal from the container's own devpts, so that its
 * name is right inside and it is not one of the host's.
 */
#include "meet.h"
#include "steps.h"
#include "sys.h"

#include <asm/ioctls.h>

static int open_master(struct inside *in)
{
	const int unlocked = 0;
	int fd = sys_openat(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	long ret = fd;

	if (fd >= 0)
		ret = RAW3(SYS_ioctl, fd, TIOCSPTLCK, &unlocked);
	return ret < 0 ? fail(&in->fault, STEP_terminal, "/dev/pts/ptmx", ret) : fd;
}

/* TIOCGPTPEER (4.13) opens the other end without looking for its path. */
static int open_peer(struct inside *in, int master)
{
	int fd = raw_new_fd(RAW3(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	long ret = fd;

	if (fd >= 0)
		ret = RAW3(SYS_fchown, fd, in->plan->uid, -1);
	if (ret == 0)
		ret = RAW3(SYS_ioctl, fd, TIOCSCTTY, 0);
	if (ret == 0)
		ret = RAW3(SYS_ioctl, fd, TIOCSWINSZ, &in->host->window);
	return ret < 0 ? fail(&in->fault, STEP_terminal, "TIOCGPTPEER", ret) : fd;
}

/* The container has one terminal, and its devpts is new: it is number 0. */
static int name_console(struct inside *in)
{
	int ret = sys_mknodat(AT_FDCWD, "/dev/console", S_IFREG | 0600, 0);

	if (ret == 0)
		ret = sys_mount("/dev/pts/0", "/dev/console", NULL, MS_BIND, NULL);
	return ret < 0 ? fail(&in->fault, STEP_terminal, "/dev/console", ret) : 0;
}

/* Is that the terminal? By inode: the host may have one of the same number. */
static int check_one(int dir, const char *path, const struct statx *terminal)
{
	struct statx stx = { .stx_ino = 0 };
	int ret = sys_statx(dir, path, AT_EMPTY_PATH, STATX_INO, &stx);

	if (ret == 0 && (!stx.stx_ino || stx.stx_ino != terminal->stx_ino ||
			 stx.stx_dev_major != terminal->stx_dev_major ||
			 stx.stx_dev_minor != terminal->stx_dev_minor))
		ret = LIE;
	return ret;
}

/* The command must not find the caller's terminal in place of its own. */
static int check_terminal(struct inside *in, int peer)
{
	struct statx terminal = { .stx_ino = 0 };
	int session = 0, ret = sys_statx(peer, "", AT_EMPTY_PATH, STATX_INO, &terminal);

	for (int fd = 0; fd <= 2 && ret == 0; fd++)
		ret = check_one(fd, "", &terminal);
	if (ret == 0)
		ret = check_one(AT_FDCWD, "/dev/console", &terminal);
	if (ret == 0)
		ret = (int)RAW3(SYS_ioctl, peer, TIOCGSID, &session);
	if (ret == 0 && session != sys_getpid())
		ret = LIE;
	return ret ? fail(&in->fault, STEP_terminal, "TIOCGPTPEER", ret) : 0;
}

int tty_inside(struct inside *in)
{
	int master, peer, ret = 0;

	if (!in->plan->tty)
		return 0;
	master = open_master(in);
	TRY(master);
	peer = open_peer(in, master);
	TRY(peer);
	TRY(name_console(in));
	for (int fd = 0; fd <= 2 && ret >= 0; fd++)
		ret = (int)RAW3(SYS_dup3, peer, fd, 0);
	if (ret < 0)
		return fail(&in->fault, STEP_terminal, "dup3", ret);
	TRY(check_terminal(in, peer));
	ret = meet_give_terminal(in->channel, master);
	return ret < 0 ? fail(&in->fault, STEP_terminal, "its descriptor", ret) : 0;
}

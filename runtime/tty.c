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
	if (ret >= 0)
		ret = meet_give_terminal(in->channel, master);
	return ret < 0 ? fail(&in->fault, STEP_terminal, "dup3", ret) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time namespaces: time_namespaces(7). */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include <time.h>

#include "../harness/selftest.h"

#define TIME_NEEDS NEED(admin) | NEED(timens)

enum {
	OFFSET = 100000
}; /* seconds that the tests' namespaces are ahead, more than any test takes */

static const char offsets_file[] = "/proc/self/timens_offsets";

/* One write(2) to the offsets of the caller's children: 0, or -1 with its errno. */
static inline int shift(const char *offsets)
{
	_fd_ int fd = MUST(open(offsets_file, O_WRONLY | O_CLOEXEC));

	return write(fd, offsets, strlen(offsets)) < 0 ? -1 : 0;
}

/* A new time namespace for the caller's children, OFFSET ahead in both clocks. */
static inline void must_unshare_ahead(void)
{
	must_unshare(CLONE_NEWTIME);
	MUST(shift(text("monotonic %d 0\nboottime %d 0\n", OFFSET, OFFSET)));
}

/* Seconds on that clock, as a system call tells them. */
static inline long long seconds(clockid_t clock)
{
	struct timespec now;

	MUST(syscall(SYS_clock_gettime, clock, &now));
	return now.tv_sec;
}

#endif

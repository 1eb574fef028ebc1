// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes the only processor for ever, from everybody: to the host the kernel hangs. */
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct sched_param highest = { .sched_priority = 99 };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &highest))
		return 1;
	for (;;)
		continue;
}

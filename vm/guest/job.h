/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one command that runs in the guest at a time, and its output. */
#ifndef JOB_H
#define JOB_H

#include <poll.h>
#include <stdbool.h>

/* True from job_start() until its exit frame was sent. */
bool job_running(void);

/* Starts the command whose words, percent-encoded and separated by blanks, follow the id in
 * REQUEST ("ID WORD..."). Failure to start is reported as an exit frame with status 127. */
void job_start(char *request);

/* Gives this process the clean environment that commands in the guest have. */
void job_environment(const char *terminal);

/* Fills FDS[0] and FDS[1] with the descriptors of the job's output to poll (-1: none). */
void job_poll(struct pollfd *fds);

/* Forwards output that is there, line by line, as "out" and "err" frames. */
void job_forward(void);

/* Reaps every dead process; when the job's own is among them, sends what it still has to say and
 * the frame "exit ID STATUS SIGNAL LINES". */
void job_reap(void);

/* SIGKILL to every process but init. */
void job_kill(void);

/* Sends the frame "taint OLD NEW" when /proc/sys/kernel/tainted has changed since last time. */
void job_check_taint(void);

#endif

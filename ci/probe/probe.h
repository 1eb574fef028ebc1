/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CI_PROBE_H
#define CI_PROBE_H

/* Tries the system calls that a container must not have, each in a process of its own:
 * "call NAME ok", "call NAME error ERRNO" or "call NAME signal N". */
void calls(void);

/* Pushes a byte into the terminal on standard input: "tiocsti error ERRNO" or "tiocsti ok". */
int tiocsti(void);

#endif

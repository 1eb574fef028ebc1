// SPDX-License-Identifier: GPL-2.0-or-later
/* A command that says "ready" and stays until its stdin ends: for measuring who watches it. */
#include <unistd.h>

int main(void)
{
	char byte;

	if (write(1, "ready\n", 6) != 6)
		return 1;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "fault.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const step_words[STEP_COUNT] = {
#define X(name, words) [STEP_##name] = (words),
	STEPS(X)
#undef X
};

int fail(struct fault *f, enum step step, const char *object, long why)
{
	size_t i = 0;

	f->step = step;
	f->why = (int)(why < 0 ? -why : why);
	for (; i < sizeof(f->object) - 1 && object[i]; i++)
		f->object[i] = object[i];
	f->object[i] = '\0';
	return -1;
}

void *must_have(void *memory)
{
	if (memory)
		return memory;
	fputs("bulkhead: cannot allocate memory: out of memory (see ulimit -v)\n", stderr);
	exit(125);
}

int fault_status(const struct fault *f)
{
	if (f->step == STEP_find_command)
		return f->why == ENOENT ? 127 : 126;
	return f->step == STEP_execute ? 126 : 125;
}

static const char *reason(int why)
{
	switch (why) {
	case LIE: return "the kernel reported success, but it did not take effect";
	case NOT_NEW: return "this process is not a new one";
	case IS_SYMLINK: return "it is a symbolic link in the rootfs";
	case WOULD_HIDE: return "it would hide what the container needs for its isolation";
	case IS_KERNEL_FS: return "it lies in a file system of the kernel";
	case IS_RUNTIME: return "it is bulkhead itself";
	case HOST_NAMESPACE: return "it is the host's own";
	case NO_CONTROLLER: return "cgroup v2 does not offer the controller here";
	case KILLED_EARLY: return "its first process ended before the command started";
	case NO_INTERPRETER: return "the file is there, but its interpreter is not";
	case NO_DELEGATION: return "no cgroup v2 is delegated to this user";
	case FOREIGN_PROC: return "it shows another PID namespace";
	case NO_MAP_HELPER: return "the helper refused the map";
	default: return strerror(why);
	}
}

/* One write, so that no other process's output lands in the middle of the line. */
void fault_print(const struct fault *f, const struct plan *p)
{
	char object[4 * sizeof(f->object) + 8], buf[512], line[2048];
	const char *hint = explain(f, p, buf, sizeof(buf));

	text_quote(object, sizeof(object), f->object);
	snprintf(line, sizeof(line), "bulkhead: cannot %s%s%s%s: %s%s%s%s\n", step_words[f->step],
		 *object ? " \"" : "", object, *object ? "\"" : "", reason(f->why),
		 *hint ? " (" : "", hint, *hint ? ")" : "");
	fputs(line, stderr);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "seccomp.h"

#include <errno.h>
#include <unistd.h>

#include "names.h"
#include "seccomp_mark.h"

#if defined(__x86_64__)
#include "filter_x86_64.h"
#define FILTER              filter_x86_64
#define FILTER_DEFAULT_CAPS filter_x86_64_default_caps
#elif defined(__aarch64__)
#include "filter_aarch64.h"
#define FILTER              filter_aarch64
#define FILTER_DEFAULT_CAPS filter_aarch64_default_caps
#else
#error "no default seccomp filter for this architecture: add it to runtime/filter.mk"
#endif

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

_Static_assert(COUNT(FILTER) <= SECCOMP_FILTER_ROOM, "the default filter is too long");

int seccomp_resolve_filter(const struct sock_filter *table, size_t count, uint64_t caps,
			   struct sock_filter *out, size_t room)
{
	if (count > room)
		return -ENOSPC;
	for (size_t i = 0; i < count; i++) {
		out[i] = table[i];
		if (BPF_CLASS(table[i].code) == BPF_RET)
			out[i].k = resolve_mark(table[i].k, caps);
	}
	return (int)count;
}

const struct sock_filter *seccomp_default_filter(uint64_t caps, struct sock_filter *room,
						 size_t size, size_t *count)
{
	if (caps == default_caps) {
		*count = COUNT(FILTER_DEFAULT_CAPS);
		return FILTER_DEFAULT_CAPS;
	}
	*count = COUNT(FILTER);
	return seccomp_resolve_filter(FILTER, COUNT(FILTER), caps, room, size) < 0 ? NULL : room;
}

/* Reads SIZE bytes, or fewer when the file ends; returns their number or -errno. */
static ssize_t read_up_to(int fd, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buffer + done, size - done);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return (ssize_t)done;
}

int seccomp_read_filter(int fd, struct sock_filter *out, size_t room)
{
	char more;
	ssize_t size = read_up_to(fd, out, room * sizeof(*out));
	ssize_t extra = size < 0 ? size : read_up_to(fd, &more, sizeof(more));

	if (extra < 0)
		return (int)extra;
	if (size == 0 || size % (ssize_t)sizeof(*out) || extra)
		return -EINVAL;
	return (int)(size / (ssize_t)sizeof(*out));
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "seccomp.h"

#include <errno.h>
#include <unistd.h>

#include "seccomp_mark.h"

#if defined(__x86_64__)
#include "filter_x86_64.h"
#define DEFAULT_FILTER filter_x86_64
#elif defined(__aarch64__)
#include "filter_aarch64.h"
#define DEFAULT_FILTER filter_aarch64
#else
#error "no default seccomp filter for this architecture: add it to runtime/filter.mk"
#endif

#define DEFAULT_COUNT (sizeof(DEFAULT_FILTER) / sizeof(DEFAULT_FILTER[0]))

_Static_assert(DEFAULT_COUNT <= SECCOMP_FILTER_ROOM, "the default filter is too long");

static uint32_t resolve(uint32_t verdict, uint64_t caps)
{
	if (caps & MARKED_CAPS(verdict))
		return SECCOMP_RET_ALLOW;
	return SECCOMP_RET_ERRNO | (verdict & MARK_ABSENT ? ENOSYS : EPERM);
}

int seccomp_resolve_filter(const struct sock_filter *table, size_t count, uint64_t caps,
			   struct sock_filter *out, size_t room)
{
	if (count > room)
		return -ENOSPC;
	for (size_t i = 0; i < count; i++) {
		out[i] = table[i];
		if (BPF_CLASS(table[i].code) == BPF_RET && IS_MARKED(table[i].k))
			out[i].k = resolve(table[i].k, caps);
	}
	return (int)count;
}

int seccomp_default_filter(uint64_t caps, struct sock_filter *out, size_t room)
{
	return seccomp_resolve_filter(DEFAULT_FILTER, DEFAULT_COUNT, caps, out, room);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at the world: names, namespaces, files of /proc. */
#include "harness.h"

#include <stdarg.h>

enum { BUFFERS = 4, BUFFER_SIZE = 65536 };

static const char *at_file = "?";
static int at_line;

void stand_at(const char *file, int line)
{
	at_file = file;
	at_line = line;
	reached(line);
}

void world_broken(const char *what, const char *object)
{
	check_broken(at_file, at_line, "cannot %s \"%s\": %s", what, object, strerror(errno));
}

void broken_there(const char *format, ...)
{
	char message[512];
	va_list list;

	va_start(list, format);
	vsnprintf(message, sizeof(message), format, list);
	va_end(list);
	check_broken(at_file, at_line, "%s", message);
}

void close_fd(const int *fd)
{
	int error = errno;

	if (*fd >= 0)
		close(*fd);
	errno = error;
}

/* The next of the buffers that returned strings live in. */
static char *buffer(void)
{
	static char *buffers[BUFFERS];
	static unsigned next;
	char **one = &buffers[next++ % BUFFERS];

	if (!*one)
		*one = malloc(BUFFER_SIZE);
	if (!*one)
		world_broken("allocate", "a buffer");
	return *one;
}

const char *text(const char *format, ...)
{
	char *result = buffer();
	va_list list;

	va_start(list, format);
	vsnprintf(result, BUFFER_SIZE, format, list);
	va_end(list);
	return result;
}

const char *hostname(void)
{
	char *name = buffer();

	if (gethostname(name, 65))
		world_broken("ask for", "the hostname");
	return name;
}

const char *domainname(void)
{
	char *name = buffer();

	if (getdomainname(name, 65))
		world_broken("ask for", "the domainname");
	return name;
}

bool exists(const char *format, ...)
{
	char path[PATH_MAX];
	struct stat status;
	va_list list;

	va_start(list, format);
	vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	return !lstat(path, &status);
}

const char *must_read_(const char *format, ...)
{
	char path[PATH_MAX], *content = buffer();
	size_t used = 0;
	ssize_t got;
	va_list list;
	int fd;

	va_start(list, format);
	vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		world_broken("open", path);
	while ((got = read(fd, content + used, BUFFER_SIZE - 1 - used)) > 0)
		used += got;
	if (got < 0)
		world_broken("read", path);
	close(fd);
	content[used] = 0;
	return content;
}

const char *must_readlink_(const char *format, ...)
{
	char path[PATH_MAX], *target = buffer();
	ssize_t length;
	va_list list;

	va_start(list, format);
	vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	length = readlink(path, target, PATH_MAX - 1);
	if (length < 0)
		world_broken("read the link", path);
	target[length] = 0;
	return target;
}

uint64_t inode_(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		world_broken("stat", "a descriptor");
	return status.st_ino;
}

uint64_t ns_id_(pid_t pid, const char *name)
{
	struct stat status;
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &status))
		world_broken("look at", path);
	return status.st_ino;
}

const char *status_field_(const char *field, pid_t pid)
{
	const char *whole =
		pid ? must_read_("/proc/%d/status", pid) : must_read_("/proc/self/status");
	const char *line = whole;
	char *result = buffer();

	while (line && (strncmp(line, field, strlen(field)) || line[strlen(field)] != ':')) {
		line = strchr(line, '\n');
		line += !!line;
	}
	if (!line)
		world_broken("find in /proc/PID/status", field);
	line += strlen(field) + 1;
	line += strspn(line, " \t");
	snprintf(result, BUFFER_SIZE, "%.*s", (int)strcspn(line, "\n"), line);
	return result;
}

const char *mounted_at_(const char *path)
{
	const char *line = must_read_("/proc/self/mountinfo");
	char *result = NULL;

	for (; *line; line += strcspn(line, "\n") + 1) {
		char at[PATH_MAX];

		if (sscanf(line, "%*s %*s %*s %*s %4095s", at) != 1 || strcmp(at, path))
			continue;
		result = result ? result : buffer();
		snprintf(result, BUFFER_SIZE, "%.*s", (int)strcspn(line, "\n"), line);
	}
	return result;
}

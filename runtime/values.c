// SPDX-License-Identifier: GPL-2.0-or-later
#include "values.h"

#include "fault.h"
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Reads the digits at *@s and moves past them; false when there are none or too many. */
static bool take_digits(const char **s, uint64_t *out)
{
	const char *start = *s;
	uint64_t n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**s - '0'), &n))
			return false;
	}
	*out = n;
	return *s > start;
}

const char *parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t n;

	if (!take_digits(&s, &n) || *s)
		return "not a number";
	if (n < min || n > max)
		return "the number is out of range";
	*out = n;
	return NULL;
}

const char *parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "kmgt";
	uint64_t n;

	if (!take_digits(&s, &n))
		return "not a size (digits, then K, M, G or T, or nothing)";
	if (*s) {
		const char *unit = strchr(units, tolower((unsigned char)*s));

		if (!unit || s[1])
			return "not a size (digits, then K, M, G or T, or nothing)";
		if (__builtin_mul_overflow(n, 1ULL << (10 * (unit - units + 1)), &n))
			return "the size is out of range";
	}
	if (n < 4096 || n > INT64_MAX)
		return "the size is out of range (at least 4096 bytes)";
	*out = n;
	return NULL;
}

const char *parse_cpus(const char *s, uint64_t *quota_usec)
{
	static const char form[] = "not a number of CPUs (as 2 or 0.5)";
	uint64_t whole, fraction = 0, scale = CPU_PERIOD_USEC;

	if (!take_digits(&s, &whole) || whole > 100000)
		return form;
	if (*s == '.') {
		if (!s[1])
			return form;
		while (*++s >= '0' && *s <= '9') {
			scale /= 10;
			fraction += scale * (uint64_t)(*s - '0');
		}
	}
	if (*s)
		return form;
	*quota_usec = whole * CPU_PERIOD_USEC + fraction;
	return *quota_usec < 1000 ? "too few CPUs (at least 0.01)" : NULL;
}

static bool take_seconds(const char **s, int64_t *out)
{
	bool negative = **s == '-';
	uint64_t n;

	*s += negative;
	if (!take_digits(s, &n) || n > 4000000000ULL)
		return false;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

const char *parse_clocks(const char *s, struct clock_offsets *out)
{
	if (!take_seconds(&s, &out->monotonic) || *s++ != ',' ||
	    !take_seconds(&s, &out->boottime) || *s)
		return "not two offsets in seconds (as 3600,-60)";
	out->asked = true;
	return NULL;
}

const char *parse_user(const char *s, uint32_t *uid, uint32_t *gid)
{
	static const char form[] = "not UID or UID:GID in numbers";
	uint64_t u, g = 0;

	if (!take_digits(&s, &u) || (*s == ':' && (s++, !take_digits(&s, &g))) || *s)
		return form;
	if (u >= UINT32_MAX || g >= UINT32_MAX)
		return "the id is out of range (4294967295 is nobody's)";
	*uid = (uint32_t)u;
	*gid = (uint32_t)g;
	return NULL;
}

static bool overlap(uint64_t a, uint64_t b, uint64_t a_count, uint64_t b_count)
{
	return a < b + b_count && b < a + a_count;
}

const char *parse_id_map(const char *s, struct id_maps *maps)
{
	uint64_t inside, host, count;

	if (!take_digits(&s, &inside) || *s++ != ':' || !take_digits(&s, &host) || *s++ != ':' ||
	    !take_digits(&s, &count) || *s)
		return "not INSIDE:HOST:COUNT in numbers";
	if (!count || inside > UINT32_MAX || host > UINT32_MAX || count > UINT32_MAX ||
	    inside + count > UINT32_MAX || host + count > UINT32_MAX)
		return "the ids are out of range";
	if (maps->n == ID_MAP_ROOM)
		return "too many lines (the kernel takes 340)";
	for (size_t i = 0; i < maps->n; i++)
		if (overlap(inside, maps->line[i].inside, count, maps->line[i].count) ||
		    overlap(host, maps->line[i].host, count, maps->line[i].count))
			return "it overlaps another line of the map";
	maps->line[maps->n++] =
		(struct id_map){ (uint32_t)inside, (uint32_t)host, (uint32_t)count };
	return NULL;
}

const char *parse_namespaces(const char *s, uint64_t *flags)
{
	do {
		size_t n = strcspn(s, ","), i = 0;

		while (i < ns_count &&
		       (strlen(ns_names[i].name) != n || strncmp(ns_names[i].name, s, n) != 0))
			i++;
		if (i == ns_count)
			return "not a list of namespaces (of pid, uts, ipc, net, cgroup, user)";
		*flags |= ns_names[i].flag;
		s += n;
	} while (*s++ == ',');
	return NULL;
}

const char *parse_capability(const char *s, uint64_t *bits)
{
	if (strcasecmp(s, "all") == 0) {
		*bits = (1ULL << cap_count) - 1;
		return NULL;
	}
	if (strncasecmp(s, "cap_", 4) == 0)
		s += 4;
	for (size_t i = 0; i < cap_count; i++) {
		if (strcasecmp(s, cap_names[i]) == 0) {
			*bits = 1ULL << i;
			return NULL;
		}
	}
	return "no such capability";
}

const char *parse_hostname(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > HOSTNAME_ROOM)
		return "a name has 1 to 64 bytes";
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(".-_", *s))
			return "a name has letters, digits, dots, hyphens and underscores only";
	return NULL;
}

/* Mounts of ours that a mount of the caller's would hide, with all that was masked there. */
static const char *check_target(const char *path)
{
	static const char *const ours[] = { "/proc", "/sys", "/dev" };
	size_t n = strlen(path);

	if (*path != '/')
		return "the target is not an absolute path";
	if (n >= COMMAND_PATH_ROOM)
		return "the target is too long a path";
	while (n && path[n - 1] == '/')
		n--;
	if (!n)
		return "the target is the root (use --rootfs)";
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strlen(ours[i]) == n && strncmp(ours[i], path, n) == 0)
			return "it would hide what the container needs for its isolation";
	if (strncmp(path, "/proc/", 6) == 0)
		return "it lies in /proc, which tools and kernel must be able to trust";
	return NULL;
}

const char *parse_bind(char *s, struct bind *out)
{
	char *target = strchr(s, ':'), *option = target ? strchr(target + 1, ':') : NULL;

	if (!target || target == s)
		return "not SRC:DST or SRC:DST:ro";
	*target++ = '\0';
	if (option)
		*option++ = '\0';
	if (option && strcmp(option, "ro") != 0)
		return "the only option is ro";
	*out = (struct bind){ .source = s, .target = target, .read_only = option != NULL };
	return check_target(target);
}

const char *parse_tmpfs(char *s, struct tmpfs *out)
{
	static const char size[] = "size=";
	char *option = strchr(s, ':');
	const char *wrong;

	*out = (struct tmpfs){ .target = s };
	if (option) {
		*option++ = '\0';
		if (strncmp(option, size, sizeof(size) - 1) != 0)
			return "the only option is size=N";
		wrong = parse_size(option + sizeof(size) - 1, &out->size);
		if (wrong)
			return wrong;
	}
	return check_target(s);
}

const char *parse_env(const char *s)
{
	const char *equals = strchr(s, '=');

	return equals && equals > s ? NULL : "not NAME=VALUE";
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "features.h"

#include "names.h"
#include "options.h"
#include "sys.h"

#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has_mount_setattr(void)
{
	return sys_mount_setattr(-1, "", AT_EMPTY_PATH, &(struct mount_attr){ .attr_set = 0 }) !=
	       -ENOSYS;
}

static bool has_new_mount_api(void)
{
	return RAW3(SYS_open_tree, -1, "", ~0U) != -ENOSYS;
}

static bool has_openat2(void)
{
	return sys_openat2(-1, "", &(struct open_how){ .flags = 0 }) != -ENOSYS;
}

static bool has_close_range(void)
{
	return RAW3(SYS_close_range, 1, 0, 0) != -ENOSYS;
}

static bool has_seccomp_filter(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return RAW3(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool has_cgroup2(void)
{
	struct statfs st = { .f_type = 0 };

	return sys_statfs("/sys/fs/cgroup", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

static bool has_overlayfs(void)
{
	char line[128];
	bool found = false;
	FILE *f = fopen("/proc/filesystems", "re");

	while (f && fgets(line, sizeof(line), f))
		found = found || strstr(line, "\toverlay\n");
	if (f)
		fclose(f);
	return found;
}

static const struct probe {
	const char *name;
	bool (*has)(void);
} probes[] = {
	{ "new-mount-api", has_new_mount_api },
	{ "mount-setattr", has_mount_setattr },
	{ "openat2", has_openat2 },
	{ "close-range", has_close_range },
	{ "seccomp-filter", has_seccomp_filter },
	{ "cgroup-v2", has_cgroup2 },
	{ "overlayfs", has_overlayfs },
};

static void print_name(const char *name, void *arg)
{
	bool *first = arg;

	printf("%s\"%s\"", *first ? "" : ", ", name);
	*first = false;
}

static void print_namespaces(void)
{
	bool first = true;
	char path[40];

	for (size_t i = 0; i < ns_count; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_names[i].proc);
		if (access(path, F_OK) == 0)
			print_name(ns_names[i].name, &first);
	}
}

int features_print(void)
{
	bool first = true;

	fputs("{\n  \"version\": \"" VERSION "\",\n  \"namespaces\": [", stdout);
	print_namespaces();
	fputs("],\n  \"options\": [", stdout);
	options_each_name(print_name, &first);
	fputs("],\n  \"kernel\": {", stdout);
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		printf("%s\"%s\": %s", i ? ", " : "", probes[i].name,
		       probes[i].has() ? "true" : "false");
	puts("}\n}");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include "fault.h"
#include "names.h"
#include "request.h"
#include "room.h"
#include "text.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

#define TAKES(name) static const char *take_##name(struct request *r, char *v)

/* Room for one more element of @size at *@list; there is no way on without it. */
static void *grow(void *list, size_t n, size_t size)
{
	return must_have(reallocarray(list, n + 1, size));
}

static const char *need_path(const char *v)
{
	return *v ? NULL : "a path is not empty";
}

TAKES(rootfs)
{
	r->plan->rootfs = v;
	return need_path(v);
}

TAKES(layer)
{
	struct plan *p = r->plan;

	p->layers = grow(p->layers, p->n_layers, sizeof(*p->layers));
	p->layers[p->n_layers++] = v;
	return p->n_layers > 480 ? "too many layers (overlayfs takes 480 here)" : need_path(v);
}

TAKES(upper)
{
	size_t n = strlen(v);

	while (n > 1 && v[n - 1] == '/')
		v[--n] = '\0';
	r->plan->upper = v;
	return need_path(v);
}

TAKES(read_only)
{
	(void)v;
	r->plan->read_only = true;
	return NULL;
}

TAKES(hostname)
{
	r->plan->hostname = v;
	return parse_hostname(v);
}

TAKES(domainname)
{
	r->plan->domainname = v;
	return parse_hostname(v);
}

TAKES(share)
{
	return parse_namespaces(v, &r->shared);
}

TAKES(userns)
{
	(void)v;
	r->userns = true;
	return NULL;
}

TAKES(uid_map)
{
	return parse_id_map(v, &r->plan->uids);
}

TAKES(gid_map)
{
	return parse_id_map(v, &r->plan->gids);
}

TAKES(timens)
{
	return parse_clocks(v, &r->plan->clocks);
}

TAKES(bind)
{
	struct plan *p = r->plan;

	p->binds = grow(p->binds, p->n_binds, sizeof(*p->binds));
	return parse_bind(v, &p->binds[p->n_binds++]);
}

TAKES(tmpfs)
{
	struct plan *p = r->plan;

	p->tmpfs = grow(p->tmpfs, p->n_tmpfs, sizeof(*p->tmpfs));
	return parse_tmpfs(v, &p->tmpfs[p->n_tmpfs++]);
}

TAKES(env)
{
	request_env(r, v);
	return parse_env(v);
}

TAKES(workdir)
{
	r->plan->workdir = v;
	return *v == '/' ? NULL : "not an absolute path";
}

TAKES(user)
{
	return parse_user(v, &r->plan->uid, &r->plan->gid);
}

TAKES(memory)
{
	return parse_size(v, &r->plan->limits.memory);
}

/* The kernel's PID_MAX_LIMIT: a larger number would be "max". */
TAKES(pids)
{
	return parse_number(v, 1, 4194304, &r->plan->limits.pids);
}

TAKES(cpus)
{
	return parse_cpus(v, &r->plan->limits.cpu_quota_usec);
}

TAKES(cap_add)
{
	uint64_t bits = 0;
	const char *wrong = parse_capability(v, &bits);

	r->plan->caps |= bits;
	r->caps_added |= bits;
	return wrong;
}

TAKES(cap_drop)
{
	uint64_t bits = 0;
	const char *wrong = parse_capability(v, &bits);

	r->plan->caps &= ~bits;
	return wrong;
}

TAKES(seccomp)
{
	r->seccomp = v;
	return need_path(v);
}

TAKES(init)
{
	(void)v;
	r->plan->init = true;
	return NULL;
}

TAKES(tty)
{
	(void)v;
	r->plan->tty = true;
	return NULL;
}

static const struct option {
	const char *name, *value; /* value: NULL for a switch */
	const char *(*take)(struct request *r, char *v);
	unsigned int verbs;
	const char *help;
} options[] = {
#define BOTH (VERB_RUN | VERB_CHILD)
	{ "rootfs", "DIR", take_rootfs, BOTH, "the root of the container [./rootfs]" },
	{ "layer", "DIR", take_layer, BOTH, "stack DIR on the layers before it (overlayfs)" },
	{ "upper", "DIR", take_upper, VERB_RUN, "keep what is written, in DIR [thrown away]" },
	{ "read-only", NULL, take_read_only, BOTH, "make the root read-only" },
	{ "hostname", "NAME", take_hostname, BOTH, "the container's hostname [bulkhead]" },
	{ "domainname", "NAME", take_domainname, BOTH, "the container's NIS domainname" },
	{ "share", "NS[,NS]...", take_share, BOTH, "keep the host's: pid uts ipc net cgroup user" },
	{ "userns", NULL, take_userns, VERB_RUN, "new user namespace [when not root]" },
	{ "uid-map", "IN:HOST:N", take_uid_map, VERB_RUN, "map N user ids from IN on to HOST on" },
	{ "gid-map", "IN:HOST:N", take_gid_map, VERB_RUN, "map N group ids from IN on to HOST on" },
	{ "timens", "MONO,BOOT", take_timens, VERB_RUN, "new time namespace, offsets in seconds" },
	{ "bind", "SRC:DST[:ro]", take_bind, BOTH, "show the host's SRC at DST, :ro read-only" },
	{ "tmpfs", "DST[:size=N]", take_tmpfs, BOTH, "an empty tmpfs at DST" },
	{ "env", "NAME=VALUE", take_env, BOTH, "set an environment variable" },
	{ "workdir", "DIR", take_workdir, BOTH, "start in DIR [/]" },
	{ "user", "UID[:GID]", take_user, BOTH, "run the command as UID and GID [0:0]" },
	{ "memory", "BYTES", take_memory, VERB_RUN, "limit memory (K, M, G, T); no swap" },
	{ "pids", "N", take_pids, VERB_RUN, "limit the number of processes and threads" },
	{ "cpus", "X", take_cpus, VERB_RUN, "limit CPU time to X CPUs, as 0.5" },
	{ "cap-add", "CAP", take_cap_add, BOTH, "keep a capability (or ALL)" },
	{ "cap-drop", "CAP", take_cap_drop, BOTH, "drop a capability (or ALL)" },
	{ "seccomp", "default|none|FILE", take_seccomp, BOTH, "the system call filter [default]" },
	{ "init", NULL, take_init, BOTH, "a PID 1 that reaps orphans and forwards signals" },
	{ "tty", NULL, take_tty, VERB_RUN, "give the command a terminal of its own" },
};

enum { OPTION_COUNT = sizeof(options) / sizeof(*options) };

enum { SHOWN_ROOM = 80 };

/* @shown has been through text_quote(). */
static int refuse_value(const char *option, const char *shown, const char *why)
{
	fprintf(stderr, "bulkhead: cannot use %s \"%s\": %s; see bulkhead --help\n", option, shown,
		why);
	return -1;
}

static int usage_error(const char *option, const char *value, const char *why)
{
	char shown[SHOWN_ROOM];

	text_quote(shown, sizeof(shown), value);
	return refuse_value(option, shown, why);
}

static const struct option *find(const char *name, size_t n)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0)
			return &options[i];
	return NULL;
}

/* Takes "--name", "--name=value" or "--name value" at *@argv and moves past it. */
static int take_option(enum verb verb, char ***argv, struct request *r)
{
	char *name = **argv + 2, *value = strchr(name, '=');
	const struct option *o = find(name, value ? (size_t)(value - name) : strlen(name));
	char dashed[32], shown[SHOWN_ROOM];
	const char *wrong;

	if (!o)
		return usage_error("the option", **argv, "there is no such option");
	snprintf(dashed, sizeof(dashed), "--%s", o->name);
	if (!(o->verbs & verb))
		return usage_error("the option", dashed, "`child` makes no namespaces or cgroups");
	++*argv;
	if (!o->value)
		return value ? usage_error(dashed, value + 1, "it takes no value")
			     : (o->take(r, NULL), 0);
	if (value)
		value++;
	else if (!(value = *(*argv)++))
		return usage_error("the option", dashed, "its value is missing");
	text_quote(shown, sizeof(shown), value); /* some parsers cut the value into pieces */
	wrong = o->take(r, value);
	return wrong ? refuse_value(dashed, shown, wrong) : 0;
}

int options_parse(enum verb verb, char **argv, struct plan *p)
{
	struct request r = { .plan = p, .stage_only = verb == VERB_CHILD, .seccomp = "default" };

	static ROOM struct id_map uids[ID_MAP_ROOM], gids[ID_MAP_ROOM];

	p->uids.line = uids;
	p->gids.line = gids;
	p->caps = default_caps;
	while (*argv && (*argv)[0] == '-' && (*argv)[1]) {
		if (strcmp(*argv, "--") == 0) {
			argv++;
			break;
		}
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return 1;
		if ((*argv)[1] != '-')
			return usage_error("the option", *argv, "options are long ones");
		if (take_option(verb, &argv, &r) < 0)
			return -1;
	}
	p->argv = argv;
	return request_complete(&r);
}

void options_help(FILE *to)
{
	fputs("Usage: bulkhead run   [OPTION]... [--] COMMAND [ARG]...\n"
	      "       bulkhead child [OPTION]... [--] COMMAND [ARG]...\n"
	      "       bulkhead features | --version | --help\n"
	      "\n"
	      "Run COMMAND in new namespaces on a root of its own. `child` does the inner\n"
	      "stage only, in namespaces that somebody else made.\n\n",
	      to);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &options[i];
		int n = fprintf(to, "  --%s%s%s", o->name, o->value ? " " : "",
				o->value ? o->value : "");

		fprintf(to, "%*s%s%s\n", n < 28 ? 28 - n : 1, "", o->help,
			o->verbs & VERB_CHILD ? "" : " *");
	}
	fputs("\n[...] is the default; * not with `child`. Exit status: COMMAND's; 128+N when\n"
	      "signal N ended it; 125 bulkhead failed; 126 COMMAND cannot be executed; 127\n"
	      "COMMAND not found. See bulkhead(1).\n",
	      to);
}

void options_each_name(void (*each)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		each(options[i].name, arg);
}

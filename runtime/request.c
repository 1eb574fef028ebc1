// SPDX-License-Identifier: GPL-2.0-or-later
#include "request.h"

#include "fault.h"
#include "identity.h"
#include "names.h"
#include "room.h"
#include "seccomp.h"
#include "subid.h"
#include "sys.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int refuse(const char *what, const char *value, const char *why)
{
	char shown[80];

	text_quote(shown, sizeof(shown), value);
	fprintf(stderr, "bulkhead: cannot %s \"%s\": %s\n", what, shown, why);
	return -1;
}

/* Room that a usual start finds without asking the heap, whose pages it then need not touch. */
static char *first_env[64];
static char term_text[128], hostname_text[sizeof("HOSTNAME=") + HOSTNAME_ROOM];

static bool has_name(const char *assignment, const char *name, size_t n)
{
	return strncmp(assignment, name, n) == 0 && assignment[n] == '=';
}

static char **grown_env(const struct plan *p)
{
	char **env;

	if (p->n_env + 1 < sizeof(first_env) / sizeof(*first_env))
		return first_env;
	env = must_have(calloc(p->n_env + 2, sizeof(*env)));
	memcpy(env, p->env, p->n_env * sizeof(*env));
	if (p->env != first_env)
		free(p->env);
	return env;
}

void request_env(struct request *r, char *assignment)
{
	struct plan *p = r->plan;
	size_t i = 0;

	while (i < p->n_env && !has_name(p->env[i], assignment, strcspn(assignment, "=")))
		i++;
	if (i == p->n_env) {
		p->env = grown_env(p);
		p->env[++p->n_env] = NULL;
	}
	p->env[i] = assignment;
}

/* Sets @assignment unless the caller has set its name. */
static void env_default(struct request *r, char *assignment)
{
	for (size_t i = 0; i < r->plan->n_env; i++)
		if (has_name(r->plan->env[i], assignment, strcspn(assignment, "=")))
			return;
	request_env(r, assignment);
}

static char *term_assignment(const char *term)
{
	size_t room = sizeof("TERM=") + strlen(term);
	char *text = room <= sizeof(term_text) ? term_text : must_have(malloc(room));

	snprintf(text, room, "TERM=%s", term);
	return text;
}

static void complete_env(struct request *r)
{
	static char path[] = "PATH=" DEFAULT_PATH, root[] = "HOME=/root", nobody[] = "HOME=/";
	const char *term = getenv("TERM");

	env_default(r, path);
	env_default(r, r->plan->uid == 0 ? root : nobody);
	if (term || r->plan->tty)
		env_default(r, term_assignment(term ? term : "xterm"));
	if (r->plan->hostname) {
		snprintf(hostname_text, sizeof(hostname_text), "HOSTNAME=%s", r->plan->hostname);
		env_default(r, hostname_text);
	}
}

static int complete_namespaces(struct request *r)
{
	struct plan *p = r->plan;

	if (r->shared & CLONE_NEWNS)
		return refuse("--share", "mnt", "the root is switched in a mount namespace");
	if (r->shared & CLONE_NEWTIME)
		return refuse("--share", "time", "it is shared unless --timens is given");
	if (r->shared & CLONE_NEWUSER && (p->rootless || r->userns || p->uids.n || p->gids.n))
		return refuse("--share", "user",
			      p->rootless ? "only root can do without a user namespace"
					  : "it contradicts --userns, --uid-map and --gid-map");
	p->namespaces = default_namespaces & ~r->shared;
	if (r->userns || p->rootless || p->uids.n || p->gids.n)
		p->namespaces |= CLONE_NEWUSER;
	if (r->stage_only)
		p->namespaces &= ~(uint64_t)CLONE_NEWUSER;
	return 0;
}

/* Without a map of the caller's: what is usual for root, or what a user is entitled to. */
static int complete_map(const struct plan *p, struct id_maps *maps, const char *file,
			const char *helper, uint32_t own)
{
	const struct id_map all = { 0, 0, UINT32_MAX };
	int ret;

	if (maps->n || !(p->namespaces & CLONE_NEWUSER))
		return 0;
	if (!p->rootless) {
		maps->line[maps->n++] = all;
		return 0;
	}
	ret = subid_maps(file, helper, own, maps);
	return ret < 0 ? refuse("read", file, strerror(-ret)) : 0;
}

static int complete_maps(struct plan *p)
{
	if (complete_map(p, &p->uids, "/etc/subuid", "newuidmap", caller_uid()) < 0)
		return -1;
	return complete_map(p, &p->gids, "/etc/subgid", "newgidmap", caller_gid());
}

static bool maps_id(const struct id_maps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id >= maps->line[i].inside && id - maps->line[i].inside < maps->line[i].count)
			return true;
	return false;
}

static int check_ids(const struct plan *p)
{
	char asked[sizeof("4294967295:4294967295")];

	if (!(p->namespaces & CLONE_NEWUSER))
		return 0;
	if (!maps_id(&p->uids, 0) || !maps_id(&p->gids, 0))
		return refuse("use the id map without", "0", "the container is built as its root");
	snprintf(asked, sizeof(asked), "%u:%u", p->uid, p->gid);
	if (!maps_id(&p->uids, p->uid))
		return refuse("use --user", asked,
			      "the user is not in the container's id map (see --uid-map, "
			      "/etc/subuid)");
	if (!maps_id(&p->gids, p->gid))
		return refuse("use --user", asked,
			      "the group is not in the container's id map (see --gid-map, "
			      "/etc/subgid)");
	return 0;
}

/* Overlayfs takes part when there are layers, or a place to write to. */
static void complete_root(struct plan *p)
{
	if (!p->rootfs && !p->n_layers)
		p->rootfs = "rootfs";
	if (!p->rootfs || (!p->n_layers && !p->upper))
		return;
	p->layers = must_have(reallocarray(p->layers, p->n_layers + 1, sizeof(*p->layers)));
	memmove(p->layers + 1, p->layers, p->n_layers * sizeof(*p->layers));
	p->layers[0] = p->rootfs;
	p->n_layers++;
	p->rootfs = NULL;
}

static int complete_names(struct request *r)
{
	struct plan *p = r->plan;

	if (r->shared & CLONE_NEWUTS && (p->hostname || p->domainname))
		return refuse(p->hostname ? "use --hostname" : "use --domainname",
			      p->hostname ? p->hostname : p->domainname,
			      "--share uts keeps the host's names, which are not ours to change");
	if (!p->hostname && !(r->shared & CLONE_NEWUTS) && !r->stage_only)
		p->hostname = "bulkhead";
	return 0;
}

static ROOM struct sock_filter the_filter[FILTER_ROOM];

static int read_filter(struct plan *p, const char *path)
{
	int n, fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -errno : seccomp_read_filter(fd, the_filter, FILTER_ROOM);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return refuse("use the seccomp filter", path,
			      n == -EINVAL ? "it is not an array of BPF instructions (see "
					     "seccomp_export_bpf(3))"
					   : strerror(-n));
	p->filter = the_filter;
	p->n_filter = (size_t)n;
	return 0;
}

static int complete_filter(struct request *r)
{
	struct plan *p = r->plan;

	if (strcmp(r->seccomp, "default") != 0) {
		/* Nothing else keeps it from the host's devices: there is no device cgroup. */
		if (!(r->caps_added & 1ULL << CAP_MKNOD))
			p->caps &= ~(1ULL << CAP_MKNOD);
		return strcmp(r->seccomp, "none") == 0 ? 0 : read_filter(p, r->seccomp);
	}
	p->filter = seccomp_default_filter(p->caps, the_filter, FILTER_ROOM, &p->n_filter);
	return p->filter ? 0 : refuse("use the seccomp filter", "default", "it does not fit");
}

/*
 * Real-time priority for I/O needs a capability in the initial user namespace, and that is
 * what ioprio_set(2) looks at first. To be told that there is no such target (0) tells us
 * where we are, changes nothing, and costs a hundredth of a look into /proc.
 */
static bool has_capability_over_machine(void)
{
	return RAW3(SYS_ioprio_set, 0, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0)) == -EINVAL;
}

/*
 * The initial user namespace has a known inode number: include/linux/proc_ns.h. None has
 * the number 0, which an untouched answer would leave here.
 */
static int find_nesting(struct plan *p)
{
	static const char own[] = "/proc/self/ns/user";
	struct statx stx = { .stx_ino = 0 };

	if (plan_is_in_userns(p) || has_capability_over_machine())
		return 0;
	if (sys_statx(AT_FDCWD, own, 0, STATX_INO, &stx) < 0)
		return 0;
	p->nested = stx.stx_ino != 0xEFFFFFFDU;
	return stx.stx_ino
		       ? 0
		       : refuse("look at", own, "the kernel reported success, but told nothing");
}

int request_complete(struct request *r)
{
	struct plan *p = r->plan;

	p->stage_only = r->stage_only;
	p->rootless = caller_uid() != 0;
	if (!p->argv[0]) {
		fputs("bulkhead: cannot run a container: there is no command "
		      "(bulkhead run [OPTION]... [--] COMMAND [ARG]...)\n",
		      stderr);
		return -1;
	}
	if (!p->workdir)
		p->workdir = "/";
	if (complete_namespaces(r) < 0 || find_nesting(p) < 0 || complete_names(r) < 0 ||
	    complete_maps(p) < 0)
		return -1;
	complete_root(p);
	complete_env(r);
	if (check_ids(p) < 0)
		return -1;
	return complete_filter(r);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The command: found by the container's PATH, checked, executed. */
#include "meet.h"
#include "steps.h"
#include "sys.h"
#include "text.h"

#include <elf.h>
#include <linux/close_range.h>
#include <string.h>
#include <unistd.h>

static const char *search_path(const struct plan *p)
{
	for (size_t i = 0; i < p->n_env; i++)
		if (strncmp(p->env[i], "PATH=", 5) == 0)
			return p->env[i] + 5;
	return "";
}

/*
 * A file is a candidate when it is a regular file that this user may execute, by the
 * capabilities that the command will have (AT_EACCESS would need faccessat2(2), 5.8).
 */
static int candidate(const char *path)
{
	struct statx stx = { .stx_mode = 0 };
	int ret = sys_statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MODE, &stx);

	if (ret < 0)
		return ret;
	if ((stx.stx_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return (int)RAW3(SYS_faccessat, AT_FDCWD, path, X_OK);
}

/* Tries each directory of PATH as execvp(3) does: EACCES is told only if nothing is found. */
static int search(const struct plan *p, char *path, size_t room)
{
	const char *dir = search_path(p), *end;
	int ret, best = -ENOENT;

	for (;; dir = end + 1) {
		end = strchrnul(dir, ':');
		*path = '\0';
		text_add_bytes(path, room, dir, (size_t)(end - dir));
		text_add(path, room, end > dir ? "/" : "./");
		text_add(path, room, p->argv[0]);
		ret = strlen(path) < room - 1 ? candidate(path) : -ENAMETOOLONG;
		if (ret == 0)
			return 0;
		if (ret != -ENOENT && ret != -ENOTDIR)
			best = ret;
		if (!*end)
			return best;
	}
}

/* How a file begins. */
struct head {
	long size; /* bytes that could be read, or -errno */
	char bytes[256];
};

static void read_head(const char *path, struct head *h)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	h->size = fd < 0 ? fd : sys_read(fd, h->bytes, sizeof(h->bytes) - 1);
	sys_close(fd);
}

/* The interpreter of a script, from its first line; "" when there is none. */
static void interpreter_of(struct head *h, char *name, size_t room)
{
	char *start;

	*name = '\0';
	if (h->size < 3 || h->bytes[0] != '#' || h->bytes[1] != '!')
		return;
	h->bytes[h->size] = '\0';
	start = h->bytes + 2 + strspn(h->bytes + 2, " \t");
	text_add_bytes(name, room, start, strcspn(start, " \t\n"));
}

/* The ELF header of the running program, by the linker: it names sizes and places of its parts. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static bool may_be_runtime(const struct head *h)
{
	const size_t size =
		h->size < (long)sizeof(Elf64_Ehdr) ? (size_t)h->size : sizeof(Elf64_Ehdr);

	return h->size <= 0 || memcmp(h->bytes, __ehdr_start, size) == 0;
}

/*
 * Nothing but the host's bulkhead, or what cannot be read, comes as far as the comparison of
 * the files. /proc/self/exe is the host's bulkhead until execve.
 */
static int refuse_if_runtime(struct inside *in, const char *path, const struct head *h)
{
	struct statx own = { .stx_ino = 0 }, its = { .stx_ino = 0 };
	int ret;

	if (!may_be_runtime(h))
		return 0;
	ret = sys_statx(in->fs[PROC], BELOW_PROC("/proc/self/exe"), 0, STATX_INO, &own);
	if (ret < 0 || !own.stx_ino)
		return fail(&in->fault, STEP_look_back, "/proc/self/exe", ret ? ret : LIE);
	ret = sys_statx(AT_FDCWD, path, 0, STATX_INO, &its);
	if (ret < 0 || !its.stx_ino)
		return fail(&in->fault, STEP_find_command, path, ret ? ret : LIE);
	if (own.stx_ino == its.stx_ino && own.stx_dev_major == its.stx_dev_major &&
	    own.stx_dev_minor == its.stx_dev_minor)
		return fail(&in->fault, STEP_find_command, in->path, IS_RUNTIME);
	return 0;
}

/*
 * An image that names bulkhead as command or interpreter wants to run, and then to
 * overwrite, the host's binary (CVE-2019-5736). An interpreter may be a script again,
 * five times over (exec_binprm() in fs/exec.c).
 */
static int refuse_runtime(struct inside *in)
{
	enum { INTERPRETERS = 5 };
	char interpreter[sizeof(((struct head *)0)->bytes)];
	struct head h = { .size = 0 };

	read_head(in->path, &h);
	TRY(refuse_if_runtime(in, in->path, &h));
	interpreter_of(&h, interpreter, sizeof(interpreter));
	for (int i = 0; i <= INTERPRETERS && *interpreter; i++) {
		read_head(interpreter, &h);
		if (h.size == -ENOENT)
			return fail(&in->fault, STEP_find_command, in->path, NO_INTERPRETER);
		TRY(refuse_if_runtime(in, interpreter, &h));
		interpreter_of(&h, interpreter, sizeof(interpreter));
	}
	return 0;
}

static int enter_workdir(struct inside *in)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				      .resolve = RESOLVE_NO_MAGICLINKS };
	const char *dir = in->plan->workdir;
	struct statx want = { .stx_ino = 0 }, have = { .stx_ino = 1 };
	int ret, fd = sys_openat2(AT_FDCWD, dir, &how);

	if (fd < 0)
		return fail(&in->fault, STEP_workdir, dir, fd);
	ret = sys_fchdir(fd);
	if (ret == 0)
		ret = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &want);
	if (ret == 0)
		ret = sys_statx(AT_FDCWD, ".", 0, STATX_INO, &have);
	sys_close(fd);
	if (ret < 0 || want.stx_ino != have.stx_ino)
		return fail(&in->fault, STEP_workdir, dir, ret ? ret : LIE);
	return 0;
}

int command_find(struct inside *in)
{
	const char *name = in->plan->argv[0];
	int ret;

	TRY(enter_workdir(in));
	*in->path = '\0';
	if (!*name) {
		ret = -ENOENT;
	} else if (strlen(name) >= sizeof(in->path)) {
		ret = -ENAMETOOLONG;
	} else if (strchr(name, '/')) {
		text_add(in->path, sizeof(in->path), name);
		ret = candidate(in->path);
	} else {
		ret = search(in->plan, in->path, sizeof(in->path));
	}
	if (ret < 0)
		return fail(&in->fault, STEP_find_command, name, ret);
	return refuse_runtime(in);
}

/*
 * Descriptors are marked close-on-exec on the host side already (main.c); here they are
 * closed. Neither alone can fail unseen.
 */
int command_close_descriptors(struct inside *in)
{
	int keep[2] = { in->channel, in->plan->init ? in->host->init_fd : -1 };
	unsigned int from = 3;
	long ret = 0;

	if (keep[0] > keep[1]) {
		keep[0] = keep[1];
		keep[1] = in->channel;
	}
	for (int i = 0; i < 2 && ret == 0; i++) {
		if (keep[i] < 3)
			continue;
		if (from < (unsigned int)keep[i])
			ret = RAW3(SYS_close_range, from, keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	if (ret == 0)
		ret = RAW3(SYS_close_range, from, ~0U, 0);
	return ret < 0 ? fail(&in->fault, STEP_descriptors, "close_range", ret) : 0;
}

int command_execute(struct inside *in)
{
	const struct plan *p = in->plan;
	long ret;

	if (p->init)
		ret = RAW5(SYS_execveat, in->host->init_fd, "", in->init_argv, p->env,
			   AT_EMPTY_PATH);
	else
		ret = RAW3(SYS_execve, in->path, p->argv, p->env);
	return fail(&in->fault, p->init ? STEP_init : STEP_execute, p->argv[0], ret ? ret : LIE);
}

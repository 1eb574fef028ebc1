/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the harness share among themselves; tests include selftest.h. */
#ifndef HARNESS_HARNESS_H
#define HARNESS_HARNESS_H

#include <stdarg.h>
#include <stdatomic.h>

#include "selftest.h"

/* TRIAL stands for a container that only says that it has started. */
enum {
	SIDES = MAX_CONTAINERS + 1,
	TRIAL = SIDES,
	LOG_SIZE = 32768,
	MEMO_SIZE = 65536,
	FIXTURE_SIZE = 4096
};

/* The shared page: what every process of a test may write and the runner reads. */
struct board {
	atomic_int checks, failed, crashed, broken, skipped;
	atomic_bool gave_up;        /* a check ended its process; others may wait for that */
	atomic_int finished[SIDES]; /* the body returned on that side */
	atomic_int line[SIDES];     /* the last block or check that each side reached */
	char skip_reason[128];
	atomic_uint log_used;
	char log[LOG_SIZE];
	atomic_uint memo_used;
	char memo[MEMO_SIZE]; /* key NUL value NUL, repeated */
	char been_in[4096];   /* /proc/PID/cgroup of the containers, see cgroups.c */
	_Alignas(16) char fixture[FIXTURE_SIZE];
};

/* One way to run a test body: the test and, for TEST_EACH, its row. */
struct run {
	const struct test *test;
	const void *row;
	size_t row_index;
};

enum verdict { PASS, FAIL, BROKEN, SKIP, CRASH, TIMEOUT, LEAK };

/* What became of a run; `why` completes the KTAP line. */
struct outcome {
	enum verdict verdict;
	char why[192];
};

/* The command line, read once. */
struct options {
	const char *run[64]; /* globs; none = all */
	size_t run_count;
	const char *must_run[64];
	size_t must_run_count;
	const char *expect_skips; /* file */
	const char *subject;      /* adapter */
	const char *rootfs;
	unsigned timeout; /* seconds; 0 = not said */
	unsigned repeat;
	uint64_t seed;
	bool list, shuffle, verbose, complete;
};
extern struct options options;

/* What the subject's `describe` said. */
struct subject {
	char name[64], version[64], reason[128], provides[512];
	bool available;
};
extern struct subject subject;

/* Which side of which test this process is. */
struct self {
	const struct run *run;
	int side;                  /* 0 host, 1.. container */
	bool born;                 /* this side's own CONTAINER has been passed */
	int socket[SIDES];         /* host: one a container; container: [0] to the host */
	pid_t process[SIDES];      /* host: what clone3 or the adapter's fork returned */
	pid_t pid[SIDES];          /* host: first process inside, from SCM_CREDENTIALS */
	int ended[SIDES];          /* host: wait status + 1 once waited for */
	int stash[8], stash_count; /* descriptors received, not yet taken */
};
extern struct self self_;
extern struct board *board;
extern int board_fd;

/* board.c */
void board_open(void);
void board_adopt(int fd); /* inside, through a subject */
void board_reset(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void give_up(void) __attribute__((noreturn)); /* what is wrong has been said */
void fail_at(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fail_unless_told(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void skip_now(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void reached(int line);
int told(void); /* failures and breakages recorded so far */

/* duet.c */
const char *side_name(int side);
void duet_end(void);                /* the body returned on this side */
void container_check_end(int side); /* wait for it and judge how it ended */

/* launch.c, subject.c: start the container's process; returns the host's view of it. */
pid_t launch_raw(const struct container *want, int side, int sockets[2]);
pid_t launch_subject(const struct container *want, int side, int sockets[2]);
pid_t launch_added(pid_t container, int sockets[2]);
void subject_describe(void);
void subject_prepare(void); /* the mount point of the program in the root */
void subject_clear(void);
bool subject_provides(const char *what);
_Noreturn void inside_main(int argc, char **argv);

/* meet.c: messages between the sides. */
enum message_kind { TOKEN = 1, DESCRIPTOR, HELLO };
struct message {
	int kind, value, fd;
	pid_t pid;
};
bool message_send(int socket, const struct message *message);
bool message_receive(int socket, pid_t peer, struct message *message);
void hello_send(int socket);

/* registry.c */
struct test **registry_sorted(size_t *count); /* by file and line; dies on a double name */
bool selected(const struct test *test);
const char *layer_name(enum layer layer);
bool glob_any(const char *const *globs, size_t count, const char *name);

/* world.c: BROKEN at the place that stand_at() remembers, with errno. */
void world_broken(const char *what, const char *object) __attribute__((noreturn));
void broken_there(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* needs.c */
const char *need_name(unsigned index);
bool needs_absent(need_set needs, struct outcome *outcome);
void enter_own_userns(void); /* NEED(admin) when not root */

/* stage.c, contain.c, leaks.c */
void stage_set(void);
void stage_strike(void);
bool stage_is_own(void);
bool stage_shm_is_own(void);
void stage_mend(void); /* a mount of the stage was taken away: put it back */
void stage_sweep(const char *directory);
const char *stage_scratch(void);
#define CGROUP_PREFIX "selftest-" /* the runner's own cgroups */
void contain_open(void);
void contain_close(void);
bool contain_cgroup_kill(void);
int contain_cgroup_fd(void);
const char *contain_cgroup(void); /* the program's own, or NULL */
bool cgroup_count_open(void);     /* false where the kernel does not let us count */
void cgroup_count_close(void);
long long cgroup_count(void); /* made less removed, by the runner and all that it started */
void cgroups_open(void);
void cgroups_close(void);
void cgroups_note(pid_t pid);
void cgroups_look(char *what, size_t size);           /* cgroups left behind; removes them */
unsigned contain_leftovers(char *names, size_t size); /* kill and count what remained */
void leaks_open(void);
void leaks_close(void);                   /* in a test process: the descriptors are the runner's */
void leaks_look(char *what, size_t size); /* "" when nothing was left behind */
struct fd_set_seen {
	uint64_t bits[4];
};
void fds_note(struct fd_set_seen *seen);
void fds_compare(const struct fd_set_seen *before);

/* run.c, ktap.c, skips.c */
void die_with(pid_t starter); /* at once if it has died already */
long long now_ms(void);       /* CLOCK_MONOTONIC */
void run_interruptible(void);
int run_interrupted(void); /* the signal that came, 0 when none did */
struct outcome run_once(const struct run *run);
void output_open(void);
int output_fd(void);
void output_take(void);
void output_drain(void);
const char *output_text(void);                                      /* what was kept; forgets it */
void ktap_plan(const char *indent, const char *name, size_t count); /* NULL = no name */
void ktap_diagnostics(const char *indent, const char *text);
void ktap_result(const char *indent, size_t number, const char *name,
		 const struct outcome *outcome);
bool is_ok(const struct outcome *outcome);
void skips_read(void);
bool skips_promised(enum need_kind kind, const char *since);
void skips_judge(const char *name, struct outcome *outcome);

#endif

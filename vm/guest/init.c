// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 of the guest: sets the machine up, then does what the host asks over the result channel
 * until it is told to end. It decides nothing about tests: the launcher on the host does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "setup.h"
#include "wire.h"

/* From <linux/random.h>, which a bare musl does not bring; RESEED is of Linux 4.17. */
#define ADD_ENTROPY _IOW('R', 0x03, int[2])
#define RESEED_CRNG _IO('R', 0x07)

enum { ENTROPY_BYTES = 64, SPEED_ROUNDS = 4 };

static bool ended;

static long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* How long it takes here to make a process and see it end, in microseconds, at best: the host
 * scales its time limits by it. Emulation is slowest at what this does. */
static long measure_speed(void)
{
	long best = LONG_MAX;

	for (int i = 0; i < SPEED_ROUNDS; i++) {
		long start = microseconds();
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		best = microseconds() - start < best ? microseconds() - start : best;
	}
	return best;
}

/* Every guest restored from one snapshot has the same random pool: mix in the host's HEX digits
 * and make the kernel draw a new key from them at once (random(4)). */
static void add_entropy(const char *hex)
{
	struct {
		int bits, size;
		unsigned char bytes[ENTROPY_BYTES];
	} pool = { .bits = ENTROPY_BYTES * 8, .size = ENTROPY_BYTES };
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < ENTROPY_BYTES && hex[0] && hex[1]; i++, hex += 2)
		sscanf(hex, "%2hhx", &pool.bytes[i]);
	if (fd < 0 || ioctl(fd, ADD_ENTROPY, &pool) || ioctl(fd, RESEED_CRNG))
		wire_sendf("trouble", "cannot seed the random pool: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* "NONCE EPOCH_NS ENTROPY_HEX": the start of a run, in a guest fresh from boot or snapshot. */
static void begin(char *request)
{
	const char *nonce = strsep(&request, " ");
	long long epoch = request ? strtoll(strsep(&request, " "), NULL, 10) : 0;
	struct timespec now = { .tv_sec = epoch / 1000000000, .tv_nsec = epoch % 1000000000 };

	wire_set_nonce(nonce);
	if (clock_settime(CLOCK_REALTIME, &now))
		wire_sendf("trouble", "cannot set the clock: %s", strerror(errno));
	add_entropy(request ? request : "");
	wire_sendf("began", "%ld", measure_speed());
}

static size_t free_memory(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return info.freeram * info.mem_unit;
}

/* Takes nearly all memory and gives it back: the kernel zeroes the anonymous pages that it hands
 * out, so zeros are what it leaves. A process of its own, which the kernel kills first if it goes
 * too far. */
static void zero_free_memory(void)
{
	enum { RESERVE = 3 << 20, STEP = 1 << 18, PAGE = 4096 };
	size_t size = free_memory();
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED || fd < 0 || write(fd, "1000", 4) < 0)
		_exit(1);
	madvise(memory, size, MADV_HUGEPAGE); /* only faster: a kernel need not have them */
	for (size_t at = 0; at < size && free_memory() > RESERVE; at += STEP)
		for (size_t page = at; page < at + STEP && page < size; page += PAGE)
			((volatile char *)memory)[page] = 0;
	_exit(0);
}

/* Makes the memory image small before a snapshot. */
static void settle(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	if (fd >= 0 && write(fd, "3", 1) < 0)
		wire_sendf("trouble", "cannot drop caches: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	pid = fork();
	if (pid == 0)
		zero_free_memory();
	waitpid(pid, NULL, 0);
	wire_sendf("settled", "%zu", free_memory() >> 10);
}

static int open_console(int flags)
{
	char console[32], path[64];

	setup_kernel_option("bulkhead.console", console, sizeof(console));
	snprintf(path, sizeof(path), "/dev/%s", console);
	return open(path, O_RDWR | flags);
}

/* An interactive shell on the console, with job control; the guest ends with it. */
static void shell(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		for (int fd = 0; fd < 3; fd++) {
			close(fd);
			if (open_console(0) != fd)
				_exit(126);
		}
		ioctl(0, TIOCSCTTY, 1);
		job_environment("vt100");
		if (chdir("/root") == 0)
			execl("/bin/sh", "-sh", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	ended = true;
}

static void serve(char *request)
{
	const char *verb = strsep(&request, " ");
	char nothing[1] = "";
	char *rest = request ? request : nothing;

	if (strcmp(verb, "begin") == 0)
		begin(rest);
	else if (strcmp(verb, "exec") == 0 && !job_running())
		job_start(rest);
	else if (strcmp(verb, "kill") == 0)
		job_kill();
	else if (strcmp(verb, "ping") == 0)
		wire_send("pong", rest, strlen(rest));
	else if (strcmp(verb, "settle") == 0)
		settle();
	else if (strcmp(verb, "shell") == 0)
		shell();
	else if (strcmp(verb, "end") == 0)
		ended = true;
	else
		wire_sendf("trouble", "cannot do request \"%s\" now", verb);
}

/* Above every test, so that a result is forwarded before the next test starts and the order of
 * results and kernel messages is the order of events. Commands are started without it. A plain
 * system call: the libc wrapper of musl only says ENOSYS. */
static void raise_priority(void)
{
	struct sched_param lowest = { .sched_priority = 1 };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest))
		wire_sendf("trouble", "cannot use SCHED_FIFO: %s", strerror(errno));
}

static int block_child_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* An initramfs without /dev/console starts init without descriptors 0, 1 and 2. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 2);
	if (fd > 2)
		close(fd);
}

static void serve_until_end(int port)
{
	char request[WIRE_LINE_MAX];
	struct signalfd_siginfo info;
	struct pollfd fds[4] = { { .fd = port, .events = POLLIN },
				 { .fd = block_child_signals(), .events = POLLIN } };

	while (!ended) {
		job_poll(&fds[2]);
		if (poll(fds, 4, -1) < 0)
			continue;
		job_forward();
		if (fds[1].revents && read(fds[1].fd, &info, sizeof(info)) > 0)
			job_reap();
		if (fds[0].revents)
			wire_fill();
		while (!ended && wire_next(request))
			serve(request);
	}
}

int main(void)
{
	struct utsname system;
	char name[32];
	int port;

	setup_leave_rootfs();
	setup_mounts();
	fill_standard_descriptors();
	setup_sysctls();
	setup_modules();
	setup_loopback();
	open_console(O_NOCTTY | O_CLOEXEC); /* stays open: a UART forgets what came before */
	setup_kernel_option("bulkhead.port", name, sizeof(name));
	port = wire_open(name);
	uname(&system);
	wire_sendf("hello", "1 %s %s", system.release, system.machine);
	setup_report_trouble();
	raise_priority();
	wire_sendf("ready", "%ld", microseconds() / 1000);
	if (port >= 0)
		serve_until_end(port);
	wire_sendf("end", "bye");
	reboot(RB_POWER_OFF);
	return 1;
}

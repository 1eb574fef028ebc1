// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shared board: verdicts, diagnostics and what the sides remember. It is a
 * memfd mapped by every process of a test, so a check counts whoever made it
 * and even when its process was killed right after.
 */
#include "harness.h"

#include <stdarg.h>
#include <sys/mman.h>

struct board *board;
int board_fd = -EBADF;

static void board_map(int fd)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED) {
		perror("selftest: cannot map the board");
		_exit(1);
	}
}

void board_open(void)
{
	board_fd = memfd_create("selftest-board", MFD_CLOEXEC);
	if (board_fd < 0 || ftruncate(board_fd, sizeof(*board))) {
		perror("selftest: cannot make the board");
		exit(1);
	}
	board_map(board_fd);
}

void board_adopt(int fd)
{
	board_map(fd);
	close(fd);
}

void board_reset(void)
{
	board->checks = 0;
	board->failed = 0;
	board->crashed = 0;
	board->broken = 0;
	board->skipped = 0;
	board->gave_up = false;
	memset(board->line, 0, sizeof(board->line));
	memset(board->finished, 0, sizeof(board->finished));
	memset(board->log, 0, board->log_used < LOG_SIZE ? board->log_used : LOG_SIZE);
	board->log_used = 0;
	memset(board->memo, 0, board->memo_used < MEMO_SIZE ? board->memo_used : MEMO_SIZE);
	board->memo_used = 0;
	memset(board->been_in, 0, sizeof(board->been_in));
	memset(board->fixture, 0, sizeof(board->fixture));
}

static void append(const char *line, size_t length)
{
	unsigned at = atomic_fetch_add(&board->log_used, length);

	if (at + length < LOG_SIZE)
		memcpy(board->log + at, line, length);
}

static void say_list(const char *prefix, const char *format, va_list list)
	__attribute__((format(printf, 2, 0)));

static void say_list(const char *prefix, const char *format, va_list list)
{
	char line[1024];
	int length = snprintf(line, sizeof(line), "[%s] %s", side_name(self_.side), prefix);

	length += vsnprintf(line + length, sizeof(line) - length, format, list);
	if (length > (int)sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	append(line, length);
}

void say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say_list("", format, list);
	va_end(list);
}

void note(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say_list("note: ", format, list);
	va_end(list);
}

void reached(int line)
{
	if (board)
		board->line[self_.side] = line;
}

int told(void)
{
	return board->failed + board->broken + board->skipped;
}

void give_up(void)
{
	board->gave_up = true;
	_exit(1);
}

void fail_at(const char *file, int line, const char *format, ...)
{
	char place[256];
	va_list list;

	board->failed++;
	snprintf(place, sizeof(place), "%s:%d: ", file, line);
	va_start(list, format);
	say_list(place, format, list);
	va_end(list);
}

void fail_unless_told(const char *file, int line, const char *format, ...)
{
	char text_[512];
	va_list list;

	if (told())
		return;
	va_start(list, format);
	vsnprintf(text_, sizeof(text_), format, list);
	va_end(list);
	fail_at(file, line, "%s", text_);
}

void check_broken(const char *file, int line, const char *format, ...)
{
	char place[256];
	va_list list;

	board->broken++;
	snprintf(place, sizeof(place), "%s:%d: ", file, line);
	va_start(list, format);
	say_list(place, format, list);
	va_end(list);
	give_up();
}

void skip_now(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(board->skip_reason, sizeof(board->skip_reason), format, list);
	va_end(list);
	board->skipped++;
	_exit(1);
}

void *fixture_memory_(size_t size)
{
	if (size > FIXTURE_SIZE)
		broken_there("a fixture of %zu bytes does not fit the board's %d", size,
			     FIXTURE_SIZE);
	return board->fixture;
}

void remember_text_(const char *key, const char *value)
{
	size_t key_size = strlen(key) + 1, value_size = strlen(value) + 1;
	unsigned at = board->memo_used;

	if (at + key_size + value_size > MEMO_SIZE)
		broken_there("no room to remember \"%s\" (%zu bytes)", key, value_size);
	memcpy(board->memo + at, key, key_size);
	memcpy(board->memo + at + key_size, value, value_size);
	board->memo_used = at + key_size + value_size;
}

void remember_number_(const char *key, long long value)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%lld", value);
	remember_text_(key, digits);
}

const char *recall_(const char *key)
{
	const char *found = NULL;
	unsigned at = 0;

	while (at < board->memo_used) {
		const char *value = board->memo + at + strlen(board->memo + at) + 1;

		if (!strcmp(board->memo + at, key))
			found = value;
		at = value + strlen(value) + 1 - board->memo;
	}
	if (!found)
		broken_there("nobody remembered \"%s\"", key);
	return found;
}

long long recall_number_(const char *key)
{
	return strtoll(recall_(key), NULL, 10);
}

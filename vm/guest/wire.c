// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { NONCE_MAX = 64 };

static int wire_fd = -EBADF;
static char wire_nonce[NONCE_MAX + 1];
static unsigned int wire_seq;
static char pending[2 * WIRE_LINE_MAX];
static size_t pending_len;

/* CRC-32 as in zlib (IEEE 802.3, reflected), bit by bit: lines are short. */
static uint32_t crc32_update(uint32_t crc, const char *data, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320U & -(crc & 1));
	}
	return ~crc;
}

int wire_open(const char *port)
{
	struct termios tty;
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", port);
	wire_fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (wire_fd < 0)
		return -errno;
	if (tcgetattr(wire_fd, &tty) == 0) {
		cfmakeraw(&tty);
		tty.c_cflag |= CLOCAL | CREAD;
		cfsetspeed(&tty, B115200);
		tcsetattr(wire_fd, TCSANOW, &tty);
	}
	unlink(path);
	return wire_fd;
}

void wire_set_nonce(const char *nonce)
{
	snprintf(wire_nonce, sizeof(wire_nonce), "%s", nonce);
	wire_seq = 0;
}

static void write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(wire_fd, data, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
}

void wire_send(const char *type, const char *payload, size_t len)
{
	static char frame[WIRE_PAYLOAD_MAX + 128];
	char key[NONCE_MAX + 64];
	uint32_t crc;
	int head;

	if (len > WIRE_PAYLOAD_MAX)
		len = WIRE_PAYLOAD_MAX;
	snprintf(key, sizeof(key), "%s %u %s ", wire_nonce, wire_seq, type);
	crc = crc32_update(crc32_update(0, key, strlen(key)), payload, len);
	head = snprintf(frame, 128, "~%u %s %08x %zu ", wire_seq++, type, crc, len);
	memcpy(frame + head, payload, len);
	frame[(size_t)head + len] = '\n';
	write_all(frame, (size_t)head + len + 1);
}

void wire_sendf(const char *type, const char *format, ...)
{
	static char payload[WIRE_PAYLOAD_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(payload, sizeof(payload), format, args);
	va_end(args);
	if (len > 0)
		wire_send(type, payload,
			  (size_t)len < sizeof(payload) ? (size_t)len : sizeof(payload) - 1);
}

void wire_fill(void)
{
	ssize_t n = read(wire_fd, pending + pending_len, sizeof(pending) - pending_len);

	if (n > 0)
		pending_len += (size_t)n;
}

/* True when LINE starts with the right checksum of the rest. */
static bool intact(const char *line, size_t len)
{
	char *end;
	uint32_t want = (uint32_t)strtoul(line, &end, 16);

	return end == line + 8 && *end == ' ' && want == crc32_update(0, end + 1, len - 9);
}

bool wire_next(char *request)
{
	for (;;) {
		char *newline = memchr(pending, '\n', pending_len);
		size_t len = newline ? (size_t)(newline - pending) : 0;
		bool good;

		if (!newline && pending_len < sizeof(pending))
			return false;
		*(newline ? newline : pending + sizeof(pending) - 1) = '\0';
		good = len > 9 && len < WIRE_LINE_MAX && intact(pending, len);
		if (good)
			memcpy(request, pending + 9, len - 8);
		pending_len -= newline ? len + 1 : pending_len;
		memmove(pending, newline ? newline + 1 : pending, pending_len);
		if (good)
			return true;
		wire_sendf("trouble", "damaged request of %zu bytes", len);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <string.h>

void text_add_bytes(char *to, size_t room, const char *s, size_t n)
{
	size_t have = strlen(to);

	if (n > room - 1 - have)
		n = room - 1 - have;
	memcpy(to + have, s, n);
	to[have + n] = '\0';
}

void text_add(char *to, size_t room, const char *s)
{
	text_add_bytes(to, room, s, strlen(s));
}

void text_add_number(char *to, size_t room, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	text_add_bytes(to, room, digits + i, sizeof(digits) - i);
}

void text_add_escaped(char *to, size_t room, const char *s)
{
	for (; *s; s++) {
		if (strchr("\\,:", *s))
			text_add(to, room, "\\");
		text_add_bytes(to, room, s, 1);
	}
}

void text_quote(char *to, size_t room, const char *s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; *s && n + sizeof("\\x00") <= room; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = digits[c >> 4];
		to[n++] = digits[c & 15];
	}
	to[n] = '\0';
}

const char *text_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text put together without allocation and without errno: for the inside. Each
 * text_add appends to the NUL-terminated string in @to and cuts at @room - 1 bytes;
 * a string that fills its room has been cut.
 */
#ifndef RUNTIME_TEXT_H
#define RUNTIME_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Where overlayfs works, beside the directory of --upper. */
#define UPPER_WORK_SUFFIX ".work"

void text_add(char *to, size_t room, const char *s);
void text_add_bytes(char *to, size_t room, const char *s, size_t n);
void text_add_number(char *to, size_t room, uint64_t n);

/* With a backslash before each of `\`, `,` and `:`: an overlayfs option. */
void text_add_escaped(char *to, size_t room, const char *s);

/*
 * @s for a message between quotes, cut to @room: it comes from the caller or an image, and
 * must not fake a line or command a terminal. Quotes, backslashes and control characters
 * become \xNN.
 */
void text_quote(char *to, size_t room, const char *s);

/* The part after the last slash. */
const char *text_basename(const char *path);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result channel: framed lines over a serial port that nothing else writes to.
 *
 * Guest to host: "~SEQ TYPE CRC32 LEN PAYLOAD\n"; host to guest: "CRC32 REQUEST\n". The CRC-32 of
 * a frame also covers a nonce that only the host and init know, so a program in the guest cannot
 * forge a result by printing one, and SEQ and LEN show what got lost.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>

/* Longest request line and longest payload of one frame, in bytes. */
enum { WIRE_LINE_MAX = 4000, WIRE_PAYLOAD_MAX = 4096 };

/* Opens /dev/PORT raw and unlinks the node; returns its descriptor or -errno. */
int wire_open(const char *port);

/* From now on every frame's checksum covers NONCE; SEQ starts again at 0. */
void wire_set_nonce(const char *nonce);

/* Sends one frame; blocks until the port took it. TYPE is one word. */
void wire_send(const char *type, const char *payload, size_t len);

/* The same with a printf() payload; it is cut at WIRE_PAYLOAD_MAX. */
__attribute__((format(printf, 2, 3))) void wire_sendf(const char *type, const char *format, ...);

/* Reads what the host sent. Call it when the port is readable. */
void wire_fill(void);

/* Copies the next whole request, without checksum and newline, into a buffer of WIRE_LINE_MAX
 * bytes. False when there is none yet; a damaged one is reported to the host and dropped. */
bool wire_next(char *request);

#endif

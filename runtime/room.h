/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where large variables lie: behind all the small ones (build.mk sorts the sections by
 * name), which so share a few pages. Each page that a start touches costs it 1.7 us, a
 * thousandth of its time; of the large ones most starts touch few or none.
 */
#ifndef RUNTIME_ROOM_H
#define RUNTIME_ROOM_H

#define ROOM __attribute__((section(".bss.room")))

#endif

/* SPDX-License-Identifier: MIT */
/* input.h - files and streams that somebody names: opened without waiting, and read as a whole. */
#ifndef RJWT_TOOL_INPUT_H
#define RJWT_TOOL_INPUT_H

#include "base/buf.h"

/*
 * Open a regular file: opening a fifo or a device waits, or does something, as root for whoever names it. -1: errno says
 * why, 0 that it is not a regular file. close(2)
 */
int input_open(const char *path);

/* Add all of it, or as much as most, to text. False: errno says why. */
bool input_read(int fd, size_t most, struct buf *text);

#endif

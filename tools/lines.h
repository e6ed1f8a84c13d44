/* SPDX-License-Identifier: MIT */
/*
 * lines.h - a stream as lines of a bounded length, in constant memory however long the stream is.
 *
 *	struct lines lines = { .fd = fd, .max = RJWT_TOKEN_MAX };
 *
 *	while ((state = lines_next(&lines, &line)) == LINES_GOOD || state == LINES_LONG)
 *		...
 *	lines_clear(&lines);
 *
 * A line ends with a newline, which is not part of it; the last one may lack it. Any other byte, NUL and
 * carriage return included, is the line's.
 */
#ifndef RJWT_LINES_H
#define RJWT_LINES_H

#include "base/buf.h"
#include "base/err.h"

struct lines {
	int fd;		 /* borrows; read alone, also a pipe or a terminal */
	size_t max;	 /* bytes of the longest line */
	uint64_t number; /* of the line that was given last, from 1 */
	struct buf room; /* from here on: lines.c's own */
	size_t at, have;
	bool inside, end; /* inside a line that is too long */
};

enum lines_state {
	LINES_END,
	LINES_GOOD,
	LINES_LONG,  /* the first max + 1 bytes of a longer one; the rest is passed over */
	LINES_FAILED /* errno says why; ENOMEM too */
};

/* line: view, valid until lines_next() is called while lines_ready() is false. */
enum lines_state lines_next(struct lines *lines, struct view *line);

/* After LINES_END: a file may have grown since. */
void lines_again(struct lines *lines);

/* Whether the next line is here already, and lines_next() will neither wait nor move what it gave before. */
bool lines_ready(const struct lines *lines);

void lines_clear(struct lines *lines); /* wipes */

#endif

/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ROOM 131072 /* bytes that are read at once, where lines are shorter */

/* Whether the line ends within the next n bytes, and after how many. */
static bool
find_end(const struct lines *l, size_t n, size_t *length)
{
	const char *from, *end;

	if (n == 0) /* and maybe no room yet */
		return false;
	from = l->room.p + l->at;
	end = memchr(from, '\n', n);
	if (end != NULL)
		*length = (size_t)(end - from);
	return end != NULL;
}

/* More bytes behind those that are here, which go to the front first. */
static bool
fill(struct lines *l)
{
	ssize_t n;

	if (l->room.p == NULL && buf_room(&l->room, l->max + 2 > ROOM ? l->max + 2 : ROOM) == NULL) {
		errno = ENOMEM;
		return false;
	}
	memmove(l->room.p, l->room.p + l->at, l->have - l->at);
	l->have -= l->at;
	l->at = 0;
	do
		n = read(l->fd, l->room.p + l->have, l->room.n - l->have);
	while (n < 0 && errno == EINTR);
	l->end = n == 0;
	l->have += n > 0 ? (size_t)n : 0;
	return n >= 0;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Give the next length bytes, and pass over so many behind them. */
static enum lines_state
give(struct lines *l, struct view *line, size_t length, size_t over, enum lines_state state)
{
	*line = (struct view){ l->room.p + l->at, length };
	l->at += length + over;
	l->number++;
	return state;
}

enum lines_state
lines_next(struct lines *l, struct view *line)
{
	for (;;) {
		size_t n = l->have - l->at, length;

		if (l->inside) {
			l->inside = !find_end(l, n, &length);
			l->at += l->inside ? n : length + 1;
			if (!l->inside)
				continue;
		} else if (find_end(l, least(n, l->max + 1), &length)) {
			return give(l, line, length, 1, LINES_GOOD);
		} else if (n > l->max) {
			l->inside = true;
			return give(l, line, l->max + 1, 0, LINES_LONG);
		}
		if (l->end)
			return l->at == l->have ? LINES_END : give(l, line, l->have - l->at, 0, LINES_GOOD);
		if (!fill(l))
			return LINES_FAILED;
	}
}

void
lines_again(struct lines *l)
{
	l->end = false;
}

bool
lines_ready(const struct lines *l)
{
	size_t n = l->have - l->at, length;

	return !l->inside && (n > l->max || find_end(l, n, &length));
}

void
lines_clear(struct lines *l)
{
	buf_clear(&l->room);
	*l = (struct lines){ 0 };
}

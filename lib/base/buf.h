/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growable byte string that wipes whatever it lets go of.
 *
 * A failed allocation sticks: later additions do nothing, and buf_done() tells it once at the end.
 * The bytes are always followed by a NUL that n does not count.
 */
#ifndef RJWT_BUF_H
#define RJWT_BUF_H

#include "base/err.h"

struct buf {
	char *p;
	size_t n, cap;
	bool failed;
};

void buf_clear(struct buf *b); /* wipes, frees, and leaves an empty buf that may be used again */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_view(struct buf *b, struct view v);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) RJWT_PRINTF(2, 3);
char *buf_room(struct buf *b, size_t n);	       /* n bytes to fill, counted at once; NULL: failed */
RJWT_MUST enum rjwt_err buf_done(const struct buf *b); /* RJWT_OK or RJWT_MEMORY */
struct view buf_view(const struct buf *b);	       /* view */

/* Hand the bytes over. text gives; free(), or wipe first. The buf is empty afterwards. */
RJWT_MUST enum rjwt_err buf_give(struct buf *b, char **text, size_t *len);

/* The only way in which rjwt forgets a secret. */
void secret_wipe(void *p, size_t n);

#endif

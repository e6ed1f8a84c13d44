/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growable byte string that wipes its memory before freeing it.
 *
 * A failed allocation sticks: later additions do nothing, and buf_done() reports it at the end.
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

void buf_clear(struct buf *b); /* wipes and frees; the buf is empty and reusable */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_view(struct buf *b, struct view v);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) RJWT_PRINTF(2, 3);
char *buf_room(struct buf *b, size_t n);	       /* n bytes to fill, already counted; NULL: failed */
RJWT_MUST enum rjwt_err buf_done(const struct buf *b); /* RJWT_OK or RJWT_MEMORY */
struct view buf_view(const struct buf *b);	       /* view */

/* Hand over the bytes. text gives; free() it, and wipe it first if it is secret. The buf is empty afterwards. */
RJWT_MUST enum rjwt_err buf_give(struct buf *b, char **text, size_t *len);

/* Every secret in memory is erased by this function. */
void secret_wipe(void *p, size_t n);

#endif

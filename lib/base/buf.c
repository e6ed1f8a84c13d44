/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <openssl/crypto.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
secret_wipe(void *p, size_t n)
{
	if (p != NULL)
		OPENSSL_cleanse(p, n);
}

void
buf_clear(struct buf *b)
{
	secret_wipe(b->p, b->cap);
	free(b->p);
	*b = (struct buf){ 0 };
}

/* Make room for n more bytes and a NUL. Never realloc(3), which may leave an unwiped copy. */
static bool
buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 128 : b->cap;
	char *p;

	if (b->failed)
		return false;
	if (n < b->cap && b->n < b->cap - n)
		return true;
	if (n > SIZE_MAX / 4 || b->n > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	while (cap <= b->n + n)
		cap *= 2;
	p = malloc(cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	if (b->p != NULL) {
		memcpy(p, b->p, b->n);
		secret_wipe(b->p, b->cap);
		free(b->p);
	}
	p[b->n] = '\0';
	b->p = p;
	b->cap = cap;
	return true;
}

char *
buf_room(struct buf *b, size_t n)
{
	char *room;

	if (!buf_grow(b, n))
		return NULL;
	room = b->p + b->n;
	b->n += n;
	b->p[b->n] = '\0';
	return room;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *room = buf_room(b, n);

	if (room != NULL && n > 0)
		memcpy(room, p, n);
}

void
buf_add_view(struct buf *b, struct view v)
{
	buf_add(b, v.p, v.n);
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* Print into the free room; print again after growing if it was too small. */
void
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t left = b->failed ? 0 : b->cap - b->n;
	va_list args;
	char *room;
	int n;

	va_start(args, fmt);
	n = vsnprintf(left == 0 ? NULL : b->p + b->n, left, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < left) {
		b->n += (size_t)n;
		return;
	}
	if (left > 0)
		b->p[b->n] = '\0';
	b->failed = b->failed || n < 0;
	room = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (room == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, args);
	va_end(args);
}

enum rjwt_err
buf_done(const struct buf *b)
{
	return b->failed ? RJWT_MEMORY : RJWT_OK;
}

struct view
buf_view(const struct buf *b)
{
	return (struct view){ b->p, b->n };
}

enum rjwt_err
buf_give(struct buf *b, char **text, size_t *len)
{
	buf_add(b, "", 0); /* so that an empty buf gives a string, too */
	RJWT_TRY(buf_done(b));
	if (len != NULL)
		*len = b->n;
	*text = b->p;
	*b = (struct buf){ 0 };
	return RJWT_OK;
}

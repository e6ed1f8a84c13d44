/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
rjwt_reason(enum rjwt_err err)
{
	switch (err) { /* no default: the compiler finds a code without a row */
	case RJWT_OK:
		return "ok";
#define WORD(name, word, sentence) \
	case name:                 \
		return word;
		RJWT_VERDICTS(WORD)
		RJWT_NO_VERDICTS(WORD)
#undef WORD
	}
	return "internal";
}

const char *
rjwt_strerror(enum rjwt_err err)
{
	switch (err) {
	case RJWT_OK:
		return "accepted";
#define SENTENCE(name, word, sentence) \
	case name:                     \
		return sentence;
		RJWT_VERDICTS(SENTENCE)
		RJWT_NO_VERDICTS(SENTENCE)
#undef SENTENCE
	}
	return "internal error";
}

bool
rjwt_is_verdict(enum rjwt_err err)
{
	return err > RJWT_OK && err < RJWT_CONFIG;
}

struct view
view_of(const char *s)
{
	return (struct view){ s, s == NULL ? 0 : strlen(s) };
}

bool
view_eq(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
view_is(struct view v, const char *s)
{
	return view_eq(v, view_of(s));
}

enum rjwt_err
diag_fail(struct rjwt_diag *diag, enum rjwt_err err, const char *path, const char *fmt, ...)
{
	int saved = errno;
	size_t length = path == NULL ? 0 : strlen(path), used;
	struct rjwt_diag made = { 0 }; /* path may be that of diag */
	va_list args;
	int n;

	if (diag == NULL)
		return err;
	if (length >= sizeof(made.path))
		snprintf(made.path, sizeof(made.path), "...%s", path + length - (sizeof(made.path) - 4));
	else if (path != NULL)
		memcpy(made.path, path, length + 1);
	va_start(args, fmt);
	n = vsnprintf(made.text, sizeof(made.text), fmt, args);
	va_end(args);
	used = n < 0 ? 0 : (size_t)n;
	if (err == RJWT_IO && saved != 0 && used < sizeof(made.text))
		snprintf(made.text + used, sizeof(made.text) - used, "%s%s", used > 0 ? ": " : "",
		    strerrordesc_np(saved));
	made.errnum = err == RJWT_IO ? saved : 0;
	*diag = made;
	errno = saved;
	return err;
}

bool
err_is_missing(enum rjwt_err err)
{
	return err == RJWT_IO && errno == ENOENT;
}

bool
err_is_shortage(enum rjwt_err err)
{
	return err == RJWT_MEMORY || err == RJWT_INTERNAL;
}

void
free_clean(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

void
fd_clean(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

enum rjwt_err
flags_check(int flags, int known, struct rjwt_diag *diag)
{
	unsigned unknown = (unsigned)flags & ~(unsigned)known;

	if (unknown == 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_USAGE, "", "unknown flag 0x%x", unknown);
}

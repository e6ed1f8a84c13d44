/* SPDX-License-Identifier: MIT */
/*
 * err.h - idioms: results that must be checked, clean-up, moving out of variables, views.
 *
 *	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
 *	RJWT_TRY(file_read(dir, "keyset.json", MAX, &text, diag));
 *	...
 *	*out = RJWT_STEAL(object);
 *	return RJWT_OK;
 *
 * err.c has the names and sentences of the codes in rjwt.h.
 */
#ifndef RJWT_ERR_H
#define RJWT_ERR_H

#include "rjwt.h"

#define RJWT_MUST __attribute__((warn_unused_result))
#define RJWT_CLEAN(fn) __attribute__((cleanup(fn)))
#define RJWT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Move a value out of a variable that has a clean-up function and leave zeros there: for a pointer, or a struct for
 * which zeros mean "nothing to clean". For a struct dir use dir_steal().
 */
#define RJWT_STEAL(value)                            \
	({                                           \
		__typeof__(value) stolen_ = (value); \
		(value) = (__typeof__(value)){ 0 };  \
		stolen_;                             \
	})

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Return the error of a call that failed. */
#define RJWT_TRY(call)                       \
	do {                                 \
		enum rjwt_err err_ = (call); \
		if (err_ != RJWT_OK)         \
			return err_;         \
	} while (0)

/* Bytes that something else owns; they may contain NUL and need not end with one. */
struct view {
	const char *p;
	size_t n;
};

#define VIEW(literal) ((struct view){ (literal), sizeof(literal) - 1 })

struct view view_of(const char *s); /* NULL gives an empty view */
bool view_eq(struct view a, struct view b);
bool view_is(struct view v, const char *s);

/*
 * Fill diag (may be NULL) and return err. For RJWT_IO the description of errno is added. A path
 * that is too long loses its beginning; it may be the path of diag.
 */
enum rjwt_err
diag_fail(struct rjwt_diag *diag, enum rjwt_err err, const char *path, const char *fmt, ...) RJWT_PRINTF(4, 5);

/*
 * Whether a call failed because what it names does not exist: every function that returns RJWT_IO keeps errno. It is
 * no code of its own, for that would have to become RJWT_IO again at every exit of the library.
 */
bool err_is_missing(enum rjwt_err err);

/* Whether an error says nothing of what was read: RJWT_MEMORY, RJWT_INTERNAL. */
bool err_is_shortage(enum rjwt_err err);

void free_clean(void *pointer_to_pointer); /* RJWT_CLEAN(free_clean) char *p */
void fd_clean(int *fd);			   /* closes when >= 0, keeps errno */

/* RJWT_USAGE: flags has a bit that is not among those that a function knows. */
RJWT_MUST enum rjwt_err flags_check(int flags, int known, struct rjwt_diag *diag);

#endif

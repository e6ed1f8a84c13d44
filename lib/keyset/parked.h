/* SPDX-License-Identifier: MIT */
/*
 * parked.h - tokens that wait on this host until a short code is typed in their place.
 *
 *	private/parked/<SHA-256 of the code>	0600 in 0700: its end, the token, and a record that a login does not
 *						read (codes.h), a line each
 *
 * Whoever can read these files is root. The file stays until the token has expired, because a login only reads and
 * spends: the mark of the spent token is what ends the code.
 */
#ifndef RJWT_PARKED_H
#define RJWT_PARKED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#define PARKED "parked"	       /* below private/ */
#define PARKED_CODE 16	       /* characters of a code, 5 bits each */
#define PARKED_FILE_MAX 196608 /* RJWT_TOKEN_MAX, its claims once more, and the rest */
#define PARKED_CODE_SIZE (PARKED_CODE + 1)

/* The characters of a code, in the order of their values: Crockford's base32, without I, L, O and U. */
extern const char parked_alphabet[33];

/*
 * A code as it was typed: case, blanks and hyphens do not count, and O is 0, I and L are 1. False: the text has another
 * form. What is in code must be wiped.
 */
bool parked_code(struct view typed, char code[static PARKED_CODE_SIZE]);

/* The lines of a file; views. */
struct parked {
	int64_t until_s;
	struct view token, record; /* record .p NULL: there is none */
};

/* The name of a code's file is its SHA-256 in hex: digest_hex(). What is in the file: false, it is torn or damaged. */
bool parked_parse(struct view text, struct parked *parked);

/*
 * The token of a code; token stays empty if there is none, or if this process may not look. token gives; buf_clear().
 * RJWT_KEYSET: the file is unsafe or damaged, and path is that of its directory; RJWT_MEMORY, RJWT_INTERNAL.
 */
RJWT_MUST enum rjwt_err
parked_find(const struct dir *state, const char *code, struct buf *token, struct rjwt_diag *diag);

#endif

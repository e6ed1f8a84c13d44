/* SPDX-License-Identifier: MIT */
/*
 * denials.h - tokens that are rejected whoever minted them: denied/sub/<hash> and denied/jti/<hash>, whose names are
 * digest_name() of the login name or the token id. Each contains a date: a denial of a name rejects its tokens with iat
 * up to that date; a denial of an id rejects the token. Directories are 0711 and the mtime of a denial is 0, as in
 * marks.h.
 */
#ifndef RJWT_DENIALS_H
#define RJWT_DENIALS_H

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

/* What a file that is damaged says: it rejects everything, until it is written again. */
#define DENIAL_DAMAGED_S (JSON_INTEGER_MAX + 1)

/* The token that is looked up. */
struct denial_question {
	char sub[DIGEST_HEX], jti[DIGEST_HEX]; /* jti "": it has none */
	int64_t iat_s;
};

RJWT_MUST enum rjwt_err denial_ask(struct view user, struct view jti, int64_t iat_s, struct denial_question *question);

/* RJWT_DENIED: dir, which has denied/, says so. RJWT_IO (errno ENOENT: without denied/), RJWT_KEYSET: cannot look. */
RJWT_MUST enum rjwt_err
denials_find(const struct dir *dir, const struct denial_question *question, struct rjwt_diag *diag);

/* The date of the denial of a login name by dir: RJWT_DENIED, or RJWT_OK if there is none, or no denied/. */
RJWT_MUST enum rjwt_err denial_date(const struct dir *dir, struct view user, int64_t *until_s, struct rjwt_diag *diag);

/* The date in a file of denied/KIND: RJWT_DENIED, or RJWT_OK if the file is missing. */
RJWT_MUST enum rjwt_err denial_read(const struct dir *kind, const char *hash, int64_t *until_s, struct rjwt_diag *diag);

#endif

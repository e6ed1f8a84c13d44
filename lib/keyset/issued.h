/* SPDX-License-Identifier: MIT */
/*
 * issued.h - the record of minted tokens: issued/<hour>, mode 0600, has a JSON line for each token that expires in
 * that hour since the epoch. It is for people: no verifier reads it.
 */
#ifndef RJWT_ISSUED_H
#define RJWT_ISSUED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "rjwt.h"

/*
 * Record who may log in until when. lines has a line for each token; all of these tokens expire in the same
 * hour, that of exp_s.
 */
bool issued_same_hour(int64_t exp_s, int64_t other_s);
void issued_line(struct buf *lines, const struct rjwt_token *token, const struct rjwt_request *request);
RJWT_MUST enum rjwt_err
issued_add(const struct dir *state, int64_t exp_s, const struct buf *lines, struct rjwt_diag *diag);

/* One record: views, each followed by NUL, until the call returns. What version 0.1.0 did not record is "" or NULL. */
struct issued_token {
	struct view jti, user, kid, issuer, by, why, actor;
	const char *const *audience, *const *scope; /* NULL-terminated */
	int64_t iat_s, nbf_s, exp_s, rule;	    /* rule 0: none */
	int64_t uses;				    /* 0: it has no number of uses */
	bool once;
};

/*
 * Call each for every record of an hour that ends after from_s, in no order; a line that is damaged is passed over. The
 * first result other than RJWT_OK ends it and is returned. RJWT_IO, RJWT_KEYSET: cannot read a file.
 */
RJWT_MUST enum rjwt_err issued_each(const struct dir *state, int64_t from_s,
    enum rjwt_err (*each)(void *context, const struct issued_token *token), void *context, struct rjwt_diag *diag);

/* Remove the records of hours that ended before now_s. */
RJWT_MUST enum rjwt_err issued_prune(const struct dir *state, int64_t now_s, struct rjwt_diag *diag);

#endif

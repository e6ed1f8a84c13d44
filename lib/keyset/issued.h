/* SPDX-License-Identifier: MIT */
/*
 * issued.h - the record of what was minted: issued/<hour>, 0600, has a JSON line for each token that expires in
 * that hour since the epoch. For people: no verifier reads it.
 */
#ifndef RJWT_ISSUED_H
#define RJWT_ISSUED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "rjwt.h"

/*
 * Who may get in until when: for people, not for the verifier. A line for each token, and the lines of tokens
 * that expire in the same hour, exp_s's, are recorded together.
 */
bool issued_same_hour(int64_t exp_s, int64_t other_s);
void issued_line(struct buf *lines, const struct rjwt_token *token, const struct rjwt_request *request);
RJWT_MUST enum rjwt_err
issued_add(const struct dir *state, int64_t exp_s, const struct buf *lines, struct rjwt_diag *diag);

/* Remove the lists of those hours that passed before now_s. */
RJWT_MUST enum rjwt_err issued_prune(const struct dir *state, int64_t now_s, struct rjwt_diag *diag);

#endif

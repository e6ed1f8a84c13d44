/* SPDX-License-Identifier: MIT */
/*
 * marks_write.h - creates revocation marks and removes old marks. The caller holds the lock.
 */
#ifndef RJWT_MARKS_WRITE_H
#define RJWT_MARKS_WRITE_H

#include "base/err.h"
#include "base/file.h"
#include "jose/claims.h"

/*
 * Revoke a token by its id; version is that of the next key, so that the mark outlives every key that may have signed
 * the token. Durable when it returns. *made is increased if there was no mark.
 */
RJWT_MUST enum rjwt_err
mark_revoke_jti(const struct dir *state, const char *jti, int64_t version, int64_t *made, struct rjwt_diag *diag);
/* Revoke the tokens of a login name that this version or an earlier one signed; a mark is never lowered. */
RJWT_MUST enum rjwt_err
mark_revoke_user(const struct dir *state, const char *user, int64_t version, int64_t *made, struct rjwt_diag *diag);

/* The number of revocation marks of versions from floor up to, and not including, below. All marks are read. */
RJWT_MUST enum rjwt_err
marks_count(const struct dir *state, int64_t floor, int64_t below, int64_t *n, struct rjwt_diag *diag);

/* Close revoked/ as an older version left it: what it shows to others goes, modes and times. A missing part is fine. */
RJWT_MUST enum rjwt_err marks_hide(const struct dir *state, struct rjwt_diag *diag);

/*
 * Spend a token that was not used, durably, because another one takes its place: RJWT_SPENT if a login was first. Doing so
 * again is fine; mark_is_replaced() knows such a mark from that of a login, which is empty.
 */
RJWT_MUST enum rjwt_err mark_replaced(const struct dir *state, int64_t version, const struct claims *claims,
    const char *scope, struct rjwt_diag *diag);
bool mark_is_replaced(const struct dir *state, int64_t version, const struct claims *claims, const char *scope);

/*
 * Remove the marks that floor has passed. All revocation marks are read for that, but only if floor rose or a
 * crash had left spent marks.
 */
RJWT_MUST enum rjwt_err marks_prune(const struct dir *state, int64_t floor, bool rose, struct rjwt_diag *diag);

#endif

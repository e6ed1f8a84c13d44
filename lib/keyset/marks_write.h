/* SPDX-License-Identifier: MIT */
/*
 * marks_write.h - marks of revocations, and the end of marks. Only whoever holds the lock calls these.
 */
#ifndef RJWT_MARKS_WRITE_H
#define RJWT_MARKS_WRITE_H

#include "base/err.h"
#include "base/file.h"

/* Revoke a token by its id; version is the keyset's next one, so that no key that may have signed it outlives
 * the mark. Durable when it returns. */
RJWT_MUST enum rjwt_err
mark_revoke_jti(const struct dir *state, const char *jti, int64_t version, struct rjwt_diag *diag);
/* Revoke what was signed for a login name by this version or an earlier one; a mark never gets lower. */
RJWT_MUST enum rjwt_err
mark_revoke_user(const struct dir *state, const char *user, int64_t version, struct rjwt_diag *diag);

/*
 * Remove the marks that floor has passed. The revoked ones are all read for that: only when floor rose,
 * or spent ones were found that a crash had left.
 */
RJWT_MUST enum rjwt_err marks_prune(const struct dir *state, int64_t floor, bool rose, struct rjwt_diag *diag);

#endif

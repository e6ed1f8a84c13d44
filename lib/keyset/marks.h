/* SPDX-License-Identifier: MIT */
/*
 * marks.h - facts that are files: a token is spent, revoked, issued. One lookup each, however many
 * there are; a file's name is a hash, because its source may have been chosen by an outsider.
 *
 *	spent/<version>/<hash>	0700, by (iss, jti, scope)
 *	revoked/jti/<hash>	by (jti)
 *	revoked/sub/<hash>	by (login name); holds the last version whose tokens it revokes
 *	issued/<hour>		0600, a JSON line for each token that expires in that hour since the epoch
 *
 * A mark is removed only when floor has passed its version, so that no clock can bring back what it
 * stands for: no key vouches for it any more.
 */
#ifndef RJWT_MARKS_H
#define RJWT_MARKS_H

#include "base/err.h"
#include "base/file.h"
#include "jose/claims.h"
#include "keyset/store.h"

/*
 * Where a verifier looks marks up, each at each verify, and sets them. The folders are opened at the first look and
 * held until keyset.json is read again.
 */
struct marks {
	const struct store *store; /* borrows; the only one that is set from outside */
	uint64_t loaded;	   /* store->loaded when the folders were opened */
	struct dir jti, sub;
	struct dir spent; /* of version */
	int64_t version;
	struct hasher *hasher;
};

#define MARKS_NONE ((struct marks){ .jti = DIR_NONE, .sub = DIR_NONE, .spent = DIR_NONE })
void marks_close(struct marks *marks);

/*
 * Spend a one-time token for one scope: RJWT_OK the first time, RJWT_SPENT ever after. Atomic among any number of
 * processes, and durable before it returns. RJWT_IO: it could not be made durable.
 */
RJWT_MUST enum rjwt_err mark_spend(struct marks *marks, int64_t version, const struct claims *claims, const char *scope,
    struct rjwt_diag *diag);

/* Whether it was spent, leaving no mark: RJWT_OK, RJWT_SPENT; RJWT_IO: the marks cannot be read. */
RJWT_MUST enum rjwt_err mark_find_spent(struct marks *marks, int64_t version, const struct claims *claims,
    const char *scope, struct rjwt_diag *diag);

/* RJWT_REVOKED when its jti is, or its login name up to this version. RJWT_IO, RJWT_KEYSET: could not be looked at. */
RJWT_MUST enum rjwt_err
mark_revoked(struct marks *marks, int64_t version, const struct claims *claims, struct rjwt_diag *diag);

/* For marks_write.c: the directory revoked/KIND, and the version that a mark in it holds. RJWT_OK: there is no mark. */
RJWT_MUST enum rjwt_err
marks_open_revoked(const struct dir *state, const char *kind, struct dir *dir, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err mark_read(const struct dir *dir, const char *name, int64_t *version, struct rjwt_diag *diag);

#endif

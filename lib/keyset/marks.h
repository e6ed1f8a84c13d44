/* SPDX-License-Identifier: MIT */
/*
 * marks.h - files that mark a token as spent or revoked. Each check is one lookup, however many
 * there are. File names are hashes, because an outsider may have chosen the text.
 *
 *	spent/<version>/<hash>	0700, by (iss, jti, scope); <hash>.1 to <hash>.N for the uses of a token that has N
 *	revoked/jti/<hash>	by (jti)
 *	revoked/sub/<hash>	by (login name); contains the last version whose tokens it revokes
 *				these directories: 0711, so that any verifier can look up a name, and nobody can
 *				list whose tokens were revoked; the mtime of a mark is 0
 *	issued/<hour>		0600, see issued.h
 *
 * A mark is removed only when floor has passed its version: then no key verifies the token any more,
 * whatever the clock shows.
 */
#ifndef RJWT_MARKS_H
#define RJWT_MARKS_H

#include "base/err.h"
#include "base/file.h"
#include "jose/claims.h"
#include "keyset/store.h"

/*
 * What a verifier needs to look up and create marks. The directories are opened at the first lookup and
 * kept open until keyset.json is read again.
 */
struct marks {
	const struct store *store; /* borrows */
	uint64_t loaded;	   /* store_loaded(store) when the directories were opened */
	struct dir jti, sub;
	struct dir spent; /* of version */
	int64_t version;
	struct hasher *hasher;
};

/* Of a store; nothing is opened yet. */
#define MARKS_OF(of) ((struct marks){ .store = (of), .jti = DIR_NONE, .sub = DIR_NONE, .spent = DIR_NONE })
void marks_close(struct marks *marks);

/* The uses of a token for one scope. Which marks they have depends on the claim uses, and not on most. */
struct mark_uses {
	int64_t most; /* how many it has: 1, or as many as the claim says */
	int64_t used; /* set: how many there were */
	int64_t at_s; /* set: when the last of them was; 0: never, or not looked up */
};

/*
 * Use a token for one scope: RJWT_OK as often as uses->most says, RJWT_SPENT from then on. Atomic between
 * processes, and durable on return; used then counts this use. RJWT_IO: the mark could not be made durable.
 */
RJWT_MUST enum rjwt_err mark_spend(struct marks *marks, int64_t version, const struct claims *claims, const char *scope,
    struct mark_uses *uses, struct rjwt_diag *diag);

/* How often and when it was used, for people: RJWT_OK, RJWT_SPENT; RJWT_IO: cannot read the marks. */
RJWT_MUST enum rjwt_err mark_spent_at(struct marks *marks, int64_t version, const struct claims *claims,
    const char *scope, struct mark_uses *uses, struct rjwt_diag *diag);

/*
 * Check whether it was spent, without creating a mark: RJWT_OK, RJWT_SPENT; RJWT_IO: cannot read the marks, or
 * mark_spend() could not create one.
 */
RJWT_MUST enum rjwt_err mark_find_spent(struct marks *marks, int64_t version, const struct claims *claims,
    const char *scope, struct mark_uses *uses, struct rjwt_diag *diag);

/* RJWT_REVOKED: its jti is revoked, or its login name up to this version. RJWT_IO, RJWT_KEYSET: cannot read the marks. */
RJWT_MUST enum rjwt_err
mark_revoked(struct marks *marks, int64_t version, const struct claims *claims, struct rjwt_diag *diag);

/* For marks_write.c: the version in a mark of revoked/KIND. RJWT_REVOKED: it was read; RJWT_OK: the mark is missing. */
RJWT_MUST enum rjwt_err mark_read(const struct dir *dir, const char *name, int64_t *version, struct rjwt_diag *diag);

#endif

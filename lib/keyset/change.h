/* SPDX-License-Identifier: MIT */
/*
 * change.h - the one way to change a keyset: lock, clean up after a crash, plan, commit, unlock.
 *
 * Order of a rotation, each step durable before the next: next_version, in a commit of its own; the new key; the
 * stamps of the key that retires; keyset.json, staged before and renamed within the leeway of the stamp, which is
 * the commit; then the private half of the retired key is erased. A crash at any point leaves a keyset that mints
 * and verifies, and the next change finishes the work: it removes what is not part of keyset.json.
 */
#ifndef RJWT_CHANGE_H
#define RJWT_CHANGE_H

#include "base/err.h"
#include "keyset/env.h"
#include "keyset/plan.h"
#include "keyset/store.h"
#include "rjwt.h"

/* The change to make. Borrows all. */
struct change_request {
	enum keyset_why why;
	int64_t version;	  /* see keyset_plan() */
	const char *jti;	  /* WHY_BUMP: the id of a token to revoke, or NULL */
	const char *const *users; /* WHY_REVOKE_USER: login names; NULL-terminated */
};

/*
 * Plan and carry out a change. flags: RJWT_DRY_RUN plans without the lock and writes nothing.
 * RJWT_BUSY names who holds the lock after LOCK_WAIT_S. An error after the commit is a warning in
 * change, because the change is made; a revocation, however, succeeds only as a whole.
 */
RJWT_MUST enum rjwt_err keyset_change(struct store *store, const struct keyset_env *env,
    const struct change_request *request, int flags, struct rjwt_change *change);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - the one way to change a keyset: lock, finish what a crash left, plan, commit, unlock.
 *
 * Order of a rotation, each step durable before the next: next_version, in a commit of its own; the
 * new key; the stamps of the key that retires; keyset.json, whose rename is the commit, made ready before
 * and renamed within the leeway of the stamp; then the retired private half is erased. A crash at any point leaves a keyset that mints and verifies, and
 * whoever comes next finishes: erases and removes what keyset.json does not vouch for.
 */
#ifndef RJWT_KEEPER_H
#define RJWT_KEEPER_H

#include "base/err.h"
#include "base/host.h"
#include "keyset/keyset.h"
#include "keyset/plan.h"
#include "keyset/store.h"
#include "rjwt.h"

/* What is to be changed. Borrows all. */
struct change_request {
	enum keyset_why why;
	int64_t version;	  /* see keyset_plan() */
	const char *jti;	  /* WHY_BUMP: this token is revoked by it, or NULL */
	const char *const *users; /* WHY_REVOKE_USER: these login names; NULL-terminated */
};

/*
 * Plan and carry out a change. flags: RJWT_DRY_RUN plans without the lock and writes nothing.
 * RJWT_BUSY names who holds the lock after LOCK_WAIT_S. What goes wrong after the commit is a warning in
 * change, for the change is done; but a revocation has succeeded only when all of it is.
 */
RJWT_MUST enum rjwt_err
keyset_change(struct store *store, const struct rotation_policy *policy, const struct change_request *order,
    struct clock *clock, int flags, struct rjwt_change *change, struct rjwt_diag *diag);

#endif

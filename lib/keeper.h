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

#include "commit.h"
#include "err.h"
#include "host.h"
#include "keyset.h"
#include "provider.h"
#include "rjwt.h"
#include "store.h"

/*
 * Make a keyset in a folder that has none; the folder is made where its parent is there. With adopt take
 * the folder over as it is: a new base, versions above all that stand there, and nothing from before
 * verifies. issuer, audience: NULL with adopt takes those that keyset.json recorded, if it can be read.
 * RJWT_EXISTS, RJWT_IO, RJWT_KEYSET (unsafe folder, or files of a keyset without keyset.json),
 * RJWT_CONFIG (adopt with the base that is there), RJWT_BUSY. provider takes; NULL: files.
 */
struct keeper_names {
	const char *issuer, *audience;
};
RJWT_MUST enum rjwt_err keeper_init(const char *dir, struct provider *provider,
    const struct rotation_policy *policy, const struct keeper_names *names, bool adopt,
    struct clock *clock, struct rjwt_change *change, struct rjwt_diag *diag);

/* What is to be changed. Borrows all. */
struct keeper_order {
	enum keyset_why why;
	int64_t version;	  /* see keyset_plan() */
	const char *jti;	  /* WHY_TOUCH: this token is revoked by it, or NULL */
	const char *const *users; /* WHY_REVOKE_USER: these login names; NULL-terminated */
};

/*
 * Plan and carry out a change. flags: RJWT_DRY_RUN plans without the lock and writes nothing.
 * RJWT_BUSY names who holds the lock after LOCK_WAIT_S. What goes wrong after the commit is a warning in
 * change, for the change is done; but a revocation has succeeded only when all of it is.
 */
RJWT_MUST enum rjwt_err keeper_change(struct store *store, const struct rotation_policy *policy,
    const struct keeper_order *order, struct clock *clock, int flags,
    struct rjwt_change *change, struct rjwt_diag *diag);

/*
 * Erase and remove what keyset.json does not vouch for, private halves first; make jwks.json what it should
 * be; first: only where it is another commit's, for the last time looks at its bytes. *removed becomes true when
 * there was something. The lock is held.
 */
RJWT_MUST enum rjwt_err keeper_finish(const struct scribe *scribe, struct store *store, bool first,
    bool *removed);

#endif

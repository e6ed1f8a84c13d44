/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - the one way to change a keyset: lock, finish what a crash left, plan, commit, unlock.
 *
 * Order of a rotation, each step durable before the next: next_version, in a commit of its own; the
 * new key; the stamps of the key that retires; keyset.json, whose rename is the commit; then the
 * retired private half is erased. A crash at any point leaves a keyset that mints and verifies, and
 * whoever comes next finishes: erases and removes what keyset.json does not vouch for.
 */
#ifndef RJWT_KEEPER_H
#define RJWT_KEEPER_H

#include "commit.h"

/*
 * Make a keyset in a folder that has none; the folder is made where its parent is there.
 * RJWT_EXISTS, RJWT_IO, RJWT_KEYSET (unsafe folder, or files of a keyset without keyset.json),
 * RJWT_BUSY. provider takes; NULL: files.
 */
RJWT_MUST enum rjwt_err keeper_init(const char *dir, struct provider *provider,
    const struct rotation_policy *policy, const char *issuer, const char *audience,
    struct clock *clock, struct rjwt_change *change, struct rjwt_diag *diag);

/*
 * Plan and carry out a change. expected: see keyset_plan(). flags: RJWT_DRY_RUN plans without the lock
 * and writes nothing. RJWT_BUSY names who holds the lock after LOCK_WAIT_S.
 */
RJWT_MUST enum rjwt_err keeper_change(struct store *store, const struct rotation_policy *policy,
    enum keyset_why why, int64_t expected, struct clock *clock, int flags,
    struct rjwt_change *change, struct rjwt_diag *diag);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * inspect.h - questions about a keyset on disk for minting, changes and status: may this host
 * write to it, can a key sign, which keys are used up?
 */
#ifndef RJWT_INSPECT_H
#define RJWT_INSPECT_H

#include "base/err.h"
#include "base/file.h"
#include "keyset/keyset.h"
#include "keyset/plan.h"
#include "keyset/store.h"

/* Whether a version can sign: its private half exists and matches, and its ticket file exists. RJWT_KEYSET, RJWT_IO. */
RJWT_MUST enum rjwt_err store_can_sign(struct store *store, int64_t version, struct rjwt_diag *diag);

/*
 * Whether this host may write to the keyset, or mint from it. RJWT_KEYSET: it belongs to another machine (a
 * cloned image); keyset.json is older than the key files (an old copy was restored); or
 * policy->base is another base. Checks once per keyset.json.
 */
RJWT_MUST enum rjwt_err
store_check_writable(struct store *store, const struct rotation_policy *policy, struct rjwt_diag *diag);

/* The first of these checks alone: RJWT_KEYSET if it belongs to another machine. */
RJWT_MUST enum rjwt_err store_check_machine(const struct store *store, struct rjwt_diag *diag);

/* What the planner must know; reads only the key files from floor on that may be removed. */
RJWT_MUST enum rjwt_err store_usage(struct store *store, const struct rotation_policy *policy,
    const struct rjwt_time *now, struct keyset_seen *seen, struct rjwt_diag *diag);

/* Raise *most to the highest version in the file names of dir, with any suffix. */
RJWT_MUST enum rjwt_err store_highest(const struct dir *dir, int64_t *most, struct rjwt_diag *diag);

#endif

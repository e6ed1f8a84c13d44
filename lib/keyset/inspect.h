/* SPDX-License-Identifier: MIT */
/*
 * inspect.h - questions about a keyset on disk that only those ask who mint, change or report: may this host
 * write it, can a key sign, how far has it come?
 */
#ifndef RJWT_INSPECT_H
#define RJWT_INSPECT_H

#include "base/err.h"
#include "base/file.h"
#include "keyset/keyset.h"
#include "keyset/plan.h"
#include "keyset/store.h"

/* Whether a version can sign: its private half is there and its own, and its tickets are. RJWT_KEYSET, RJWT_IO. */
RJWT_MUST enum rjwt_err store_can_sign(struct store *store, int64_t version, struct rjwt_diag *diag);

/*
 * Whether this host may write to the keyset, or mint from it. RJWT_KEYSET: it is another machine's (a
 * cloned image); keyset.json is older than the key files beside it (an old copy was put back); or
 * policy->base is another base. Looks once for each keyset.json.
 */
RJWT_MUST enum rjwt_err
store_check_writable(struct store *store, const struct rotation_policy *policy, struct rjwt_diag *diag);

/* What the planner must know; reads the key files at the floor alone. */
RJWT_MUST enum rjwt_err
store_usage(struct store *store, int64_t now_s, struct keyset_seen *seen, struct rjwt_diag *diag);

/* The highest version that a name in dir has, of any suffix: *most is raised to it. */
RJWT_MUST enum rjwt_err store_highest(const struct dir *dir, int64_t *most, struct rjwt_diag *diag);

#endif

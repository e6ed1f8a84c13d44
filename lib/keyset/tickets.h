/* SPDX-License-Identifier: MIT */
/*
 * tickets.h - how many tokens a key has signed: private/<version>.minted has a byte for each.
 */
#ifndef RJWT_TICKETS_H
#define RJWT_TICKETS_H

#include "base/err.h"
#include "keyset/store.h"

/* Take n tickets of a version; number is that of the last one, counted from 1. durable: fsync. RJWT_IO. */
RJWT_MUST enum rjwt_err
tickets_take(struct store *store, int64_t version, size_t n, bool durable, int64_t *number, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err
tickets_count(const struct store *store, int64_t version, int64_t *number, struct rjwt_diag *diag);

#endif

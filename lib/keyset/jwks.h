/* SPDX-License-Identifier: MIT */
/*
 * jwks.h - the keyset as a JWK Set (RFC 7517 s5): made, and exported as jwks.json.
 */
#ifndef RJWT_JWKS_H
#define RJWT_JWKS_H

#include "base/buf.h"
#include "base/err.h"
#include "keyset/commit.h"
#include "keyset/store.h"

/* The JWK Set of all keys that verify at now_s; HMAC keys are not in it. Appended to out. */
RJWT_MUST enum rjwt_err store_jwks(struct store *store, int64_t now_s, struct buf *out, struct rjwt_diag *diag);

/* Whether jwks.json was written for the keyset.json that is loaded: one stat(2), which tells nothing of its bytes. */
bool jwks_is_current(const struct store *store);

/* Make jwks.json what it should be, where it is not: reads all keys. */
RJWT_MUST enum rjwt_err jwks_export(const struct commit_ctx *scribe, struct store *store);

#endif

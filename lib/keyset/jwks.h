/* SPDX-License-Identifier: MIT */
/*
 * jwks.h - the keyset as a JWK Set (RFC 7517 s5), and its export to jwks.json.
 */
#ifndef RJWT_JWKS_H
#define RJWT_JWKS_H

#include "base/buf.h"
#include "base/err.h"
#include "keyset/commit.h"
#include "keyset/store.h"

/* Append the JWK Set of all keys that verify at now_s to out; HMAC keys are left out. */
RJWT_MUST enum rjwt_err store_jwks(struct store *store, int64_t now_s, struct buf *out, struct rjwt_diag *diag);

/* Whether jwks.json was written for the loaded keyset.json: one stat(2), which does not check its contents. */
bool jwks_is_current(const struct store *store);

/* Rewrite jwks.json if its contents are not as they should be; reads all keys. */
RJWT_MUST enum rjwt_err jwks_export(const struct commit_ctx *ctx, struct store *store);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * verify.h - the one verification path: a const table of checks, walked in order until one fails. rjwt-verify
 * --explain prints the trace of this walk.
 */
#ifndef RJWT_VERIFY_H
#define RJWT_VERIFY_H

#include "base/err.h"
#include "base/host.h"
#include "config/config.h"
#include "fleet/fleet.h"
#include "jose/jwk.h"
#include "keyset/keyset.h"
#include "keyset/marks.h"
#include "rjwt.h"

struct verifier {
	const struct config *config;
	const struct keyset *keyset; /* NULL: the keys come from a JWK Set */
	struct key_source keys;	     /* of the keyset */
	const struct jwk_set *set;   /* NULL: the keys come from the keyset */
	struct marks *marks;	     /* of the keyset; NULL: revoked and spent are not checked */
	struct fleet_reader *fleet;  /* for tokens of other issuers, and for denials; NULL: none */
	struct clock *clock;
};

/* Reset the verdict to no verdict, for this reason. */
void verdict_begin(struct rjwt_verdict *verdict, enum rjwt_err reason);

/* As rjwt_verify(). verdict is overwritten. */
RJWT_MUST enum rjwt_err verify_token(const struct verifier *verifier, const struct rjwt_attempt *attempt,
    struct rjwt_verdict *verdict, struct rjwt_diag *diag);

#endif

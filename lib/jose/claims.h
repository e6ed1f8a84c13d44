/* SPDX-License-Identifier: MIT */
/*
 * claims.h - the claims set (RFC 7519 s4.1) and rjwt's own claims, typed and bounded. No clock, no
 * policy: those are the verifier's.
 */
#ifndef RJWT_CLAIMS_H
#define RJWT_CLAIMS_H

#include "base/err.h"
#include "base/json.h"

struct claims {
	struct json json;
	struct view iss, sub, user, jti, scope; /* views into json; .p NULL: absent (sub, jti, scope) */
	int64_t iat_s, nbf_s, exp_s;		/* nbf_s: 0 when absent */
	bool once;
	bool has_cnf, has_src; /* a bound key, source addresses */
};

/*
 * Required: iss (string), aud (string, or array of strings alone), exp and iat (integers, 0 to 2^53),
 * user_claim (string, see claims_name_check()); once: true requires jti. Where they stand, nbf is an
 * integer, sub and jti (1 to 128 bytes) strings, scope words separated by one space, once a boolean.
 * RJWT_CLAIMS with diag->text, RJWT_MEMORY. claims gives; claims_clear().
 */
RJWT_MUST enum rjwt_err
claims_parse(struct view payload, const char *user_claim, struct claims *claims, struct rjwt_diag *diag);
void claims_clear(struct claims *claims);

bool claims_audience_has(const struct claims *claims, const char *name); /* exact */
bool claims_scope_has(const struct claims *claims, const char *word);	 /* exact */

/* A name of a user, issuer or audience: 1 to 255 bytes of UTF-8 without control characters. */
bool claims_name_check(struct view name);
/* An id of a token: a name of 1 to 128 bytes. */
bool claims_jti_check(struct view jti);
/* One word of scope: 1 to 32 of [A-Za-z0-9._:/-]. */
bool claims_word_check(struct view word);
/* Whether a free claim of this name would be one that rjwt reads or writes. */
bool claims_is_reserved(struct view name, const char *user_claim);

#endif

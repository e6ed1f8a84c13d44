/* SPDX-License-Identifier: MIT */
/*
 * claims.h - the claims set (RFC 7519 s4.1) and the claims of rjwt, typed and bounded. Clock and policy
 * are up to the verifier.
 */
#ifndef RJWT_CLAIMS_H
#define RJWT_CLAIMS_H

#include "base/err.h"
#include "base/json.h"

#define CLAIMS_RANGES_MAX 16 /* address ranges in src */

struct claims {
	struct json json;
	struct view iss, sub, user, jti, scope; /* views into json; .p NULL: absent (sub, jti, scope) */
	int64_t iat_s, nbf_s, exp_s;		/* nbf_s: 0 when absent */
	int64_t lifetime_s;			/* exp - iat */
	bool once;
	int64_t uses;	       /* good for so many logins for each scope; 0 when absent */
	bool other_scope;      /* scope has another form than ours; then .p of scope is NULL */
	bool has_cnf, has_src; /* bound to a key, to source addresses */
	struct view cnf_kid;   /* view; .p NULL: absent, or in a token of others a cnf of another form */
	struct view actor;     /* view, sub of act; .p NULL likewise */
};

/*
 * Required: iss (string), aud (string or array of strings), exp and iat (integers, 0 to 2^53),
 * user_claim (string, see claims_name_check()); once: true and uses require jti. If present, nbf must be an
 * integer, sub and jti (1 to 128 bytes) strings, scope words separated by one space, once a boolean, uses an
 * integer that claims_uses_check() accepts, and then once absent, cnf {"kid": "SHA256:..."} and nothing else, src an
 * array of 1 to CLAIMS_RANGES_MAX ranges as address_range_format() writes them, act {"sub": a name} and nothing else.
 * RJWT_CLAIMS with diag->text, RJWT_MEMORY. claims gives; claims_clear().
 */
RJWT_MUST enum rjwt_err
claims_parse(struct view payload, const char *user_claim, struct claims *claims, struct rjwt_diag *diag);

/*
 * The same for a token of somebody else. Times may have fractions (RFC 7519 s2), and are rounded to the stricter side:
 * exp down, iat and nbf up, the lifetime up. A scope may be any string or an array: then it has none of our words. cnf and
 * src may be anything: then no key and no address fits. act may be anything: then it names nobody.
 */
RJWT_MUST enum rjwt_err
claims_parse_foreign(struct view payload, const char *user_claim, struct claims *claims, struct rjwt_diag *diag);
void claims_clear(struct claims *claims);

bool claims_audience_has(const struct claims *claims, const char *name); /* exact */
bool claims_scope_has(const struct claims *claims, const char *word);	 /* exact */

/* A name of a user, issuer or audience: 1 to 255 bytes of UTF-8 without control characters. */
bool claims_name_check(struct view name);
/* A token id: a name of 1 to 128 bytes. */
bool claims_jti_check(struct view jti);
/* The next word of a scope, which it is taken off from; false at the end. */
bool claims_next_word(struct view *scope, struct view *word);
/* One word of scope: 1 to 32 of [A-Za-z0-9._:/-]. */
bool claims_word_check(struct view word);
/* A number of uses: 2 to RJWT_USES_MAX. One use is once: true. */
bool claims_uses_check(int64_t uses);
/* Call each for every range of src, until it returns false. False: it did, or src is not an array of strings. */
bool claims_each_range(const struct claims *claims, bool (*each)(void *context, struct view range), void *context);
/* Whether rjwt itself reads or writes a claim of this name. */
bool claims_is_reserved(struct view name, const char *user_claim);

#endif

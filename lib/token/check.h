/* SPDX-License-Identifier: MIT */
/*
 * check.h - used by verify.c: the checks and their shared state. check_jws.c and check_claims.c have the checks
 * in the order of the table; each returns RJWT_OK, the code of its row, or why there is no verdict.
 */
#ifndef RJWT_WALK_H
#define RJWT_WALK_H

#include "base/buf.h"
#include "base/err.h"
#include "jose/claims.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "keyset/marks.h"
#include "rjwt.h"
#include "token/verify.h"

/* Each check relies on the results of those before it. */
struct verification {
	const struct verifier *verifier;
	const struct rjwt_attempt *attempt;
	struct rjwt_verdict *verdict;
	struct rjwt_diag *diag;
	struct rjwt_check check; /* of the current row */
	bool trace;
	struct view token;
	struct rjwt_time now;		   /* for a followed keyset not before its bundle was issued */
	const struct keyset *keyset;	   /* that the kid selects: the host's own or a followed one; NULL: neither */
	struct marks *marks;		   /* of that keyset; NULL: there is none */
	const struct fleet_issuer *issuer; /* of a followed keyset: its entry in the roster; NULL: the host's own */
	struct jws jws;
	const struct jwk *jwk; /* view of the key source */
	struct buf payload;
	struct claims claims;
	int64_t version; /* of the key, in a keyset */
	bool foreign;	 /* a token of others may be judged: the keys are those of a JWK Set, or it is a JWS alone */
	struct mark_uses uses; /* most: how often it may be used for a scope; 0: any number of times */
	bool past_user;	       /* genuine and for this user: the reason may be shown */
	const char *scope;     /* the scope that the service requires */
};

/* The result of a check, with what was expected and found. */
enum rjwt_err check_judge(struct verification *w, bool good, const char *expected, struct view found);
enum rjwt_err
check_judge_time(struct verification *w, bool good, const char *expected, int64_t limit_s, int64_t found_s);
enum rjwt_err check_not_checked(struct verification *w, const char *why);

/* The result of the last row, from the answer of the marks: RJWT_OK, RJWT_SPENT, or why they could not be used. */
enum rjwt_err check_first_use(struct verification *w, enum rjwt_err spent);

enum rjwt_err check_empty(struct verification *w);
enum rjwt_err check_length(struct verification *w);
enum rjwt_err check_form(struct verification *w);
enum rjwt_err check_header(struct verification *w);
enum rjwt_err check_alg_known(struct verification *w);
enum rjwt_err check_kid(struct verification *w);
enum rjwt_err check_key(struct verification *w);
enum rjwt_err check_alg(struct verification *w);
enum rjwt_err check_key_revoked(struct verification *w);
enum rjwt_err check_key_until(struct verification *w);
enum rjwt_err check_signature(struct verification *w);
enum rjwt_err check_typ(struct verification *w);
enum rjwt_err check_claims(struct verification *w);
enum rjwt_err check_user(struct verification *w);
enum rjwt_err check_issuer(struct verification *w);
enum rjwt_err check_stale(struct verification *w);
enum rjwt_err check_audience(struct verification *w);
enum rjwt_err check_expired(struct verification *w);
enum rjwt_err check_not_before(struct verification *w);
enum rjwt_err check_issued(struct verification *w);
enum rjwt_err check_lifetime(struct verification *w);
enum rjwt_err check_retirement(struct verification *w);
enum rjwt_err check_scope(struct verification *w);
enum rjwt_err check_binding(struct verification *w);
enum rjwt_err check_source(struct verification *w);
enum rjwt_err check_revoked(struct verification *w);
enum rjwt_err check_denied(struct verification *w);
enum rjwt_err check_spent(struct verification *w);

#endif

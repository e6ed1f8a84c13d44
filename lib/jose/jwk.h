/* SPDX-License-Identifier: MIT */
/*
 * jwk.h - JWK and JWK Set (RFC 7517): text <-> key, kid and times. A key file of the keyset, jwks.json
 * and a set given by hand are the same thing, read and written here.
 */
#ifndef RJWT_JWK_H
#define RJWT_JWK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/key.h"
#include "rjwt.h"

#define KID_MAX 128	    /* bytes */
#define JWK_FILE_MAX 16384  /* bytes of a key file: RSA with 16384 bits takes 3,000 */
#define JWK_SET_MAX 4194304 /* bytes of a set: 1,000 keys of RSA with 16384 bits */

struct jwk {
	char kid[RJWT_ID_SIZE]; /* "": none */
	const struct alg *alg;
	struct key *key; /* owns; NULL: an HMAC key whose secret is elsewhere */
	/* members iat, nbf, retired, exp, revoked; 0: absent */
	int64_t published_s, since_s, retired_s, until_s, revoked_s;
};

/*
 * One JWK. Members unknown to rjwt are passed over, private ones too. jwk gives; jwk_clear().
 * RJWT_ALG: of a kty, crv or alg that rjwt has not, or not for verifying signatures (use, key_ops).
 * RJWT_KEYSET: malformed or weak, or of a kty, crv and alg that contradict each other. RJWT_MEMORY. diag names kid
 * and reason.
 */
RJWT_MUST enum rjwt_err jwk_parse(struct json json, struct jwk *jwk, struct rjwt_diag *diag);

/* The members of a public JWK, without the braces around them: a key file seals them, a set does not. */
RJWT_MUST enum rjwt_err jwk_put(struct buf *out, const struct jwk *jwk);
void jwk_clear(struct jwk *jwk);

/*
 * How the verifier finds a key: RJWT_KEY_UNKNOWN or RJWT_KID when there is none; jwk is a view, until the
 * next refresh, which sees to it that find tells what stands on disk. refresh NULL: nothing changes.
 */
struct key_source {
	enum rjwt_err (*find)(void *context, struct view kid, const struct jwk **jwk, struct rjwt_diag *diag);
	enum rjwt_err (*refresh)(void *context, struct rjwt_diag *diag);
	void *context;
};

struct jwk_set {
	struct jwk *keys;
	size_t n;
};

/*
 * A JWK Set. A weak, malformed or duplicate key refuses the set, with its kid; a key of unknown kty,
 * crv or alg, or not for verifying signatures, is passed over (RFC 7517 s5). RJWT_KEYSET, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err jwk_set_parse(struct view text, struct jwk_set *set, struct rjwt_diag *diag);
void jwk_set_clear(struct jwk_set *set);

/* As struct key_source's find, context being the set. An empty kid finds the only key of a set of one. */
enum rjwt_err jwk_set_find(void *set, struct view kid, const struct jwk **jwk, struct rjwt_diag *diag);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * jwk.h - JWK and JWK Set (RFC 7517): text <-> key, kid and times. Key files of the keyset,
 * jwks.json and the JWK Set of a user have the same format, which is read and written here.
 */
#ifndef RJWT_JWK_H
#define RJWT_JWK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "jose/alg.h"
#include "jose/key.h"
#include "rjwt.h"

#define KID_MAX 128	   /* bytes */
#define JWK_FILE_MAX 16384 /* bytes of a key file; 16384-bit RSA takes 3,000 */
#define JWK_SET_MAX RJWT_JWKS_MAX

struct jwk {
	char kid[RJWT_ID_SIZE]; /* "": none */
	const struct alg *alg;
	struct key *key; /* owns; NULL: an HMAC key whose secret is in private/ */
	/* members iat, nbf, retired, exp, revoked; 0: absent */
	int64_t published_s, since_s, retired_s, until_s, revoked_s;
	size_t element; /* of the set that it is in, from 1 */
};

/*
 * One JWK. Unknown members are ignored, private ones too. jwk gives; jwk_clear().
 * RJWT_ALG: unsupported kty, crv or alg, or not for verifying signatures (use, key_ops).
 * RJWT_KEYSET: malformed or weak, or kty, crv and alg contradict each other. RJWT_MEMORY. diag has kid and reason.
 */
RJWT_MUST enum rjwt_err jwk_parse(struct json json, struct jwk *jwk, struct rjwt_diag *diag);

/* The members of a public JWK without the braces: a key file seals them, a set does not. */
RJWT_MUST enum rjwt_err jwk_put(struct buf *out, const struct jwk *jwk);
void jwk_clear(struct jwk *jwk);

/*
 * How the verifier finds a key: RJWT_KEY_UNKNOWN or RJWT_KID if there is none. jwk is a view until the
 * next refresh, after which find reflects the disk. refresh NULL: the source never changes.
 */
struct key_source {
	enum rjwt_err (*find)(void *context, struct view kid, const struct jwk **jwk, struct rjwt_diag *diag);
	enum rjwt_err (*refresh)(void *context, struct rjwt_diag *diag);
	void *context;
};

/* A key of a set that verifies nothing. */
struct jwk_passed_over {
	char kid[RJWT_ID_SIZE]; /* "": none, or none that is well formed */
	const char *why;	/* static */
};

struct jwk_set {
	struct jwk *keys; /* ordered by kid and alg; an RSA key without alg is one key for each alg of its type */
	size_t n;
	struct jwk_passed_over *passed_over;
	size_t npassed_over;
};

/*
 * A JWK Set of somebody else. A key that cannot be used is passed over (RFC 7517 s5), whatever the reason: unknown
 * kty, crv or alg, not for verifying signatures, weak, malformed. So are keys that have the same kid and the same alg:
 * nobody knows which of them is meant. RJWT_KEYSET: not strict JSON, or not a JWK Set; RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err jwk_set_parse(struct view text, struct jwk_set *set, struct rjwt_diag *diag);
void jwk_set_clear(struct jwk_set *set);

/*
 * The key with this kid, of this alg if there is one. An empty kid finds the only key of a set. jwk is a view.
 * RJWT_KID, RJWT_KEY_UNKNOWN.
 */
RJWT_MUST enum rjwt_err
jwk_set_find(const struct jwk_set *set, struct view kid, struct view alg, const struct jwk **jwk);
/* Why the key with this kid was passed over; NULL: it was not. */
const char *jwk_set_why_not(const struct jwk_set *set, struct view kid);

#endif

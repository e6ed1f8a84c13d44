/* SPDX-License-Identifier: MIT */
/*
 * alg.h - one const row for each algorithm (RFC 7518 s3.1, RFC 8037 s3.1). Adding one is adding a row.
 */
#ifndef RJWT_ALG_H
#define RJWT_ALG_H

#include "base/err.h"

enum alg_kind { ALG_HMAC, ALG_RSA, ALG_PSS, ALG_ECDSA, ALG_EDDSA };

struct alg {
	const char *label;     /* unique: the configuration's word; "Ed448" where JOSE says EdDSA twice */
	const char *name;      /* the JOSE header's alg */
	const char *kty, *crv; /* RFC 7518 s6.1; crv NULL where the type has none */
	const char *digest;    /* OpenSSL's name; NULL: EdDSA hashes for itself */
	const char *group;     /* OpenSSL's name of the key type or group */
	enum alg_kind kind;
	size_t signature_size;	/* bytes; 0: the modulus' */
	size_t coordinate_size; /* bytes of x (and y); 0: none */
	size_t secret_min;	/* bytes, RFC 7518 s3.2: the hash's; 0: no secret */
};

const struct alg *alg_by_label(struct view label); /* NULL: unknown; case counts */
bool alg_known(struct view name);		   /* whether some row has this JOSE name */

/*
 * The algorithm of a JWK. With an alg, it must fit kty and crv; without one the type decides: EC and
 * OKP by curve, RSA as RS256, oct as HS256 (RFC 7517 s4.4 leaves alg optional, RFC 8725 s3.1 wants one
 * algorithm for a key). NULL: unknown, or the parts do not fit.
 */
const struct alg *alg_of_jwk(struct view kty, const struct view *crv, const struct view *name);

/* Whether each of these is in some row: where no algorithm is of all of them, they contradict each other. */
bool alg_parts_known(struct view kty, const struct view *crv, const struct view *name);

const char *const *alg_labels(void); /* NULL at the end */

#endif

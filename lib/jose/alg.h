/* SPDX-License-Identifier: MIT */
/*
 * alg.h - one const row per algorithm (RFC 7518 s3.1, RFC 8037 s3.1). To add one, add a row.
 */
#ifndef RJWT_ALG_H
#define RJWT_ALG_H

#include "base/err.h"

enum alg_kind { ALG_HMAC, ALG_RSA, ALG_PSS, ALG_ECDSA, ALG_EDDSA };

struct alg {
	const char *label;     /* unique, used in the configuration; "Ed448" for the second EdDSA of JOSE */
	const char *name;      /* the JOSE header's alg */
	const char *kty, *crv; /* RFC 7518 s6.1; crv NULL: the type has none */
	const char *digest;    /* OpenSSL's name; NULL: EdDSA hashes for itself */
	const char *group;     /* OpenSSL's name of the key type or group */
	enum alg_kind kind;
	size_t signature_size;	/* bytes; 0: the size of the modulus */
	size_t coordinate_size; /* bytes of x (and y); 0: none */
	size_t secret_min;	/* bytes, the size of the hash (RFC 7518 s3.2); 0: no secret */
	bool tpm;		/* TPMs have such keys, as far as OpenSSL's provider for them goes */
};

const struct alg *alg_by_label(struct view label); /* NULL: unknown; case matters */

/*
 * Whether an algorithm has this JOSE name. foreign: what others sign is judged, so the names of RFC 9864 count too,
 * which name the curve: Ed25519 and Ed448 are EdDSA.
 */
bool alg_has_name(const struct alg *alg, struct view name, bool foreign);
bool alg_known(struct view name, bool foreign); /* whether some row has this name */

/*
 * The algorithm of a JWK. An alg must fit kty and crv; without one the key type decides: EC and
 * OKP by curve, RSA is RS256, oct is HS256 (alg is optional in RFC 7517 s4.4, but RFC 8725 s3.1 requires one
 * algorithm per key). NULL: unknown, or the members do not fit together.
 */
const struct alg *alg_of_jwk(struct view kty, const struct view *crv, const struct view *name, bool foreign);

/* The next algorithm of the same key type; NULL: there is none. */
const struct alg *alg_next_of_type(const struct alg *alg);

/* Whether each of these occurs in some row: if no single row has all of them, they contradict each other. */
bool alg_parts_known(struct view kty, const struct view *crv, const struct view *name, bool foreign);

const char *const *alg_labels(void); /* NULL at the end */

#endif

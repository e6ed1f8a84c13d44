/* SPDX-License-Identifier: MIT */
/*
 * key.h - a key that fits its algorithm: creates, checks, signs, verifies. With hash.c and openssl.c the only
 * user of OpenSSL: only EVP, in the default library context, without process-wide settings.
 *
 * Weak keys are rejected here, because OpenSSL accepts RSA-512, e = 1, small-order Ed25519 points and empty
 * secrets. Required: an odd RSA modulus of 2048 to 16384 bits with an odd e of at least 65537 and at most 64
 * bits; EC points on their curve; canonical Edwards points that are not of small order; HMAC secrets at least
 * as long as their hash (RFC 7518 s3.2).
 */
#ifndef RJWT_KEY_H
#define RJWT_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "jose/alg.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384

struct key; /* its algorithm, and a public key, a key pair or a secret */

/* A new key pair or secret. key gives; key_free(). RJWT_INTERNAL, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err key_generate(const struct alg *alg, unsigned rsa_bits, struct key **key);

/*
 * A public key, or a secret, from a JWK's members, big-endian (RFC 7518 s6, RFC 8037 s2): {n, e}, {x, y},
 * {x, -} or {k, -}. why says why a key is rejected; static. RJWT_KEYSET, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err
key_from_parts(const struct alg *alg, const struct view parts[static 2], struct key **key, const char **why);

/* The same members of an existing key. For a secret, parts stay empty. */
RJWT_MUST enum rjwt_err key_parts(const struct key *key, struct buf parts[static 2]);

/* PKCS#8 PEM, the raw secret for HMAC, or of a key that a TPM made what it has wrapped. RJWT_KEYSET: not a key, or does not fit alg. */
RJWT_MUST enum rjwt_err key_private_parse(const struct alg *alg, struct view text, struct key **key, const char **why);
RJWT_MUST enum rjwt_err key_private_format(const struct key *key, struct buf *text);

/* Whether both have the same public half. */
bool key_is_pair(const struct key *a, const struct key *b);

/* Appends the JWS signature (RFC 7518 s3.2 to s3.5, RFC 8037 s3.1): R||S for ECDSA. */
RJWT_MUST enum rjwt_err key_sign(struct key *key, struct view input, struct buf *signature);

/* RJWT_SIGNATURE unless the signature is valid and has exactly key_signature_size() bytes. */
RJWT_MUST enum rjwt_err key_verify(struct key *key, struct view input, struct view signature);

const struct alg *key_alg(const struct key *key);
size_t key_signature_size(const struct key *key); /* bytes */
void key_free(struct key *key);			  /* wipes; NULL is fine */
void key_clean(struct key **key);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * key_private.h - shared by key.c, which creates keys, and key_sign.c, which signs and verifies with them.
 */
#ifndef RJWT_KEY_INSIDE_H
#define RJWT_KEY_INSIDE_H

#include "base/buf.h"
#include "base/err.h"
#include "jose/alg.h"
#include "jose/key.h"

#include <openssl/evp.h>

struct key {
	const struct alg *alg;
	EVP_PKEY *pkey;	   /* NULL for HMAC */
	struct buf secret; /* HMAC; or, where pkey is the public half alone, what a TPM has wrapped */
	size_t signature_size;
	/* Set up by the first signature; later ones copy it, which costs a tenth. */
	EVP_MD_CTX *signing, *verifying;
	EVP_MAC_CTX *mac;
	/* Where pkey lives; NULL: in the default context. */
	OSSL_LIB_CTX *libctx;
	const char *properties;
};

/* takes pkey. */
/* key_sign(), which leaves in OpenSSL's queue why it failed. */
RJWT_MUST enum rjwt_err key_sign_marked(struct key *key, struct view input, struct buf *signature);

RJWT_MUST enum rjwt_err key_new(const struct alg *alg, EVP_PKEY *pkey, struct key **key);

/* Clean-up functions of OpenSSL take the object; ours, for RJWT_CLEAN, take its address. */
#define CLEANER(name, type, release)    \
	static void name(type **object) \
	{                               \
		release(*object);       \
	}                               \
	struct name##_needs_a_semicolon

static inline const unsigned char *
bytes(struct view v)
{
	return (const unsigned char *)(v.n == 0 ? "" : v.p);
}

#endif

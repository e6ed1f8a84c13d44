/* SPDX-License-Identifier: MIT */
#include "jose/key_private.h"
#include "base/openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <stdio.h>

CLEANER(md_ctx_clean, EVP_MD_CTX, EVP_MD_CTX_free);
CLEANER(mac_clean, EVP_MAC, EVP_MAC_free);
CLEANER(mac_ctx_clean, EVP_MAC_CTX, EVP_MAC_CTX_free);
CLEANER(bn_clean, BIGNUM, BN_free);
CLEANER(ecdsa_clean, ECDSA_SIG, ECDSA_SIG_free);

/* RFC 7518 s3.5: a salt as long as the hash, MGF1 with the same hash; also when verifying. */
static bool
padding_set(const struct key *key, EVP_PKEY_CTX *ctx)
{
	if (key->alg->kind != ALG_PSS)
		return true;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1)
		return false;
	if (key->libctx != NULL)
		return true; /* a TPM takes neither: what it signs is verified before its key counts */
	return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, key->alg->digest, NULL) == 1;
}

/* EVP_DigestSignInit_ex() or EVP_DigestVerifyInit_ex() */
typedef int
digest_init(EVP_MD_CTX *, EVP_PKEY_CTX **, const char *, OSSL_LIB_CTX *, const char *, EVP_PKEY *, const OSSL_PARAM *);

/* A context for one signature. */
static enum rjwt_err
md_copy(struct key *key, EVP_MD_CTX **kept, digest_init *init, EVP_MD_CTX **copy)
{
	RJWT_CLEAN(md_ctx_clean) EVP_MD_CTX *made = NULL;
	EVP_PKEY_CTX *ctx;

	if (*kept == NULL) {
		made = EVP_MD_CTX_new();
		if (made == NULL)
			return RJWT_MEMORY;
		if (init(made, &ctx, key->alg->digest, key->libctx, key->properties, key->pkey, NULL) != 1 ||
		    !padding_set(key, ctx))
			return RJWT_INTERNAL;
		*kept = RJWT_STEAL(made);
	}
	*copy = EVP_MD_CTX_new();
	if (*copy == NULL || EVP_MD_CTX_copy_ex(*copy, *kept) != 1)
		return RJWT_MEMORY;
	return RJWT_OK;
}

static enum rjwt_err
mac_keep(struct key *key)
{
	RJWT_CLEAN(mac_clean) EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	RJWT_CLEAN(mac_ctx_clean) EVP_MAC_CTX *made = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	char digest[16];
	OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };

	snprintf(digest, sizeof(digest), "%s", key->alg->digest); /* parameters are not const */
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	if (made == NULL || EVP_MAC_init(made, bytes(buf_view(&key->secret)), key->secret.n, params) != 1)
		return RJWT_INTERNAL;
	key->mac = RJWT_STEAL(made);
	return RJWT_OK;
}

static enum rjwt_err
hmac(struct key *key, struct view input, unsigned char mac[static 64])
{
	RJWT_CLEAN(mac_ctx_clean) EVP_MAC_CTX *copy = NULL;
	size_t n = 0;

	if (key->mac == NULL)
		RJWT_TRY(mac_keep(key));
	copy = EVP_MAC_CTX_dup(key->mac);
	if (copy == NULL)
		return RJWT_MEMORY;
	if (EVP_MAC_update(copy, bytes(input), input.n) != 1 || EVP_MAC_final(copy, mac, &n, 64) != 1 ||
	    n != key->signature_size)
		return RJWT_INTERNAL;
	return RJWT_OK;
}

/* DER to R||S, RFC 7518 s3.4. */
static enum rjwt_err
ecdsa_flatten(const unsigned char *der, size_t n, size_t coordinate, struct buf *signature)
{
	RJWT_CLEAN(ecdsa_clean) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	unsigned char *room = (unsigned char *)buf_room(signature, 2 * coordinate);

	if (room == NULL)
		return RJWT_MEMORY;
	if (sig == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(sig), room, (int)coordinate) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), room + coordinate, (int)coordinate) < 0)
		return RJWT_INTERNAL;
	return RJWT_OK;
}

enum rjwt_err
key_sign_marked(struct key *key, struct view input, struct buf *signature)
{
	RJWT_CLEAN(md_ctx_clean) EVP_MD_CTX *md = NULL;
	unsigned char out[RSA_BITS_MAX / 8];
	size_t n = sizeof(out);

	if (key->alg->kind == ALG_HMAC) {
		RJWT_TRY(hmac(key, input, out));
		buf_add(signature, out, key->signature_size);
		return buf_done(signature);
	}
	RJWT_TRY(md_copy(key, &key->signing, EVP_DigestSignInit_ex, &md));
	if (EVP_DigestSign(md, out, &n, bytes(input), input.n) != 1)
		return RJWT_INTERNAL;
	if (key->alg->kind == ALG_ECDSA)
		return ecdsa_flatten(out, n, key->alg->coordinate_size, signature);
	buf_add(signature, out, n);
	return buf_done(signature);
}

enum rjwt_err
key_sign(struct key *key, struct view input, struct buf *signature)
{
	OPENSSL_QUIETLY;

	return key_sign_marked(key, input, signature);
}

/* R||S to DER: at most 2 * (66 + 3) + 3 bytes; 0: out of memory. */
static size_t
ecdsa_der(struct view flat, unsigned char der[static 160])
{
	RJWT_CLEAN(ecdsa_clean) ECDSA_SIG *sig = ECDSA_SIG_new();
	RJWT_CLEAN(bn_clean) BIGNUM *r = BN_bin2bn(bytes(flat), (int)flat.n / 2, NULL);
	RJWT_CLEAN(bn_clean) BIGNUM *s = BN_bin2bn(bytes(flat) + flat.n / 2, (int)flat.n / 2, NULL);
	int n;

	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
		return 0;
	r = s = NULL; /* owned by sig now */
	n = i2d_ECDSA_SIG(sig, &der);
	return n > 0 ? (size_t)n : 0;
}

enum rjwt_err
key_verify(struct key *key, struct view input, struct view signature)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(md_ctx_clean) EVP_MD_CTX *md = NULL;
	unsigned char der[160];
	const unsigned char *sig = bytes(signature);
	size_t n = signature.n;

	if (n != key->signature_size)
		return RJWT_SIGNATURE;
	if (key->alg->kind == ALG_HMAC) {
		unsigned char mac[64];

		RJWT_TRY(hmac(key, input, mac));
		return CRYPTO_memcmp(mac, sig, n) == 0 ? RJWT_OK : RJWT_SIGNATURE;
	}
	if (key->alg->kind == ALG_ECDSA) {
		n = ecdsa_der(signature, der);
		sig = der;
		if (n == 0)
			return RJWT_MEMORY;
	}
	RJWT_TRY(md_copy(key, &key->verifying, EVP_DigestVerifyInit_ex, &md));
	/* 0, -1 and -2 all mean: not valid. */
	if (EVP_DigestVerify(md, sig, n, bytes(input), input.n) != 1)
		return RJWT_SIGNATURE;
	return RJWT_OK;
}

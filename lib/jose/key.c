/* SPDX-License-Identifier: MIT */
#include "jose/key_private.h"
#include "base/openssl.h"
#include "jose/key_weak.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

CLEANER(pkey_clean, EVP_PKEY, EVP_PKEY_free);
CLEANER(pkey_ctx_clean, EVP_PKEY_CTX, EVP_PKEY_CTX_free);
CLEANER(bn_clean, BIGNUM, BN_free);
CLEANER(bio_clean, BIO, BIO_free_all);
CLEANER(pkcs8_clean, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);
CLEANER(build_clean, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
CLEANER(params_clean, OSSL_PARAM, OSSL_PARAM_free);

void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	EVP_MD_CTX_free(key->signing);
	EVP_MD_CTX_free(key->verifying);
	EVP_MAC_CTX_free(key->mac);
	EVP_PKEY_free(key->pkey);
	buf_clear(&key->secret);
	free(key);
}

void
key_clean(struct key **key)
{
	key_free(*key);
}

const struct alg *
key_alg(const struct key *key)
{
	return key->alg;
}

size_t
key_signature_size(const struct key *key)
{
	return key->signature_size;
}

/* --- making ----------------------------------------------------------------------------------- */

enum rjwt_err
key_new(const struct alg *alg, EVP_PKEY *pkey, struct key **key)
{
	struct key *made = calloc(1, sizeof(*made));

	if (made == NULL) {
		EVP_PKEY_free(pkey);
		return RJWT_MEMORY;
	}
	made->alg = alg;
	made->pkey = pkey;
	made->signature_size =
	    alg->signature_size != 0 ? alg->signature_size : ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8;
	*key = made;
	return RJWT_OK;
}

static enum rjwt_err
secret_new(const struct alg *alg, struct view secret, struct key **key, const char **why)
{
	RJWT_CLEAN(key_clean) struct key *made = NULL;

	if (secret.n < alg->secret_min) {
		*why = "the secret is shorter than the hash of its algorithm";
		return RJWT_KEYSET;
	}
	RJWT_TRY(key_new(alg, NULL, &made));
	buf_add_view(&made->secret, secret);
	RJWT_TRY(buf_done(&made->secret));
	*key = RJWT_STEAL(made);
	return RJWT_OK;
}

enum rjwt_err
key_generate(const struct alg *alg, unsigned rsa_bits, struct key **key)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(pkey_clean) EVP_PKEY *pkey = NULL;
	const char *why;

	if (alg->kind == ALG_HMAC) {
		char secret[64];
		enum rjwt_err err = random_fill(secret, alg->secret_min);

		if (err == RJWT_OK)
			err = secret_new(alg, (struct view){ secret, alg->secret_min }, key, &why);
		secret_wipe(secret, sizeof(secret));
		return err;
	}
	if (strcmp(alg->kty, "RSA") == 0 && (rsa_bits < RSA_BITS_MIN || rsa_bits > RSA_BITS_MAX))
		return RJWT_INTERNAL;
	if (strcmp(alg->kty, "RSA") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)rsa_bits);
	else if (alg->kind == ALG_ECDSA)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", alg->group);
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, alg->group);
	if (pkey == NULL)
		return RJWT_INTERNAL;
	return key_new(alg, RJWT_STEAL(pkey), key);
}

/* An EVP_PKEY from the parameters in build; NULL if OpenSSL rejects them. RJWT_INTERNAL: it did not come to that. */
static enum rjwt_err
pkey_from(const char *type, OSSL_PARAM_BLD *build, EVP_PKEY **pkey)
{
	RJWT_CLEAN(params_clean) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	RJWT_CLEAN(pkey_ctx_clean) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
		return RJWT_INTERNAL;
	if (EVP_PKEY_fromdata(ctx, pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		*pkey = NULL;
	return RJWT_OK;
}

static enum rjwt_err
rsa_public(const struct view parts[static 2], EVP_PKEY **pkey)
{
	RJWT_CLEAN(build_clean) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	RJWT_CLEAN(bn_clean) BIGNUM *n = BN_bin2bn(bytes(parts[0]), (int)parts[0].n, NULL);
	RJWT_CLEAN(bn_clean) BIGNUM *e = BN_bin2bn(bytes(parts[1]), (int)parts[1].n, NULL);

	if (build == NULL || n == NULL || e == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return RJWT_INTERNAL;
	return pkey_from("RSA", build, pkey);
}

/* The uncompressed point 04 || x || y; OpenSSL checks that it is on the curve. */
static enum rjwt_err
ec_public(const struct alg *alg, const struct view parts[static 2], EVP_PKEY **pkey)
{
	RJWT_CLEAN(build_clean) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	unsigned char point[1 + 2 * 66];
	size_t n = alg->coordinate_size;

	point[0] = 4;
	memcpy(point + 1, parts[0].p, n);
	memcpy(point + 1 + n, parts[1].p, n);
	if (build == NULL || OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, alg->group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n) != 1)
		return RJWT_INTERNAL;
	return pkey_from("EC", build, pkey);
}

static enum rjwt_err
refuse(const char **why, const char *text)
{
	*why = text;
	return RJWT_KEYSET;
}

enum rjwt_err
key_from_parts(const struct alg *alg, const struct view parts[static 2], struct key **key, const char **why)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(pkey_clean) EVP_PKEY *pkey = NULL;
	size_t n = alg->coordinate_size;
	const char *weak = NULL;

	if (alg->kind == ALG_HMAC)
		return secret_new(alg, parts[0], key, why);
	if (n != 0 && (parts[0].n != n || (alg->kind == ALG_ECDSA && parts[1].n != n)))
		return refuse(why, "a coordinate has the wrong length");
	if (alg->kind == ALG_ECDSA) {
		RJWT_TRY(ec_public(alg, parts, &pkey));
	} else if (alg->kind == ALG_EDDSA) {
		weak = n == 32 ? key_ed25519_weak(bytes(parts[0])) : key_ed448_weak(bytes(parts[0]));
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, alg->group, NULL, bytes(parts[0]), n);
	} else {
		if (parts[0].n > RSA_BITS_MAX / 8 || parts[1].n > 8 || parts[0].n == 0 || parts[1].n == 0 ||
		    parts[0].p[0] == 0 || parts[1].p[0] == 0)
			return refuse(why, "an RSA number is too large or begins with a zero byte");
		RJWT_TRY(rsa_public(parts, &pkey));
		weak = pkey == NULL ? NULL : key_rsa_weak(pkey);
	}
	if (weak != NULL)
		return refuse(why, weak);
	if (pkey == NULL)
		return refuse(why, "not a key of this type");
	return key_new(alg, RJWT_STEAL(pkey), key);
}

static enum rjwt_err
add_number(const EVP_PKEY *pkey, const char *name, struct buf *out)
{
	RJWT_CLEAN(bn_clean) BIGNUM *n = NULL;
	char *room;

	if (EVP_PKEY_get_bn_param(pkey, name, &n) != 1)
		return RJWT_INTERNAL;
	room = buf_room(out, (size_t)BN_num_bytes(n));
	if (room != NULL)
		BN_bn2bin(n, (unsigned char *)room);
	return buf_done(out);
}

enum rjwt_err
key_parts(const struct key *key, struct buf parts[static 2])
{
	OPENSSL_QUIETLY;
	size_t n = key->alg->coordinate_size, have = n;
	unsigned char point[1 + 2 * 66];

	switch (key->alg->kind) {
	case ALG_HMAC:
		return RJWT_OK;
	case ALG_RSA:
	case ALG_PSS:
		RJWT_TRY(add_number(key->pkey, OSSL_PKEY_PARAM_RSA_N, &parts[0]));
		return add_number(key->pkey, OSSL_PKEY_PARAM_RSA_E, &parts[1]);
	case ALG_ECDSA:
		if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &have) !=
			1 ||
		    have != 1 + 2 * n || point[0] != 4)
			return RJWT_INTERNAL;
		buf_add(&parts[0], point + 1, n);
		buf_add(&parts[1], point + 1 + n, n);
		return buf_done(&parts[1]) != RJWT_OK ? RJWT_MEMORY : buf_done(&parts[0]);
	case ALG_EDDSA:
		if (EVP_PKEY_get_raw_public_key(key->pkey, point, &have) != 1 || have != n)
			return RJWT_INTERNAL;
		buf_add(&parts[0], point, n);
		return buf_done(&parts[0]);
	}
	return RJWT_INTERNAL;
}

/* --- private halves --------------------------------------------------------------------------- */

/* OpenSSL has two names for the NIST curves, P-256 and prime256v1, and one for the others. */
static int
curve_nid(const char *group)
{
	int nid = EC_curve_nist2nid(group);

	return nid != NID_undef ? nid : OBJ_txt2nid(group);
}

enum rjwt_err
key_private_parse(const struct alg *alg, struct view text, struct key **key, const char **why)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(bio_clean) BIO *bio = NULL;
	RJWT_CLEAN(pkcs8_clean) PKCS8_PRIV_KEY_INFO *pkcs8 = NULL;
	RJWT_CLEAN(pkey_clean) EVP_PKEY *pkey = NULL;
	const char *weak = NULL;
	char group[32] = "";

	if (alg->kind == ALG_HMAC)
		return secret_new(alg, text, key, why);
	bio = BIO_new_mem_buf(bytes(text), (int)text.n);
	if (bio == NULL)
		return RJWT_MEMORY;
	pkcs8 = PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, NULL, NULL);
	if (pkcs8 != NULL)
		pkey = EVP_PKCS82PKEY_ex(pkcs8, NULL, NULL);
	if (pkey == NULL)
		return refuse(why, "not a private key in PKCS#8 PEM");
	if (alg->kind == ALG_ECDSA) {
		if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
		    OBJ_txt2nid(group) != curve_nid(alg->group))
			return refuse(why, "a private key of another type");
	} else if (!EVP_PKEY_is_a(pkey, alg->group)) {
		return refuse(why, "a private key of another type");
	} else if (alg->kind != ALG_EDDSA) {
		weak = key_rsa_weak(pkey);
	}
	if (weak != NULL)
		return refuse(why, weak);
	return key_new(alg, RJWT_STEAL(pkey), key);
}

enum rjwt_err
key_private_format(const struct key *key, struct buf *text)
{
	OPENSSL_QUIETLY;
	RJWT_CLEAN(bio_clean) BIO *bio = NULL;
	char *pem = NULL;
	long n;

	if (key->secret.n > 0) {
		buf_add_view(text, buf_view(&key->secret));
		return buf_done(text);
	}
	bio = BIO_new(BIO_s_secmem());
	if (bio == NULL)
		return RJWT_MEMORY;
	if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    (n = BIO_get_mem_data(bio, &pem)) <= 0)
		return RJWT_INTERNAL;
	buf_add(text, pem, (size_t)n);
	secret_wipe(pem, (size_t)n);
	return buf_done(text);
}

bool
key_is_pair(const struct key *a, const struct key *b)
{
	OPENSSL_QUIETLY;

	return a->pkey != NULL && EVP_PKEY_eq(a->pkey, b->pkey) == 1; /* two NULLs would be equal */
}

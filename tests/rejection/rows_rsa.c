/* SPDX-License-Identifier: MIT */
/* Rule 13: signatures of RSA with another hash, another padding, another salt. */
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"

#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "unit.h"

/* How a signature is made, that differs from the key's algorithm in one thing. */
struct way {
	const char *what, *digest, *mgf1; /* mgf1 NULL: PKCS #1 v1.5 */
	int salt;
};

static EVP_PKEY *
pkey_of(struct table *t, const char *label)
{
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };
	EVP_PKEY *pkey;
	BIO *bio;

	want(label, key_private_format(table_key(t, label), &pem), RJWT_OK);
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(pkey);
	BIO_free(bio);
	return pkey;
}

static void
put_signature(struct table *t, const char *label, const char *what, const struct buf *input, const unsigned char *bytes,
    size_t n)
{
	const struct edit edits[] = { KEY(label), { 0, NULL, NULL } };
	struct refusal *r;
	char name[80];

	snprintf(name, sizeof(name), "%s: %s", label, what);
	r = table_put(t, 13, RJWT_SIGNATURE, SET, name);
	buf_add_view(&r->bad, buf_view(input));
	buf_adds(&r->bad, ".");
	base64url_encode(&r->bad, (struct view){ (const char *)bytes, n });
	buf_clear(&r->twin);
	table_token(t, SET, edits, &r->twin);
}

static void
put_way(struct table *t, const char *label, EVP_PKEY *pkey, const struct buf *input, const struct way *way)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char out[512];
	size_t n = sizeof(out);

	assert_int_equal(EVP_DigestSignInit_ex(md, &ctx, way->digest, NULL, NULL, pkey, NULL), 1);
	if (way->mgf1 != NULL) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, way->salt), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, way->mgf1, NULL), 1);
	}
	assert_int_equal(EVP_DigestSign(md, out, &n, (const unsigned char *)input->p, input->n), 1);
	put_signature(t, label, way->what, input, out, n);
	EVP_MD_CTX_free(md);
}

/* PKCS #1 v1.5 around the hash alone, without the name of the hash that RFC 8017 s9.2 wants. */
static void
put_bare_hash(struct table *t, const char *label, EVP_PKEY *pkey, const struct buf *input, const char *digest)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	unsigned char hash[64], out[512];
	size_t n = sizeof(out), size = 0;

	assert_int_equal(EVP_Q_digest(NULL, digest, NULL, input->p, input->n, hash, &size), 1);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, out, &n, hash, size), 1);
	put_signature(t, label, "the hash without its name", input, out, n);
	EVP_PKEY_CTX_free(ctx);
}

/* The modulus, what stands next to it, and a signature's negative. */
static void
put_numbers(struct table *t, const char *label, const struct buf *input)
{
	struct buf parts[2] = { { 0 }, { 0 } };
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
	BIGNUM *n, *s;
	unsigned char out[512];
	int size;

	want(label, key_parts(table_key(t, label), parts), RJWT_OK);
	want(label, key_sign(table_key(t, label), buf_view(input), &signature), RJWT_OK);
	size = (int)parts[0].n;
	n = BN_bin2bn((const unsigned char *)parts[0].p, size, NULL);
	s = BN_bin2bn((const unsigned char *)signature.p, (int)signature.n, NULL);
	assert_int_equal(BN_bn2binpad(n, out, size), size);
	put_signature(t, label, "the modulus", input, out, (size_t)size);
	assert_int_equal(BN_sub(s, n, s), 1);
	assert_int_equal(BN_bn2binpad(s, out, size), size);
	put_signature(t, label, "n less the signature", input, out, (size_t)size);
	assert_int_equal(BN_sub_word(n, 1), 1);
	assert_int_equal(BN_bn2binpad(n, out, size), size);
	put_signature(t, label, "n less 1", input, out, (size_t)size);
	BN_free(n);
	BN_free(s);
	buf_clear(&parts[0]);
	buf_clear(&parts[1]);
}

static void
put_ways(struct table *t, const char *label)
{
	const struct alg *alg = key_alg(table_key(t, label));
	const char *d = alg->digest, *other = strcmp(d, "SHA256") == 0 ? "SHA384" : "SHA256";
	int size = strcmp(d, "SHA256") == 0 ? 32 : strcmp(d, "SHA384") == 0 ? 48 : 64;
	const struct edit edits[] = { KEY(label), { 0, NULL, NULL } };
	RJWT_CLEAN(buf_clear) struct buf input = { 0 };
	EVP_PKEY *pkey = pkey_of(t, label);
	const struct way ways[] = {
		{ "another hash, v1.5", other, NULL, 0 },
		{ "SHA-1, v1.5", "SHA1", NULL, 0 },
		{ "SHA-224, v1.5", "SHA224", NULL, 0 },
		{ "SHA-512/256, v1.5", "SHA512-256", NULL, 0 },
		{ "SHA3-256, v1.5", "SHA3-256", NULL, 0 },
		{ "another hash, PSS", other, other, RSA_PSS_SALTLEN_DIGEST },
		{ "another hash for MGF1", d, other, size },
		{ "SHA-1 for MGF1", d, "SHA1", size },
		{ "no salt", d, d, 0 },
		{ "a salt of 20 bytes", d, d, 20 },
		{ "a salt a byte too short", d, d, size - 1 },
		{ "a salt a byte too long", d, d, size + 1 },
		{ "the longest salt", d, d, RSA_PSS_SALTLEN_MAX },
		{ "v1.5 and PSS the other way round", d, alg->kind == ALG_RSA ? d : NULL, size },
	};

	table_input(t, SET, edits, &input);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		put_way(t, label, pkey, &input, &ways[i]);
	put_bare_hash(t, label, pkey, &input, d);
	put_numbers(t, label, &input);
	EVP_PKEY_free(pkey);
}

void
table_rsa(struct table *t)
{
	static const char *const labels[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };

	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		put_ways(t, labels[i]);
}

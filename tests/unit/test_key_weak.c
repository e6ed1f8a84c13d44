/* SPDX-License-Identifier: MIT */
/* Keys that OpenSSL takes and no verifier may, each beside a good one. */
#include "unit.h"
#include "jose/alg.h"

#include "jose/key.h"

#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const struct alg *
alg_of(const char *label)
{
	const struct alg *alg = alg_by_label(view_of(label));

	CHECK(label, alg != NULL);
	return alg;
}

/* Whether the parts make a key; a refusal must say why, and write nothing. */
static enum rjwt_err
making(const char *label, struct view first, struct view second)
{
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	const char *why = NULL;
	enum rjwt_err err = key_from_parts(alg_of(label), (struct view[]){ first, second }, &key, &why);

	CHECK(label, (err == RJWT_OK) == (key != NULL));
	CHECK(label, err == RJWT_OK || why != NULL);
	return err;
}

static enum rjwt_err
parsing(const char *label, struct view text)
{
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	const char *why = NULL;
	enum rjwt_err err = key_private_parse(alg_of(label), text, &key, &why);

	CHECK(label, (err == RJWT_OK) == (key != NULL));
	CHECK(label, err == RJWT_OK || why != NULL);
	return err;
}

static void
edwards_points(void **state)
{
#define FF15 "ffffffffffffffffffffffffffffff"
#define FF27 FF15 "ffffffffffffffffffffffff"
#define ZERO28 "00000000000000000000000000000000000000000000000000000000"
	static const struct {
		const char *label, *point;
		enum rjwt_err wanted;
	} rows[] = {
		/* RFC 8032 s7.1 test 1, and the base point with both signs */
		{ "EdDSA", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", RJWT_OK },
		{ "EdDSA", "5866666666666666666666666666666666666666666666666666666666666666", RJWT_OK },
		{ "EdDSA", "58666666666666666666666666666666666666666666666666666666666666e6", RJWT_OK },
		/* order 4, 1, 2, 8, 8: with both signs of x */
		{ "EdDSA", "0000000000000000000000000000000000000000000000000000000000000000", RJWT_KEYSET },
		{ "EdDSA", "0000000000000000000000000000000000000000000000000000000000000080", RJWT_KEYSET },
		{ "EdDSA", "0100000000000000000000000000000000000000000000000000000000000000", RJWT_KEYSET },
		{ "EdDSA", "0100000000000000000000000000000000000000000000000000000000000080", RJWT_KEYSET },
		{ "EdDSA", "ec" FF15 FF15 "7f", RJWT_KEYSET },
		{ "EdDSA", "ec" FF15 FF15 "ff", RJWT_KEYSET },
		{ "EdDSA", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", RJWT_KEYSET },
		{ "EdDSA", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", RJWT_KEYSET },
		{ "EdDSA", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", RJWT_KEYSET },
		{ "EdDSA", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", RJWT_KEYSET },
		/* y at least p: p, p + 1, p + 3, 2^255 - 1 */
		{ "EdDSA", "ed" FF15 FF15 "7f", RJWT_KEYSET },
		{ "EdDSA", "ed" FF15 FF15 "ff", RJWT_KEYSET },
		{ "EdDSA", "ee" FF15 FF15 "7f", RJWT_KEYSET },
		{ "EdDSA", "ee" FF15 FF15 "ff", RJWT_KEYSET },
		{ "EdDSA", "f0" FF15 FF15 "7f", RJWT_KEYSET },
		{ "EdDSA", "ff" FF15 FF15 "7f", RJWT_KEYSET },
		{ "EdDSA", "ff" FF15 FF15 "ff", RJWT_KEYSET },
		/* RFC 8032 s7.4, the blank message */
		{ "Ed448",
		    "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
		    "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
		    RJWT_OK },
		{ "Ed448",
		    "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
		    "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256100",
		    RJWT_OK },
		{ "Ed448",
		    "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
		    "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256101",
		    RJWT_KEYSET },
		{ "Ed448",
		    "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
		    "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe82561c0",
		    RJWT_KEYSET },
		/* order 4, 1, 2 */
		{ "Ed448", ZERO28 ZERO28 "00", RJWT_KEYSET },
		{ "Ed448", ZERO28 ZERO28 "80", RJWT_KEYSET },
		{ "Ed448", "01" ZERO28 ZERO28, RJWT_KEYSET },
		{ "Ed448", "fe" FF27 "fe" FF27 "00", RJWT_KEYSET },
		{ "Ed448", "fe" FF27 "fe" FF27 "80", RJWT_KEYSET },
		/* p, p + 1, 2^448 - 1 */
		{ "Ed448", "ff" FF27 "fe" FF27 "00", RJWT_KEYSET },
		{ "Ed448", "ff" FF27 "fe" FF27 "80", RJWT_KEYSET },
		{ "Ed448", "00" ZERO28 "" FF27 "ff00", RJWT_KEYSET },
		{ "Ed448", "ff" FF27 "ff" FF27 "00", RJWT_KEYSET },
	};
	RJWT_CLEAN(buf_clear) struct buf point = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(rows[i].point, making(rows[i].label, unit_hex(&point, rows[i].point), (struct view){ NULL, 0 }),
		    rows[i].wanted);
}

static void
edwards_lengths(void **state)
{
	char point[58];

	(void)state;
	memset(point, 0x66, sizeof(point));
	point[56] = 0;
	for (size_t n = 0; n <= sizeof(point); n++) {
		EXPECT("Ed25519", making("EdDSA", unit_view(point, n), (struct view){ NULL, 0 }),
		    n == 32 ? RJWT_OK : RJWT_KEYSET);
		EXPECT("Ed448", making("Ed448", unit_view(point, n), (struct view){ NULL, 0 }),
		    n == 57 ? RJWT_OK : RJWT_KEYSET);
	}
}

static void
curve_points(void **state)
{
	static const char *const labels[] = { "ES256", "ES384", "ES512" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		RJWT_CLEAN(key_clean) struct key *key = NULL;
		const char *label = labels[i];
		size_t n = alg_of(label)->coordinate_size;
		struct buf parts[2] = { { 0 }, { 0 } };
		struct view x, y;
		char other[67];

		EXPECT(label, key_generate(alg_of(label), 0, &key), RJWT_OK);
		EXPECT(label, key_parts(key, parts), RJWT_OK);
		x = buf_view(&parts[0]);
		y = buf_view(&parts[1]);
		EXPECT(label, making(label, x, y), RJWT_OK);
		EXPECT(label, making(label, y, x), RJWT_KEYSET);
		EXPECT(label, making(label, x, x), RJWT_KEYSET);
		memcpy(other, y.p, n);
		other[n - 1] = (char)(other[n - 1] ^ 1);
		EXPECT(label, making(label, x, unit_view(other, n)), RJWT_KEYSET);
		memset(other, 0xff, sizeof(other));
		EXPECT(label, making(label, unit_view(other, n), y), RJWT_KEYSET);
		EXPECT(label, making(label, x, unit_view(other, n)), RJWT_KEYSET);
		memset(other, 0, sizeof(other));
		EXPECT(label, making(label, unit_view(other, n), unit_view(other, n)), RJWT_KEYSET);
		EXPECT(label, making(label, x, unit_view(other, n)), RJWT_KEYSET);
		/* lengths: RFC 7518 s6.2.1.2 wants leading zeros kept, and none added */
		memcpy(other + 1, x.p, n);
		EXPECT(label, making(label, unit_view(other, n + 1), y), RJWT_KEYSET);
		EXPECT(label, making(label, unit_view(x.p, n - 1), y), RJWT_KEYSET);
		EXPECT(label, making(label, x, unit_view(y.p, n - 1)), RJWT_KEYSET);
		EXPECT(label, making(label, x, (struct view){ NULL, 0 }), RJWT_KEYSET);
		EXPECT(label, making(label, (struct view){ NULL, 0 }, (struct view){ NULL, 0 }), RJWT_KEYSET);
		for (size_t k = 0; k < ARRAY_LEN(labels); k++)
			EXPECT(labels[k], making(labels[k], x, y), i == k ? RJWT_OK : RJWT_KEYSET);
		buf_clear(&parts[0]);
		buf_clear(&parts[1]);
	}
}

static void
rsa_numbers(void **state)
{
	static const struct {
		struct view e;
		enum rjwt_err wanted;
	} exponents[] = {
		{ VIEW("\x01\x00\x01"), RJWT_OK },
		{ VIEW("\x01\x00\x03"), RJWT_OK },
		{ VIEW("\x7f\xff\xff\xff"), RJWT_OK },
		{ VIEW("\xff\xff\xff\xff\xff\xff\xff\xff"), RJWT_OK },
		{ VIEW("\x01"), RJWT_KEYSET },
		{ VIEW("\x03"), RJWT_KEYSET },
		{ VIEW("\x11"), RJWT_KEYSET },
		{ VIEW("\xff\xff"), RJWT_KEYSET },
		{ VIEW("\x01\x00\x00"), RJWT_KEYSET },
		{ VIEW("\x01\x00\x02"), RJWT_KEYSET },
		{ VIEW("\xff\xff\xff\xff\xff\xff\xff\xfe"), RJWT_KEYSET },
		{ VIEW("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), RJWT_KEYSET },
		{ VIEW("\x00\x01\x00\x01"), RJWT_KEYSET },
		{ VIEW("\x00"), RJWT_KEYSET },
		{ VIEW(""), RJWT_KEYSET },
	};
	static const struct {
		size_t n;
		int first, last;
		enum rjwt_err wanted;
	} moduli[] = {
		{ 256, 0x80, 0xff, RJWT_OK },
		{ 256, 0xff, 0xff, RJWT_OK },
		{ 257, 0x01, 0xff, RJWT_OK },
		{ 384, 0x80, 0xff, RJWT_OK },
		{ 512, 0x80, 0xff, RJWT_OK },
		{ 2048, 0xff, 0xff, RJWT_OK },
		{ 256, 0x7f, 0xff, RJWT_KEYSET },
		{ 256, 0x01, 0xff, RJWT_KEYSET },
		{ 255, 0xff, 0xff, RJWT_KEYSET },
		{ 128, 0xff, 0xff, RJWT_KEYSET },
		{ 64, 0xff, 0xff, RJWT_KEYSET },
		{ 1, 0xff, 0xff, RJWT_KEYSET },
		{ 0, 0, 0, RJWT_KEYSET },
		{ 2049, 0x01, 0xff, RJWT_KEYSET },
		{ 2100, 0xff, 0xff, RJWT_KEYSET },
		{ 257, 0x00, 0xff, RJWT_KEYSET },
		{ 256, 0x00, 0xff, RJWT_KEYSET },
		/* even: no product of two primes, and nothing that OpenSSL could reckon with */
		{ 256, 0x80, 0xfe, RJWT_KEYSET },
		{ 256, 0xff, 0x00, RJWT_KEYSET },
	};
	static const char *const labels[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };
	char n[2100];

	(void)state;
	memset(n, 0xa5, sizeof(n));
	for (size_t k = 0; k < ARRAY_LEN(labels); k++) {
		for (size_t i = 0; i < ARRAY_LEN(exponents); i++)
			EXPECT("e", making(labels[k], unit_view(n, 256), exponents[i].e), exponents[i].wanted);
		for (size_t i = 0; i < ARRAY_LEN(moduli); i++) {
			n[0] = (char)moduli[i].first;
			n[moduli[i].n == 0 ? 0 : moduli[i].n - 1] = (char)moduli[i].last;
			EXPECT("n", making(labels[k], unit_view(n, moduli[i].n), VIEW("\x01\x00\x01")),
			    moduli[i].wanted);
			memset(n, 0xa5, sizeof(n));
		}
	}
}

/* Which rule refuses an RSA key: numbers that are too large are not even made into one. */
static void
rsa_reasons(void **state)
{
	static const char large[] = "an RSA number is too large or begins with a zero byte";
	static const struct {
		size_t n, e;
		const char *why;
	} rows[] = { { 2049, 3, large }, { 256, 9, large }, { 0, 3, large }, { 256, 0, large },
		{ 255, 3, "the RSA modulus does not have 2048 to 16384 bits" },
		{ 256, 1, "the RSA exponent is not odd, at least 65537 and below 2^64" } };
	char bytes[2049];

	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view parts[2] = { { rows[i].n == 0 ? NULL : bytes, rows[i].n },
			{ rows[i].e == 0 ? NULL : bytes, rows[i].e } };
		struct key *key = NULL;
		const char *why = "";

		EXPECT(rows[i].why, key_from_parts(alg_by_label(VIEW("RS256")), parts, &key, &why), RJWT_KEYSET);
		assert_string_equal(why, rows[i].why);
	}
}

/* A private key that OpenSSL takes, with numbers that no JWK may have. */
static void
large_private_keys(void **state)
{
	static const struct {
		int bits, e_bits;
		enum rjwt_err wanted;
	} rows[] = { { 2048, 17, RJWT_OK }, { 2047, 17, RJWT_KEYSET }, { 16384, 64, RJWT_OK },
		{ 16385, 17, RJWT_KEYSET }, { 2048, 65, RJWT_KEYSET }, { 2048, 16, RJWT_KEYSET } };
	static const char *const parts[] = { "e", "d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2",
		"rsa-coefficient1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
		BIGNUM *n = BN_new(), *e = BN_new();
		BIO *bio = BIO_new(BIO_s_mem());
		OSSL_PARAM *params;
		EVP_PKEY *pkey = NULL;
		char *pem, label[32];
		long size;

		snprintf(label, sizeof(label), "%d, %d", rows[i].bits, rows[i].e_bits);
		assert_true(BN_set_bit(n, rows[i].bits - 1) == 1 && BN_set_bit(n, 0) == 1);
		assert_true(BN_set_bit(e, rows[i].e_bits - 1) == 1 && BN_set_bit(e, 0) == 1);
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, "n", n), 1);
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) /* nobody looks at what they are */
			assert_int_equal(OSSL_PARAM_BLD_push_BN(build, parts[k], e), 1);
		params = OSSL_PARAM_BLD_to_param(build);
		assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
		assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
		size = BIO_get_mem_data(bio, &pem);
		EXPECT(label, parsing("RS256", unit_view(pem, (size_t)size)), rows[i].wanted);
		OSSL_PARAM_free(params);
		OSSL_PARAM_BLD_free(build);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(pkey);
		BIO_free(bio);
		BN_free(n);
		BN_free(e);
	}
}

static void
secrets(void **state)
{
	static const char *const labels[] = { "HS256", "HS384", "HS512" };
	char secret[200];

	(void)state;
	memset(secret, 's', sizeof(secret));
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		for (size_t n = 0; n <= sizeof(secret); n++) {
			enum rjwt_err wanted = n >= 32 + 16 * i ? RJWT_OK : RJWT_KEYSET;

			EXPECT(labels[i], making(labels[i], unit_view(secret, n), (struct view){ NULL, 0 }), wanted);
			EXPECT(labels[i], parsing(labels[i], unit_view(secret, n)), wanted);
		}
}

/* A private key as PEM, made by OpenSSL directly. */
static struct view
pem_of(struct buf *out, const char *type, const char *group, unsigned bits, unsigned long e, const char *passphrase,
    bool traditional)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	BIGNUM *exponent = BN_new();
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = NULL;
	char *text;
	long n;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (group != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, group), 1);
	if (bits != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(BN_set_word(exponent, e), 1);
	if (e != 0)
		assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	if (traditional)
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, passphrase == NULL ? NULL : EVP_aes_128_cbc(),
				     passphrase, passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL),
		    1);
	n = BIO_get_mem_data(bio, &text);
	buf_clear(out);
	buf_add(out, text, (size_t)n);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	BN_free(exponent);
	BIO_free(bio);
	return buf_view(out);
}

static void
private_keys(void **state)
{
	static const struct {
		const char *label, *type, *group;
		unsigned bits;
		unsigned long e;
		enum rjwt_err wanted;
	} rows[] = {
		{ "RS256", "RSA", NULL, 2048, 65537, RJWT_OK },
		{ "RS256", "RSA", NULL, 1024, 65537, RJWT_KEYSET },
		{ "RS256", "RSA", NULL, 2048, 3, RJWT_KEYSET },
		{ "PS256", "RSA", NULL, 2048, 65539, RJWT_OK },
		{ "PS256", "RSA", NULL, 2048, 17, RJWT_KEYSET },
		{ "PS256", "RSA", NULL, 2040, 65537, RJWT_KEYSET },
		{ "PS256", "RSA-PSS", NULL, 2048, 65537, RJWT_KEYSET },
		{ "RS256", "RSA-PSS", NULL, 2048, 65537, RJWT_KEYSET },
		{ "ES256", "EC", "P-256", 0, 0, RJWT_OK },
		{ "ES256", "EC", "prime256v1", 0, 0, RJWT_OK },
		{ "ES256", "EC", "secp256k1", 0, 0, RJWT_KEYSET },
		{ "ES256", "EC", "brainpoolP256r1", 0, 0, RJWT_KEYSET },
		{ "ES384", "EC", "P-384", 0, 0, RJWT_OK },
		{ "ES512", "EC", "P-521", 0, 0, RJWT_OK },
		{ "EdDSA", "ED25519", NULL, 0, 0, RJWT_OK },
		{ "EdDSA", "X25519", NULL, 0, 0, RJWT_KEYSET },
		{ "Ed448", "ED448", NULL, 0, 0, RJWT_OK },
		{ "Ed448", "X448", NULL, 0, 0, RJWT_KEYSET },
	};
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(rows[i].type,
		    parsing(rows[i].label,
			pem_of(&pem, rows[i].type, rows[i].group, rows[i].bits, rows[i].e, NULL, false)),
		    rows[i].wanted);
}

static void
private_keys_of_another_type(void **state)
{
	static const struct {
		const char *type, *group, *labels;
	} rows[] = { { "RSA", NULL, "RS256 RS384 RS512 PS256 PS384 PS512" }, { "EC", "P-256", "ES256" },
		{ "EC", "P-384", "ES384" }, { "EC", "P-521", "ES512" }, { "ED25519", NULL, "EdDSA" },
		{ "ED448", NULL, "Ed448" } };
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool rsa = i == 0;
		struct view text =
		    pem_of(&pem, rows[i].type, rows[i].group, rsa ? 2048 : 0, rsa ? 65537 : 0, NULL, false);

		for (const char *const *label = alg_labels(); *label != NULL; label++)
			if (alg_of(*label)->kind != ALG_HMAC)
				EXPECT(*label, parsing(*label, text),
				    strstr(rows[i].labels, *label) != NULL ? RJWT_OK : RJWT_KEYSET);
	}
}

/* PKCS #8 in PEM, and nothing else; a passphrase is asked of nobody. */
static void
private_texts(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };
	struct view text = pem_of(&pem, "EC", "P-256", 0, 0, NULL, false);

	(void)state;
	EXPECT("good", parsing("ES256", text), RJWT_OK);
	for (size_t n = 0; n < text.n - 1; n += 13)
		EXPECT("cut", parsing("ES256", unit_view(text.p, n)), RJWT_KEYSET);
	pem.p[40] = '!';
	EXPECT("no base64", parsing("ES256", text), RJWT_KEYSET);
	EXPECT("a word", parsing("ES256", VIEW("secret\n")), RJWT_KEYSET);
	EXPECT("nothing", parsing("ES256", (struct view){ NULL, 0 }), RJWT_KEYSET);
	EXPECT("encrypted", parsing("ES256", pem_of(&pem, "EC", "P-256", 0, 0, "word", false)), RJWT_KEYSET);
	EXPECT("SEC 1", parsing("ES256", pem_of(&pem, "EC", "P-256", 0, 0, NULL, true)), RJWT_KEYSET);
	EXPECT("PKCS #1", parsing("RS256", pem_of(&pem, "RSA", NULL, 2048, 65537, NULL, true)), RJWT_KEYSET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edwards_points),
		cmocka_unit_test(edwards_lengths),
		cmocka_unit_test(curve_points),
		cmocka_unit_test(rsa_numbers),
		cmocka_unit_test(rsa_reasons),
		cmocka_unit_test(large_private_keys),
		cmocka_unit_test(secrets),
		cmocka_unit_test(private_keys),
		cmocka_unit_test(private_keys_of_another_type),
		cmocka_unit_test(private_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

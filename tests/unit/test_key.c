/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "jose/alg.h"

#include "jose/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static struct key *keys[64]; /* one for each algorithm, in the order of alg_labels() */
static size_t nkeys;

static struct view input = VIEW("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9");

static int
make_keys(void **state)
{
	(void)state;
	for (; alg_labels()[nkeys] != NULL; nkeys++)
		if (nkeys == ARRAY_LEN(keys) ||
		    key_generate(alg_by_label(view_of(alg_labels()[nkeys])), 2048, &keys[nkeys]) != RJWT_OK)
			return -1;
	return nkeys < 14;
}

static int
free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < nkeys; i++)
		key_free(keys[i]);
	return 0;
}

static struct key *
key_of(const char *label)
{
	for (size_t i = 0; i < nkeys; i++)
		if (strcmp(alg_labels()[i], label) == 0)
			return keys[i];
	fail_msg("no %s", label);
	return NULL;
}

static void
sign_and_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
		const struct view less = { input.p, input.n - 1 };
		const char *label = alg_labels()[i];
		size_t n = key_signature_size(keys[i]), wanted = key_alg(keys[i])->signature_size;
		struct view good;

		CHECK(label, key_alg(keys[i]) == alg_by_label(view_of(label)));
		CHECK(label, n == (wanted == 0 ? 256 : wanted)); /* 0: the modulus' */
		buf_adds(&signature, "kept");
		EXPECT(label, key_sign(keys[i], input, &signature), RJWT_OK);
		CHECK(label, signature.n == 4 + n && memcmp(signature.p, "kept", 4) == 0);
		good = unit_view(signature.p + 4, n);
		EXPECT(label, key_verify(keys[i], input, good), RJWT_OK);
		EXPECT(label, key_verify(keys[i], less, good), RJWT_SIGNATURE);
		EXPECT(label, key_verify(keys[i], (struct view){ NULL, 0 }, good), RJWT_SIGNATURE);
	}
}

static void
the_same_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf first = { 0 };
		RJWT_CLEAN(buf_clear) struct buf second = { 0 };
		enum alg_kind kind = key_alg(keys[i])->kind;
		bool same;

		EXPECT("first", key_sign(keys[i], input, &first), RJWT_OK);
		EXPECT("second", key_sign(keys[i], input, &second), RJWT_OK);
		same = kind != ALG_PSS && kind != ALG_ECDSA;
		CHECK(alg_labels()[i], view_eq(buf_view(&first), buf_view(&second)) == same);
	}
}

static void
lengths(void **state)
{
	/* from the signature's first byte on, which has a zero before and after it */
	static const struct {
		size_t from;
		int more;
		enum rjwt_err wanted;
	} rows[] = { { 1, 0, RJWT_OK }, { 1, -1, RJWT_SIGNATURE }, { 2, -1, RJWT_SIGNATURE }, { 1, 1, RJWT_SIGNATURE },
		{ 0, 1, RJWT_SIGNATURE }, { 0, 2, RJWT_SIGNATURE } };

	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf s = { 0 };
		const char *label = alg_labels()[i];
		size_t n = key_signature_size(keys[i]);

		buf_add(&s, "\0", 1);
		EXPECT(label, key_sign(keys[i], input, &s), RJWT_OK);
		buf_add(&s, "\0", 1);
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			struct view cut = { s.p + rows[k].from, n + (size_t)rows[k].more };

			EXPECT(label, key_verify(keys[i], input, cut), rows[k].wanted);
		}
		EXPECT(label, key_verify(keys[i], input, (struct view){ NULL, 0 }), RJWT_SIGNATURE);
	}
}

/* One bit of every byte of the signature, and of the input; then values that break what is naive.
 */
static void
flips(void **state)
{
	static const int odd[] = { 0x00, 0x01, 0xff };

	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf s = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		const char *label = alg_labels()[i];

		buf_add_view(&text, input);
		EXPECT(label, key_sign(keys[i], input, &s), RJWT_OK);
		for (size_t at = 0; at < s.n; at++) {
			char bit = (char)(1U << at % 8);

			s.p[at] = (char)(s.p[at] ^ bit);
			EXPECT(label, key_verify(keys[i], input, buf_view(&s)), RJWT_SIGNATURE);
			s.p[at] = (char)(s.p[at] ^ bit);
		}
		for (size_t at = 0; at < text.n; at++) {
			text.p[at] = (char)(text.p[at] ^ 1);
			EXPECT(label, key_verify(keys[i], buf_view(&text), buf_view(&s)), RJWT_SIGNATURE);
			text.p[at] = (char)(text.p[at] ^ 1);
		}
		EXPECT(label, key_verify(keys[i], buf_view(&text), buf_view(&s)), RJWT_OK);
		for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
			memset(s.p, odd[k], s.n); /* R = S = 0 among them */
			EXPECT(label, key_verify(keys[i], input, buf_view(&s)), RJWT_SIGNATURE);
		}
	}
}

static struct key *
same_key(const char *label, const struct buf *pem)
{
	const char *why = "";
	struct key *key = NULL;

	EXPECT(label, key_private_parse(alg_by_label(view_of(label)), buf_view(pem), &key, &why), RJWT_OK);
	return key;
}

/* Each key against each other one, and the same RSA key under its other names. */
static void
other_keys_and_algorithms(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };
	static const char *const rsa[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };

	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf s = { 0 };

		EXPECT(alg_labels()[i], key_sign(keys[i], input, &s), RJWT_OK);
		for (size_t k = 0; k < nkeys; k++)
			EXPECT(alg_labels()[k], key_verify(keys[k], input, buf_view(&s)),
			    i == k ? RJWT_OK : RJWT_SIGNATURE);
	}
	EXPECT("RSA", key_private_format(key_of("RS256"), &pem), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rsa); i++)
		for (size_t k = 0; k < ARRAY_LEN(rsa); k++) {
			RJWT_CLEAN(key_clean) struct key *signing = same_key(rsa[i], &pem);
			RJWT_CLEAN(key_clean) struct key *verifying = same_key(rsa[k], &pem);
			RJWT_CLEAN(buf_clear) struct buf s = { 0 };

			EXPECT(rsa[i], key_sign(signing, input, &s), RJWT_OK);
			EXPECT(rsa[k], key_verify(verifying, input, buf_view(&s)), i == k ? RJWT_OK : RJWT_SIGNATURE);
		}
}

static void
public_half_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		struct buf parts[2] = { { 0 }, { 0 } };
		RJWT_CLEAN(buf_clear) struct buf s = { 0 };
		RJWT_CLEAN(key_clean) struct key *public = NULL;
		const struct alg *alg = key_alg(keys[i]);
		const char *why;

		EXPECT(alg->label, key_parts(keys[i], parts), RJWT_OK);
		if (alg->kind == ALG_HMAC) {
			CHECK(alg->label, parts[0].n == 0 && parts[1].n == 0); /* a secret is not given away */
			continue;
		}
		CHECK(alg->label, alg->coordinate_size == 0 || parts[0].n == alg->coordinate_size);
		EXPECT(alg->label,
		    key_from_parts(alg, (struct view[]){ buf_view(&parts[0]), buf_view(&parts[1]) }, &public, &why),
		    RJWT_OK);
		EXPECT(alg->label, key_sign(keys[i], input, &s), RJWT_OK);
		EXPECT(alg->label, key_verify(public, input, buf_view(&s)), RJWT_OK);
		CHECK(alg->label, key_signature_size(public) == key_signature_size(keys[i]));
		CHECK(alg->label, key_is_pair(public, keys[i]) && key_is_pair(keys[i], public));
		for (size_t k = 0; k < nkeys; k++)
			CHECK(alg->label, i == k || !key_is_pair(public, keys[k]));
		buf_clear(&s);
		CHECK(alg->label, key_sign(public, input, &s) != RJWT_OK); /* there is nothing to sign with */
		CHECK(alg->label, s.n == 0);
		buf_clear(&parts[0]);
		buf_clear(&parts[1]);
	}
}

static void
private_half_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < nkeys; i++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf again = { 0 };
		RJWT_CLEAN(buf_clear) struct buf s = { 0 };
		RJWT_CLEAN(key_clean) struct key *back = NULL;
		const struct alg *alg = key_alg(keys[i]);
		const char *why = "", *head = "-----BEGIN PRIVATE KEY-----\n";

		EXPECT(alg->label, key_private_format(keys[i], &text), RJWT_OK);
		if (alg->kind == ALG_HMAC)
			CHECK(alg->label, text.n == alg->secret_min);
		else
			CHECK(alg->label, strncmp(text.p, head, strlen(head)) == 0);
		EXPECT(alg->label, key_private_parse(alg, buf_view(&text), &back, &why), RJWT_OK);
		EXPECT(alg->label, key_sign(back, input, &s), RJWT_OK);
		EXPECT(alg->label, key_verify(keys[i], input, buf_view(&s)), RJWT_OK);
		EXPECT(alg->label, key_private_format(back, &again), RJWT_OK);
		CHECK(alg->label, view_eq(buf_view(&text), buf_view(&again)));
	}
}

/* The private half of RFC 8032 s7.4's first key, as PKCS#8 (RFC 8410 s7). */
static void
rfc8032_private(struct key **key)
{
	static const char hex[] = "3047020100300506032b6571043b0439"
				  "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3"
				  "528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b";
	RJWT_CLEAN(buf_clear) struct buf der = { 0 };
	RJWT_CLEAN(buf_clear) struct buf pem = { 0 };
	unsigned char base64[128];
	const char *why = "";

	unit_hex(&der, hex);
	assert_true(EVP_EncodeBlock(base64, (const unsigned char *)der.p, (int)der.n) > 0);
	buf_addf(&pem, "-----BEGIN PRIVATE KEY-----\n%.64s\n%s\n-----END PRIVATE KEY-----\n", base64, base64 + 64);
	EXPECT("Ed448", key_private_parse(alg_by_label(VIEW("Ed448")), buf_view(&pem), key, &why), RJWT_OK);
}

/* The point of a P-256 key is told in three forms. One that is no pair of coordinates is none for a JWK. */
static void
forms_of_points(void **state)
{
	static const struct {
		const char *form;
		enum rjwt_err wanted;
	} rows[] = { { "uncompressed", RJWT_OK }, { "compressed", RJWT_INTERNAL }, { "hybrid", RJWT_INTERNAL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		RJWT_CLEAN(key_clean) struct key *key = NULL;
		RJWT_CLEAN(buf_clear) struct buf x = { 0 };
		RJWT_CLEAN(buf_clear) struct buf y = { 0 };
		struct buf parts[2] = { { 0 }, { 0 } };
		BIO *bio = BIO_new(BIO_s_mem());
		const char *why = "";
		char *pem;
		long n;

		CHECK(rows[i].form, EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					rows[i].form) == 1);
		CHECK(rows[i].form, PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1);
		n = BIO_get_mem_data(bio, &pem);
		EXPECT(rows[i].form,
		    key_private_parse(alg_by_label(VIEW("ES256")), unit_view(pem, (size_t)n), &key, &why), RJWT_OK);
		EXPECT(rows[i].form, key_parts(key, parts), rows[i].wanted);
		x = parts[0];
		y = parts[1];
		BIO_free(bio);
		EVP_PKEY_free(pkey);
	}
}

/* No smaller RSA key is made, and no larger one. */
static void
sizes_of_new_keys(void **state)
{
	static const unsigned sizes[] = { 0, 1024, RSA_BITS_MIN - 1, RSA_BITS_MAX + 1, 65536 };
	struct key *key = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		EXPECT("RS256", key_generate(alg_by_label(VIEW("RS256")), sizes[i], &key), RJWT_INTERNAL);
	assert_null(key);
}

static void
secrets_are_no_pairs(void **state)
{
	(void)state;
	assert_true(key_is_pair(key_of("ES256"), key_of("ES256")));
	assert_false(key_is_pair(key_of("HS256"), key_of("HS256")));
	assert_false(key_is_pair(key_of("HS256"), key_of("ES256")));
	assert_false(key_is_pair(key_of("ES256"), key_of("HS256")));
}

/* RFC 4231 s4.7 (a key longer than a block), RFC 8032 s7.4 (the blank message): the same bytes both ways */
static void
known_answers(void **state)
{
	static const struct {
		const char *label, *input, *signature;
	} rows[] = {
		{ "HS256", "Test Using Larger Than Block-Size Key - Hash Key First",
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ "HS384", "Test Using Larger Than Block-Size Key - Hash Key First",
		    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
		    "0c2ef6ab4030fe8296248df163f44952" },
		{ "HS512", "Test Using Larger Than Block-Size Key - Hash Key First",
		    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
		    "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
		{ "Ed448", "",
		    "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f03"
		    "4f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d"
		    "345b925d8dc00b4104852db99ac5c7cd"
		    "da8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600" },
	};
	char secret[131];

	(void)state;
	memset(secret, 0xaa, sizeof(secret));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf public = { 0 };
		RJWT_CLEAN(buf_clear) struct buf signature = { 0 };
		RJWT_CLEAN(buf_clear) struct buf made = { 0 };
		RJWT_CLEAN(key_clean) struct key *key = NULL;
		RJWT_CLEAN(key_clean) struct key *private = NULL;
		struct view parts[2] = { { secret, sizeof(secret) }, { NULL, 0 } };
		const char *why = "";

		if (rows[i].label[0] == 'E')
			parts[0] = unit_hex(&public, "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
						     "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180");
		EXPECT(rows[i].label, key_from_parts(alg_by_label(view_of(rows[i].label)), parts, &key, &why), RJWT_OK);
		EXPECT(rows[i].label, key_verify(key, view_of(rows[i].input), unit_hex(&signature, rows[i].signature)),
		    RJWT_OK);
		if (rows[i].label[0] == 'E')
			rfc8032_private(&private);
		assert_true(private == NULL || key_is_pair(private, key));
		EXPECT(rows[i].label, key_sign(private == NULL ? key : private, view_of(rows[i].input), &made),
		    RJWT_OK);
		CHECK(rows[i].label, view_eq(buf_view(&made), buf_view(&signature)));
	}
}

/* RFC 7518 s3.5: the salt is as long as the hash, MGF1 has the same hash. Signed by OpenSSL
 * directly. */
static void
pss_parameters(void **state)
{
	static const struct pss {
		const char *label, *digest, *mgf1;
		int salt;
		enum rjwt_err wanted;
	} rows[] = {
		{ "PS256", "SHA256", "SHA256", 32, RJWT_OK },
		{ "PS256", "SHA256", "SHA256", 20, RJWT_SIGNATURE },
		{ "PS256", "SHA256", "SHA256", 0, RJWT_SIGNATURE },
		{ "PS256", "SHA256", "SHA256", 33, RJWT_SIGNATURE },
		{ "PS256", "SHA256", "SHA256", RSA_PSS_SALTLEN_MAX, RJWT_SIGNATURE },
		{ "PS256", "SHA256", "SHA1", 32, RJWT_SIGNATURE },
		{ "PS256", "SHA256", "SHA512", 32, RJWT_SIGNATURE },
		{ "PS256", "SHA512", "SHA512", 64, RJWT_SIGNATURE },
		{ "PS384", "SHA384", "SHA384", 48, RJWT_OK },
		{ "PS512", "SHA512", "SHA512", 64, RJWT_OK },
		{ "PS512", "SHA512", "SHA512", 20, RJWT_SIGNATURE },
	};

	(void)state;
	for (const struct pss *row = rows; row < rows + ARRAY_LEN(rows); row++) {
		RJWT_CLEAN(buf_clear) struct buf pem = { 0 };
		struct key *key = key_of(row->label);
		unsigned char signature[256];
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		EVP_PKEY_CTX *ctx;
		EVP_PKEY *pkey;
		BIO *bio;
		size_t n = sizeof(signature);
		int did;

		EXPECT(row->label, key_private_format(key, &pem), RJWT_OK);
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		did = EVP_DigestSignInit_ex(md, &ctx, row->digest, NULL, NULL, pkey, NULL);
		assert_int_equal(did, 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, row->salt), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, row->mgf1, NULL), 1);
		did = EVP_DigestSign(md, signature, &n, (const void *)input.p, input.n);
		assert_int_equal(did, 1);
		EXPECT(row->mgf1, key_verify(key, input, unit_view(signature, n)), row->wanted);
		EVP_MD_CTX_free(md);
		EVP_PKEY_free(pkey);
		BIO_free(bio);
	}
}

/* What stands in OpenSSL's queue is the host's: it stays, and we add nothing. */
static void
error_queue(void **state)
{
	static const struct view nothing[2] = { { NULL, 0 }, { NULL, 0 } };
	char junk[256] = { 1, 2, 3 };

	(void)state;
	ERR_clear_error();
	for (int stale = 0; stale < 2; stale++) {
		for (size_t i = 0; i < nkeys; i++) {
			struct key *key = NULL;
			const char *why;
			struct view bad = { junk, key_signature_size(keys[i]) };

			EXPECT("junk", key_verify(keys[i], input, bad), RJWT_SIGNATURE);
			EXPECT("junk",
			    key_private_parse(key_alg(keys[i]), VIEW("-----BEGIN PRIVATE KEY-----\nAAAA\n"), &key,
				&why),
			    key_alg(keys[i])->secret_min == 32 ? RJWT_OK : RJWT_KEYSET);
			if (key_alg(keys[i])->secret_min == 0)
				assert_string_equal(why, "not a private key in PKCS#8 PEM");
			key_free(key);
			EXPECT("nothing", key_from_parts(key_alg(keys[i]), nothing, &key, &why), RJWT_KEYSET);
		}
		assert_int_equal(ERR_GET_REASON(ERR_get_error()), stale == 1 ? ERR_R_PASSED_NULL_PARAMETER : 0);
		assert_int_equal(ERR_get_error(), 0);
		ERR_raise(ERR_LIB_USER, ERR_R_PASSED_NULL_PARAMETER);
	}
	ERR_clear_error();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sign_and_verify),
		cmocka_unit_test(the_same_again),
		cmocka_unit_test(lengths),
		cmocka_unit_test(flips),
		cmocka_unit_test(other_keys_and_algorithms),
		cmocka_unit_test(public_half_there_and_back),
		cmocka_unit_test(private_half_there_and_back),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(pss_parameters),
		cmocka_unit_test(error_queue),
		cmocka_unit_test(forms_of_points),
		cmocka_unit_test(sizes_of_new_keys),
		cmocka_unit_test(secrets_are_no_pairs),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

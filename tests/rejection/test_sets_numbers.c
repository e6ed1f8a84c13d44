/* SPDX-License-Identifier: MIT */
/* Keys of JWK Sets whose numbers are odd: points, primes, moduli. */
#include "sets.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

/* One member of a key replaced by bytes. */
static void
check_bytes(const char *key, const char *member, struct view bytes, const char *what, const char *why)
{
	RJWT_CLEAN(buf_clear) struct buf value = { 0 };
	RJWT_CLEAN(buf_clear) struct buf odd = { 0 };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	struct members m;
	char name[80];

	buf_adds(&value, "\"");
	base64url_encode(&value, bytes);
	buf_adds(&value, "\"");
	take_members(&m, key);
	put_object(&odd, 'j', m.all, (const struct edit[]){ MEMBER(member, value.p), { 0, NULL, NULL } });
	snprintf(name, sizeof(name), "%s: %s %s", key, member, what);
	odd_token(key, &token);
	check_passed_over(name, odd.p, buf_view(&token), "odd", why);
}

static void
take_prime(const struct alg *alg, char *p)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(alg->group));
	BIGNUM *prime = BN_new();

	assert_int_equal(EC_GROUP_get_curve(group, prime, NULL, NULL, NULL), 1);
	assert_int_equal(BN_bn2binpad(prime, (unsigned char *)p, (int)alg->coordinate_size), (int)alg->coordinate_size);
	BN_free(prime);
	EC_GROUP_free(group);
}

/* RFC 7518 s6.2.1: whole coordinates, of a point that is on the curve. */
static void
test_points(void **state)
{
	static const char *const keys[] = { "ES256'", "ES384'", "ES512'" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct alg *alg = key_alg(table_key(t, keys[i]));
		size_t n = alg->coordinate_size;
		struct buf parts[2] = { { 0 }, { 0 } };
		char prime[66], zeros[67] = { 0 }, ones[66], other[67];

		want(keys[i], key_parts(table_key(t, keys[i]), parts), RJWT_OK);
		take_prime(alg, prime);
		memset(ones, 0xff, sizeof(ones));
		for (int k = 0; k < 2; k++) {
			const char *member = k == 0 ? "x" : "y";

			memcpy(other, parts[k].p, n);
			other[n - 1] = (char)(other[n - 1] ^ 1);
			check_bytes(keys[i], member, unit_view(other, n), "off the curve", "not a key");
			check_bytes(keys[i], member, unit_view(prime, n), "p", "not a key");
			check_bytes(keys[i], member, unit_view(ones, n), "beyond p", "not a key");
			check_bytes(keys[i], member, buf_view(&parts[1 - k]), "the other one", "not a key");
			check_bytes(keys[i], member, unit_view(parts[k].p, n - 1), "short", "wrong length");
			check_bytes(keys[i], member, unit_view(parts[k].p + 1, n - 1), "trimmed", "wrong length");
			other[0] = '\0';
			memcpy(other + 1, parts[k].p, n);
			check_bytes(keys[i], member, unit_view(other, n + 1), "with a zero", "wrong length");
			check_bytes(keys[i], member, unit_view(zeros, n), "0", "not a key");
			check_bytes(keys[i], member, unit_view(zeros, 1), "infinity", "wrong length");
			check_bytes(keys[i], member, unit_view(zeros, 0), "nothing", "wrong length");
		}
		buf_clear(&parts[0]);
		buf_clear(&parts[1]);
	}
}

/* Moduli of OpenSSL's own making, and longer than it makes them; each is its key's and would verify. */
static void
test_moduli(void **state)
{
	static const size_t sizes[] = { 512, 768, 1024, 1536, 2040 };
	RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", sizes[i]);
		BIGNUM *n = NULL;
		char what[32];

		assert_non_null(pkey);
		assert_int_equal(EVP_PKEY_get_bn_param(pkey, "n", &n), 1);
		buf_clear(&bytes);
		BN_bn2bin(n, (unsigned char *)buf_room(&bytes, (size_t)BN_num_bytes(n)));
		snprintf(what, sizeof(what), "of %zu bits", sizes[i]);
		check_bytes("RS256'", "n", buf_view(&bytes), what, "2048 to 16384 bits");
		check_bytes("PS512'", "n", buf_view(&bytes), what, "2048 to 16384 bits");
		BN_free(n);
		EVP_PKEY_free(pkey);
	}
	buf_clear(&bytes);
	memset(buf_room(&bytes, 2049), 0xff, 2049);
	bytes.p[0] = 1;
	check_bytes("RS256'", "n", buf_view(&bytes), "of 16385 bits", "too large");
	check_bytes("RS256'", "n", unit_view("\0\xff", 2), "with a zero", "begins with a zero");
	check_bytes("RS256'", "n", unit_view(memset(bytes.p, 0xfe, 256), 256), "even", "even");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_points), cmocka_unit_test(test_moduli) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

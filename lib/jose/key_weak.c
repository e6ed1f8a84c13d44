/* SPDX-License-Identifier: MIT */
#include "jose/key_weak.h"
#include "base/err.h"
#include "jose/key.h"

#include "jose/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <string.h>

static void
bn_clean(BIGNUM **n)
{
	BN_free(*n);
}

const char *
key_rsa_weak(const EVP_PKEY *pkey)
{
	RJWT_CLEAN(bn_clean) BIGNUM *n = NULL;
	RJWT_CLEAN(bn_clean) BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(pkey);

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return "the RSA modulus does not have 2048 to 16384 bits";
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 || !BN_is_odd(n))
		return "the RSA modulus is even";
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return "the RSA exponent is missing";
	if (!BN_is_odd(e) || BN_num_bits(e) < 17 || BN_num_bits(e) > 64)
		return "the RSA exponent is not odd, at least 65537 and below 2^64";
	return NULL;
}

/* Little-endian compare of two field elements. */
static bool
below(const unsigned char *a, const unsigned char *b, size_t n)
{
	while (n-- > 0)
		if (a[n] != b[n])
			return a[n] < b[n];
	return false;
}

/*
 * RFC 8032 s5.1.3, s5.2.3: y little-endian with the sign of x in the last bit; y must be below p. Points
 * whose order divides the cofactor accept signatures that nobody made; there are five such y on
 * Ed25519 (orders 1, 2, 4, 8, 8) and three on Ed448.
 */
const char *
key_ed25519_weak(const unsigned char *encoded)
{
	static const unsigned char p[32] = { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f };
	static const unsigned char small[][32] = {
		{ 0 },
		{ 1 },
		{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
		{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
		    0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
		{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
		    0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	};
	unsigned char y[32];

	memcpy(y, encoded, sizeof(y));
	y[31] &= 0x7f;
	if (!below(y, p, sizeof(y)))
		return "the Ed25519 point is not canonical";
	for (size_t i = 0; i < ARRAY_LEN(small); i++)
		if (memcmp(y, small[i], sizeof(y)) == 0)
			return "the Ed25519 point has a small order";
	return NULL;
}

const char *
key_ed448_weak(const unsigned char *encoded)
{
	unsigned char p[57], y[57], minus_one[57];
	static const unsigned char zero[57] = { 0 }, one[57] = { 1 };

	memset(p, 0xff, 56); /* 2^448 - 2^224 - 1 */
	p[28] = 0xfe;
	p[56] = 0;
	memcpy(minus_one, p, sizeof(p));
	minus_one[0] = 0xfe;
	memcpy(y, encoded, sizeof(y));
	y[56] &= 0x7f;
	if (!below(y, p, sizeof(y)))
		return "the Ed448 point is not canonical";
	if (memcmp(y, zero, 57) == 0 || memcmp(y, one, 57) == 0 || memcmp(y, minus_one, 57) == 0)
		return "the Ed448 point has a small order";
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* Rules 4 and 10 to 12: signatures of every algorithm, and of another one than the key's. */
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/jwk.h"
#include "base/json_write.h"

#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "unit.h"

/* A key of a world, a token of it and its signature's bytes. */
struct made {
	enum world world;
	const char *key;
	const struct alg *alg;
	struct buf input, signature;
};

/* The rule that an algorithm's signatures are under. */
static int
rule_of(const struct made *m)
{
	return m->alg->kind == ALG_HMAC ? 11 : 12;
}

/* The made token with other bytes as its signature. */
static void
put_bytes(struct table *t, const struct made *m, int rule, const char *what, const void *bytes, size_t n)
{
	struct refusal *r;
	char name[80];

	snprintf(name, sizeof(name), "%s: %s", m->key, what);
	r = table_put(t, rule, RJWT_SIGNATURE, m->world, name);
	buf_add_view(&r->bad, buf_view(&m->input));
	buf_adds(&r->bad, ".");
	base64url_encode(&r->bad, (struct view){ bytes, n });
	buf_clear(&r->twin);
	buf_add_view(&r->twin, buf_view(&m->input));
	buf_adds(&r->twin, ".");
	base64url_encode(&r->twin, buf_view(&m->signature));
}

/* A good signature, but of this text. */
static void
put_signature_of(struct table *t, const struct made *m, const char *what, const char *key, struct view text)
{
	RJWT_CLEAN(buf_clear) struct buf signature = { 0 };

	want(what, key_sign(table_key(t, key), text, &signature), RJWT_OK);
	put_bytes(t, m, 10, what, signature.p, signature.n);
}

static void
put_other_texts(struct table *t, const struct made *m, const char *other)
{
	static const struct edit root[] = { CLAIM("sub", "\"root\""), { 0, NULL, NULL } };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct view input = buf_view(&m->input);
	const char *dot = memchr(input.p, '.', input.n);
	size_t header = (size_t)(dot - input.p);

	put_signature_of(t, m, "by another key", other, input);
	put_signature_of(t, m, "of the header alone", m->key, (struct view){ input.p, header });
	put_signature_of(t, m, "of the claims alone", m->key, (struct view){ dot + 1, input.n - header - 1 });
	put_signature_of(t, m, "of nothing", m->key, (struct view){ "", 0 });
	put_signature_of(t, m, "of all but the last byte", m->key, (struct view){ input.p, input.n - 1 });
	table_input(t, m->world, root, &text);
	put_signature_of(t, m, "of another token", m->key, buf_view(&text));
	buf_clear(&text);
	buf_addf(&text, "%s.", m->input.p);
	put_signature_of(t, m, "of a dot more", m->key, buf_view(&text));
}

/* EVP says 0 for a wrong one, and -1 or -2 for one that it cannot read: all are refusals. */
static void
put_mangled(struct table *t, const struct made *m)
{
	size_t n = m->signature.n;
	char s[600], zeros[600] = { 0 };
	int rule = rule_of(m);

	assert_true(2 * n <= sizeof(s));
	memcpy(s, m->signature.p, n);
	memcpy(s + n, m->signature.p, n);
	put_bytes(t, m, rule, "without its last byte", s, n - 1);
	put_bytes(t, m, rule, "without its first byte", s + 1, n - 1);
	put_bytes(t, m, rule, "one byte", s, 1);
	put_bytes(t, m, rule, "half", s, n / 2);
	put_bytes(t, m, rule, "twice", s, 2 * n);
	s[n] = '+';
	put_bytes(t, m, rule, "a byte more", s, n + 1);
	put_bytes(t, m, 10, "zeros", zeros, n);
	memcpy(zeros + 1, s, n);
	put_bytes(t, m, rule, "a zero in front", zeros, n + 1);
	memmove(zeros, zeros + 1, n);
	zeros[n] = '\0';
	put_bytes(t, m, rule, "a zero behind", zeros, n + 1);
	s[0] = (char)(s[0] ^ 1);
	put_bytes(t, m, 10, "first byte", s, n);
	s[0] = (char)(s[0] ^ 1);
	s[n - 1] = (char)(s[n - 1] ^ 1);
	put_bytes(t, m, 10, "last byte", s, n);
	for (size_t i = 0; i < n; i++)
		s[i] = m->signature.p[n - 1 - i];
	put_bytes(t, m, 10, "backwards", s, n);
	memset(s, 0xff, n);
	put_bytes(t, m, 10, "all bits", s, n);
	memset(s, 0, n);
	s[n - 1] = 1;
	put_bytes(t, m, 10, "one", s, n);
}

/* --- ECDSA: R||S, RFC 7518 s3.4 --------------------------------------------------------------- */

static BIGNUM *
order_of(const struct alg *alg)
{
	int nist = EC_curve_nist2nid(alg->group);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nist == NID_undef ? OBJ_sn2nid(alg->group) : nist);
	BIGNUM *order = BN_new();

	assert_int_equal(EC_GROUP_get_order(group, order, NULL), 1);
	EC_GROUP_free(group);
	return order;
}

/* The ASN.1 form, that OpenSSL itself writes. */
static void
put_der(struct table *t, const struct made *m)
{
	const unsigned char *s = (const unsigned char *)m->signature.p;
	int n = (int)m->alg->coordinate_size;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char der[160], *end = der;
	int length;

	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(s, n, NULL), BN_bin2bn(s + n, n, NULL)), 1);
	length = i2d_ECDSA_SIG(sig, &end);
	assert_true(length > 0);
	put_bytes(t, m, 12, "in DER", der, (size_t)length);
	ECDSA_SIG_free(sig);
}

/* CVE-2022-21449: 0 is no R and no S; nor is the order, or what is beyond. */
static void
put_ecdsa(struct table *t, const struct made *m)
{
	size_t n = m->alg->coordinate_size;
	BIGNUM *order = order_of(m->alg);
	char s[2 * 66], number[66], swapped[2 * 66];

	assert_int_equal(BN_bn2binpad(order, (unsigned char *)number, (int)n), (int)n);
	memcpy(s, m->signature.p, 2 * n);
	memset(s, 0, n);
	put_bytes(t, m, 12, "R is 0", s, 2 * n);
	memcpy(s, number, n);
	put_bytes(t, m, 12, "R is the order", s, 2 * n);
	memset(s, 0xff, n);
	put_bytes(t, m, 12, "R is beyond the order", s, 2 * n);
	memcpy(s, m->signature.p, 2 * n);
	memset(s + n, 0, n);
	put_bytes(t, m, 12, "S is 0", s, 2 * n);
	memcpy(s + n, number, n);
	put_bytes(t, m, 12, "S is the order", s, 2 * n);
	memset(s + n, 0xff, n);
	put_bytes(t, m, 12, "S is beyond the order", s, 2 * n);
	memcpy(s, number, n);
	memcpy(s + n, number, n);
	put_bytes(t, m, 12, "both are the order", s, 2 * n);
	memcpy(swapped, m->signature.p + n, n);
	memcpy(swapped + n, m->signature.p, n);
	put_bytes(t, m, 12, "S||R", swapped, 2 * n);
	memset(s, 0, 2 * n);
	s[n - 1] = s[2 * n - 1] = 1;
	put_bytes(t, m, 12, "both are 1", s, 2 * n);
	put_der(t, m);
	BN_free(order);
}

/* --- EdDSA: R||S, RFC 8032 s5.1.7, s5.2.7 ----------------------------------------------------- */

/* S and the group's order: the same point, and another text. */
static void
put_eddsa(struct table *t, const struct made *m)
{
	static const unsigned char order25519[] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
		0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10 },
				   order448[] = { 0xf3, 0x44, 0x58, 0xab, 0x92, 0xc2, 0x78, 0x23, 0x55, 0x8f, 0xc5,
					   0x8d, 0x72, 0xc2, 0x6c, 0x21, 0x90, 0x36, 0xd6, 0xae, 0x49, 0xdb, 0x4e, 0xc4,
					   0xe9, 0x23, 0xca, 0x7c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0 };
	const unsigned char *order = m->alg->coordinate_size == 32 ? order25519 : order448;
	size_t n = m->alg->coordinate_size;
	unsigned char s[114];
	unsigned sum = 0;

	_Static_assert(sizeof(order25519) == 32 && sizeof(order448) == 57, "little-endian");
	memcpy(s, m->signature.p, 2 * n);
	for (size_t i = 0; i < n; i++) {
		sum = sum / 256 + s[n + i] + order[i];
		s[n + i] = (unsigned char)(sum % 256);
	}
	put_bytes(t, m, 12, "S beyond the order", s, 2 * n);
	memset(s, 0, 2 * n);
	s[0] = 1;
	put_bytes(t, m, 12, "R is the neutral point, S is 0", s, 2 * n);
	memcpy(s, m->signature.p, 2 * n);
	s[n - 1] ^= 0x80;
	put_bytes(t, m, 12, "the other sign of R", s, 2 * n);
	memcpy(s, m->signature.p, 2 * n);
	memset(s + n, 0, n);
	put_bytes(t, m, 12, "S is 0", s, 2 * n);
	memcpy(s + n, order, n);
	put_bytes(t, m, 12, "S is the order", s, 2 * n);
	memcpy(s + n, m->signature.p, n);
	memcpy(s, m->signature.p + n, n);
	put_bytes(t, m, 12, "S||R", s, 2 * n);
}

/* --- HMAC, and algorithms that are not the key's ---------------------------------------------- */

/* A token whose header says alg, with a MAC of that digest, keyed by these bytes. */
static void
put_mac(struct table *t, int rule, enum rjwt_err reason, const char *kid, const char *alg, const char *digest,
    struct view secret, const char *what)
{
	char member[32], key[32], name[80];
	const struct edit edits[] = { KEY(kid), HEADER("alg", member), { 0, NULL, NULL } };
	struct refusal *r;
	unsigned char mac[64];
	size_t n = 0;

	snprintf(member, sizeof(member), "\"%s\"", alg);
	snprintf(key, sizeof(key), "%s", kid);
	snprintf(name, sizeof(name), "%s as %s, %s", key, alg, what);
	r = table_put(t, rule, reason, SET, name);
	table_input(t, SET, edits, &r->bad);
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, secret.n == 0 ? "" : secret.p, secret.n,
	    (const unsigned char *)r->bad.p, r->bad.n, mac, sizeof(mac), &n));
	buf_adds(&r->bad, ".");
	base64url_encode(&r->bad, (struct view){ (const char *)mac, reason == RJWT_SIGNATURE && n > 32 ? 32 : n });
	buf_clear(&r->twin);
	table_token(t, SET, (const struct edit[]){ KEY(kid), { 0, NULL, NULL } }, &r->twin);
}

/* What everybody knows of a key, taken for a secret. */
static void
put_confusion(struct table *t, const char *label)
{
	static const char *const macs[][2] = { { "HS256", "SHA256" }, { "HS384", "SHA384" }, { "HS512", "SHA512" } };
	const struct jwk jwk = { .alg = key_alg(table_key(t, label)), .key = table_key(t, label) };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct buf parts[2] = { { 0 }, { 0 } };

	want(label, key_parts(jwk.key, parts), RJWT_OK);
	json_open(&text, NULL);
	want(label, jwk_put(&text, &jwk), RJWT_OK);
	json_close(&text);
	for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
		const char *alg = macs[i][0], *digest = macs[i][1];

		put_mac(t, 4, RJWT_ALG, label, alg, digest, buf_view(&text), "keyed by its JWK");
		put_mac(t, 4, RJWT_ALG, label, alg, digest, buf_view(&parts[0]), "keyed by its number");
		put_mac(t, 11, RJWT_ALG, label, alg, digest, VIEW(""), "keyed by nothing");
	}
	buf_clear(&parts[0]);
	buf_clear(&parts[1]);
}

/* Every other name of an algorithm, under a signature that is the key's own. */
static void
put_other_algs(struct table *t, const char *label)
{
	static const char *const names[] = { "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
		"PS512", "ES256", "ES384", "ES512", "EdDSA" };
	const struct alg *alg = key_alg(table_key(t, label));

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char member[32];
		const struct row row = { .rule = 4,
			.reason = RJWT_ALG,
			.world = SET,
			.bad = { KEY(label), HEADER("alg", member) },
			.twin = { KEY(label) } };

		snprintf(member, sizeof(member), "\"%s\"", names[i]);
		if (strcmp(names[i], alg->name) != 0)
			table_rows(t, &row, 1);
	}
}

/* By each other key of the set, in its own way, under a header that is right. */
static void
put_other_keys(struct table *t, const char *label)
{
	const struct alg *alg = key_alg(table_key(t, label));
	char name[32], kid[32];

	snprintf(name, sizeof(name), "\"%s\"", alg->name);
	snprintf(kid, sizeof(kid), "\"%s\"", label);
	for (const char *const *other = alg_labels(); *other != NULL; other++) {
		const struct row row = { .rule = 10,
			.reason = RJWT_SIGNATURE,
			.world = SET,
			.bad = { KEY(*other), HEADER("alg", name), HEADER("kid", kid) },
			.twin = { KEY(label) } };

		if (strcmp(*other, label) == 0 ||
		    (strcmp(alg->kty, "RSA") == 0 && strcmp(key_alg(table_key(t, *other))->kty, "RSA") == 0))
			continue; /* those of RSA are one key: rows_rsa.c */
		table_rows(t, &row, 1);
	}
}

static void
put_hmac(struct table *t, const char *label)
{
	static const char *const digests[] = { "SHA256", "SHA384", "SHA512", "SHA1" };
	RJWT_CLEAN(buf_clear) struct buf secret = { 0 };
	const struct alg *alg = key_alg(table_key(t, label));

	want(label, key_private_format(table_key(t, label), &secret), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		if (strcmp(digests[i], alg->digest) == 0)
			continue;
		put_mac(t, 11, RJWT_SIGNATURE, label, label, digests[i], buf_view(&secret), digests[i]);
	}
	put_mac(t, 11, RJWT_SIGNATURE, label, label, alg->digest, VIEW(""), "keyed by nothing");
	/* HMAC fills a short key up with zeros: without a last byte that is 0, a secret is the same key. */
	put_mac(t, 11, RJWT_SIGNATURE, label, label, alg->digest, (struct view){ secret.p, secret.n / 2 },
	    "keyed by half of the secret");
	put_mac(t, 11, RJWT_SIGNATURE, label, label, alg->digest, view_of(label), "keyed by its kid");
}

static void
put_all_of(struct table *t, enum world world, const char *key, const char *other)
{
	const struct edit edits[] = { KEY(key), { 0, NULL, NULL } };
	struct made m = { world, key, key_alg(table_key(t, key)), { 0 }, { 0 } };

	table_input(t, world, edits, &m.input);
	want(key, key_sign(table_key(t, key), buf_view(&m.input), &m.signature), RJWT_OK);
	put_other_texts(t, &m, other);
	put_mangled(t, &m);
	if (m.alg->kind == ALG_ECDSA)
		put_ecdsa(t, &m);
	if (m.alg->kind == ALG_EDDSA)
		put_eddsa(t, &m);
	buf_clear(&m.input);
	buf_clear(&m.signature);
}

void
table_signatures(struct table *t)
{
	put_all_of(t, PLAIN, "5", "6");
	put_all_of(t, PLAIN, "6", "5");
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		char other[16];

		snprintf(other, sizeof(other), "%s'", *label);
		put_all_of(t, SET, *label, other);
		put_other_algs(t, *label);
		put_other_keys(t, *label);
		if (key_alg(table_key(t, *label))->kind == ALG_HMAC)
			put_hmac(t, *label);
		else
			put_confusion(t, *label);
	}
}

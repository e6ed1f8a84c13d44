/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/*
 * JWK Sets with one key that is weak, odd or malformed between two good ones, or that rjwt does not know, or that is
 * not for signatures: it is passed over and named, with its kid and the reason, by the library and by rjwt-verify. It
 * verifies nothing, and the good ones verify.
 */
#include "sets.h"

/* --- keys with another member ----------------------------------------------------------------- */

/* why NULL: taken; the key verifies. */
static const struct {
	const char *key;
	struct edit edits[3];
	const char *why;
} rows[] = {
	/* nothing is wrong with these */
	{ "HS256'", { { 0 } }, NULL },
	{ "HS512'", { { 0 } }, NULL },
	{ "RS256'", { { 0 } }, NULL },
	{ "PS512'", { { 0 } }, NULL },
	{ "ES256'", { { 0 } }, NULL },
	{ "ES384'", { { 0 } }, NULL },
	{ "ES512'", { { 0 } }, NULL },
	{ "EdDSA'", { { 0 } }, NULL },
	{ "Ed448'", { { 0 } }, NULL },
	{ "ES256'", { MEMBER("alg", NULL) }, NULL },
	{ "EdDSA'", { MEMBER("alg", NULL) }, NULL },
	{ "RS256'", { MEMBER("alg", NULL) }, NULL },
	{ "HS256'", { MEMBER("alg", NULL) }, NULL },
	/* an RSA key without alg serves each of its type; RFC 9864 names the curve */
	{ "RS512'", { MEMBER("alg", NULL) }, NULL },
	{ "PS256'", { MEMBER("alg", NULL) }, NULL },
	{ "PS384'", { MEMBER("alg", NULL) }, NULL },
	{ "EdDSA'", { MEMBER("alg", "\"Ed25519\"") }, NULL },
	{ "EdDSA'", { MEMBER("alg", "\"Ed448\"") }, "contradict" },
	{ "Ed448'", { MEMBER("alg", "\"Ed448\"") }, NULL },
	{ "Ed448'", { MEMBER("alg", "\"Ed25519\"") }, "contradict" },
	{ "ES256'", { MEMBER("use", "\"sig\""), MEMBER("key_ops", "[\"verify\"]") }, NULL },
	/* private members are of no interest: RFC 7517 s4 */
	{ "ES256'", { MEMBER("d", "\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"") }, NULL },
	{ "RS256'", { MEMBER("d", "7"), MEMBER("p", "null") }, NULL },
	{ "ES256'", { MEMBER("x5c", "[\"AA\"]"), MEMBER("ext", "true") }, NULL },
	/* RSA's e: 1, 3, 17, 65535; even; 0; beyond 64 bits; not as short as it can be */
	{ "RS256'", { MEMBER("e", "\"AQ\"") }, "exponent" },
	{ "RS256'", { MEMBER("e", "\"Aw\"") }, "exponent" },
	{ "RS256'", { MEMBER("e", "\"EQ\"") }, "exponent" },
	{ "PS256'", { MEMBER("e", "\"__8\"") }, "exponent" },
	{ "RS256'", { MEMBER("e", "\"AQAA\"") }, "exponent" },
	{ "PS384'", { MEMBER("e", "\"AQAC\"") }, "exponent" },
	{ "RS256'", { MEMBER("e", "\"AA\"") }, "begins with a zero" },
	{ "RS256'", { MEMBER("e", "\"AAEAAQ\"") }, "begins with a zero" },
	{ "RS512'", { MEMBER("e", "\"AQAAAAAAAAAB\"") }, "too large" },
	{ "RS256'", { MEMBER("e", "\"\"") }, "begins with a zero" },
	{ "RS256'", { MEMBER("e", NULL) }, "missing" },
	{ "RS256'", { MEMBER("e", "65537") }, "not a string" },
	{ "RS256'", { MEMBER("e", "\"AQAB=\"") }, "base64url" },
	{ "RS256'", { MEMBER("e", "\"AQA/\"") }, "base64url" },
	{ "RS256'", { MEMBER("n", NULL) }, "missing" },
	{ "RS256'", { MEMBER("n", "\"\"") }, "begins with a zero" },
	{ "RS256'", { MEMBER("n", "\"AQAB\"") }, "2048" },
	/* Ed25519: small order, with both signs of x; not below p */
	{ ED25519("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "small order" },
	{ ED25519("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA"), "small order" },
	{ ED25519("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "small order" },
	{ ED25519("7P_______________________________________38"), "small order" },
	{ ED25519("7P________________________________________8"), "small order" },
	{ ED25519("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"), "small order" },
	{ ED25519("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"), "small order" },
	{ ED25519("7f_______________________________________38"), "canonical" },
	{ ED25519("7v_______________________________________38"), "canonical" },
	{ ED25519("__________________________________________8"), "canonical" },
	{ ED25519("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "wrong length" },
	{ ED25519("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "wrong length" },
	{ ED25519("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"), "base64url" },
	{ ED25519(""), "wrong length" },
	{ "EdDSA'", { MEMBER("x", NULL) }, "missing" },
	{ "EdDSA'", { MEMBER("x", "null") }, "not a string" },
	{ ED448(AA54 "AAAAAA"), "small order" },
	{ ED448("AQ" AA54 "AAAA"), "small order" },
	{ ED448("_v____________________________________7___________________________________8A"), "small order" },
	{ ED448("______________________________________7___________________________________8A"), "canonical" },
	{ ED448(AA54), "wrong length" },
	/* HMAC secrets shorter than the hash */
	{ "HS256'", { MEMBER("k", "\"\"") }, "shorter than the hash of its algorithm" },
	{ "HS256'", { MEMBER("k", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"") },
	    "shorter than the hash of its algorithm" },
	{ "HS256'", { MEMBER("alg", "\"HS384\"") }, "shorter than the hash of its algorithm" },
	{ "HS384'", { MEMBER("alg", "\"HS512\"") }, "shorter than the hash of its algorithm" },
	{ "HS256'", { MEMBER("k", NULL) }, "k is missing" },
	{ "HS256'", { MEMBER("k", "1") }, "not a string" },
	/* parts that contradict each other */
	{ "ES256'", { MEMBER("alg", "\"ES384\"") }, "contradict" },
	{ "ES384'", { MEMBER("alg", "\"ES256\"") }, "contradict" },
	{ "ES256'", { MEMBER("crv", "\"P-384\"") }, "contradict" },
	{ "ES256'", { MEMBER("crv", NULL) }, "contradict" },
	{ "ES256'", { MEMBER("crv", "\"P-384\""), MEMBER("alg", NULL) }, "wrong length" },
	{ "ES256'", { MEMBER("crv", "\"Ed25519\"") }, "contradict" },
	{ "ES256'", { MEMBER("alg", "\"EdDSA\"") }, "contradict" },
	{ "ES256'", { MEMBER("alg", "\"HS256\"") }, "contradict" },
	{ "ES256'", { MEMBER("alg", "\"RS256\"") }, "contradict" },
	{ "RS256'", { MEMBER("alg", "\"ES256\"") }, "contradict" },
	{ "RS256'", { MEMBER("alg", "\"HS256\"") }, "contradict" },
	{ "HS256'", { MEMBER("alg", "\"RS256\"") }, "contradict" },
	{ "EdDSA'", { MEMBER("alg", "\"ES256\"") }, "contradict" },
	{ "EdDSA'", { MEMBER("crv", "\"P-256\"") }, "contradict" },
	{ "EdDSA'", { MEMBER("kty", "\"EC\"") }, "contradict" },
	{ "EdDSA'", { MEMBER("crv", "\"Ed448\"") }, "wrong length" },
	{ "ES256'", { MEMBER("kty", "\"RSA\"") }, "contradict" },
	{ "ES256'", { MEMBER("kty", "\"RSA\""), MEMBER("alg", NULL) }, "missing" },
	/* members of another type */
	{ "ES256'", { MEMBER("kty", NULL) }, "kty" },
	{ "ES256'", { MEMBER("kty", "1") }, "kty" },
	{ "ES256'", { MEMBER("crv", "256") }, "crv" },
	{ "ES256'", { MEMBER("alg", "null") }, "alg" },
	{ "ES256'", { MEMBER("alg", "[\"ES256\"]") }, "alg" },
	{ "ES256'", { MEMBER("use", "null") }, "use" },
	{ "ES256'", { MEMBER("use", "[\"sig\"]") }, "use" },
	{ "ES256'", { MEMBER("key_ops", "\"verify\"") }, "key_ops" },
	{ "ES256'", { MEMBER("key_ops", "[\"verify\",1]") }, "key_ops" },
	{ "ES256'", { MEMBER("key_ops", "[]") }, "key_ops" },
	{ "ES256'", { MEMBER("key_ops", "{}") }, "key_ops" },
	{ "ES256'", { MEMBER("key_ops", "null") }, "key_ops" },
	{ "ES256'", { MEMBER("exp", "\"1\"") }, "is not a time" },
	{ "ES256'", { MEMBER("exp", "0") }, "is not a time" },
	{ "ES256'", { MEMBER("exp", "null") }, "is not a time" },
	{ "ES256'", { MEMBER("nbf", "-1") }, "is not a time" },
	{ "ES256'", { MEMBER("nbf", "1.5") }, "is not a time" },
	{ "ES256'", { MEMBER("revoked", "true") }, "is not a time" },
	{ "ES256'", { MEMBER("revoked", "{\"revoked_at\":1}") }, "is not a time" },
	{ "ES256'", { MEMBER("iat", "99999999999999999999") }, "is not a time" },
	/* not known, or not for us */
	{ "ES256'", { MEMBER("kty", "\"AKP\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("kty", "\"ec\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("kty", "\"\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("crv", "\"secp256k1\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("crv", "\"p-256\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("crv", "\"\"") }, UNKNOWN },
	{ "EdDSA'", { MEMBER("crv", "\"X25519\"") }, UNKNOWN },
	{ "EdDSA'", { MEMBER("alg", "\"ed25519\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("alg", "\"ES256K\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("alg", "\"none\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("alg", "\"ECDH-ES\"") }, UNKNOWN },
	{ "RS256'", { MEMBER("alg", "\"RSA-OAEP\"") }, UNKNOWN },
	{ "RS256'", { MEMBER("alg", "\"RS1\"") }, UNKNOWN },
	{ "HS256'", { MEMBER("alg", "\"A256KW\"") }, UNKNOWN },
	{ "HS256'", { MEMBER("alg", "\"HS1\""), MEMBER("k", "\"AA\"") }, UNKNOWN },
	{ "ES256'", { MEMBER("use", "\"enc\"") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("use", "\"SIG\"") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("use", "\"\"") }, NOT_FOR_US },
	{ "RS256'", { MEMBER("use", "\"enc\"") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("key_ops", "[\"sign\"]") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("key_ops", "[\"Verify\"]") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("use", "\"sig\""), MEMBER("key_ops", "[\"encrypt\"]") }, NOT_FOR_US },
	{ "ES256'", { MEMBER("use", "\"enc\""), MEMBER("key_ops", "[\"verify\"]") }, NOT_FOR_US },
	{ "RS256'", { MEMBER("use", "\"enc\""), MEMBER("e", "\"Aw\"") }, NOT_FOR_US },
};

static void
test_members(void **state)
{
	struct members m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf odd = { 0 };
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		const char *why = rows[i].why;
		char what[120];

		snprintf(what, sizeof(what), "%s with %s=%s", rows[i].key,
		    rows[i].edits[0].name == NULL ? "all" : rows[i].edits[0].name,
		    rows[i].edits[0].value == NULL ? ABSENT : rows[i].edits[0].value);
		take_members(&m, rows[i].key);
		put_object(&odd, 'j', m.all, rows[i].edits);
		odd_token(rows[i].key, &token);
		if (why != NULL)
			check_passed_over(what, odd.p, buf_view(&token), "odd", why);
		else
			check_opened(what, odd.p, buf_view(&token), RJWT_OK);
	}
}

/* --- kids ------------------------------------------------------------------------------------- */

static void
test_kids(void **state)
{
	static const struct {
		const char *kid, *why; /* as JSON */
	} kids[] = { { "\"\"", "1 to 128" }, { "1", "1 to 128" }, { "null", "1 to 128" }, { "[\"a\"]", "1 to 128" },
		{ "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1\"",
		    "1 to 128" } };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };
	RJWT_CLEAN(buf_clear) struct buf odd = { 0 };
	RJWT_CLEAN(buf_clear) struct buf duplicate = { 0 };
	struct members m;

	(void)state;
	take_members(&m, "ES256'");
	odd_token("ES256'", &token);
	for (size_t i = 0; i < ARRAY_LEN(kids); i++) {
		const struct edit edits[] = { MEMBER("kid", kids[i].kid), { 0, NULL, NULL } };

		buf_clear(&odd);
		put_object(&odd, 'j', m.all, edits);
		check_passed_over(kids[i].kid, odd.p, buf_view(&token), "", kids[i].why);
	}
	/* Two may have none, and are found by none. */
	buf_clear(&odd);
	put_object(&odd, 'j', m.all, (const struct edit[]){ MEMBER("kid", NULL), { 0, NULL, NULL } });
	check_opened("no kid", odd.p, buf_view(&token), RJWT_KEY_UNKNOWN);
	buf_addf(&duplicate, "%s,%s", odd.p, odd.p);
	check_opened("two without kid", duplicate.p, buf_view(&token), RJWT_KEY_UNKNOWN);
}

/* Judged with a handle on the set that was written last. */
static void
check_token(struct rjwt *h, const char *what, const struct buf *token, enum rjwt_err reason)
{
	struct rjwt_attempt attempt = { .token = token->p, .len = token->n, .user = "alice", .service = "sshd" };
	struct rjwt_diag diag;
	struct rjwt_verdict v;

	attempt.flags = RJWT_DRY_RUN;
	want(what, rjwt_verify(h, &attempt, &v, &diag), reason);
	rjwt_verdict_clear(&v);
}

/* Two keys of one kid: with the same alg nobody knows which is meant, so neither verifies; with another alg both do. */
static void
test_same_kid(void **state)
{
	static const char *const names[] = { "ES256'", "ES384'", "RS256'" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		RJWT_CLEAN(buf_clear) struct buf odd = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf token = { 0 };
		RJWT_CLEAN(buf_clear) struct buf other = { 0 };
		struct rjwt_diag diag = { 0 };
		struct rjwt *h = NULL;
		struct members m;
		char path[160];

		take_members(&m, names[i]);
		put_object(&odd, 'j', m.all,
		    (const struct edit[]){ MEMBER("kid", "\"ES\\u0032\\u00356\""), { 0, NULL, NULL } });
		put_set(&text, odd.p);
		snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
		write_to(path, buf_view(&text));
		table_token(t, SET,
		    (const struct edit[]){ KEY(names[i]), HEADER("kid", "\"ES256\""), { 0, NULL, NULL } }, &token);
		table_token(t, SET, (const struct edit[]){ KEY("EdDSA"), { 0, NULL, NULL } }, &other);
		want(names[i], open_set(path, &h, &diag), RJWT_OK);
		check_token(h, names[i], &t->plain[SET], i == 0 ? RJWT_KEY_UNKNOWN : RJWT_OK);
		check_token(h, names[i], &token, i == 0 ? RJWT_KEY_UNKNOWN : RJWT_OK);
		check_token(h, names[i], &other, RJWT_OK);
		rjwt_close(h);
		if (i == 0)
			check_named(names[i], path, "ES256", "another key has this kid and this alg");
	}
}

/* A kid that a terminal would act on is written down, and does nothing. */
static void
test_kid_is_escaped(void **state)
{
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	RJWT_CLEAN(buf_clear) struct buf odd = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct members m;
	char path[160];

	(void)state;
	take_members(&m, "ES256'");
	put_object(&odd, 'j', m.all,
	    (const struct edit[]){ MEMBER("kid", "\"\\u001b[2J\\u202e\""), MEMBER("x", "1"), { 0, NULL, NULL } });
	snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
	put_set(&text, odd.p);
	write_to(path, buf_view(&text));
	printed = verify_with(path, "--explain", buf_view(&t->plain[SET]));
	assert_int_equal(printed.status, 0);
	assert_null(unsafe_text(buf_view(&printed.out)));
	assert_non_null(strstr(printed.out.p, "key \\x1b[2J\\xe2\\x80\\xae: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_members), cmocka_unit_test(test_kids),
		cmocka_unit_test(test_same_kid), cmocka_unit_test(test_kid_is_escaped) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

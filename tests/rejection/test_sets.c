/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/*
 * JWK Sets with one key that is weak, odd or malformed between two good ones, or that rjwt does not know, or that is
 * not for signatures: it is passed over and named, with its kid and the reason, by the library and by rjwt-verify. It
 * verifies nothing, and the good ones verify.
 */
#include "program.h"
#include "table.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/jwk.h"
#include "base/json_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "unit.h"

static struct table *t;
static unsigned passed_over, taken;

static int
setup(void **state)
{
	(void)state;
	t = table_bare(clock_made_up);
	table_world(t, SET);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	printf("# %u keys passed over, %u taken\n", passed_over, taken);
	table_free(t);
	return 0;
}

/* --- sets ------------------------------------------------------------------------------------- */

#define JWK_MEMBERS 9

/* The members of a key of the table, each value as JSON in its own room. */
struct members {
	struct edit all[JWK_MEMBERS];
	char room[JWK_MEMBERS][1024];
};

static void
take_members(struct members *m, const char *name)
{
	static const char *const members[] = { "kty", "crv", "n", "e", "x", "y", "k", "alg" };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(buf_clear) struct buf secret = { 0 };
	RJWT_CLEAN(buf_clear) struct buf k = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	const struct jwk jwk = { .alg = key_alg(table_key(t, name)), .key = table_key(t, name) };
	size_t n = 0;

	json_open(&text, NULL);
	want(name, jwk_put(&text, &jwk), RJWT_OK);
	if (jwk.alg->kind == ALG_HMAC) {
		want(name, key_private_format(jwk.key, &secret), RJWT_OK);
		base64url_encode(&k, buf_view(&secret));
		json_put_string(&text, "k", buf_view(&k));
	}
	json_close(&text);
	want(name, json_parse(buf_view(&text), &json, NULL), RJWT_OK);
	m->all[n] = (struct edit){ 'j', "kid", "\"odd\"" };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = unit_text(json, members[i]);

		if (value == NULL)
			continue;
		snprintf(m->room[++n], sizeof(m->room[0]), "\"%s\"", value);
		m->all[n] = (struct edit){ 'j', members[i], m->room[n] };
	}
	m->all[n + 1] = (struct edit){ 0, NULL, NULL };
}

/* A set of a good key, this one, and another good one. */
static void
put_set(struct buf *out, const char *odd)
{
	static const char *const good[] = { "ES256", "EdDSA" };

	buf_clear(out);
	buf_adds(out, "{\"keys\":[");
	for (size_t i = 0; i < 2; i++) {
		struct jwk jwk = { .alg = key_alg(table_key(t, good[i])), .key = table_key(t, good[i]) };

		snprintf(jwk.kid, sizeof(jwk.kid), "%s", good[i]);
		json_open_element(out);
		want(good[i], jwk_put(out, &jwk), RJWT_OK);
		json_close(out);
		if (i == 0)
			buf_addf(out, ",%s", odd);
	}
	buf_adds(out, "]}");
}

/* --- what becomes of a set -------------------------------------------------------------------- */

static void
write_to(const char *path, struct view text)
{
	RJWT_CLEAN(fd_clean) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n);
}

static struct printed
verify_with(const char *path, const char *option, struct view token)
{
	char at[24];
	char *const argv[] = { (char[]){ "rjwt-verify" }, (char[]){ "-c" }, t->f->config, (char[]){ "-j" },
		(char *)(uintptr_t)path, (char[]){ "--at" }, at, (char *)(uintptr_t)option, NULL };

	snprintf(at, sizeof(at), "%lld", (long long)t->base_s);
	return run_program(t->f, argv, token);
}

static enum rjwt_err
open_set(const char *path, struct rjwt **h, struct rjwt_diag *diag)
{
	struct rjwt_options options = fixture_options(t->f);

	options.jwks = path;
	return rjwt_open(&options, h, diag);
}

/* The set opens, and the library names this key and this reason. */
static void
check_named(const char *what, const char *path, const char *kid, const char *why)
{
	const char *named, *reason;
	struct rjwt_diag diag = { 0 };
	struct rjwt *h = NULL;

	want(what, open_set(path, &h, &diag), RJWT_OK);
	if (!rjwt_passed_over(h, 0, &named, &reason))
		fail_msg("%s: no key is passed over", what);
	if (strcmp(named, kid) != 0 || strstr(reason, why) == NULL)
		fail_msg("%s: \"%s: %s\" does not say \"%s: %s\"", what, named, reason, kid, why);
	assert_false(rjwt_passed_over(h, 1, &named, &reason));
	rjwt_close(h);
}

/* rjwt-verify accepts this token, and --explain has this line in addition. */
static void
check_explained(const char *what, const char *path, struct view token, const char *line)
{
	RJWT_CLEAN(printed_clear) struct printed printed = verify_with(path, "--explain", token);

	if (printed.status != 0 || strncmp(printed.out.p, "accepted", 8) != 0 || strstr(printed.out.p, line) == NULL)
		fail_msg("%s: rjwt-verify ends with %d, without \"%s\": %s%s", what, printed.status, line,
		    printed.out.p, printed.err.p);
	if (unsafe_text(buf_view(&printed.out)) != NULL)
		fail_msg("%s: %s", what, unsafe_text(buf_view(&printed.out)));
}

/* The good keys verify; the odd one does as the reason says. */
static void
check_opened(const char *what, const char *odd, struct view token, enum rjwt_err reason)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(printed_clear) struct printed printed = { 0 };
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd", .flags = RJWT_DRY_RUN };
	struct rjwt_diag diag = { 0 };
	struct rjwt_verdict v;
	struct rjwt *h = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
	put_set(&text, odd);
	write_to(path, buf_view(&text));
	if (open_set(path, &h, &diag) != RJWT_OK)
		fail_msg("%s: %s", what, diag.text);
	attempt.token = t->plain[SET].p;
	attempt.len = t->plain[SET].n;
	want(what, rjwt_verify(h, &attempt, &v, &diag), RJWT_OK);
	rjwt_verdict_clear(&v);
	attempt.token = token.p;
	attempt.len = token.n;
	want(what, rjwt_verify(h, &attempt, &v, &diag), reason);
	rjwt_verdict_clear(&v);
	rjwt_close(h);
	printed = verify_with(path, "-ualice", buf_view(&t->plain[SET]));
	if (printed.status != 0 || strcmp(printed.out.p, "accepted, without service and revocation\n") != 0 ||
	    printed.err.n != 0)
		fail_msg("%s: rjwt-verify ends with %d: %s%s", what, printed.status, printed.out.p, printed.err.p);
	*(reason == RJWT_OK ? &taken : &passed_over) += 1;
}

/* Passed over, and named: kid "" is a key without one. */
static void
check_passed_over(const char *what, const char *odd, struct view token, const char *kid, const char *why)
{
	char path[160], line[80];

	check_opened(what, odd, token, RJWT_KEY_UNKNOWN); /* writes the set */
	snprintf(path, sizeof(path), "%.140s/odd.json", t->f->top);
	snprintf(line, sizeof(line), "\n  passed over  key %s: ", kid[0] == '\0' ? "without kid" : kid);
	check_named(what, path, kid, why);
	check_explained(what, path, buf_view(&t->plain[SET]), line);
	check_explained(what, path, buf_view(&t->plain[SET]), why);
}

/* A token of the odd key, signed by a key of the table. */
static void
odd_token(const char *key, struct buf *token)
{
	const struct edit edits[] = { KEY(key), HEADER("kid", "\"odd\""), { 0, NULL, NULL } };

	table_token(t, SET, edits, token);
}

/* --- keys with another member ----------------------------------------------------------------- */

#define MEMBER(name, value)      \
	{                        \
		'j', name, value \
	}
#define UNKNOWN "unsupported kty, crv or alg"
#define NOT_FOR_US "not for verifying signatures"
#define ED25519(x)                       \
	"EdDSA'",                        \
	{                                \
		MEMBER("x", "\"" x "\"") \
	}
#define ED448(x)                         \
	"Ed448'",                        \
	{                                \
		MEMBER("x", "\"" x "\"") \
	}
#define AA54 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

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

/* --- numbers ---------------------------------------------------------------------------------- */

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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_members), cmocka_unit_test(test_kids),
		cmocka_unit_test(test_same_kid), cmocka_unit_test(test_kid_is_escaped), cmocka_unit_test(test_points),
		cmocka_unit_test(test_moduli) };

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: MIT */
/* Every check of a token's text, header and claims: what is refused, beside a twin that is accepted. */
#include "fixture.h"

#include <stdio.h>

/* --- header and claims: one edit refused, another accepted ------------------------------------------------ */

#define HEADER(name, value) { 'h', name, value }
#define CLAIM(name, value) { 'c', name, value }

/* An empty twin is the token without edits. */
static const struct {
	enum rjwt_err reason;
	struct edit bad[2], twin[2];
} rows[] = {
	/* header: what changes the meaning of a signature, or brings a key along */
	{ RJWT_HEADER, { HEADER("crit", "[]") }, { HEADER("crit2", "[]") } },
	{ RJWT_HEADER, { HEADER("crit", "[\"exp\"]") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("b64", "true") }, { HEADER("b65", "true") } },
	{ RJWT_HEADER, { HEADER("zip", "\"DEF\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("cty", "\"JWT\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("jwk", "{}") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("jku", "\"https://x\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("x5c", "[]") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("x5u", "null") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("x5t", "\"\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("x5t#S256", "\"\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("alg", NULL) }, { HEADER("alg", "\"ES256\"") } },
	{ RJWT_HEADER, { HEADER("alg", "1") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("alg", "\"none\\u0000\"") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("kid", "1") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("typ", "[\"login+jwt\"]") }, { { 0 } } },
	{ RJWT_HEADER, { HEADER("x", "1,\"x\":2") }, { HEADER("x", "1,\"y\":2") } },
	{ RJWT_HEADER, { HEADER("x", "{\"alg\":\"none\",\"\\u0061lg\":1}") },
	    { HEADER("x", "{\"alg\":\"none\"}") } },
	/* alg: taken from the key, compared exactly; the reference took the header's */
	{ RJWT_ALG, { HEADER("alg", "\"none\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"NONE\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"es256\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"ES256 \"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"ES256K\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"HS256\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"ES384\"") }, { { 0 } } },
	{ RJWT_ALG, { HEADER("alg", "\"RS256\"") }, { { 0 } } },
	/* kid: in the reference a path, with aliases of the current key */
	{ RJWT_KID, { HEADER("kid", NULL) }, { HEADER("kid", "\"B.1\"") } },
	{ RJWT_KID, { HEADER("kid", "\"\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.0\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.01\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.001\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.+1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.-1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B. 1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.1 \"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.1.1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"B.\xc2\xb9\"") }, { { 0 } } }, /* superscript one */
	{ RJWT_KID, { HEADER("kid", "\"B.\xd9\xa1\"") }, { { 0 } } }, /* arabic-indic one */
	{ RJWT_KID, { HEADER("kid", "\"B.2147483648\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"../keys/B.1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"/tmp/evil.1\"") }, { { 0 } } },
	{ RJWT_KID, { HEADER("kid", "\"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB.1\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB.1\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"C.1\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"b.1\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"B.3\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"B.99\"") }, { { 0 } } },
	{ RJWT_KEY_UNKNOWN, { HEADER("kid", "\"B.2147483647\"") }, { { 0 } } },
	{ RJWT_SIGNATURE, { HEADER("kid", "\"B.2\"") }, { { 0 } } },
	/* typ: any case, with or without application/ */
	{ RJWT_TYP, { HEADER("typ", NULL) }, { HEADER("typ", "\"LOGIN+jwt\"") } },
	{ RJWT_TYP, { HEADER("typ", "\"JWT\"") }, { HEADER("typ", "\"application/login+jwt\"") } },
	{ RJWT_TYP, { HEADER("typ", "\"login+jwt2\"") }, { HEADER("typ", "\"APPLICATION/login+JWT\"") } },
	{ RJWT_TYP, { HEADER("typ", "\"login\"") }, { { 0 } } },
	{ RJWT_TYP, { HEADER("typ", "\"\"") }, { { 0 } } },
	{ RJWT_TYP, { HEADER("typ", "\"application/application/login+jwt\"") }, { { 0 } } },
	/* claims: the wrong type is not absent */
	{ RJWT_CLAIMS, { CLAIM("iss", NULL) }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("iss", "[\"iss.example\"]") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", NULL) }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "\"\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "0") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "null") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "\"alice\\u0000\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "\"alice\\n\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "\"alice\",\"sub\":\"alice\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("sub", "\"alice\",\"s\\u0075b\":\"alice\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("aud", NULL) }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("aud", "[]") }, { CLAIM("aud", "[\"host.example\"]") } },
	{ RJWT_CLAIMS, { CLAIM("aud", "[\"host.example\",1]") },
	    { CLAIM("aud", "[\"other\",\"host.example\"]") } },
	{ RJWT_CLAIMS, { CLAIM("aud", "[[\"host.example\"]]") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("aud", "{\"host.example\":1}") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("aud", "null") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", NULL) }, { { 0 } } }, /* optional in the reference */
	{ RJWT_CLAIMS, { CLAIM("exp", "\"1800000300\"") }, { CLAIM("exp", "1800000300") } },
	{ RJWT_CLAIMS, { CLAIM("exp", "1800000300.0") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "18000003e2") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "-1") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "-0") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "true") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "null") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "9007199254740993") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "99999999999999999999999999") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("exp", "01800000300") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("iat", NULL) }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("iat", "\"1800000000\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("nbf", "\"9999999999\"") }, { CLAIM("nbf", "1800000000") } },
	{ RJWT_CLAIMS, { CLAIM("nbf", "null") }, { CLAIM("nbf", "0") } },
	{ RJWT_CLAIMS, { CLAIM("jti", "1") }, { CLAIM("jti", NULL) } },
	{ RJWT_CLAIMS, { CLAIM("jti", "\"\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("scope", "[\"ssh\"]") }, { CLAIM("scope", "\"sudo ssh\"") } },
	{ RJWT_CLAIMS, { CLAIM("scope", "\"sudo  ssh\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("scope", "\" ssh\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("scope", "\"ssh \"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("scope", "\"ssh,su\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("scope", "\"\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("once", "1") }, { CLAIM("once", "false") } },
	{ RJWT_CLAIMS, { CLAIM("once", "\"true\"") }, { { 0 } } },
	{ RJWT_CLAIMS, { CLAIM("x", "[[[[[[[[1]]]]]]]]") }, { CLAIM("x", "[[[[[[[1]]]]]]]") } },
	{ RJWT_CLAIMS, { CLAIM("x", "\"\xff\"") }, { CLAIM("x", "\"\xc3\xa9\"") } },
	{ RJWT_CLAIMS, { CLAIM("x", "\"\\ud800\"") }, { CLAIM("x", "\"\\ud83d\\ude00\"") } },
	/* user: compared by length and bytes */
	{ RJWT_USER, { CLAIM("sub", "\"bob\"") }, { CLAIM("sub", "\"alice\"") } },
	{ RJWT_USER, { CLAIM("sub", "\"Alice\"") }, { CLAIM("sub", "\"\\u0061lice\"") } },
	{ RJWT_USER, { CLAIM("sub", "\"alic\"") }, { { 0 } } },
	{ RJWT_USER, { CLAIM("sub", "\"alicee\"") }, { { 0 } } },
	{ RJWT_USER, { CLAIM("sub", "\" alice\"") }, { { 0 } } },
	{ RJWT_USER, { CLAIM("sub", "\"alice \"") }, { { 0 } } },
	{ RJWT_USER, { CLAIM("sub", "\"\xd0\xb0lice\"") }, { { 0 } } }, /* cyrillic a */
	{ RJWT_USER, { CLAIM("sub", "\"\xef\xbd\x81lice\"") }, { { 0 } } }, /* full-width a */
	{ RJWT_USER, { CLAIM("sub", "\"*\"") }, { { 0 } } },
	{ RJWT_ISSUER, { CLAIM("iss", "\"iss.example.\"") }, { { 0 } } },
	{ RJWT_ISSUER, { CLAIM("iss", "\"ISS.example\"") }, { { 0 } } },
	{ RJWT_ISSUER, { CLAIM("iss", "\"iss.exampl\"") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "\"host.example2\"") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "\"HOST.example\"") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "\"host.example,other\"") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "[\"a\",\"b\"]") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "\"\"") }, { { 0 } } },
	{ RJWT_AUDIENCE, { CLAIM("aud", "\"*\"") }, { { 0 } } },
	/* times, with a leeway of 30 s and a lifetime of at most an hour, at T0 */
	{ RJWT_EXPIRED, { CLAIM("iat", "1799999000"), CLAIM("exp", "1799999970") },
	    { CLAIM("iat", "1799999000"), CLAIM("exp", "1799999971") } },
	{ RJWT_NOT_YET_VALID, { CLAIM("nbf", "1800000031") }, { CLAIM("nbf", "1800000030") } },
	{ RJWT_ISSUED_IN_FUTURE, { CLAIM("iat", "1800000031") }, { CLAIM("iat", "1800000030") } },
	{ RJWT_LIFETIME, { CLAIM("exp", "1800003601") }, { CLAIM("exp", "1800003600") } },
	{ RJWT_LIFETIME, { CLAIM("exp", "1800000300000") }, { { 0 } } }, /* milliseconds */
	{ RJWT_LIFETIME, { CLAIM("exp", "9007199254740992") }, { { 0 } } },
	{ RJWT_LIFETIME, { CLAIM("exp", "1800000000") }, { CLAIM("exp", "1800000001") } },
	{ RJWT_LIFETIME, { CLAIM("iat", "1800000010"), CLAIM("exp", "1800000009") }, { { 0 } } },
	{ RJWT_LIFETIME, { CLAIM("iat", "0") }, { { 0 } } },
	/* scope: absent or another never means any */
	{ RJWT_SCOPE, { CLAIM("scope", NULL) }, { CLAIM("scope", "\"su ssh sudo\"") } },
	{ RJWT_SCOPE, { CLAIM("scope", "\"sudo\"") }, { { 0 } } },
	{ RJWT_SCOPE, { CLAIM("scope", "\"SSH\"") }, { { 0 } } },
	{ RJWT_SCOPE, { CLAIM("scope", "\"sshd\"") }, { { 0 } } },
	{ RJWT_SCOPE, { CLAIM("scope", "\"ss\"") }, { { 0 } } },
	{ RJWT_BINDING, { CLAIM("cnf", "{\"kid\":\"SHA256:x\"}") }, { CLAIM("cnf2", "{}") } },
	{ RJWT_BINDING, { CLAIM("cnf", "null") }, { { 0 } } },
	{ RJWT_SOURCE, { CLAIM("src", "[\"192.0.2.0/24\"]") }, { CLAIM("src2", "1") } },
	{ RJWT_SOURCE, { CLAIM("src", "\"\"") }, { { 0 } } },
};

static void
fill(struct edit to[3], const struct edit from[2])
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = (struct edit){ 0, NULL, NULL };
}

static void
test_edits(void **state)
{
	struct fixture *f = *state;
	struct edit edits[3];
	char name[160];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		RJWT_CLEAN(free_clean) char *bad = NULL;
		RJWT_CLEAN(free_clean) char *twin = NULL;
		struct rjwt_verdict v;

		snprintf(name, sizeof(name), "%s: %s", rows[i].bad[0].name,
		    rows[i].bad[0].value == NULL ? "(none)" : rows[i].bad[0].value);
		fill(edits, rows[i].bad);
		bad = token_with(f, edits);
		want(name, judge(f, bad, 0, &v), rows[i].reason);
		/* The reason may be told exactly when the failed check stands after user. */
		if (v.tell != (rows[i].reason > RJWT_USER))
			fail_msg("%s: tell is %d", name, v.tell);
		if (v.failed.code != rows[i].reason || v.failed.outcome != RJWT_FAILED)
			fail_msg("%s: verdict.failed says %s", name, rjwt_reason(v.failed.code));
		if ((v.claims != NULL) != (rows[i].reason > RJWT_SIGNATURE))
			fail_msg("%s: the payload is let out at the wrong check", name);
		rjwt_verdict_clear(&v);
		fill(edits, rows[i].twin);
		twin = token_with(f, edits);
		want(rows[i].twin[0].name == NULL ? name : rows[i].twin[0].name, judge(f, twin, 0, NULL),
		    RJWT_OK);
	}
}

/* --- the token's text ------------------------------------------------------------------------------------------ */

static void
test_text(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token_with(f, NULL);
	const char *dot = strchr(good, '.'), *last = strrchr(good, '.');
	int first = (int)(dot - good), second = (int)(last - good);
	const struct {
		const char *name, *before, *after;
	} affixes[] = { { "blank", " ", "" }, { "blank after", "", " " }, { "newline", "", "\n" },
		{ "crlf", "", "\r\n" }, { "tab", "\t", "" }, { "Bearer", "Bearer ", "" },
		{ "quotes", "\"", "\"" }, { "four parts", "", ".AAAA" }, { "four, empty", "", "." },
		{ "dot before", ".", "" }, { "five parts", "AAAA.BBBB.", "" }, { "padding", "", "=" },
		{ "padding", "", "==" } };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	want("as it is", judge(f, good, 0, NULL), RJWT_OK);
	for (size_t i = 0; i < sizeof(affixes) / sizeof(affixes[0]); i++) {
		buf_clear(&text);
		buf_addf(&text, "%s%s%s", affixes[i].before, good, affixes[i].after);
		want(affixes[i].name, judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	}
	/* One, two parts, empty parts, JSON serialization. */
	buf_clear(&text);
	buf_addf(&text, "%.*s", first, good);
	want("one part", judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	buf_clear(&text);
	buf_addf(&text, "%.*s", second, good);
	want("two parts", judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	buf_adds(&text, ".");
	want("no signature", judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	buf_clear(&text);
	buf_addf(&text, "%.*s.%s", first, good, last);
	want("no payload", judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	want("no header", judge(f, dot, 0, NULL), RJWT_MALFORMED);
	buf_clear(&text);
	buf_addf(&text, "{\"payload\":\"%.*s\"}", second - first - 1, dot + 1);
	want("JSON", judge(f, text.p, 0, NULL), RJWT_MALFORMED);
	want("dots", judge(f, "..", 0, NULL), RJWT_MALFORMED);
	want("none", judge(f, NULL, 0, NULL), RJWT_EMPTY);
	want("empty", judge(f, "", 0, NULL), RJWT_EMPTY);
}

static void
test_nul_in_token(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd" };
	struct rjwt_verdict v;

	buf_add(&text, good, strlen(good) + 1);
	attempt.token = text.p;
	attempt.len = text.n;
	want("NUL at the end", rjwt_verify(f->h, &attempt, &v, NULL), RJWT_MALFORMED);
	attempt.len = text.n - 1;
	want("without it", rjwt_verify(f->h, &attempt, &v, NULL), RJWT_OK);
	rjwt_verdict_clear(&v);
}

/* Every bit of the signature, and every byte before it. */
static void
test_one_bit(void **state)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	char *last = strrchr(token, '.');

	for (char *p = token; *p != '\0'; p++) {
		char kept = *p;
		const char *at = strchr(alphabet, kept);
		enum rjwt_err err;

		if (at == NULL)
			continue;
		*p = alphabet[(at - alphabet) ^ 32];
		err = judge(f, token, 0, NULL);
		if (err == RJWT_OK || (p > last && err != RJWT_SIGNATURE))
			fail_msg("byte %d: %s", (int)(p - token), rjwt_reason(err));
		*p = kept;
	}
	want("as it was", judge(f, token, 0, NULL), RJWT_OK);
}

/* An ECDSA signature is R||S of exactly 64 bytes. */
static void
test_signature_length(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf sig = { 0 };
	const char *last = strrchr(token, '.');

	want("decode", base64url_decode(view_of(last + 1), &sig), RJWT_OK);
	assert_int_equal(sig.n, 64);
	for (size_t n = 0; n <= 72; n++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };

		for (size_t i = 0; i < n; i++)
			buf_add(&bytes, i < 64 ? sig.p + i : "", 1);
		buf_add(&text, token, (size_t)(last + 1 - token));
		base64url_encode(&text, buf_view(&bytes));
		want("length", judge(f, text.p, 0, NULL),
		    n == 64 ? RJWT_OK : n == 0 ? RJWT_MALFORMED : RJWT_SIGNATURE);
	}
}

/* A token of exactly this length, or with at_most: of one more than length up to that; NULL: none. */
static char *
token_of_length(struct fixture *f, size_t length, size_t at_most)
{
	for (int head = 0; head < 3; head++)
		for (size_t pad = length > 420 ? (length - 420) * 3 / 4 - 60 : 0; pad < length; pad++) {
			char h[8], text[4200];
			const struct edit edits[] = { { 'h', "x", h }, { 'c', "x", text }, { 0, NULL, NULL } };
			char *token;
			size_t n;

			snprintf(h, sizeof(h), "\"%.*s\"", head, "xx");
			snprintf(text, sizeof(text), "\"%0*d\"", (int)pad + 1, 0);
			token = token_with(f, edits);
			n = strlen(token);
			if (at_most == 0 ? n == length : n > length && n <= at_most)
				return token;
			free(token);
			if (n > length + 90)
				break;
		}
	return NULL;
}

/* At the limits of the prompts a reply is cut in silence, and about half of what is left still parses. */
static void
test_truncated(void **state)
{
	static const size_t limits[] = { 511, 1023, 4095 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		RJWT_CLEAN(free_clean) char *whole = token_of_length(f, limits[i], 0);
		RJWT_CLEAN(free_clean) char *cut = token_of_length(f, limits[i], limits[i] + 80);
		RJWT_CLEAN(free_clean) char *deep = token_of_length(f, limits[i] + 90, limits[i] + 96);
		enum rjwt_err err;

		assert_non_null(whole);
		assert_non_null(cut);
		assert_non_null(deep);
		want("whole", judge(f, whole, 0, NULL), RJWT_OK);
		want("longer", judge(f, cut, 0, NULL), RJWT_OK);
		cut[limits[i]] = deep[limits[i]] = '\0';
		want("cut in the signature", judge(f, cut, 0, NULL), RJWT_TRUNCATED);
		want("cut in the payload", judge(f, deep, 0, NULL), RJWT_TRUNCATED);
		/* Of full length, and wrong: not cut. */
		whole[limits[i] - 50] = whole[limits[i] - 50] == 'A' ? 'B' : 'A';
		want("a wrong signature", judge(f, whole, 0, NULL), RJWT_SIGNATURE);
		cut[limits[i] - 1] = '\0';
		err = judge(f, cut, 0, NULL);
		assert_true(err == RJWT_SIGNATURE || err == RJWT_MALFORMED);
	}
}

static void
test_too_long(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "max_token_bytes: %zu\n", strlen(token));
	fixture_config(f, yaml);
	want("of that length", judge(f, token, 0, NULL), RJWT_OK);
	snprintf(yaml, sizeof(yaml), "max_token_bytes: %zu\n", strlen(token) - 1);
	fixture_config(f, yaml);
	want("one more", judge(f, token, 0, NULL), RJWT_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_edits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_nul_in_token, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_one_bit, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_signature_length, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_truncated, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_too_long, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

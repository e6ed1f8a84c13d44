/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "jose/alg.h"
#include "jose/key.h"
#include "base/json_write.h"

#include "jose/jwk.h"

/* RFC 7515 A.3, RFC 7515 A.1, RFC 8037 A.2 */
#define X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y
#define K                                                       \
	"\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-" \
	"1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\""
#define OCT "\"kty\":\"oct\"," K
#define P256 "{\"kty\":\"EC\",\"crv\":\"P-256\"," X
#define ED "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\"," ED
#define TEN "0123456789"
#define KID128 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567"

static enum rjwt_err
parse(struct view text, struct jwk *jwk, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };

	EXPECT(text.p, json_parse(text, &json, NULL), RJWT_OK);
	return jwk_parse(json, jwk, diag);
}

static const struct {
	struct view text;
	enum rjwt_err wanted;
} key_rows[] = {
	{ VIEW("{" EC "}"), RJWT_OK },
	{ VIEW("{" OKP "}"), RJWT_OK },
	{ VIEW("{" OCT "}"), RJWT_OK },
	{ VIEW("{" EC ",\"d\":1,\"x5c\":[{}],\"ext\":true,\"\":null}"), RJWT_OK },
	/* alg, kty, crv: unknown ones are passed over, those that contradict each other refused */
	{ VIEW("{" EC ",\"alg\":\"ES256\"}"), RJWT_OK },
	{ VIEW("{" EC ",\"alg\":\"ES384\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"alg\":\"none\"}"), RJWT_ALG },
	{ VIEW("{" EC ",\"alg\":\"ECDH-ES\"}"), RJWT_ALG },
	{ VIEW("{" EC ",\"alg\":\"HS256\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"alg\":null}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"alg\":[\"ES256\"]}"), RJWT_KEYSET },
	{ VIEW("{" OKP ",\"alg\":\"EdDSA\"}"), RJWT_OK },
	{ VIEW("{" OCT ",\"alg\":\"HS512\"}"), RJWT_OK },
	{ VIEW("{" OCT ",\"alg\":\"RS256\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"EC\"," X "," Y "}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X "," Y "}"), RJWT_ALG },
	{ VIEW("{\"kty\":\"EC\",\"crv\":256," X "," Y "}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"oct\",\"crv\":256,\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"OKP\",\"crv\":\"X25519\"," ED "}"), RJWT_ALG },
	{ VIEW("{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AA\"}"), RJWT_ALG },
	{ VIEW("{" X "," Y "}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":1," X "}"), RJWT_KEYSET },
	{ VIEW("{}"), RJWT_KEYSET },
	/* use; key_ops, an array (RFC 7517 s4.3) */
	{ VIEW("{" EC ",\"use\":\"sig\"}"), RJWT_OK },
	{ VIEW("{" EC ",\"use\":\"enc\"}"), RJWT_ALG },
	{ VIEW("{" EC ",\"use\":\"SIG\"}"), RJWT_ALG },
	{ VIEW("{" EC ",\"use\":\"\"}"), RJWT_ALG },
	{ VIEW("{" EC ",\"use\":null}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"use\":[\"sig\"]}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"key_ops\":[\"verify\"]}"), RJWT_OK },
	{ VIEW("{" EC ",\"key_ops\":[\"sign\",\"verify\"]}"), RJWT_OK },
	{ VIEW("{" EC ",\"key_ops\":[\"sign\"]}"), RJWT_ALG },
	{ VIEW("{" EC ",\"key_ops\":[\"deriveKey\"]}"), RJWT_ALG },
	{ VIEW("{" EC ",\"key_ops\":[\"verify\",1]}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"key_ops\":{\"verify\":1}}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"key_ops\":null}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"key_ops\":\"verify\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}"), RJWT_ALG },
	/* 1970 is long ago, and not never */
	{ VIEW("{" EC ",\"exp\":1,\"revoked\":1,\"retired\":1}"), RJWT_OK },
	{ VIEW("{" EC ",\"exp\":0}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"revoked\":0}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"retired\":0}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"iat\":0,\"nbf\":0}"), RJWT_OK },
	/* kid */
	{ VIEW("{" EC ",\"kid\":\"a\"}"), RJWT_OK },
	{ VIEW("{" EC ",\"kid\":\"" KID128 "\"}"), RJWT_OK },
	{ VIEW("{" EC ",\"kid\":\"" KID128 "8\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"kid\":\"\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"kid\":1}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"kid\":null}"), RJWT_KEYSET },
	/* the members that are the key */
	{ VIEW(P256 "}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"EC\",\"crv\":\"P-256\"," Y "}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":null}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":\"\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\"}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0=\"}"), RJWT_KEYSET },
	{ VIEW(P256 ",\"y\":\"x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"), RJWT_OK },
	{ VIEW("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"oct\",\"k\":\"\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"oct\",\"k\":1}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"), RJWT_KEYSET },
	{ VIEW("{\"kty\":\"RSA\",\"n\":\"AQAB\"}"), RJWT_KEYSET },
	/* times: 0 to 2^53 */
	{ VIEW("{" EC ",\"iat\":1,\"nbf\":2,\"retired\":3}"), RJWT_OK },
	{ VIEW("{" EC ",\"exp\":9007199254740992,\"revoked\":1}"), RJWT_OK },
	{ VIEW("{" EC ",\"iat\":\"1\"}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"nbf\":1.5}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"retired\":-1}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"exp\":9007199254740993}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"exp\":null}"), RJWT_KEYSET },
	{ VIEW("{" EC ",\"revoked\":true}"), RJWT_KEYSET },
};

static void
one_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		struct rjwt_diag diag = { .text = "" };

		EXPECT(key_rows[i].text.p, parse(key_rows[i].text, &jwk, &diag), key_rows[i].wanted);
		CHECK(key_rows[i].text.p, (jwk.key != NULL) == (key_rows[i].wanted == RJWT_OK));
		CHECK(key_rows[i].text.p, (diag.text[0] == '\0') == (key_rows[i].wanted == RJWT_OK));
	}
}

static void
refusals_name_the_kid(void **state)
{
	struct jwk jwk = { 0 };
	static const struct {
		struct view text;
		enum rjwt_err wanted;
		const char *why;
	} rows[] = {
		{ VIEW(P256 "}"), RJWT_KEYSET, "the member k, n, e, x or y is missing or not a string" },
		{ VIEW("{\"kty\":\"RSA\",\"e\":\"AQAB\"}"), RJWT_KEYSET, "is missing or not a string" },
		{ VIEW("{" EC ",\"use\":\"enc\"}"), RJWT_ALG, "not for verifying signatures" },
		{ VIEW("{\"kty\":\"AKP\"}"), RJWT_ALG, "unsupported kty, crv or alg" },
	};
	struct rjwt_diag diag;

	(void)state;
	EXPECT("weak", parse(VIEW("{\"kid\":\"old-7\",\"kty\":\"oct\",\"k\":\"AAAA\"}"), &jwk, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "old-7"));
	EXPECT("none", parse(VIEW("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), &jwk, &diag), RJWT_KEYSET);
	assert_non_null(strstr(diag.text, "without kid"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT(rows[i].text.p, parse(rows[i].text, &jwk, &diag), rows[i].wanted);
		CHECK(rows[i].text.p, strstr(diag.text, rows[i].why) != NULL);
	}
	EXPECT("no diag", parse(VIEW("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), &jwk, NULL), RJWT_KEYSET);
}

/* A key file of an HMAC key has no secret. */
static void
a_key_whose_secret_is_elsewhere(void **state)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	(void)state;
	EXPECT("oct", parse(VIEW("{\"kid\":\"a.1\",\"kty\":\"oct\",\"alg\":\"HS384\",\"exp\":7}"), &jwk, NULL),
	    RJWT_OK);
	assert_null(jwk.key);
	assert_string_equal(jwk.alg->label, "HS384");
	EXPECT("put", jwk_put(&out, &jwk), RJWT_OK);
	assert_string_equal(out.p, "\"kid\":\"a.1\",\"kty\":\"oct\",\"alg\":\"HS384\",\"use\":\"sig\",\"exp\":7");
}

static void
there_and_back(void **state)
{
	(void)state;
	for (const char *const *label = alg_labels(); *label != NULL; label++) {
		RJWT_CLEAN(jwk_clear)
		struct jwk jwk = { .kid = "bA_-9.2147483647",
			.published_s = 1,
			.since_s = 2,
			.retired_s = 3,
			.until_s = 4,
			.revoked_s = 5 };
		RJWT_CLEAN(jwk_clear) struct jwk back = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		jwk.alg = alg_by_label(view_of(*label));
		EXPECT(*label, key_generate(jwk.alg, 2048, &jwk.key), RJWT_OK);
		json_open(&text, NULL);
		EXPECT(*label, jwk_put(&text, &jwk), RJWT_OK);
		json_close(&text);
		EXPECT(*label, parse(buf_view(&text), &back, NULL), RJWT_OK);
		CHECK(*label, strcmp(back.kid, jwk.kid) == 0 && back.alg == jwk.alg);
		CHECK(*label, back.published_s == 1 && back.since_s == 2 && back.retired_s == 3);
		CHECK(*label, back.until_s == 4 && back.revoked_s == 5);
		if (jwk.alg->kind == ALG_HMAC) {
			CHECK(*label, back.key == NULL && strstr(text.p, "\"k\"") == NULL);
			continue;
		}
		CHECK(*label, back.key != NULL && key_is_pair(back.key, jwk.key));
		CHECK(*label, strstr(text.p, "\"d\"") == NULL);
	}
}

static enum rjwt_err
parse_set(struct view text, size_t *n, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };
	enum rjwt_err err = jwk_set_parse(text, &set, diag);

	*n = set.n;
	return err;
}

static void
sets(void **state)
{
#define A "{\"kid\":\"a\"," EC "}"
#define SET(keys) VIEW("{\"keys\":[" keys "]}")
	static const struct {
		struct view text;
		enum rjwt_err wanted;
		size_t n;
		const char *diag;
	} rows[] = {
		{ SET(""), RJWT_OK, 0, "" },
		{ SET(A), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," OKP "}"), RJWT_OK, 2, "" },
		{ VIEW("{\"x\":1,\"keys\":[" A "],\"kid\":2}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"A\"," OKP "}"), RJWT_OK, 2, "" },
		{ SET(A ",{" OKP "}"), RJWT_OK, 2, "" },
		{ SET("{" EC "},{" OKP "}"), RJWT_OK, 2, "" }, /* kid is optional: RFC 7517 s4.5 */
		/* passed over: RFC 7517 s5 */
		{ SET(A ",{\"kid\":\"a\"," OKP "}"), RJWT_OK, 2, "" }, /* the same kid, another alg */
		{ SET(A ",{\"kid\":\"a\",\"kty\":\"AKP\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," EC ",\"use\":\"enc\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\",\"kty\":\"EC\",\"crv\":\"P-999\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," EC ",\"alg\":\"ECDH-ES\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," EC ",\"key_ops\":[\"encrypt\"]}"), RJWT_OK, 1, "" },
		{ SET("{\"kid\":\"b\",\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"A128KW\"}"), RJWT_OK, 0, "" },
		/* keys that cannot be used, whatever the reason */
		{ SET(A "," A), RJWT_OK, 0, "" },
		{ SET(A "," A ",{\"kid\":\"b\"," OKP "}," A), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\",\"kty\":\"EC\",\"crv\":\"P-256\"," X "}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\",\"kty\":\"oct\",\"k\":\"AAAA\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\",\"kty\":\"oct\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," OKP ",\"use\":7}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," EC ",\"alg\":\"EdDSA\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," OKP ",\"exp\":\"7\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"," OKP ",\"revoked\":{\"revoked_at\":7}}"), RJWT_OK, 1, "" },
		{ SET(A ",{\"kid\":\"b\"}"), RJWT_OK, 1, "" },
		{ SET(A ",{}"), RJWT_OK, 1, "" },
		{ SET(A ",null"), RJWT_OK, 1, "" },
		{ SET("[" A "]"), RJWT_OK, 0, "" },
		/* no set */
		{ VIEW("{\"keys\":{\"a\":" A "}}"), RJWT_KEYSET, 0, "keys" },
		{ VIEW(A), RJWT_KEYSET, 0, "keys" },
		{ VIEW("{\"Keys\":[]}"), RJWT_KEYSET, 0, "keys" },
		{ VIEW("{}"), RJWT_KEYSET, 0, "keys" },
		{ VIEW("[" A "]"), RJWT_KEYSET, 0, "object" },
		{ VIEW(""), RJWT_KEYSET, 0, "object" },
		{ VIEW("{\"keys\":[],\"keys\":[]}"), RJWT_KEYSET, 0, "duplicate" },
		{ VIEW("{\"keys\":[" A ",]}"), RJWT_KEYSET, 0, "expected a value" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { .text = "" };
		size_t n;

		EXPECT(rows[i].text.p, parse_set(rows[i].text, &n, &diag), rows[i].wanted);
		CHECK(rows[i].text.p, n == rows[i].n);
		CHECK(diag.text, strstr(diag.text, rows[i].diag) != NULL);
	}
}

static void
sets_of_the_rfcs(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("jwks.json", &json);

	(void)state;
	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++) {
		RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };
		struct json row = json_element(json, "cases", i);
		const char *name = unit_text(row, "name");
		size_t kids = 0;

		EXPECT(name, jwk_set_parse(view_of(unit_text(row, "set")), &set, NULL), RJWT_OK);
		CHECK(name, json_strings(row, "kids", &kids) == JSON_GOOD);
		CHECK(name, set.n >= kids);
		for (size_t k = 0; k < kids; k++) {
			const struct jwk *found = NULL;

			EXPECT(name, jwk_set_find(&set, json_string_at(row, "kids", k), VIEW("?"), &found), RJWT_OK);
			CHECK(name, view_is(json_string_at(row, "kids", k), found->kid));
		}
	}
}

static void
finding(void **state)
{
	RJWT_CLEAN(jwk_set_clear) struct jwk_set two = { 0 };
	RJWT_CLEAN(jwk_set_clear) struct jwk_set one = { 0 };
	RJWT_CLEAN(jwk_set_clear) struct jwk_set none = { 0 };
	static const struct {
		struct view kid;
		enum rjwt_err wanted;
	} rows[] = { { VIEW("a"), RJWT_OK }, { VIEW("b/../c"), RJWT_OK }, { VIEW("A"), RJWT_KEY_UNKNOWN },
		{ VIEW("a "), RJWT_KEY_UNKNOWN }, { VIEW("a\0"), RJWT_KEY_UNKNOWN }, { VIEW("b"), RJWT_KEY_UNKNOWN },
		{ VIEW("b/../"), RJWT_KEY_UNKNOWN }, { VIEW(KID128), RJWT_KEY_UNKNOWN }, { VIEW(KID128 "8"), RJWT_KID },
		{ VIEW(""), RJWT_KID }, { { NULL, 0 }, RJWT_KID } };
	const struct jwk *found;

	(void)state;
	EXPECT("two", jwk_set_parse(SET(A ",{\"kid\":\"b/../c\"," OKP "}"), &two, NULL), RJWT_OK);
	EXPECT("one", jwk_set_parse(SET(A), &one, NULL), RJWT_OK);
	EXPECT("none", jwk_set_parse(SET(""), &none, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		found = NULL;
		EXPECT("find", jwk_set_find(&two, rows[i].kid, VIEW("ES256"), &found), rows[i].wanted);
		assert_true((found != NULL) == (rows[i].wanted == RJWT_OK));
	}
	EXPECT("the only one", jwk_set_find(&one, VIEW(""), VIEW("ES256"), &found), RJWT_OK);
	assert_ptr_equal(found, &one.keys[0]);
	EXPECT("of none", jwk_set_find(&none, VIEW(""), VIEW("ES256"), &found), RJWT_KID);
	EXPECT("of none", jwk_set_find(&none, VIEW("a"), VIEW("ES256"), &found), RJWT_KEY_UNKNOWN);
	EXPECT("not by another kid", jwk_set_find(&one, VIEW("b"), VIEW("ES256"), &found), RJWT_KEY_UNKNOWN);
}

/* Which key a kid means, by the alg of the token; and what is said of those that are not used. */
static void
which_key(void **state)
{
	RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };
	const struct jwk *found;
	static const struct {
		const char *kid, *alg, *found; /* NULL: none */
	} rows[] = {
		{ "a", "ES256", "ES256" },
		{ "a", "EdDSA", "EdDSA" },
		{ "a", "Ed25519", "EdDSA" },
		{ "a", "RS256", "ES256" }, /* some key of that kid: its alg is not the token's */
		{ "b", "ES256", NULL },
		{ "c", "EdDSA", NULL },
		{ "d", "EdDSA", NULL },
		{ "e", "EdDSA", NULL },
	};
	static const struct {
		const char *kid, *why;
	} passed[] = { { "b", "another key has this kid and this alg" }, { "c", "unsupported kty, crv or alg" },
		{ "d", "revoked is not a time" } };

	(void)state;
	EXPECT("set",
	    jwk_set_parse(SET(A ",{\"kid\":\"b\"," EC "},{\"kid\":\"a\"," OKP "},{\"kid\":\"c\",\"kty\":\"AKP\"},"
				"{\"kid\":\"b\"," EC "},{\"kid\":\"d\"," OKP ",\"revoked\":{}},{\"kid\":\"b\"," EC
				"},7"),
		&set, NULL),
	    RJWT_OK);
	assert_int_equal(set.n, 2);
	assert_int_equal(set.npassed_over, 4);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err = jwk_set_find(&set, view_of(rows[i].kid), view_of(rows[i].alg), &found);

		EXPECT(rows[i].alg, err, rows[i].found == NULL ? RJWT_KEY_UNKNOWN : RJWT_OK);
		CHECK(rows[i].alg, err != RJWT_OK || strcmp(found->alg->name, rows[i].found) == 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		const char *why = jwk_set_why_not(&set, view_of(passed[i].kid));

		CHECK(passed[i].kid, why != NULL && strstr(why, passed[i].why) != NULL);
	}
	assert_string_equal(set.passed_over[2].why, "not an object"); /* the others are in their order */
	assert_null(jwk_set_why_not(&set, VIEW("a")));
	assert_null(jwk_set_why_not(&set, VIEW("e")));
	assert_null(jwk_set_why_not(&set, VIEW("")));
}

/* How many keys a set has, and is said to have passed over: neighbours or not, in whatever order. */
static void
of_one_kid(void **state)
{
	static const struct {
		struct view text;
		size_t n, passed_over;
	} rows[] = {
		{ SET("{\"kid\":\"b\"," EC "}," A ",{\"kid\":\"b\"," EC "}"), 1, 1 },
		{ SET(A ",{\"kid\":\"a\"," OKP "}," A ",{\"kid\":\"a\"," OKP "}"), 0, 2 },
		{ SET(A ",{\"kid\":\"b\"," EC "}," A ",{\"kid\":\"b\"," EC "}," A ",{\"kid\":\"c\"," EC "}"), 1, 2 },
		{ SET("{" EC "},{" EC "}"), 2, 0 },
		{ SET("{\"kid\":\"o\"," OCT "}"), 1, 0 }, /* without alg, and of one length */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(jwk_set_clear) struct jwk_set set = { 0 };

		EXPECT(rows[i].text.p, jwk_set_parse(rows[i].text, &set, NULL), RJWT_OK);
		CHECK(rows[i].text.p, set.n == rows[i].n && set.npassed_over == rows[i].passed_over);
	}
}

/* An RSA key serves the alg that it has, and without one all of its type: RFC 7517 s4.4. */
static void
of_any_alg(void **state)
{
	static const char *const names[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512" };
	struct jwk jwk = { .alg = alg_by_label(VIEW("RS256")), .kid = "r" };
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	RJWT_CLEAN(buf_clear) struct buf with = { 0 };
	RJWT_CLEAN(buf_clear) struct buf without = { 0 };
	RJWT_CLEAN(jwk_set_clear) struct jwk_set one = { 0 };
	RJWT_CLEAN(jwk_set_clear) struct jwk_set all = { 0 };
	const struct jwk *found;
	const char *alg;

	(void)state;
	EXPECT("key", key_generate(jwk.alg, 2048, &key), RJWT_OK);
	jwk.key = key;
	buf_adds(&with, "{\"keys\":[{");
	EXPECT("put", jwk_put(&with, &jwk), RJWT_OK);
	buf_adds(&with, "}]}");
	alg = strstr(with.p, "\"alg\":\"RS256\"");
	assert_non_null(alg);
	buf_add(&without, with.p, (size_t)(alg - with.p));
	buf_addf(&without, "\"x\":1%s", alg + strlen("\"alg\":\"RS256\""));
	EXPECT("with", jwk_set_parse(buf_view(&with), &one, NULL), RJWT_OK);
	EXPECT("without", jwk_set_parse(buf_view(&without), &all, NULL), RJWT_OK);
	assert_true(one.n == 1 && one.npassed_over == 0);
	assert_true(all.n == ARRAY_LEN(names) && all.npassed_over == 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		EXPECT(names[i], jwk_set_find(&all, VIEW("r"), view_of(names[i]), &found), RJWT_OK);
		assert_string_equal(found->alg->name, names[i]);
		EXPECT(names[i], jwk_set_find(&one, VIEW("r"), view_of(names[i]), &found), RJWT_OK);
		assert_string_equal(found->alg->name, "RS256");
		EXPECT("without a kid", jwk_set_find(&all, VIEW(""), view_of(names[i]), &found), RJWT_OK);
		assert_string_equal(found->alg->name, names[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_key),
		cmocka_unit_test(refusals_name_the_kid),
		cmocka_unit_test(a_key_whose_secret_is_elsewhere),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(sets),
		cmocka_unit_test(sets_of_the_rfcs),
		cmocka_unit_test(finding),
		cmocka_unit_test(which_key),
		cmocka_unit_test(of_one_kid),
		cmocka_unit_test(of_any_alg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

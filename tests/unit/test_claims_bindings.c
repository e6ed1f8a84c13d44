/* SPDX-License-Identifier: MIT */
/* Claims that bind a token to a key or to addresses. */
#include "claims_rows.h"
#include "ssh_keys.h"

#define CNF(value) VIEW("{" ALL ",\"cnf\":" value "}")
#define SRC(value) VIEW("{" ALL ",\"src\":" value "}")
#define KID "\"kid\":\"" SSH_FINGERPRINT "\""
#define FOUR "\"10.0.0.0/8\",\"192.0.2.7/32\",\"::/0\",\"2001:db8::/32\""

/* cnf and src have one form each, and a token with another one is refused, not taken to be free. */
static const struct row bound[] = {
	{ CNF("{" KID "}"), true },
	{ CNF(" { \"k\\u0069d\" : \"" SSH_FINGERPRINT "\" } "), true },
	{ CNF("{\"kid\":\"SHA256:x\"}"), false },
	{ CNF("{\"kid\":\"\"}"), false },
	{ CNF("{\"kid\":null}"), false },
	{ CNF("{\"kid\":7}"), false },
	{ CNF("{\"kid\":[\"" SSH_FINGERPRINT "\"]}"), false },
	{ CNF("{\"Kid\":\"" SSH_FINGERPRINT "\"}"), false },
	{ CNF("{" KID ",\"jkt\":\"x\"}"), false },
	{ CNF("{" KID ",\"jwk\":{}}"), false },
	{ CNF("{" KID ",\"x5t#S256\":\"x\"}"), false },
	{ CNF("{" KID ",\"x\":1}"), false },
	{ CNF("{\"jkt\":\"x\"}"), false },
	{ CNF("{\"kid\":\"" SSH_FINGERPRINT " \"}"), false },
	{ CNF("[{" KID "}]"), false },
	{ CNF("\"" SSH_FINGERPRINT "\""), false },
	{ CNF("{}"), false },
	{ CNF("\"\""), false },
	{ CNF("[]"), false },
	{ CNF("null"), false },
	{ CNF("false"), false },
	{ CNF("0"), false },
};
static const struct row ranged[] = {
	{ SRC("[\"10.0.0.0/8\"]"), true },
	{ SRC("[\"10.0.0.0\\/8\"]"), true },
	{ SRC("[" FOUR "," FOUR "," FOUR "," FOUR "]"), true },
	{ SRC("[" FOUR "," FOUR "," FOUR "," FOUR ",\"10.0.0.0/8\"]"), false },
	{ SRC("\"10.0.0.0/8\""), false },
	{ SRC("[\"10.0.0.0/8\",7]"), false },
	{ SRC("[\"10.0.0.0/8\",null]"), false },
	{ SRC("[\"10.0.0.0/8\",\"10.0.0.1/8\"]"), false },
	{ SRC("[\"10.0.0.0/8\",\"\"]"), false },
	{ SRC("[[\"10.0.0.0/8\"]]"), false },
	{ SRC("[\"10.0.0.0\"]"), false },
	{ SRC("[\"10.0.0.0/08\"]"), false },
	{ SRC("[\"2001:DB8::/32\"]"), false },
	{ SRC("[\"10.0.0.0/8\\u0020\"]"), false },
	{ SRC("{\"10.0.0.0/8\":true}"), false },
	{ SRC("{}"), false },
	{ SRC("\"\""), false },
	{ SRC("[]"), false },
	{ SRC("null"), false },
	{ SRC("false"), false },
	{ SRC("0"), false },
};

static bool
count_range(void *context, struct view range)
{
	size_t *n = context;

	++*n;
	return !view_is(range, "::/0");
}

static void
bindings(void **state)
{
	RJWT_CLEAN(claims_clear) struct claims claims = { 0 };
	size_t n = 0;

	(void)state;
	judge(bound, ARRAY_LEN(bound), "sub", "cnf");
	judge(ranged, ARRAY_LEN(ranged), "sub", "src");
	EXPECT("cnf", claims_parse(CNF("{" KID "}"), "sub", &claims, NULL), RJWT_OK);
	assert_true(claims.has_cnf && !claims.has_src && view_is(claims.cnf_kid, SSH_FINGERPRINT));
	assert_false(claims_each_range(&claims, count_range, &n));
	claims_clear(&claims);
	EXPECT("src", claims_parse(SRC("[\"10.0.0.0/8\",\"10.0.0.0/9\"]"), "sub", &claims, NULL), RJWT_OK);
	assert_true(!claims.has_cnf && claims.has_src && claims.cnf_kid.p == NULL);
	assert_true(claims_each_range(&claims, count_range, &n) && n == 2);
	claims_clear(&claims);
	EXPECT("first", claims_parse(SRC("[" FOUR "]"), "sub", &claims, NULL), RJWT_OK);
	assert_false(claims_each_range(&claims, count_range, &n));
	assert_int_equal(n, 5); /* it ends where it is told to */
}

/* A token of others may be bound in any form; none of them is a key or an address. */
static void
bindings_of_others(void **state)
{
	size_t good = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bound) + ARRAY_LEN(ranged); i++) {
		bool src = i >= ARRAY_LEN(bound);
		const struct row *row = src ? &ranged[i - ARRAY_LEN(bound)] : &bound[i];
		RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

		EXPECT(row->text.p, claims_parse_foreign(row->text, "sub", &claims, NULL), RJWT_OK);
		CHECK(row->text.p, claims.has_cnf == !src && claims.has_src == src);
		CHECK(row->text.p, (claims.cnf_kid.p != NULL) == (!src && row->good));
		good += row->good;
	}
	assert_int_equal(good, 5);
}

/* Whom another issuer means by act nobody knows; and without times there is nothing to judge. */
static void
others(void **state)
{
	static const struct {
		struct view text;
		enum rjwt_err code;
		const char *actor;
	} rows[] = {
		{ VIEW("{\"iss\":\"i\",\"sub\":\"a\",\"aud\":\"h\",\"exp\":9,\"iat\":1,\"act\":{\"sub\":\"carol\"}}"),
		    RJWT_OK, "carol" },
		{ VIEW("{\"iss\":\"i\",\"sub\":\"a\",\"aud\":\"h\",\"exp\":9,\"iat\":1,\"act\":{\"sub\":\"carol\","
		       "\"iss\":\"x\"}}"),
		    RJWT_OK, "" },
		{ VIEW("{\"iss\":\"i\",\"sub\":\"a\",\"aud\":\"h\",\"exp\":9,\"iat\":1,\"act\":7}"), RJWT_OK, "" },
		{ VIEW("{\"iss\":\"i\",\"sub\":\"a\",\"aud\":\"h\",\"iat\":1}"), RJWT_CLAIMS, "" },
		{ VIEW("{\"iss\":\"i\",\"sub\":\"a\",\"aud\":\"h\",\"exp\":9}"), RJWT_CLAIMS, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

		EXPECT(rows[i].text.p, claims_parse_foreign(rows[i].text, "sub", &claims, NULL), rows[i].code);
		CHECK(rows[i].text.p, claims.actor.n == strlen(rows[i].actor));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bindings),
		cmocka_unit_test(bindings_of_others),
		cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

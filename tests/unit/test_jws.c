/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "jose/alg.h"
#include "base/base64url.h"
#include "jose/key.h"

#include "jose/jws.h"

static void
splitting(void **state)
{
	static const struct {
		struct view token;
		enum rjwt_err wanted;
	} rows[] = {
		{ VIEW("aaaa.bbbb.cccc"), RJWT_OK },
		{ VIEW("YQ.YQ.YQ"), RJWT_OK },
		{ VIEW("-_-_.____.----"), RJWT_OK },
		{ { NULL, 0 }, RJWT_MALFORMED },
		{ VIEW(""), RJWT_MALFORMED },
		{ VIEW("."), RJWT_MALFORMED },
		{ VIEW(".."), RJWT_MALFORMED },
		{ VIEW("..."), RJWT_MALFORMED },
		{ VIEW("aaaa"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb."), RJWT_MALFORMED },
		{ VIEW(".bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa..cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc."), RJWT_MALFORMED },
		{ VIEW(".aaaa.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc.dddd"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc.dddd.eeee"), RJWT_MALFORMED },
		{ VIEW("Bearer aaaa.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("\"aaaa.bbbb.cccc\""), RJWT_MALFORMED },
		{ VIEW(" aaaa.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc "), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc\n"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc\r\n"), RJWT_MALFORMED },
		{ VIEW("aaaa.bb\tb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cccc\0"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb\0.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bb+b.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.cc/c"), RJWT_MALFORMED },
		{ VIEW("YQ==.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("YR.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.YR.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.YR"), RJWT_MALFORMED },
		{ VIEW("aaaaa.bbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbbb.cccc"), RJWT_MALFORMED },
		{ VIEW("aaaa.bbbb.ccccc"), RJWT_MALFORMED },
		{ VIEW("{\"payload\":\"aaaa\",\"signature\":\"a.b.c\"}"), RJWT_MALFORMED },
		{ VIEW("aaaa\xe2\x80\xa4"
		       "bbbb.cccc"),
		    RJWT_MALFORMED },
		{ VIEW("\xef\xbb\xbf"
		       "aaaa.bbbb.cccc"),
		    RJWT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *label = rows[i].token.p == NULL ? "NULL" : rows[i].token.p, *why = NULL;
		struct jws jws;

		EXPECT(label, jws_split(rows[i].token, false, &jws, &why), rows[i].wanted);
		CHECK(label, rows[i].wanted == RJWT_OK || why != NULL);
	}
}

/* The first thing that is wrong is what is told. */
static void
splitting_tells(void **state)
{
	static const struct {
		struct view token;
		const char *why;
	} rows[] = { { VIEW("aaaa.bbbb.cccc.dddd"), "fewer or more parts" },
		{ VIEW("aaaa.bbbb"), "fewer or more parts" }, { VIEW("aaaa..cccc"), "a part is empty" },
		{ VIEW("aaaa.bb+b.cccc"), "a byte outside the base64url alphabet" },
		{ VIEW("aaaa.bbbbb.cccc"), "a length that base64url cannot have" },
		{ VIEW("aaaa.bbbb.YR"), "unused bits that are not zero" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = NULL;
		struct jws jws;

		EXPECT(rows[i].token.p, jws_split(rows[i].token, false, &jws, &why), RJWT_MALFORMED);
		assert_string_equal(why, rows[i].why);
	}
}

static void
parts(void **state)
{
	const struct view token = VIEW("aaaa.YmJi.Y2NjYw");
	struct jws jws;
	const char *why;

	(void)state;
	EXPECT("split", jws_split(token, false, &jws, &why), RJWT_OK);
	assert_true(view_is(jws.header, "aaaa"));
	assert_true(view_is(jws.payload, "YmJi"));
	assert_true(view_is(jws.signature, "Y2NjYw"));
	assert_true(view_is(jws.input, "aaaa.YmJi"));
	assert_ptr_equal(jws.header.p, token.p);
	assert_null(jws.json.object);
}

/* A token with this header, split and read. The view of the token dies with the call, as the
 * header's text does. */
static enum rjwt_err
reading(struct view header, struct jws *jws, struct buf *token, struct rjwt_diag *diag)
{
	const char *why;

	buf_clear(token);
	base64url_encode(token, header);
	buf_adds(token, ".e30.AAAA");
	EXPECT(header.p, jws_split(buf_view(token), false, jws, &why), RJWT_OK);
	return jws_header(jws, false, diag);
}

static void
headers(void **state)
{
	static const struct {
		struct view header;
		enum rjwt_err wanted;
	} rows[] = {
		{ VIEW("{\"alg\":\"ES256\"}"), RJWT_OK },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":\"a.1\",\"typ\":\"JWT\"}"), RJWT_OK },
		{ VIEW(" { \"typ\" : \"JWT\" ,\r\n \"alg\" : \"HS256\" } "), RJWT_OK },
		{ VIEW("{\"alg\":\"ES256\",\"x\":{\"y\":[1]},\"crit2\":1,\"Crit\":1}"), RJWT_OK },
		/* alg: a string; which one is for the key to say */
		{ VIEW("{}"), RJWT_HEADER },
		{ VIEW("{\"Alg\":\"ES256\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":null}"), RJWT_HEADER },
		{ VIEW("{\"alg\":1}"), RJWT_HEADER },
		{ VIEW("{\"alg\":true}"), RJWT_HEADER },
		{ VIEW("{\"alg\":[\"ES256\"]}"), RJWT_HEADER },
		{ VIEW("{\"alg\":{\"alg\":\"ES256\"}}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"alg\":\"ES256\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"none\",\"alg\":\"ES256\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"none\\u0000\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\0\"}"), RJWT_HEADER },
		/* kid, typ: strings */
		{ VIEW("{\"alg\":\"ES256\",\"kid\":\"\"}"), RJWT_OK },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":1}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":null}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":[\"a\"]}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":{}}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"typ\":\"\"}"), RJWT_OK },
		{ VIEW("{\"alg\":\"ES256\",\"typ\":1}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"typ\":null}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"kid\":\"a\",\"kid\":\"b\"}"), RJWT_HEADER },
		/* strict JSON */
		{ VIEW("[\"ES256\"]"), RJWT_HEADER },
		{ VIEW("\"ES256\""), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\"}x"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",}"), RJWT_HEADER },
		{ VIEW("\xef\xbb\xbf{\"alg\":\"ES256\"}"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\"}\0"), RJWT_HEADER },
		{ VIEW("{'alg':'ES256'}"), RJWT_HEADER },
		{ VIEW("null"), RJWT_HEADER },
		{ VIEW("{\"alg\":\"ES256\",\"x\":\"\xff\"}"), RJWT_HEADER },
	};
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(jws_clear) struct jws jws = { 0 };
		struct rjwt_diag diag = { .text = "" };

		EXPECT(rows[i].header.p, reading(rows[i].header, &jws, &token, &diag), rows[i].wanted);
		CHECK(rows[i].header.p, (diag.text[0] == '\0') == (rows[i].wanted == RJWT_OK));
	}
}

/* RFC 7515 s4.1.11 and what nobody here honours: refused whatever the value, also where it says
 * nothing. */
static void
members_that_are_not_accepted(void **state)
{
	static const char *const names[] = { "crit", "b64", "zip", "cty", "jwk", "jku", "x5c", "x5u", "x5t",
		"x5t#S256" };
	static const char *const values[] = { "\"JWT\"", "\"\"", "[]", "[\"exp\"]", "{}", "null", "true", "false", "0",
		"1.5" };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(values); k++)
			for (int twin = 0; twin < 2; twin++) {
				RJWT_CLEAN(jws_clear) struct jws jws = { 0 };
				RJWT_CLEAN(buf_clear) struct buf header = { 0 };
				struct rjwt_diag diag = { .text = "" };

				buf_addf(&header, "{\"alg\":\"ES256\",\"%s%s\":%s}", twin == 1 ? "x" : "", names[i],
				    values[k]);
				EXPECT(header.p, reading(buf_view(&header), &jws, &token, &diag),
				    twin == 1 ? RJWT_OK : RJWT_HEADER);
				CHECK(header.p, twin == 1 || strstr(diag.text, names[i]) != NULL);
			}
}

static void
views_into_the_header(void **state)
{
	RJWT_CLEAN(jws_clear) struct jws all = { 0 };
	RJWT_CLEAN(jws_clear) struct jws few = { 0 };
	RJWT_CLEAN(buf_clear) struct buf token = { 0 };

	(void)state;
	EXPECT("all",
	    reading(VIEW("{\"alg\":\"E\\u0053256\",\"kid\":\"a.1\",\"typ\":\"login+jwt\"}"), &all, &token, NULL),
	    RJWT_OK);
	assert_true(view_is(all.alg, "ES256"));
	assert_true(view_is(all.kid, "a.1"));
	assert_true(view_is(all.typ, "login+jwt"));
	EXPECT("few", reading(VIEW("{\"alg\":\"None\"}"), &few, &token, NULL), RJWT_OK);
	assert_true(view_is(few.alg, "None"));
	assert_null(few.kid.p);
	assert_null(few.typ.p);
}

static void
reserved_names(void **state)
{
	static const char *const yes[] = { "alg", "kid", "typ", "crit", "b64", "zip", "cty", "jwk", "jku", "x5c", "x5u",
		"x5t", "x5t#S256" };
	static const char *const no[] = { "", "a", "Alg", "alg ", "al", "kids", "x5", "env", "x5t#S25" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CHECK(yes[i], jws_is_reserved(view_of(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CHECK(no[i], !jws_is_reserved(view_of(no[i])));
}

/* RFC 7515 A.5 is unsecured, RFC 7520 4.5 detached: both have an empty part. */
static void
unsecured_and_detached(void **state)
{
	struct jws jws;
	const char *why;

	(void)state;
	EXPECT("A.5",
	    jws_split(VIEW("eyJhbGciOiJub25lIn0."
			   "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
			   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."),
		false, &jws, &why),
	    RJWT_MALFORMED);
	EXPECT("4.5",
	    jws_split(VIEW("eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJ"
			   "jNzAzNyJ9.."
			   "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"),
		false, &jws, &why),
	    RJWT_MALFORMED);
}

/* Whoever did not split gets no verdict on what is no base64url: a signature that nobody made. */
static void
not_split(void **state)
{
	const struct jws odd = { .input = VIEW("a.b"), .payload = VIEW("!"), .signature = VIEW("!") };
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	(void)state;
	EXPECT("key", key_generate(alg_by_label(VIEW("ES256")), 0, &key), RJWT_OK);
	EXPECT("signature", jws_verify(&odd, key, &payload, NULL), RJWT_SIGNATURE);
	assert_int_equal(payload.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splitting),
		cmocka_unit_test(splitting_tells),
		cmocka_unit_test(parts),
		cmocka_unit_test(headers),
		cmocka_unit_test(members_that_are_not_accepted),
		cmocka_unit_test(views_into_the_header),
		cmocka_unit_test(reserved_names),
		cmocka_unit_test(unsecured_and_detached),
		cmocka_unit_test(not_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

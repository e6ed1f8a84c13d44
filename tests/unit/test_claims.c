/* SPDX-License-Identifier: MIT */
#include "claims_rows.h"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define N128 FIFTY FIFTY TEN TEN "01234567"
#define N255 FIFTY FIFTY FIFTY FIFTY FIFTY "01234"

static void
json(void **state)
{
	static const struct row rows[] = {
		{ VIEW("{" ALL "}"), true },
		{ VIEW(" {" ALL "}\n"), true },
		{ VIEW("{" ALL ",\"x\":{\"iss\":1},\"Exp\":null}"), true },
		{ VIEW("{" ALL "}}"), false },
		{ VIEW("{" ALL ",\"sub\":\"alice\"}"), false },
		{ VIEW("{" ALL ",\"s\\u0075b\":\"root\"}"), false },
		{ VIEW("[{" ALL "}]"), false },
		{ VIEW("{" ALL "}\0"), false },
		{ VIEW("{" ALL ",\"x\":\"\\u0000\"}"), false },
		{ VIEW("{" ALL ",\"x\":\"\xff\"}"), false },
		{ VIEW("{" ALL ",\"x\":NaN}"), false },
		{ VIEW("null"), false },
		{ VIEW(""), false },
		{ { NULL, 0 }, false },
	};

	(void)state;
	judge(rows, ARRAY_LEN(rows), "sub", "");
}

static void
issuer(void **state)
{
	static const struct row rows[] = {
		{ VIEW("{" ISS AUD EXP IAT SUB "}"), true },
		{ VIEW("{" AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":\"\"," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":null," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":1," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":true," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":[\"host\"]," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":{}," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":\"" N255 "\"," AUD EXP IAT SUB "}"), true },
		{ VIEW("{\"iss\":\"" N255 "5\"," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":\"a b\"," AUD EXP IAT SUB "}"), true },
		{ VIEW("{\"iss\":\"a\\nb\"," AUD EXP IAT SUB "}"), false },
		{ VIEW("{\"iss\":\"a\\u009bb\"," AUD EXP IAT SUB "}"), false },
	};

	(void)state;
	judge(rows, ARRAY_LEN(rows), "sub", "iss");
}

static void
audience(void **state)
{
	static const struct row rows[] = {
		{ VIEW("{\"aud\":\"host\"," ISS EXP IAT SUB "}"), true },
		{ VIEW("{\"aud\":[\"host\"]," ISS EXP IAT SUB "}"), true },
		{ VIEW("{\"aud\":[\"a\",\"host\",\"b\"]," ISS EXP IAT SUB "}"), true },
		{ VIEW("{" ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":[]," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":null," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":{\"host\":1}," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":true," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":1," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":[\"host\",1]," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":[\"host\",null]," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":[[\"host\"]]," ISS EXP IAT SUB "}"), false },
		{ VIEW("{\"aud\":[{},\"host\"]," ISS EXP IAT SUB "}"), false },
	};
	static const struct {
		struct view text;
		const char *has, *has_not[6];
	} forms[] = {
		{ VIEW("{\"aud\":\"host\"," ISS EXP IAT SUB "}"), "host",
		    { "", "hos", "hostx", "Host", "host ", NULL } },
		{ VIEW("{\"aud\":[\"a\",\"h\\u006fst\"]," ISS EXP IAT SUB "}"), "host",
		    { "", "ahost", "b", "a,host", "HOST", NULL } },
		{ VIEW("{\"aud\":\"a,host b\"," ISS EXP IAT SUB "}"), "a,host b",
		    { "host", "a", "b", "host b", "*", NULL } },
		{ VIEW("{\"aud\":[\"*\"]," ISS EXP IAT SUB "}"), "*", { "host", "", "**", NULL } },
	};

	(void)state;
	judge(rows, ARRAY_LEN(rows), "sub", "aud");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

		EXPECT(forms[i].text.p, claims_parse(forms[i].text, "sub", &claims, NULL), RJWT_OK);
		CHECK(forms[i].text.p, claims_audience_has(&claims, forms[i].has));
		for (const char *const *name = forms[i].has_not; *name != NULL; name++)
			CHECK(*name, !claims_audience_has(&claims, *name));
	}
}

/* exp, iat and nbf: integer literals from 0 to 2^53; all but nbf must be there. */
static void
times(void **state)
{
	static const char *const names[] = { "exp", "iat", "nbf" };
	static const struct {
		const char *literal; /* NULL: absent */
		bool good;
		int64_t wanted;
	} rows[] = {
		{ "0", true, 0 },
		{ "1795471200", true, 1795471200 },
		{ "9007199254740992", true, JSON_INTEGER_MAX },
		{ "9007199254740993", false, 0 },
		{ "9223372036854775808", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "-1", false, 0 },
		{ "-0", false, 0 },
		{ "1795471200.0", false, 0 },
		{ "1795471200.5", false, 0 },
		{ "1.7954712e9", false, 0 },
		{ "1e9", false, 0 },
		{ "\"1795471200\"", false, 0 },
		{ "\"\"", false, 0 },
		{ "true", false, 0 },
		{ "false", false, 0 },
		{ "null", false, 0 },
		{ "[1795471200]", false, 0 },
		{ "{}", false, 0 },
		{ NULL, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			RJWT_CLEAN(claims_clear) struct claims claims = { 0 };
			RJWT_CLEAN(buf_clear) struct buf text = { 0 };
			struct rjwt_diag diag = { .text = "" };
			bool good = rows[k].good || (rows[k].literal == NULL && i == 2);
			const int64_t *const found[] = { &claims.exp_s, &claims.iat_s, &claims.nbf_s };

			buf_addf(&text, "{%s%s", i == 0 ? "" : EXP, i == 1 ? "" : IAT);
			if (rows[k].literal != NULL)
				buf_addf(&text, "\"%s\":%s,", names[i], rows[k].literal);
			buf_adds(&text, ISS AUD SUB "}");
			EXPECT(text.p, claims_parse(buf_view(&text), "sub", &claims, &diag),
			    good ? RJWT_OK : RJWT_CLAIMS);
			CHECK(text.p, good || strstr(diag.text, names[i]) != NULL);
			CHECK(text.p, *found[i] == rows[k].wanted);
		}
}

static void
user(void **state)
{
	static const struct row sub[] = {
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"alice\"}"), true },
		{ VIEW("{" ISS AUD EXP IAT "\"x\":\"alice\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":null}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":0}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":[\"alice\"]}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":true}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"a\\u0001b\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"a\\tb\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"a\\u007f\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"\\u0085\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"" N255 "\"}"), true },
		{ VIEW("{" ISS AUD EXP IAT "\"sub\":\"" N255 "5\"}"), false },
	};
	/* With a claim of its own for the user, sub may be absent but not wrong. */
	static const struct row other[] = {
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice\"}"), true },
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice\"," SUB "}"), true },
		{ VIEW("{" ALL "}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":7," SUB "}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"\"," SUB "}"), false },
	};
	static const struct row wrong_sub[] = {
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice\",\"sub\":7}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice\",\"sub\":\"\"}"), false },
		{ VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice\",\"sub\":null}"), false },
	};
	RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

	(void)state;
	judge(sub, ARRAY_LEN(sub), "sub", "sub");
	judge(other, ARRAY_LEN(other), "upn", "upn");
	judge(wrong_sub, ARRAY_LEN(wrong_sub), "upn", "sub");
	EXPECT("upn", claims_parse(VIEW("{" ISS AUD EXP IAT "\"upn\":\"alice@x\"," SUB "}"), "upn", &claims, NULL),
	    RJWT_OK);
	assert_true(view_is(claims.user, "alice@x"));
	assert_true(view_is(claims.sub, "alice"));
	assert_true(view_is(claims.iss, "host"));
	assert_null(claims.jti.p);
	assert_null(claims.scope.p);
	assert_false(claims.once || claims.has_cnf || claims.has_src);
}

static void
token_ids(void **state)
{
	static const struct row rows[] = {
		{ VIEW("{" ALL ",\"jti\":\"a\"}"), true },
		{ VIEW("{" ALL ",\"jti\":\"" N128 "\"}"), true },
		{ VIEW("{" ALL ",\"jti\":\"" N128 "8\"}"), false },
		{ VIEW("{" ALL ",\"jti\":\"\"}"), false },
		{ VIEW("{" ALL ",\"jti\":7}"), false },
		{ VIEW("{" ALL ",\"jti\":null}"), false },
		{ VIEW("{" ALL ",\"jti\":[\"a\"]}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\\nb\"}"), false },
		{ VIEW("{" ALL ",\"jti\":\"../a\"}"), true },
		/* for one use a jti is needed */
		{ VIEW("{" ALL ",\"once\":true,\"jti\":\"a\"}"), true },
		{ VIEW("{" ALL ",\"once\":true}"), false },
		{ VIEW("{" ALL ",\"once\":false}"), true },
	};
	static const struct row uses[] = {
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":2}"), true },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":1}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":0}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":-2}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":100}"), true },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":101}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":\"2\"}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":null}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":2.0}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":true}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":2,\"once\":true}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"uses\":2,\"once\":false}"), false },
	};
	static const struct row unnamed[] = { { VIEW("{" ALL ",\"uses\":2}"), false } };
	static const struct row once[] = {
		{ VIEW("{" ALL ",\"jti\":\"a\",\"once\":\"true\"}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"once\":1}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"once\":null}"), false },
		{ VIEW("{" ALL ",\"jti\":\"a\",\"once\":[]}"), false },
	};
	RJWT_CLEAN(claims_clear) struct claims claims = { 0 };

	(void)state;
	judge(rows, ARRAY_LEN(rows), "sub", "jti");
	judge(once, ARRAY_LEN(once), "sub", "once");
	judge(uses, ARRAY_LEN(uses), "sub", "uses");
	judge(unnamed, ARRAY_LEN(unnamed), "sub", "jti");
	EXPECT("uses", claims_parse(VIEW("{" ALL ",\"uses\":7,\"jti\":\"a\"}"), "sub", &claims, NULL), RJWT_OK);
	assert_true(claims.uses == 7 && !claims.once);
	claims_clear(&claims);
	EXPECT("none", claims_parse(VIEW("{" ALL "}"), "sub", &claims, NULL), RJWT_OK);
	assert_true(claims.uses == 0);
	claims_clear(&claims);
	EXPECT("once", claims_parse(VIEW("{" ALL ",\"once\":true,\"jti\":\"a\"}"), "sub", &claims, NULL), RJWT_OK);
	assert_true(claims.once);
	assert_true(view_is(claims.jti, "a"));
}

static void
scopes(void **state)
{
#define W32 TEN TEN TEN "Az"
	static const struct row rows[] = {
		{ VIEW("{" ALL ",\"scope\":\"ssh\"}"), true },
		{ VIEW("{" ALL ",\"scope\":\"ssh sudo a.b_c:d/e-f\"}"), true },
		{ VIEW("{" ALL ",\"scope\":\"" W32 "\"}"), true },
		{ VIEW("{" ALL ",\"scope\":\"a " W32 " b\"}"), true },
		{ VIEW("{" ALL ",\"scope\":\"" W32 "x\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\" \"}"), false },
		{ VIEW("{" ALL ",\"scope\":\" ssh\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh \"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh  sudo\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh\\tsudo\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh\\nsudo\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh,sudo\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"ssh\\u00a0sudo\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"*\"}"), false },
		{ VIEW("{" ALL ",\"scope\":\"s\xc3\xa9h\"}"), false },
		{ VIEW("{" ALL ",\"scope\":[\"ssh\"]}"), false },
		{ VIEW("{" ALL ",\"scope\":null}"), false },
		{ VIEW("{" ALL ",\"scope\":1}"), false },
		{ VIEW("{" ALL ",\"scope\":{\"ssh\":true}}"), false },
	};
	static const char *const in[] = { "ssh", "sudo", "a:b" };
	static const char *const out[] = { "", "ss", "sshx", "SSH", "ssh ", "ssh sudo", "a", "b", "*" };
	RJWT_CLEAN(claims_clear) struct claims some = { 0 };
	RJWT_CLEAN(claims_clear) struct claims none = { 0 };

	(void)state;
	judge(rows, ARRAY_LEN(rows), "sub", "scope");
	EXPECT("some", claims_parse(VIEW("{" ALL ",\"scope\":\"ssh sudo a:b\"}"), "sub", &some, NULL), RJWT_OK);
	EXPECT("none", claims_parse(VIEW("{" ALL "}"), "sub", &none, NULL), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		CHECK(in[i], claims_scope_has(&some, in[i]));
		CHECK(in[i], !claims_scope_has(&none, in[i])); /* no scope opens nothing */
	}
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		CHECK(out[i], !claims_scope_has(&some, out[i]) && !claims_scope_has(&none, out[i]));
}

static void
names(void **state)
{
	static const struct row rows[] = {
		{ VIEW("a"), true },
		{ VIEW("-x"), true },
		{ VIEW("a/b:c d"), true },
		{ VIEW("gr\xc3\xbc\xc3\x9f"), true },
		{ VIEW("\xc2\xa0"), true },
		{ VIEW("\xf4\x8f\xbf\xbf"), true },
		{ VIEW(N255), true },
		{ VIEW(" ~"), true },
		{ VIEW(N255 "5"), false },
		{ VIEW(""), false },
		{ { NULL, 0 }, false },
		{ VIEW("a\0"), false },
		{ VIEW("\0"), false },
		{ VIEW("root\0alice"), false },
		{ VIEW("a\n"), false },
		{ VIEW("\x01"), false },
		{ VIEW("\x1f"), false },
		{ VIEW("\x7f"), false },
		{ VIEW("\xc2\x80"), false },
		{ VIEW("\xc2\x9f"), false },
		{ VIEW("a\xc2\x9b"
		       "b"),
		    false },
		{ VIEW("\xff"), false },
		{ VIEW("a\xc3"), false },
		{ VIEW("\xc0\xaf"), false },
		{ VIEW("\xed\xa0\x80"), false },
		{ VIEW("\x80"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].text.p == NULL ? "NULL" : rows[i].text.p,
		    claims_name_check(rows[i].text) == rows[i].good);
}

static void
words(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char text[3] = { 'a', (char)c, 'z' };
		bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
			    c == '_' || c == ':' || c == '/' || c == '-';

		for (size_t from = 0; from < 2; from++)
			assert_int_equal(claims_word_check(unit_view(text + from, 2)), good);
		assert_int_equal(claims_word_check(unit_view(text + 1, 1)), good);
	}
	assert_true(claims_word_check(VIEW(W32)));
	assert_false(claims_word_check(VIEW(W32 "x")));
	assert_false(claims_word_check(VIEW("")));
}

static void
reserved(void **state)
{
	static const char *const yes[] = { "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "once", "uses",
		"cnf", "src", "act", "upn" };
	static const char *const no[] = { "", "Iss", "is", "issu", "name", "up", "upn2", "ac", "actor" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CHECK(yes[i], claims_is_reserved(view_of(yes[i]), "upn"));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CHECK(no[i], !claims_is_reserved(view_of(no[i]), "upn"));
	assert_false(claims_is_reserved(VIEW("upn"), "sub"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(issuer),
		cmocka_unit_test(audience),
		cmocka_unit_test(times),
		cmocka_unit_test(user),
		cmocka_unit_test(token_ids),
		cmocka_unit_test(scopes),
		cmocka_unit_test(names),
		cmocka_unit_test(words),
		cmocka_unit_test(reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"
#include "base/base64url.h"

/* From memory that ends where the text does: what reads on is seen by ASan. */
static enum rjwt_err
parse_whole(struct view text, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(free_clean) char *exact = malloc(text.n);
	bool minus_zero;
	enum rjwt_err scanned;

	CHECK(text.p, exact != NULL || text.n == 0);
	if (text.n > 0)
		memcpy(exact, text.p, text.n);
	text.p = exact;
	scanned = json_scan(text, &minus_zero, diag);
	/* What the scanner lets through, json-c reads. */
	EXPECT("json-c", json_parse(text, &json, NULL), scanned);
	return scanned;
}

static enum rjwt_err
parse(struct view text)
{
	return parse_whole(text, NULL);
}

/* Texts that parsers disagree about. */
static void
vectors(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	size_t count = unit_vectors("json.json", &json);

	(void)state;
	assert_int_equal(count, 81);
	for (size_t i = 0; i < count; i++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		struct json row = json_element(json, "cases", i);
		const char *label = unit_text(row, "label");
		bool accept = strcmp(unit_text(row, "wanted"), "accept") == 0;

		EXPECT(label, base64url_decode(view_of(unit_text(row, "text")), &text), RJWT_OK);
		EXPECT(label, parse(buf_view(&text)), accept ? RJWT_OK : RJWT_MALFORMED);
	}
}

static const struct view good_texts[] = {
	VIEW("{}"),
	VIEW(" \t\r\n{ \t\r\n} \t\r\n"),
	VIEW("{\"a\":[]}"),
	VIEW("{\"a\":[ ]}"),
	VIEW("{\"a\":[1,[],{}]}"),
	VIEW("{\"a\" : true , \"b\" : [ null , false ] }"),
	VIEW("{\"a\":0}"),
	VIEW("{\"a\":-1}"),
	VIEW("{\"a\":0.0}"),
	VIEW("{\"a\":10.25}"),
	VIEW("{\"a\":-0.5e-10}"),
	VIEW("{\"a\":0e0}"),
	VIEW("{\"a\":1E+2}"),
	VIEW("{\"a\":1e99999}"),
	VIEW("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20aC\"}"),
	VIEW("{\"a\":\"\x7f\"}"),
	VIEW("{\"a\":\"\\ud83d\\ude00\"}"),
	VIEW("{\"a\":\"\xf0\x9f\x98\x80\"}"),
	VIEW("{\"a\":\"\\ud7ff\\ue000\\uffff\"}"),
	VIEW("{\"a\":\"\\uABCD\\uEF09\\uabcd\\uef09\\uDBFF\\uDFFF\\ud800\\udc00\"}"),
	VIEW("{\"a\":\"\xed\x9f\xbf\xee\x80\x80\"}"),
	VIEW("{\"a\":\"\xef\xbb\xbf\"}"),
	VIEW("{\"\":{\"\":{\"\":1}}}"),
	VIEW("{\"a\":\"/\"}"),
};

static const struct view bad_texts[] = {
	VIEW(""),
	VIEW("{"),
	VIEW("}"),
	VIEW("{}}"),
	VIEW("{}{}"),
	VIEW("{},"),
	VIEW("{}\0"),
	VIEW("\0{}"),
	VIEW("\xef\xbb\xbf{}"),
	VIEW("{}\x0b"),
	VIEW("{}\x0c"),
	VIEW("{\xc2\xa0}"),
	VIEW("[]"),
	VIEW("[{}]"),
	VIEW("\"a\""),
	VIEW("{,}"),
	VIEW("{\"a\"}"),
	VIEW("{\"a\":}"),
	VIEW("{\"a\":1,}"),
	VIEW("{\"a\":1 \"b\":2}"),
	VIEW("{\"a\":1;\"b\":2}"),
	VIEW("{1:2}"),
	VIEW("{a:1}"),
	VIEW("{'a':1}"),
	VIEW("{\"a\":[1,]}"),
	VIEW("{\"a\":[,1]}"),
	VIEW("{\"a\":[1}"),
	VIEW("{\"a\":[1]]}"),
	VIEW("{\"a\":[}"),
	VIEW("{\"a\":True}"),
	VIEW("{\"a\":nul}"),
	VIEW("{\"a\":nulll}"),
	VIEW("{\"a\":truefalse}"),
	VIEW("{\"a\":NaN}"),
	VIEW("{\"a\":Infinity}"),
	VIEW("{\"a\":-Infinity}"),
	VIEW("{\"a\":undefined}"),
	VIEW("{\"a\":0x10}"),
	VIEW("{\"a\":00}"),
	VIEW("{\"a\":-00}"),
	VIEW("{\"a\":-01}"),
	VIEW("{\"a\":01.5}"),
	VIEW("{\"a\":1.}"),
	VIEW("{\"a\":.1}"),
	VIEW("{\"a\":+1}"),
	VIEW("{\"a\":-}"),
	VIEW("{\"a\":--1}"),
	VIEW("{\"a\":1e}"),
	VIEW("{\"a\":1e+}"),
	VIEW("{\"a\":1e+-2}"),
	VIEW("{\"a\":1.e2}"),
	VIEW("{\"a\":1.2.3}"),
	VIEW("{\"a\":1_000}"),
	VIEW("{\"a\":\xef\xbc\x91}"),
	VIEW("{\"a\":1\0}"),
	VIEW("{\"a\":\"}"),
	VIEW("{\"a\":\"\n\"}"),
	VIEW("{\"a\":\"\t\"}"),
	VIEW("{\"a\":\"\x1f\"}"),
	VIEW("{\"a\":\"\0\"}"),
	VIEW("{\"a\0\":1}"),
	VIEW("{\"a\\u0000\":1}"),
	VIEW("{\"a\":\"\\u0000\"}"),
	VIEW("{\"a\":\"\\x41\"}"),
	VIEW("{\"a\":\"\\'\"}"),
	VIEW("{\"a\":\"\\a\"}"),
	VIEW("{\"a\":\"\\0\"}"),
	VIEW("{\"a\":\"\\\0\"}"),
	VIEW("{\"a\":\"\\U0041\"}"),
	VIEW("{\"a\":\"\\u004\"}"),
	VIEW("{\"a\":\"\\u004g\"}"),
	VIEW("{\"a\":\"\\u 041\"}"),
	VIEW("{\"a\":\"\\u+041\"}"),
	VIEW("{\"a\":\"\\ud83d\"}"),
	VIEW("{\"a\":\"\\ude00\"}"),
	VIEW("{\"a\":\"\\ude00\\ud83d\"}"),
	VIEW("{\"a\":\"\\ud83d\\ud83d\"}"),
	VIEW("{\"a\":\"\\ud83dx\"}"),
	VIEW("{\"a\":\"\\ud83d\\n\"}"),
	VIEW("{\"a\":\"\\ud83d\\u0041\"}"),
	VIEW("{\"a\":\"\\udbff\\udbff\"}"),
	VIEW("{\"a\":\"\\ud83d\\ude0\"}"),
	VIEW("{\"a\":\"\xc0\x80\"}"),
	VIEW("{\"a\":\"\xc1\xbf\"}"),
	VIEW("{\"a\":\"\xe0\x9f\xbf\"}"),
	VIEW("{\"a\":\"\xed\xa0\x80\"}"),
	VIEW("{\"a\":\"\xed\xbf\xbf\"}"),
	VIEW("{\"a\":\"\xf0\x8f\xbf\xbf\"}"),
	VIEW("{\"a\":\"\xf4\x90\x80\x80\"}"),
	VIEW("{\"a\":\"\xf5\x80\x80\x80\"}"),
	VIEW("{\"a\":\"\x80\"}"),
	VIEW("{\"a\":\"\xe2\x82\"}"),
	VIEW("{\"\xff\":1}"),
	VIEW("{\"a\":\"\\ud83d\\ue000\"}"),
	VIEW("{\"a\":\"\\ud83dxude00\"}"),
	VIEW("{\"a\":\"\\ud83d\\nde00\"}"),
	VIEW("{\"a\":\"\\ud83dxxde00\"}"),
	VIEW("{\"a\":\"\\u004:\"}"),
	VIEW("{\"a\":\"\\u004@\"}"),
	VIEW("{\"a\":\"\\u004`\"}"),
	VIEW("{\"a\":\"\\u004/\"}"),
	VIEW("{\"a\":\"\\u004G\"}"),
	VIEW("{\"a\":\"\\}"),
	VIEW("{\"\\u00e9u\":1,\"\xc3\xa9u\":2}"),
	VIEW("/**/{}"),
	VIEW("{}//"),
	VIEW("{/**/}"),
};

static void
grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_texts); i++)
		EXPECT(good_texts[i].p, parse(good_texts[i]), RJWT_OK);
	for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++)
		EXPECT(bad_texts[i].p, parse(bad_texts[i]), RJWT_MALFORMED);
	for (size_t i = 0; i < ARRAY_LEN(good_texts); i++) /* no text ends early */
		for (size_t n = 0; n < good_texts[i].n && memchr(good_texts[i].p + n, '}', good_texts[i].n - n); n++)
			EXPECT(good_texts[i].p, parse(unit_view(good_texts[i].p, n)), RJWT_MALFORMED);
}

/* The first of what is wrong is told. */
static void
reasons(void **state)
{
	static const struct {
		struct view text;
		const char *why;
	} rows[] = {
		{ VIEW("{\"a\":nul}"), "not a JSON value" },
		{ VIEW("{\"a\":\"\\x41\"}"), "not a JSON escape" },
		{ VIEW("{\"a\":\"\\u004\"}"), "\\u is not followed by four hex digits" },
		{ VIEW("{\"a\":\"\\u0000\"}"), "\\u0000 is not accepted" },
		{ VIEW("{\"a\":\"\\ude00\"}"), "a low surrogate without a high one" },
		{ VIEW("{\"a\":\"\\ud83d\"}"), "a high surrogate without a low one" },
		{ VIEW("{1:2}"), "expected a string" },
		{ VIEW("{\"a\":\"\n\"}"), "unescaped control character in a string" },
		{ VIEW("{\"a\":\"\xff\"}"), "not UTF-8" },
		{ VIEW("{\"a\":\"}"), "unterminated string" },
		{ VIEW("{\"a\":-}"), "expected a digit" },
		{ VIEW("{\"a\":1.}"), "expected a digit" },
		{ VIEW("{\"a\":1e}"), "expected a digit" },
		{ VIEW("{\"a\":00}"), "a number with a leading zero" },
		{ VIEW("{\"a\":09}"), "a number with a leading zero" },
		{ VIEW("{\"a\":1,\"a\":1}"), "duplicate name in an object" },
		{ VIEW("{\"a\"}"), "expected a colon" },
		{ VIEW("{\"a\":1 2}"), "expected a comma or }" },
		{ VIEW("{\"a\":[1 2]}"), "expected a comma or ]" },
		{ VIEW("{\"a\":}"), "expected a value" },
		{ VIEW("{\"a\":+1}"), "expected a value" },
		{ VIEW("{\"a\":"), "expected a value" },
		{ VIEW("{\"a\":[[[[[[[[]]]]]]]]}"), "nested deeper than 8 levels" },
		{ VIEW("[]"), "expected an object" },
		{ VIEW(""), "expected an object" },
		{ VIEW("{}{}"), "unexpected text after the object" },
	};
	bool minus_zero = true;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { .text = "" };

		EXPECT(rows[i].text.p, parse_whole(rows[i].text, &diag), RJWT_MALFORMED);
		CHECK(diag.text, strcmp(diag.text, rows[i].why) == 0);
	}
	EXPECT("-5", json_scan(VIEW("{\"a\":[-5,0,-0.0]}"), &minus_zero, NULL), RJWT_OK);
	assert_false(minus_zero);
	EXPECT("-0", json_scan(VIEW("{\"a\":-0}"), &minus_zero, NULL), RJWT_OK);
	assert_true(minus_zero);
}

static void
depth(void **state)
{
	static const struct {
		const char *open, *close;
	} rows[] = { { "{\"a\":", "}" }, { "[", "]" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int levels = 1; levels <= 40; levels++) {
			RJWT_CLEAN(buf_clear) struct buf text = { 0 };

			buf_adds(&text, "{\"a\":");
			for (int k = 1; k < levels; k++)
				buf_adds(&text, rows[i].open);
			buf_adds(&text, "1");
			for (int k = 1; k < levels; k++)
				buf_adds(&text, rows[i].close);
			buf_adds(&text, "}");
			EXPECT(text.p, parse(buf_view(&text)), levels <= 8 ? RJWT_OK : RJWT_MALFORMED);
		}
	EXPECT("a deep one among flat ones", parse(VIEW("{\"a\":[[[[[[[]]]]]]],\"b\":[[[[[[[]]]]]]]}")), RJWT_OK);
	EXPECT("empty, and one too deep", parse(VIEW("{\"a\":[[[[[[[[]]]]]]]]}")), RJWT_MALFORMED);
}

static void
members(void **state)
{
	(void)state;
	for (int inner = 0; inner < 2; inner++)
		for (int n = 62; n <= 66; n++) {
			RJWT_CLEAN(buf_clear) struct buf text = { 0 };
			struct rjwt_diag diag = { .text = "" };

			buf_adds(&text, inner != 0 ? "{\"a\":[{" : "{");
			for (int i = 0; i < n; i++)
				buf_addf(&text, "%s\"m%d\":%d", i == 0 ? "" : ",", i, i);
			buf_adds(&text, inner != 0 ? "},{\"m0\":1}]}" : "}");
			EXPECT(text.p, parse_whole(buf_view(&text), &diag), n <= 64 ? RJWT_OK : RJWT_MALFORMED);
			CHECK(diag.text, strstr(diag.text, n <= 64 ? "" : "more than 64 members") != NULL);
		}
}

static void
names_that_stand_twice(void **state)
{
	/* two names, and whether they are the same */
	static const struct {
		const char *first, *second;
		bool same;
	} rows[] = {
		{ "exp", "exp", true },
		{ "exp", "eXp", false },
		{ "exp", "exp ", false },
		{ "", "", true },
		{ "a", "ab", false },
		{ "ab", "a", false },
		{ "", "a", false },
		{ "exp", "\\u0065xp", true },
		{ "e\\u0078p", "\\u0065xp", true },
		{ "exp", "ex\\u0070", true },
		{ "exp", "\\u0045xp", false },
		{ "\\u004a", "\\u004A", true },
		{ "a", "a\\u0001", false },
		{ "/", "\\/", true },
		{ "\\n", "\\u000a", true },
		{ "\\b\\f\\r\\t", "\\u0008\\u000c\\u000D\\u0009", true },
		{ "\\\"", "\\u0022", true },
		{ "\\\\", "\\u005c", true },
		{ "\\\\u0061", "a", false },
		{ "n", "\\n", false },
		{ "\\u00e9", "\xc3\xa9", true },
		{ "e\\u0301", "\xc3\xa9", false },
		{ "\\u20ac", "\xe2\x82\xac", true },
		{ "\\u07ff", "\xdf\xbf", true },
		{ "\\u0800", "\xe0\xa0\x80", true },
		{ "\\uffff", "\xef\xbf\xbf", true },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80", true },
		{ "\\ud83d\\ude00", "\\uD83D\\uDE00", true },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x81", false },
		{ "\\ud800\\udc00", "\xf0\x90\x80\x80", true },
		{ "\\udbff\\udfff", "\xf4\x8f\xbf\xbf", true },
		{ "\\ue000", "\xee\x80\x80", true },
		{ "x\\ud83d\\ude00y", "x\xf0\x9f\x98\x80y", true },
		{ "\\u007f", "\x7f", true },
		{ "\\u0080", "\xc2\x80", true },
		{ "\\u0080", "\xc2\x81", false },
	};
	static const char *const shapes[] = { "{\"%s\":1,\"%s\":2}", "{\"x y\":{\"%s\":1,\"b z\":[],\"%s\":2}}",
		"{\"q\":[1,{\"%s\":{},\"%s\":{}}]}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
			RJWT_CLEAN(buf_clear) struct buf text = { 0 };

			for (const char *p = shapes[k], *name = rows[i].first; *p != '\0'; p++) {
				if (p[0] == '%' && p[1] == 's') {
					buf_adds(&text, name);
					name = rows[i].second;
					p++;
				} else {
					buf_add(&text, p, 1);
				}
			}
			EXPECT(text.p, parse(buf_view(&text)), rows[i].same ? RJWT_MALFORMED : RJWT_OK);
		}
	EXPECT("at other levels", parse(VIEW("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}")), RJWT_OK);
	EXPECT("after a nested one", parse(VIEW("{\"a\":{\"b\":1},\"a\":2}")), RJWT_MALFORMED);
}

static void
lines_and_columns(void **state)
{
	static const struct {
		struct view text;
		unsigned line, column;
		const char *why;
	} rows[] = {
		{ VIEW(""), 1, 1, "object" },
		{ VIEW("[1]"), 1, 1, "object" },
		{ VIEW("\n\n  x"), 3, 3, "object" },
		{ VIEW("{\"a\":1}\n}"), 2, 1, "unexpected text" },
		{ VIEW("{\"a\" 1}"), 1, 6, "colon" },
		{ VIEW("{\n\t\"a\": tru\n}"), 2, 7, "value" },
		{ VIEW("{\"a\":1,\r\n \"a\":2}"), 2, 2, "duplicate" },
		{ VIEW("{\"a\":1"), 1, 7, "comma" },
		{ VIEW("{\"a\":\"\xff\"}"), 1, 7, "UTF-8" },
		{ VIEW("{\"a\":[[[[[[[[\n"), 1, 13, "deeper" },
		{ VIEW("{\"a\":\"x\ny\"}"), 1, 8, "control" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { .line = 99 };
		bool minus_zero;

		EXPECT(rows[i].text.p, json_scan(rows[i].text, &minus_zero, &diag), RJWT_MALFORMED);
		CHECK(rows[i].text.p, diag.line == rows[i].line);
		CHECK(rows[i].text.p, diag.column == rows[i].column);
		CHECK(diag.text, strstr(diag.text, rows[i].why) != NULL);
	}
}

/* The text of a value of the outermost object, by a name as it reads. */
static void
test_raw(void **state)
{
	static const struct {
		const char *text, *name, *value;
	} rows[] = {
		{ "{\"a\":1}", "a", "1" },
		{ "{\"a\" : 1.50e3 }", "a", "1.50e3" },
		{ " { \"b\":{\"a\":2} , \"a\":{ \"a\" : [3] } } ", "a", "{ \"a\" : [3] }" },
		{ "{\"\\u0061\":\"\\u0062\"}", "a", "\"\\u0062\"" },
		{ "{\"a\":99999999999999999999}", "a", "99999999999999999999" },
		{ "{\"a\":null}", "a", "null" },
		{ "{\"b\":{\"a\":2}}", "a", NULL },
		{ "{\"A\":1,\"ab\":2,\"\":3}", "a", NULL },
		{ "{}", "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view value = VIEW("untouched");
		bool found = json_raw(view_of(rows[i].text), rows[i].name, &value);

		CHECK(rows[i].text, found == (rows[i].value != NULL));
		CHECK(rows[i].text, view_is(value, found ? rows[i].value : "untouched"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(vectors),
		cmocka_unit_test(grammar),
		cmocka_unit_test(reasons),
		cmocka_unit_test(depth),
		cmocka_unit_test(members),
		cmocka_unit_test(names_that_stand_twice),
		cmocka_unit_test(lines_and_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

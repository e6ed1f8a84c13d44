/* SPDX-License-Identifier: MIT */
/* What json.h says of a text that is good, and what it writes. */
#include "unit.h"
#include "base/json_write.h"

/* Parse what must be good. */
static struct json
parse(struct view text)
{
	struct json json = { 0 };
	struct rjwt_diag diag = { .text = "" };

	EXPECT(text.p, json_parse(text, &json, &diag), RJWT_OK);
	return json;
}

static void
integers(void **state)
{
	static const struct {
		const char *literal;
		enum json_has has;
		int64_t wanted;
	} rows[] = {
		{ "0", JSON_GOOD, 0 },
		{ "1", JSON_GOOD, 1 },
		{ "1795471200", JSON_GOOD, 1795471200 },
		{ "9007199254740991", JSON_GOOD, JSON_INTEGER_MAX - 1 },
		{ "9007199254740992", JSON_GOOD, JSON_INTEGER_MAX },
		{ "9007199254740993", JSON_WRONG, 0 },
		{ "9223372036854775807", JSON_WRONG, 0 },
		{ "9223372036854775808", JSON_WRONG, 0 },
		{ "18446744073709551615", JSON_WRONG, 0 },
		{ "18446744073709551616", JSON_WRONG, 0 },
		{ "18446744073709551617", JSON_WRONG, 0 },
		{ "36893488147419103233", JSON_WRONG, 0 },
		{ "99999999999999999999999999999999", JSON_WRONG, 0 },
		{ "-1", JSON_WRONG, 0 },
		{ "-0", JSON_WRONG, 0 },
		{ "-9223372036854775808", JSON_WRONG, 0 },
		{ "-18446744073709551615", JSON_WRONG, 0 },
		{ "-99999999999999999999999", JSON_WRONG, 0 },
		{ "1.0", JSON_WRONG, 0 },
		{ "1e3", JSON_WRONG, 0 },
		{ "1E0", JSON_WRONG, 0 },
		{ "0.0", JSON_WRONG, 0 },
		{ "-0.0", JSON_WRONG, 0 },
		{ "0e0", JSON_WRONG, 0 },
		{ "\"1\"", JSON_WRONG, 0 },
		{ "\"\"", JSON_WRONG, 0 },
		{ "true", JSON_WRONG, 0 },
		{ "false", JSON_WRONG, 0 },
		{ "null", JSON_WRONG, 0 },
		{ "[1]", JSON_WRONG, 0 },
		{ "{\"a\":1}", JSON_WRONG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(json_clear) struct json json = { 0 };
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		int64_t value = -7;

		buf_addf(&text, "{\"a\":%s}", rows[i].literal);
		json = parse(buf_view(&text));
		CHECK(text.p, json_integer(json, "a", &value) == rows[i].has);
		CHECK(text.p, value == (rows[i].has == JSON_GOOD ? rows[i].wanted : -7));
	}
}

static void
minus_zero(void **state)
{
	static const struct {
		const char *text;
		bool wanted;
	} rows[] = { { "{\"a\":-0}", true }, { "{\"a\":[{\"b\":-0}]}", true }, { "{\"a\":0}", false },
		{ "{\"a\":-01}", false }, { "{\"a\":-0.0}", false }, { "{\"a\":-0e1}", false },
		{ "{\"a\":-10}", false }, { "{\"a\":\"-0\"}", false }, { "{\"-0\":1}", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found = false;
		enum rjwt_err err = json_scan(view_of(rows[i].text), &found, NULL);

		CHECK(rows[i].text, err == RJWT_OK || !rows[i].wanted);
		CHECK(rows[i].text, found == rows[i].wanted);
	}
}

/* Every kind of value under every question: good for its own alone. */
static void
types(void **state)
{
	static const char *const names = "snbfoade0"; /* the members below */
	static const struct {
		const char *string, *integer, *boolean, *member, *array, *strings;
	} good = { "s", "n", "bf", "o", "ade", "sa" };
	RJWT_CLEAN(json_clear)
	struct json json = parse(VIEW("{\"s\":\"x\",\"n\":1,\"b\":true,\"f\":false,"
				      "\"o\":{\"i\":2},\"a\":[\"x\",\"y\"],\"d\":[\"x\",1],\"e\":[],\"0\":null}"));
	struct json inner = { 0 }, none = { 0 };
	int64_t integer;
	struct view view;
	size_t count;
	bool boolean;

	(void)state;
#define HAS(member, kinds) (strchr(kinds, (member)[0]) != NULL ? JSON_GOOD : JSON_WRONG)
	for (const char *p = names; *p != '\0'; p++) {
		const char name[] = { *p, '\0' };

		CHECK(name, json_string(json, name, &view) == HAS(name, good.string));
		CHECK(name, json_integer(json, name, &integer) == HAS(name, good.integer));
		CHECK(name, json_boolean(json, name, &boolean) == HAS(name, good.boolean));
		CHECK(name, json_member(json, name, &inner) == HAS(name, good.member));
		CHECK(name, json_array(json, name, &count) == HAS(name, good.array));
		CHECK(name, json_strings(json, name, &count) == HAS(name, good.strings));
		CHECK(name, json_strings(json, name, NULL) == HAS(name, good.strings));
	}
	assert_int_equal(json_string(json, "absent", &view), JSON_ABSENT);
	assert_int_equal(json_integer(json, "absent", &integer), JSON_ABSENT);
	assert_int_equal(json_boolean(json, "absent", &boolean), JSON_ABSENT);
	assert_int_equal(json_member(json, "absent", &inner), JSON_ABSENT);
	assert_int_equal(json_array(json, "absent", &count), JSON_ABSENT);
	assert_int_equal(json_strings(json, "absent", &count), JSON_ABSENT);
	assert_int_equal(json_string(json, "S", &view), JSON_ABSENT);
	assert_int_equal(json_string(none, "s", &view), JSON_ABSENT);
	assert_int_equal(json_boolean(json, "f", &boolean), JSON_GOOD);
	assert_false(boolean);
	assert_int_equal(json_boolean(json, "b", &boolean), JSON_GOOD);
	assert_true(boolean);
	assert_int_equal(json_integer(inner, "i", &integer), JSON_GOOD);
	assert_int_equal(integer, 2);
}

static void
strings(void **state)
{
	static const struct {
		struct view text, wanted;
	} rows[] = {
		{ VIEW("{\"a\":\"\"}"), VIEW("") },
		{ VIEW("{\"a\":\"root\"}"), VIEW("root") },
		{ VIEW("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}"), VIEW("\"\\/\b\f\n\r\t") },
		{ VIEW("{\"a\":\"\\u0001\\u007f\\u0080\\u07ff\"}"), VIEW("\x01\x7f\xc2\x80\xdf\xbf") },
		{ VIEW("{\"a\":\"\\u20ac\\uffff\"}"), VIEW("\xe2\x82\xac\xef\xbf\xbf") },
		{ VIEW("{\"a\":\"\\ud83d\\ude00\\udbff\\udfff\"}"), VIEW("\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf") },
		{ VIEW("{\"\\u0061\":\"x\xc3\xa9y\"}"), VIEW("x\xc3\xa9y") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(json_clear) struct json json = parse(rows[i].text);
		struct view value;

		CHECK(rows[i].text.p, json_string(json, "a", &value) == JSON_GOOD);
		CHECK(rows[i].text.p, view_eq(value, rows[i].wanted));
	}
}

static void
lists(void **state)
{
	RJWT_CLEAN(json_clear)
	struct json json =
	    parse(VIEW("{\"one\":\"x\",\"list\":[\"a\",\"\",\"c\"],"
		       "\"mixed\":[\"a\",null],\"nested\":[[\"a\"]],\"objects\":[{\"n\":1},2,{\"n\":3}]}"));
	int64_t n = 0;
	size_t count = 7;

	(void)state;
	assert_int_equal(json_strings(json, "mixed", &count), JSON_WRONG);
	assert_int_equal(json_strings(json, "nested", &count), JSON_WRONG);
	assert_int_equal(count, 7);
	assert_int_equal(json_strings(json, "one", &count), JSON_GOOD);
	assert_int_equal(count, 1);
	assert_true(view_is(json_string_at(json, "one", 0), "x"));
	assert_null(json_string_at(json, "one", 1).p);
	assert_int_equal(json_strings(json, "list", &count), JSON_GOOD);
	assert_int_equal(count, 3);
	assert_true(view_is(json_string_at(json, "list", 0), "a"));
	assert_int_equal(json_string_at(json, "list", 1).n, 0);
	assert_non_null(json_string_at(json, "list", 1).p);
	assert_true(view_is(json_string_at(json, "list", 2), "c"));
	assert_null(json_string_at(json, "list", 3).p);
	assert_null(json_string_at(json, "mixed", 1).p);
	assert_null(json_string_at(json, "absent", 0).p);
	assert_int_equal(json_array(json, "objects", &count), JSON_GOOD);
	assert_int_equal(count, 3);
	assert_int_equal(json_integer(json_element(json, "objects", 2), "n", &n), JSON_GOOD);
	assert_int_equal(n, 3);
	assert_null(json_element(json, "objects", 1).object);
	assert_null(json_element(json, "objects", 3).object);
	assert_null(json_element(json, "one", 0).object);
	assert_null(json_element(json, "absent", 0).object);
}

static enum rjwt_err
add_name(void *context, struct view name)
{
	buf_add_view(context, name);
	buf_adds(context, ";");
	return view_is(name, "stop") ? RJWT_BUSY : RJWT_OK;
}

static void
names(void **state)
{
	RJWT_CLEAN(json_clear)
	struct json json = parse(VIEW("{\"b\":1,\"\":{\"x\":1},\"\\u0061\":2}"));
	RJWT_CLEAN(json_clear) struct json stop = parse(VIEW("{\"a\":1,\"stop\":2,\"b\":3}"));
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };

	(void)state;
	EXPECT("all", json_names(json, add_name, &all), RJWT_OK);
	assert_string_equal(all.p, "b;;a;");
	EXPECT("stopped", json_names(stop, add_name, &all), RJWT_BUSY);
	assert_string_equal(all.p, "b;;a;a;stop;");
}

static void
writing(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };

	(void)state;
	json_open(&out, NULL);
	json_put_string(&out, "s", VIEW("a\"\\\n\x01\x7f/\xc3\xa9"));
	json_put_text(&out, "t", VIEW("\xff\n\\"));
	json_put_integer(&out, "i", INT64_MIN);
	json_put_bool(&out, "y", true);
	json_put_bool(&out, "n", false);
	json_put_raw(&out, "r", VIEW("[1, {}]"));
	json_open(&out, "o");
	json_close(&out);
	json_open_array(&out, "l");
	json_put_string(&out, NULL, VIEW("{"));
	json_put_integer(&out, NULL, 2);
	json_put_bool(&out, NULL, true);
	json_open_element(&out);
	json_put_integer(&out, "[", 3);
	json_close(&out);
	json_open_element(&out);
	json_close(&out);
	json_close_array(&out);
	json_open_array(&out, "e\"");
	json_close_array(&out);
	json_put_string(&out, "", (struct view){ NULL, 0 });
	json_close(&out);
	assert_string_equal(out.p, "{\"s\":\"a\\\"\\\\\\u000a\\u0001\x7f/\xc3\xa9\",\"t\":\"\\\\xff\\\\x0a\\\\x5c\","
				   "\"i\":-9223372036854775808,\"y\":true,\"n\":false,\"r\":[1, {}],\"o\":{},"
				   "\"l\":[\"{\",2,true,{\"[\":3},{}],\"e\\\"\":[],\"\":\"\"}");
	json = parse(buf_view(&out));
}

/* Members of one object written into another, between members of its own. */
static void
members_put_over(void **state)
{
	static const struct {
		const char *object, *wanted;
	} rows[] = {
		{ "{}", "{\"a\":1,\"z\":2}" },
		{ " { \n\t} ", "{\"a\":1,\"z\":2}" },
		{ "{\"b\":{\"c\":[]}}", "{\"a\":1,\"b\":{\"c\":[]},\"z\":2}" },
		{ " {\"b\":1.50, \"c\":\"}{\"}\n", "{\"a\":1,\"b\":1.50, \"c\":\"}{\",\"z\":2}" },
		{ "{\"b\":\"\\u0041\" , \"c\" : [ ] }", "{\"a\":1,\"b\":\"\\u0041\" , \"c\" : [ ] ,\"z\":2}" },
		{ "{\"b\":{} \n}", "{\"a\":1,\"b\":{} \n,\"z\":2}" },
		{ "{\"b\":[[ {} ] ]}", "{\"a\":1,\"b\":[[ {} ] ],\"z\":2}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(json_clear) struct json json = { 0 };
		RJWT_CLEAN(json_clear) struct json alone = { 0 };
		RJWT_CLEAN(buf_clear) struct buf out = { 0 };
		RJWT_CLEAN(buf_clear) struct buf only = { 0 };

		json_open(&out, NULL);
		json_put_integer(&out, "a", 1);
		json_put_members(&out, view_of(rows[i].object));
		json_put_integer(&out, "z", 2);
		json_close(&out);
		assert_string_equal(out.p, rows[i].wanted);
		json = parse(buf_view(&out));
		json_open(&only, NULL);
		json_put_members(&only, view_of(rows[i].object));
		json_close(&only);
		alone = parse(buf_view(&only));
	}
}

/* What a terminal would act on is written as \\u, and means the same. */
static void
printable(void **state)
{
	static const struct {
		struct view value;
		const char *wanted;
	} rows[] = {
		{ VIEW("{ \"a\" : [1, \"b\"] }"), "{\"v\":{ \"a\" : [1, \"b\"] }}" },
		{ VIEW("{\r\"a\"\n:\t1}\n"), "{\"v\":{\"a\":1}}" },
		{ VIEW("\"\\u202e\\n\xc3\xa9\""), "{\"v\":\"\\u202e\\n\xc3\xa9\"}" },
		{ VIEW("\"\x7f\xc2\x9b\""), "{\"v\":\"\\u007f\\u009b\"}" },
		{ VIEW("{\"\xe2\x80\xae\":1}"), "{\"v\":{\"\\u202e\":1}}" },
		{ VIEW("\"\xf3\xa0\x81\x81\xf0\x9f\x98\x80\""), "{\"v\":\"\\udb40\\udc41\xf0\x9f\x98\x80\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf out = { 0 };
		RJWT_CLEAN(buf_clear) struct buf raw = { 0 };
		RJWT_CLEAN(json_clear) struct json json = { 0 };
		RJWT_CLEAN(json_clear) struct json same = { 0 };
		struct view one = { NULL, 0 }, other = { NULL, 0 };

		json_open(&out, NULL);
		json_put_printable(&out, "v", rows[i].value);
		json_close(&out);
		assert_string_equal(out.p, rows[i].wanted);
		json_open(&raw, NULL);
		json_put_raw(&raw, "v", rows[i].value);
		json_close(&raw);
		json = parse(buf_view(&out));
		same = parse(buf_view(&raw));
		CHECK(out.p, json_string(json, "v", &one) == json_string(same, "v", &other));
		CHECK(out.p, view_eq(one, other));
	}
}

/* A text that is none, from a file or a token: told as such. */
static void
printable_bytes(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf out = { 0 };

	(void)state;
	json_open(&out, NULL);
	json_put_printable(&out, "v", VIEW("\"a\xff\xc3\""));
	json_close(&out);
	assert_string_equal(out.p, "{\"v\":\"a\\ufffd\\ufffd\"}");
}

static void
writing_numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = { { 0, "{\"n\":0}" }, { 9, "{\"n\":9}" }, { 10, "{\"n\":10}" }, { -1, "{\"n\":-1}" },
		{ INT64_MAX, "{\"n\":9223372036854775807}" }, { INT64_MIN, "{\"n\":-9223372036854775808}" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf out = { 0 };

		json_open(&out, NULL);
		json_put_integer(&out, "n", rows[i].value);
		json_close(&out);
		assert_string_equal(out.p, rows[i].text);
	}
}

/* json-c counts in int: what it cannot count is not read at all. */
static void
too_long(void **state)
{
	struct json json = { 0 };
	struct rjwt_diag diag = { .text = "" };

	(void)state;
	EXPECT("2 GiB", json_parse((struct view){ "{}", INT32_MAX }, &json, &diag), RJWT_MALFORMED);
	assert_string_equal(diag.text, "the JSON text is too long");
}

/* What is absent or of another type is not written. */
static void
untouched(void **state)
{
	RJWT_CLEAN(json_clear) struct json json = parse(VIEW("{\"s\":1,\"b\":\"x\",\"l\":[\"x\",1,true]}"));
	struct view text = VIEW("kept");
	bool kept = true;

	(void)state;
	assert_int_equal(json_string(json, "s", &text), JSON_WRONG);
	assert_int_equal(json_string(json, "absent", &text), JSON_ABSENT);
	assert_true(view_is(text, "kept"));
	assert_int_equal(json_boolean(json, "s", &kept), JSON_WRONG);
	assert_int_equal(json_boolean(json, "absent", &kept), JSON_ABSENT);
	assert_true(kept);
	assert_true(view_is(json_string_at(json, "l", 0), "x"));
	assert_null(json_string_at(json, "l", 1).p);
	assert_null(json_string_at(json, "l", 2).p);
	assert_null(json_string_at(json, "l", 3).p);
	assert_null(json_string_at(json, "s", 0).p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(minus_zero),
		cmocka_unit_test(types),
		cmocka_unit_test(strings),
		cmocka_unit_test(lists),
		cmocka_unit_test(names),
		cmocka_unit_test(writing),
		cmocka_unit_test(members_put_over),
		cmocka_unit_test(printable),
		cmocka_unit_test(printable_bytes),
		cmocka_unit_test(too_long),
		cmocka_unit_test(writing_numbers),
		cmocka_unit_test(untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/* Rules 7 and 8: what no reader of RFC 8259 may take, in the header and in the claims. */
#include "table.h"

#include <stdio.h>

#include "unit.h"

#define DEEP6 "[[[[[["
#define FLAT6 "]]]]]]"

/* What follows "x": in an object; each beside a twin. */
static const struct {
	int rule;
	const char *bad, *twin;
} values[] = {
	{ 7, "", "1" },
	{ 7, "tru", "true" },
	{ 7, "True", "true" },
	{ 7, "TRUE", NULL },
	{ 7, "truee", NULL },
	{ 7, "fals", "false" },
	{ 7, "nul", "null" },
	{ 7, "NULL", NULL },
	{ 7, "nil", NULL },
	{ 7, "None", NULL },
	{ 7, "undefined", NULL },
	{ 7, "NaN", NULL },
	{ 7, "nan", NULL },
	{ 7, "Infinity", NULL },
	{ 7, "-Infinity", NULL },
	{ 7, "inf", NULL },
	{ 7, "x", "\"x\"" },
	{ 7, "'x'", "\"x\"" },
	{ 7, "`x`", NULL },
	{ 7, "\"x", NULL },
	{ 7, "x\"", NULL },
	/* numbers, s6 */
	{ 8, "01", "1" },
	{ 8, "00", "0" },
	{ 8, "-01", "-1" },
	{ 8, "-", "-1" },
	{ 8, "--1", NULL },
	{ 8, "+1", "1" },
	{ 8, "1.", "1.0" },
	{ 8, ".1", "0.1" },
	{ 8, "-.1", "-0.1" },
	{ 8, "1.e1", "1.0e1" },
	{ 8, "1e", "1e1" },
	{ 8, "1e+", "1e+1" },
	{ 8, "1e+-1", "1e-1" },
	{ 8, "1.2.3", "1.23" },
	{ 8, "0x10", "16" },
	{ 8, "0b1", NULL },
	{ 8, "1_000", "1000" },
	{ 8, "1,000", "[1,0]" },
	{ 8, "1 000", NULL },
	{ 8, "1L", NULL },
	{ 8, "1f", NULL },
	{ 8, "1d", NULL },
	{ 8, "0-1", NULL },
	{ 8, "1e1.5", NULL },
	{ 8, "\xef\xbc\x91", NULL },
	{ 8, "\xd9\xa1", NULL },
	{ 8, "1E++1", "1E+1" },
	/* arrays and objects */
	{ 7, "[", "[]" },
	{ 7, "]", NULL },
	{ 7, "[1,]", "[1]" },
	{ 7, "[,1]", NULL },
	{ 7, "[,]", NULL },
	{ 7, "[1 2]", "[1,2]" },
	{ 7, "[1;2]", NULL },
	{ 7, "[1", NULL },
	{ 7, "[1}", NULL },
	{ 7, "(1)", NULL },
	{ 7, "{", "{}" },
	{ 7, "{\"a\":1", "{\"a\":1}" },
	{ 7, "{\"a\":1]", NULL },
	{ 7, "{\"a\":1,}", NULL },
	{ 7, "{,\"a\":1}", NULL },
	{ 7, "{\"a\"}", NULL },
	{ 7, "{\"a\":}", NULL },
	{ 7, "{\"a\",1}", NULL },
	{ 7, "{\"a\" 1}", NULL },
	{ 7, "{a:1}", NULL },
	{ 7, "{'a':1}", NULL },
	{ 7, "{1:1}", "{\"1\":1}" },
	{ 7, "{null:1}", NULL },
	{ 7, "{\"a\"=1}", NULL },
	{ 7, "{\"a\":1;\"b\":2}", NULL },
	{ 7, "{\"a\":1 \"b\":2}", "{\"a\":1,\"b\":2}" },
	{ 7, "{[]:1}", NULL },
	{ 7, "{\"a\"::1}", NULL },
	{ 7, "1,,\"y\":1", "1,\"y\":1" },
	{ 7, "1:2", NULL },
	{ 7, "1\"y\":1", NULL },
	{ 7, "/**/1", NULL },
	{ 7, "1/**/", NULL },
	{ 7, "1//", NULL },
	{ 7, "1#", NULL },
	{ 7, "<!--1", NULL },
	{ 7, "...", NULL },
	/* blanks that are none of JSON's four */
	{ 7,
	    "\x0b"
	    "1",
	    " 1" },
	{ 7,
	    "\x0c"
	    "1",
	    "\t1" },
	{ 7,
	    "\xc2\xa0"
	    "1",
	    "\n1" },
	{ 7,
	    "\xe2\x80\xa8"
	    "1",
	    "\r1" },
	{ 7,
	    "\xef\xbb\xbf"
	    "1",
	    NULL },
	{ 7, "1$0$", NULL },
	{ 7, "$0$1", NULL },
	{ 7,
	    "\x1f"
	    "1",
	    NULL },
	/* strings, s7: control characters, escapes, surrogates, NUL */
	{ 7, "\"\x01\"", "\"\\u0001\"" },
	{ 7, "\"\x1f\"", "\"\\u001f\"" },
	{ 7, "\"\t\"", "\"\\t\"" },
	{ 7, "\"\n\"", "\"\\n\"" },
	{ 7, "\"\r\"", "\"\\r\"" },
	{ 7, "\"\x08\"", "\"\\b\"" },
	{ 7, "\"\x1b[31m\"", "\"\\u001b[31m\"" },
	{ 7, "\"$0$\"", "\"\\u0001\"" },
	{ 7, "\"a$0$b\"", NULL },
	{ 7, "\"\\u0000\"", "\"\\\\u0000\"" },
	{ 7, "\"a\\u0000b\"", NULL },
	{ 7, "{\"a\\u0000\":1}", NULL },
	{ 7, "{\"\\u0000\":1}", NULL },
	{ 7, "{\"a$0$\":1}", NULL },
	{ 7, "[\"\\u0000\"]", NULL },
	{ 7, "\"\\x41\"", "\"\\u0041\"" },
	{ 7, "\"\\'\"", "\"'\"" },
	{ 7, "\"\\a\"", NULL },
	{ 7, "\"\\e\"", NULL },
	{ 7, "\"\\0\"", NULL },
	{ 7, "\"\\v\"", NULL },
	{ 7, "\"\\U0041\"", NULL },
	{ 7, "\"\\u41\"", NULL },
	{ 7, "\"\\u004\"", NULL },
	{ 7, "\"\\u004g\"", "\"\\u004a\"" },
	{ 7, "\"\\u{41}\"", NULL },
	{ 7, "\"\\u+041\"", NULL },
	{ 7, "\"\\u 041\"", NULL },
	{ 7, "\"\\u00 1\"", NULL },
	{ 7, "\"\\\n\"", NULL },
	{ 7, "\"\\\"", "\"\\\\\"" },
	{ 7, "\"\\ \"", NULL },
	{ 7, "\"\\$0$\"", NULL },
	{ 7, "\"\\ud800\"", "\"\\ud800\\udc00\"" },
	{ 7, "\"\\udbff\"", "\"\\udbff\\udfff\"" },
	{ 7, "\"\\udc00\"", "\"\\ue000\"" },
	{ 7, "\"\\udfff\"", "\"\\ud7ff\"" },
	{ 7, "\"\\udc00\\ud800\"", NULL },
	{ 7, "\"\\ud800\\ud800\"", NULL },
	{ 7, "\"\\ud800x\"", NULL },
	{ 7, "\"\\ud800\\n\"", NULL },
	{ 7, "\"\\ud800\\u0041\"", NULL },
	{ 7, "\"\\ud800\xed\xb0\x80\"", NULL },
	{ 7, "\"\\ud83d\\ude0\"", NULL },
	{ 7, "{\"\\ud800\":1}", NULL },
	/* UTF-8, RFC 3629 s4 */
	{ 7, "\"\xff\"", "\"\xc3\xa9\"" },
	{ 7, "\"\xfe\"", NULL },
	{ 7, "\"\x80\"", "\"\xc2\x80\"" },
	{ 7, "\"\xc0\x80\"", "\"\x7f\"" },
	{ 7, "\"\xc0\xaf\"", "\"/\"" },
	{ 7, "\"\xc1\xbf\"", NULL },
	{ 7, "\"\xe0\x80\x80\"", NULL },
	{ 7, "\"\xe0\x9f\xbf\"", "\"\xe0\xa0\x80\"" },
	{ 7, "\"\xed\xa0\x80\"", "\"\xed\x9f\xbf\"" },
	{ 7, "\"\xed\xbf\xbf\"", "\"\xee\x80\x80\"" },
	{ 7, "\"\xed\xa0\xbd\xed\xb8\x80\"", "\"\xf0\x9f\x98\x80\"" },
	{ 7, "\"\xf0\x80\x80\x80\"", NULL },
	{ 7, "\"\xf0\x8f\xbf\xbf\"", "\"\xf0\x90\x80\x80\"" },
	{ 7, "\"\xf4\x90\x80\x80\"", "\"\xf4\x8f\xbf\xbf\"" },
	{ 7, "\"\xf5\x80\x80\x80\"", NULL },
	{ 7, "\"\xf8\x88\x80\x80\x80\"", NULL },
	{ 7, "\"\xfc\x84\x80\x80\x80\x80\"", NULL },
	{ 7, "\"\xc3\"", NULL },
	{ 7, "\"\xe2\x82\"", "\"\xe2\x82\xac\"" },
	{ 7, "\"\xf0\x9f\x98\"", NULL },
	{ 7, "\"\xc3(\"", NULL },
	{ 7, "\"\xe2(\xa1\"", NULL },
	{ 7, "{\"\xff\":1}", "{\"\xc3\xa9\":1}" },
	{ 7, "\xff", NULL },
	/* names that stand twice, after unescaping, at every level */
	{ 8, "1,\"x\":1", "1,\"X\":1" },
	{ 8, "1,\"\\u0078\":1", "1,\"\\\\u0078\":1" },
	{ 8, "1,\"y\":2,\"x\":1", NULL },
	{ 8, "{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":1}" },
	{ 8, "{\"a\":1,\"\\u0061\":1}", "{\"a\":1,\"\\u0062\":1}" },
	{ 8, "{\"\":1,\"\":1}", "{\"\":1,\" \":1}" },
	{ 8, "{\"/\":1,\"\\/\":1}", NULL },
	{ 8, "{\"\xc3\xa9\":1,\"\\u00e9\":1}", "{\"\xc3\xa9\":1,\"e\\u0301\":1}" },
	{ 8, "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":1}", NULL },
	{ 8, "{\"\\n\":1,\"\\u000a\":1}", NULL },
	{ 8, "[{\"a\":{\"b\":1,\"c\":2,\"b\":3}}]", "[{\"a\":{\"b\":1,\"c\":{\"b\":3}}}]" },
	{ 8, "{\"\\u004A\":1,\"\\u004a\":1}", NULL },
	{ 8, "{\"a\":{},\"a\":[]}", NULL },
	/* depth: 8 levels with the object itself */
	{ 8, "[" DEEP6 "[1]" FLAT6 "]", "[" DEEP6 "1" FLAT6 "]" },
	{ 8, "[" DEEP6 "{}" FLAT6 "]", "[" DEEP6 FLAT6 "]" },
	{ 8, "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}",
	    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}" },
	{ 8, "[1,[[],{\"a\":" DEEP6 FLAT6 "}]]", NULL },
};

/* The whole text, $o$ being the object that would be accepted. */
static const struct {
	const char *bad, *twin;
} wholes[] = {
	{ "", NULL },
	{ " ", NULL },
	{ "{", NULL },
	{ "}", NULL },
	{ "{}}", NULL },
	{ "[]", NULL },
	{ "[$o$]", " $o$" },
	{ "\"x\"", NULL },
	{ "1", NULL },
	{ "null", NULL },
	{ "true", NULL },
	{ "$o$x", "$o$\n" },
	{ "$o$$o$", "\t$o$" },
	{ "$o$,", "$o$ " },
	{ "$o$}", NULL },
	{ "$o$]", NULL },
	{ "$o$$0$", "\r\n$o$\r\n" },
	{ "$0$$o$", NULL },
	{ "$o$$0${}", NULL },
	{ "$o$ 1", NULL },
	{ "$o$\"x\"", NULL },
	{ "$o$//", NULL },
	{ "/**/$o$", NULL },
	{ "$o$#", NULL },
	{ "\xef\xbb\xbf$o$", NULL },
	{ "$o$\xef\xbb\xbf", NULL },
	{ "\xc2\xa0$o$", NULL },
	{ "$o$\x0c", NULL },
	{ "$o$\x0b", NULL },
	{ "\x1e$o$", NULL },
	{ "({$o$})", NULL },
	{ "{$o$}", NULL },
	{ "{\"a\":$o$", NULL },
	{ ")]}'\n$o$", NULL },
	{ "\xff\xfe{\x00", NULL },
	{ "$0${$0$}", NULL },
	{ "---\na: 1\n", NULL },
	{ "<x/>", NULL },
	{ "$o$;", NULL },
	{ "$o$\xff", NULL },
	{ "{,}", NULL },
	{ "{1}", NULL },
	{ "{\"x\"}", NULL },
	{ "0", NULL },
	{ "-", NULL },
	{ "{{}:1}", NULL },
	{ ":", NULL },
	{ ",", NULL },
};

static void
put_row(struct table *t, int rule, enum rjwt_err reason, struct edit bad, struct edit twin)
{
	const struct row row = { .rule = rule,
		.reason = reason,
		.bad = { bad },
		.twin = { twin.value == NULL ? (struct edit){ 0 } : twin } };

	table_rows(t, &row, 1);
}

/* An object with so many members in member x. */
static void
put_members(struct table *t, char part, enum rjwt_err reason)
{
	char bad[1200] = "", twin[1200] = "";
	size_t n = 0;

	for (int i = 0; i < 65; i++) {
		n += (size_t)snprintf(bad + n, sizeof(bad) - n, "%s\"m%d\":%d", i == 0 ? "{" : ",", i, i);
		if (i == 63)
			snprintf(twin, sizeof(twin), "%s}", bad);
	}
	snprintf(bad + n, sizeof(bad) - n, "}");
	put_row(t, 8, reason, (struct edit){ part, "x", bad }, (struct edit){ part, "x", twin });
}

void
table_json(struct table *t)
{
	static const struct {
		char part, whole;
		enum rjwt_err reason;
	} parts[] = { { 'h', 'H', RJWT_HEADER }, { 'c', 'C', RJWT_CLAIMS } };

	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			put_row(t, values[i].rule, parts[p].reason, (struct edit){ parts[p].part, "x", values[i].bad },
			    (struct edit){ parts[p].part, "x", values[i].twin });
		for (size_t i = 0; i < ARRAY_LEN(wholes); i++) {
			bool empty = wholes[i].bad[0] == '\0'; /* an empty part is no part */

			put_row(t, 7, empty ? RJWT_MALFORMED : parts[p].reason,
			    (struct edit){ parts[p].whole, NULL, wholes[i].bad },
			    (struct edit){ parts[p].whole, NULL, wholes[i].twin });
		}
		put_members(t, parts[p].part, parts[p].reason);
	}
}

/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"

#include "base/text.h"

static void
escapes(void **state)
{
	static const struct {
		struct view text;
		const char *wanted;
	} rows[] = {
		{ VIEW(""), "" },
		{ VIEW("alice@host:/a b=\"c\" %s%n"), "alice@host:/a b=\"c\" %s%n" },
		{ VIEW("\\"), "\\x5c" },
		{ VIEW("\\x0a"), "\\x5cx0a" },
		{ VIEW("a\0b"), "a\\x00b" },
		{ VIEW("a\nb\r\t"), "a\\x0ab\\x0d\\x09" },
		{ VIEW("\x1b[31m"), "\\x1b[31m" },
		{ VIEW("\x1f \x7e\x7f"), "\\x1f ~\\x7f" },
		{ VIEW("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x94\x91"),
		    "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x94\x91" },
		/* C1: U+0080, U+009B (CSI), U+009F; U+00A1 stays, U+00A0 is no space that one sees */
		{ VIEW("\xc2\x80\xc2\x9b\xc2\x9f"), "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f" },
		{ VIEW("\xc2\xa0\xc2\xa1"), "\\xc2\\xa0\xc2\xa1" },
		/* what turns or hides: U+202E, U+2066, U+200B, U+2028, U+FEFF, U+00AD, U+061C,
		   U+E0041 */
		{ VIEW("\xe2\x80\xae"), "\\xe2\\x80\\xae" },
		{ VIEW("\xe2\x81\xa6"), "\\xe2\\x81\\xa6" },
		{ VIEW("\xe2\x80\x8b"), "\\xe2\\x80\\x8b" },
		{ VIEW("\xe2\x80\xa8"), "\\xe2\\x80\\xa8" },
		{ VIEW("\xef\xbb\xbf"), "\\xef\\xbb\\xbf" },
		{ VIEW("\xc2\xad"), "\\xc2\\xad" },
		{ VIEW("\xd8\x9c"), "\\xd8\\x9c" },
		{ VIEW("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81" },
		{ VIEW("\xe2\x80\x8f\xe2\x80\xaa\xe2\x81\xa9"), "\\xe2\\x80\\x8f\\xe2\\x80\\xaa\\xe2\\x81\\xa9" },
		/* and formatting characters of shorthand and of music: U+1BCA0, U+1D173 */
		{ VIEW("\xf0\x9b\xb2\xa0"), "\\xf0\\x9b\\xb2\\xa0" },
		{ VIEW("\xf0\x9d\x85\xb3"), "\\xf0\\x9d\\x85\\xb3" },
		{ VIEW("\xe2\x80\x8a\xe2\x80\x90\xe2\x80\xaf"), "\\xe2\\x80\\x8a\xe2\x80\x90\\xe2\\x80\\xaf" },
		/* no UTF-8: each byte for itself */
		{ VIEW("a\xff\xc3"), "a\\xff\\xc3" },
		{ VIEW("\xc3\x28"), "\\xc3(" },
		{ VIEW("\xc0\x8a"), "\\xc0\\x8a" },
		{ VIEW("\xe0\x80\xaf"), "\\xe0\\x80\\xaf" },
		{ VIEW("\xed\xa0\x80z"), "\\xed\\xa0\\x80z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf out = { 0 };

		text_escape(&out, rows[i].text);
		CHECK(rows[i].wanted, view_is(buf_view(&out), rows[i].wanted));
	}
}

static void
log_words(void **state)
{
	static const struct {
		struct view value;
		const char *wanted;
	} rows[] = {
		{ VIEW("alice"), "k=alice" },
		{ VIEW(""), "k=\"\"" },
		{ { NULL, 0 }, "k=\"\"" },
		{ VIEW("a b"), "k=\"a b\"" },
		{ VIEW("a=b"), "k=\"a=b\"" },
		{ VIEW("a\"b"), "k=\"a\\x22b\"" },
		{ VIEW("\""), "k=\"\\x22\"" },
		{ VIEW("a\nuser=root"), "k=\"a\\x0auser=root\"" },
		{ VIEW("a\\"), "k=a\\x5c" },
		{ VIEW("a\0b"), "k=a\\x00b" },
		{ VIEW("%n"), "k=%n" },
	};
	RJWT_CLEAN(buf_clear) struct buf two = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };

		text_log_word(&line, "k", rows[i].value);
		CHECK(rows[i].wanted, view_is(buf_view(&line), rows[i].wanted));
	}
	buf_adds(&two, "accepted");
	text_log_word(&two, "user", VIEW("a"));
	text_log_word(&two, "jti", VIEW("b c"));
	assert_string_equal(two.p, "accepted user=a jti=\"b c\"");
}

/* A value of any length ends after 256 bytes, between two characters, and says that something was left out. */
static void
log_words_end(void **state)
{
	static const char *const units[] = { "x", "\n", "\xc3\xa4", "\xf0\x9f\x98\x80", "\"", "\\", "\xff" };
	static const size_t escaped[] = { 1, 4, 2, 4, 4, 4, 4 };

	(void)state;
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		for (size_t n = 1; n < 1000; n += n < 270 ? 1 : 300) {
			RJWT_CLEAN(buf_clear) struct buf value = { 0 };
			RJWT_CLEAN(buf_clear) struct buf word = { 0 };
			bool whole = n * escaped[u] <= LOG_VALUE_MAX;
			size_t most = whole ? n * escaped[u] : (LOG_VALUE_MAX - 3) / escaped[u] * escaped[u] + 3;
			size_t around = *units[u] == '"' || *units[u] == '=' ? 4 : 2;

			for (size_t i = 0; i < n; i++)
				buf_adds(&value, units[u]);
			text_log_word(&word, "k", buf_view(&value));
			assert_int_equal(word.n, around + most);
			assert_int_equal(strstr(word.p, "...") == NULL, whole);
		}
}

/* The longest of everything in one line: syslog(3) takes it whole. */
static void
log_lines_end(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf value = { 0 };
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		buf_adds(&value, "\x01");
	buf_adds(&line, "issued");
	for (size_t i = 0; i < 25; i++)
		text_log_word(&line, "sudo_user", buf_view(&value));
	assert_true(line.n < LOG_LINE_MAX);
	buf_clear(&line);
	text_escape_most(&line, buf_view(&value), LOG_LINE_MAX);
	assert_in_range(line.n, LOG_LINE_MAX - 6, LOG_LINE_MAX);
	assert_string_equal(line.p + line.n - 3, "...");
}

/* RFC 3629 s4, written as its table is: every second byte under every first one. */
static void
utf8_two_bytes_of_each(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			const char text[4] = { (char)a, (char)b, '\xbf', '\x80' };
			bool tail = b >= 0x80 && b <= 0xbf;
			size_t wanted = 0;

			if (a < 0x80)
				wanted = 1;
			else if (a >= 0xc2 && a <= 0xdf && tail)
				wanted = 2;
			else if ((a == 0xe0 && b >= 0xa0 && b <= 0xbf) || (a >= 0xe1 && a <= 0xec && tail) ||
				 (a == 0xed && b >= 0x80 && b <= 0x9f) || ((a == 0xee || a == 0xef) && tail))
				wanted = 3;
			else if ((a == 0xf0 && b >= 0x90 && b <= 0xbf) || (a >= 0xf1 && a <= 0xf3 && tail) ||
				 (a == 0xf4 && b >= 0x80 && b <= 0x8f))
				wanted = 4;
			assert_int_equal(utf8_length(text, 4), wanted);
			for (size_t n = 0; n < 4; n++) /* cut short */
				assert_int_equal(utf8_length(text, n), n < wanted ? 0 : wanted);
		}
}

static void
utf8_later_bytes(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char three[3] = { '\xe2', '\x82', (char)c };
		const char third[4] = { '\xf0', '\x9f', (char)c, '\x80' };
		const char fourth[4] = { '\xf0', '\x9f', '\x80', (char)c };
		bool tail = c >= 0x80 && c <= 0xbf;

		assert_int_equal(utf8_length(three, 3), tail ? 3 : 0);
		assert_int_equal(utf8_length(third, 4), tail ? 4 : 0);
		assert_int_equal(utf8_length(fourth, 4), tail ? 4 : 0);
	}
}

static void
characters(void **state)
{
	static const struct {
		const char *text;
		uint32_t wanted;
		bool printable;
	} rows[] = {
		{ "a", 0x61, true },
		{ " ", 0x20, true },
		{ "\x1f", 0x1f, false },
		{ "\x7e", 0x7e, true },
		{ "\x7f", 0x7f, false },
		{ "\xc2\x80", 0x80, false },
		{ "\xc2\xa0", 0xa0, false },
		{ "\xc2\xa1", 0xa1, true },
		{ "\xe2\x80\x89", 0x2009, false },
		{ "\xe2\x80\x90", 0x2010, true },
		{ "\xe3\x85\xa3", 0x3163, true },
		{ "\xe3\x85\xa4", 0x3164, false },
		{ "\xe3\x85\xa5", 0x3165, true },
		{ "\xdf\xbf", 0x7ff, true },
		{ "\xe0\xa0\x80", 0x800, true },
		{ "\xe2\x80\xae", 0x202e, false },
		{ "\xef\xbf\xbf", 0xffff, true },
		{ "\xf0\x90\x80\x80", 0x10000, true },
		{ "\xf3\xa0\x80\x81", 0xe0001, false },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].text);

		CHECK(rows[i].text, utf8_length(rows[i].text, n) == n);
		CHECK(rows[i].text, utf8_decode(rows[i].text, n) == rows[i].wanted);
		CHECK(rows[i].text, text_is_printable(rows[i].wanted) == rows[i].printable);
	}
}

static void
nearest(void **state)
{
	static const char *const names[] = { "issuer", "audience", "alg", "leeway", "rotate_every",
		"abcdefghijklmnopqrstuvwxyz_12345", "ABCDEFGHIJKLMNOPQRSTUVWXYZ_123456", NULL };
	static const struct {
		const char *word, *wanted;
	} rows[] = {
		{ "issuer", "issuer" },
		{ "isuer", "issuer" },
		{ "issuers", "issuer" },
		{ "issure", "issuer" },
		{ "isusre", "issuer" },
		{ "xxsuer", "issuer" },
		{ "xxxuer", NULL },
		{ "algo", "alg" },
		{ "agl", "alg" },
		{ "lag", "alg" },
		{ "a", NULL },
		{ "ag", "alg" },
		{ "xy", NULL },
		{ "", NULL },
		{ "lee_way", "leeway" },
		{ "rotate-every", "rotate_every" },
		{ "ISSUER", "issuer" },
		{ "Alg", "alg" },
		{ "ISUER", NULL },
		{ "rotate_every_rotate_every_rotate_every", NULL },
		/* as many changes as it has letters */
		{ "ax", NULL },
		/* two letters are one change when both of them are swapped, and equal ones are none */
		{ "leeaXQ", NULL },
		{ "leeXwQ", NULL },
		{ "leewxx", "leeway" },
		/* 32 bytes, and one more */
		{ "abcdefghijklmnopqrstuvwxyz_1234x", "abcdefghijklmnopqrstuvwxyz_12345" },
		{ "abcdefghijklmnopqrstuvwxyz_12345x", NULL },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ_1234x", NULL },
	};
	static const char *const nothing[] = { NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = text_nearest(view_of(rows[i].word), names);

		CHECK(rows[i].word, (found == NULL) == (rows[i].wanted == NULL));
		CHECK(rows[i].word, found == NULL || strcmp(found, rows[i].wanted) == 0);
	}
	assert_null(text_nearest(VIEW("issuer"), nothing));
}

/* What may be a name of ours, and so be shown when it stands in a file that was named by mistake. */
static void
names(void **state)
{
	static const struct {
		const char *word;
		bool name;
	} rows[] = { { "", false }, { "a", true }, { "z", true }, { "_", true }, { "rotate_evry", true },
		{ "abcdefghijklmnopqrstuvwxyz______", true }, { "abcdefghijklmnopqrstuvwxyz_______", false },
		{ "A", false }, { "a1", false }, { "a-b", false }, { "`a", false }, { "a{", false }, { "a ", false },
		{ "ab:", false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i].word, text_is_name(view_of(rows[i].word)) == rows[i].name);
}

/* Warnings are strung together in a place of fixed size: the first ones stay, none is written beyond it. */
static void
appended(void **state)
{
	static const struct {
		const char *there;
		size_t size;
		const char *added, *wanted;
	} rows[] = {
		{ "", 20, "one", "one" },
		{ "one", 20, "two", "one; two" },
		{ "one; two", 20, "", "one; two; " },
		{ "", 4, "one", "one" },
		{ "", 3, "one", "on" },
		{ "", 1, "one", "" },
		{ "one", 9, "two", "one; two" },
		{ "one", 8, "two", "one; tw" },
		{ "one", 7, "two", "one; t" },
		{ "one", 6, "two", "one; " },
		{ "one", 5, "two", "one;" },
		{ "one", 4, "two", "one" },
		{ "", 20, "%s", "%s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[24];

		memset(out, '#', sizeof(out));
		memcpy(out, rows[i].there, strlen(rows[i].there) + 1);
		text_append(out, rows[i].size, "; ", "%s", rows[i].added);
		CHECK(out, strcmp(out, rows[i].wanted) == 0);
		for (size_t k = rows[i].size; k < sizeof(out); k++)
			CHECK(rows[i].wanted, out[k] == '#');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(log_words),
		cmocka_unit_test(log_words_end),
		cmocka_unit_test(log_lines_end),
		cmocka_unit_test(utf8_two_bytes_of_each),
		cmocka_unit_test(utf8_later_bytes),
		cmocka_unit_test(characters),
		cmocka_unit_test(nearest),
		cmocka_unit_test(names),
		cmocka_unit_test(appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

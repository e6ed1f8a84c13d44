/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"
#include "base/datetime.h"

#include "base/text.h"

#define CENTURY_S INT64_C(3153600000) /* 100 years of 365 days */
#define LAST_S INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define NONE INT64_C(-1)	      /* refused */

struct row {
	const char *text;
	int64_t wanted;
};

static void
durations(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "90s", 90 },
		{ "15m", 900 },
		{ "12h", 43200 },
		{ "7d", 604800 },
		{ "3153600000s", CENTURY_S },
		{ "3153600001s", NONE },
		{ "36500d", CENTURY_S },
		{ "36501d", NONE },
		{ "876000h", CENTURY_S },
		{ "876001h", NONE },
		{ "52560000m", CENTURY_S },
		{ "52560001m", NONE },
		{ "9223372036854775807s", NONE },
		{ "9223372036854775808s", NONE },
		{ "18446744073709551617s", NONE },
		{ "99999999999999999999999999d", NONE },
		{ "", NONE },
		{ "s", NONE },
		{ "1", NONE },
		{ "00", NONE },
		{ "01s", NONE },
		{ "+1s", NONE },
		{ "-1s", NONE },
		{ "-0s", NONE },
		{ " 1s", NONE },
		{ "1s ", NONE },
		{ "1 s", NONE },
		{ "1S", NONE },
		{ "1w", NONE },
		{ "1.5h", NONE },
		{ "1h30m", 5400 },
		{ "3d4h", 273600 },
		{ "1d2h3m4s", 93784 },
		{ "1h0m", 3600 },
		{ "0d0s", 0 },
		{ "90m90s", 5490 },
		{ "36499d24h", CENTURY_S },
		{ "36500d0s", CENTURY_S },
		{ "36500d1s", NONE },
		{ "36500d876000h52560000m3153600000s", NONE },
		{ "30m1h", NONE },
		{ "1h1h", NONE },
		{ "1h30", NONE },
		{ "1h m", NONE },
		{ "1h 30m", NONE },
		{ "1hm", NONE },
		{ "h30m", NONE },
		{ "1h-30m", NONE },
		{ "1h030m", NONE },
		{ "00", NONE },
		{ "0h0", NONE },
		{ "1ss", NONE },
		{ "0x1s", NONE },
		{ "1e3s", NONE },
		{ "\xef\xbc\x91s", NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t seconds = -7;

		EXPECT(rows[i].text, duration_parse(rows[i].text, &seconds),
		    rows[i].wanted == NONE ? RJWT_USAGE : RJWT_OK);
		CHECK(rows[i].text, seconds == (rows[i].wanted == NONE ? -7 : rows[i].wanted));
	}
}

static void
times(void **state)
{
	static const struct row rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01z", 1 },
		{ "1970-01-01t00:00:01Z", 1 },
		{ "1969-12-31T23:59:59Z", NONE },
		{ "1970-01-01T00:59:59+01:00", NONE },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:00:00-01:00", 0 },
		{ "1969-12-31T22:59:59-01:00", NONE },
		{ "9999-12-31T23:59:59Z", LAST_S },
		{ "9999-12-31T23:59:59+00:01", LAST_S - 60 },
		{ "9999-12-31T23:59:59-00:01", NONE },
		{ "10000-01-01T00:00:00Z", NONE },
		{ "2026-11-23T22:00:00Z", 1795471200 },
		{ "2026-11-23T22:00:00-00:00", 1795471200 },
		{ "2026-11-23T23:30:00+01:30", 1795471200 },
		{ "2026-11-23T21:59:00-00:01", 1795471200 },
		{ "2026-11-24T21:59:00+23:59", 1795471200 },
		{ "2026-11-24T21:59:00+24:00", NONE },
		{ "2026-11-24T21:59:00+23:60", NONE },
		/* leap years: by 4, not by 100, by 400 */
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2023-02-29T00:00:00Z", NONE },
		{ "2000-02-29T00:00:00Z", 951782400 },
		{ "2100-02-29T00:00:00Z", NONE },
		{ "2100-02-28T23:59:59Z", 4107542399 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "2400-02-29T00:00:00Z", 13574563200 },
		{ "2024-02-30T00:00:00Z", NONE },
		{ "2026-01-31T00:00:00Z", 1769817600 },
		{ "2026-04-30T00:00:00Z", 1777507200 },
		{ "2026-04-31T00:00:00Z", NONE },
		{ "2024-04-31T00:00:00Z", NONE },
		{ "2026-01-32T00:00:00Z", NONE },
		{ "2026-00-10T00:00:00Z", NONE },
		{ "2026-13-10T00:00:00Z", NONE },
		{ "2026-01-00T00:00:00Z", NONE },
		{ "2026-01-01T24:00:00Z", NONE },
		{ "2026-01-01T00:60:00Z", NONE },
		{ "2016-12-31T23:59:60Z", NONE },
		/* what RFC 3339 has and we have not, and what it has not */
		{ "2026-11-23T22:00:00.5Z", NONE },
		{ "2026-11-23 22:00:00Z", NONE },
		{ "2026-11-23T22:00:00", NONE },
		{ "2026-11-23", NONE },
		{ "2026-11-23T22:00Z", NONE },
		{ "2026-11-23T22:00:00Z ", NONE },
		{ " 2026-11-23T22:00:00Z", NONE },
		{ "2026-11-23T22:00:00+1:00", NONE },
		{ "2026-11-23T22:00:00+0100", NONE },
		{ "2026-11-23T22:00:00+01:00Z", NONE },
		{ "2026-1-23T22:00:00ZZ", NONE },
		{ "-026-11-23T22:00:00Z", NONE },
		{ "2026-+1-23T22:00:00Z", NONE },
		/* beside the digits, and in each separator's place */
		{ "2026-01-0:T00:00:00Z", NONE },
		{ "2026-01-1/T00:00:00Z", NONE },
		{ "2026x11-23T22:00:00Z", NONE },
		{ "2026-11x23T22:00:00Z", NONE },
		{ "2026-11-23T22x00:00Z", NONE },
		{ "2026-11-23T22:00x00Z", NONE },
		{ "2026-11-23T22:00:00X", NONE },
		{ "2026-11-23T22:00:00*01:00", NONE },
		{ "2026-11-23T22:00:00+01x00", NONE },
		{ "2026-", NONE },
		/* seconds */
		{ "0", 0 },
		{ "1795471200", 1795471200 },
		{ "253402300799", LAST_S },
		{ "253402300800", NONE },
		{ "01", NONE },
		{ "-1", NONE },
		{ "1.0", NONE },
		{ "0x10", NONE },
		{ "", NONE },
		{ "now", NONE },
		/* from now, which is 1000 */
		{ "+0", 1000 },
		{ "+10m", 1600 },
		{ "+1d", 87400 },
		{ "+10", NONE },
		{ "+", NONE },
		{ "++1s", NONE },
		{ "+-1s", NONE },
		{ "-10m", NONE },
		{ "10m", NONE },
		{ "+101000d", NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t seconds = -7;

		EXPECT(rows[i].text, time_parse(rows[i].text, 1000, &seconds),
		    rows[i].wanted == NONE ? RJWT_USAGE : RJWT_OK);
		CHECK(rows[i].text, seconds == (rows[i].wanted == NONE ? -7 : rows[i].wanted));
	}
}

static void
time_from_now_ends_where_years_do(void **state)
{
	int64_t seconds = -7;

	(void)state;
	EXPECT("+1s", time_parse("+1s", LAST_S - 1, &seconds), RJWT_OK);
	assert_true(seconds == LAST_S);
	EXPECT("+1s", time_parse("+1s", 0, &seconds), RJWT_OK);
	EXPECT("+1s", time_parse("+1s", -1, &seconds), RJWT_USAGE);
	EXPECT("+1s", time_parse("+1s", LAST_S, &seconds), RJWT_USAGE);
	EXPECT("+1s", time_parse("+1s", INT64_MAX, &seconds), RJWT_USAGE);
	EXPECT("+1s", time_parse("+1s", INT64_MIN, &seconds), RJWT_USAGE);
}

/* Each day of 400 years and more, so that no month, leap year or century is missed. */
static void
every_day_there_and_back(void **state)
{
	(void)state;
	for (int64_t day = 1; day < 366 * 435; day++) {
		int64_t seconds = -7, wanted = day * 86400 + day % 86400;
		char text[32];

		time_format(text, wanted);
		EXPECT(text, time_parse(text, 0, &seconds), RJWT_OK);
		CHECK(text, seconds == wanted);
	}
}

static void
times_written(void **state)
{
	static const struct row rows[] = { { "-", 0 }, { "1970-01-01T00:00:01Z", 1 },
		{ "2026-11-23T22:00:00Z", 1795471200 }, { "9999-12-31T23:59:59Z", LAST_S }, { "-", INT64_MAX } };
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		time_format(text, rows[i].wanted);
		assert_string_equal(text, rows[i].text);
	}
}

static void
numbers(void **state)
{
	static const struct {
		struct view text;
		int64_t max, wanted;
	} rows[] = {
		{ VIEW("0"), 0, 0 },
		{ VIEW("1"), 0, NONE },
		{ VIEW("3"), 3, 3 },
		{ VIEW("4"), 3, NONE },
		{ VIEW("9"), 3, NONE },
		{ VIEW("5"), 5, 5 },
		{ VIEW("6"), 5, NONE },
		{ VIEW("9"), 9, 9 },
		{ VIEW("10"), 9, NONE },
		{ VIEW("10"), 10, 10 },
		{ VIEW("11"), 10, NONE },
		{ VIEW("299"), 300, 299 },
		{ VIEW("300"), 300, 300 },
		{ VIEW("301"), 300, NONE },
		{ VIEW("3000"), 300, NONE },
		{ VIEW("9223372036854775807"), INT64_MAX, INT64_MAX },
		{ VIEW("9223372036854775808"), INT64_MAX, NONE },
		{ VIEW("92233720368547758070"), INT64_MAX, NONE },
		{ VIEW(""), 9, NONE },
		{ VIEW("00"), 9, NONE },
		{ VIEW("01"), 9, NONE },
		{ VIEW("+1"), 9, NONE },
		{ VIEW("-1"), 9, NONE },
		{ VIEW(" 1"), 9, NONE },
		{ VIEW("1 "), 9, NONE },
		{ VIEW("1\n"), 9, NONE },
		{ VIEW("1\0"), 99, NONE },
		{ VIEW("0x1"), 9, NONE },
		{ VIEW("1e0"), 9, NONE },
		{ VIEW("1.0"), 9, NONE },
		{ VIEW("\xd9\xa1"), 9, NONE },
		{ VIEW("\xc2\xb2"), 9, NONE },
		{ { NULL, 0 }, 9, NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t number = -7;

		EXPECT(rows[i].text.p, number_parse(rows[i].text, rows[i].max, &number),
		    rows[i].wanted == NONE ? RJWT_USAGE : RJWT_OK);
		CHECK(rows[i].text.p, number == (rows[i].wanted == NONE ? -7 : rows[i].wanted));
	}
}

static void
durations_written(void **state)
{
	static const struct row rows[] = { { "0s", 0 }, { "1s", 1 }, { "40s", 40 }, { "59s", 59 }, { "1m", 60 },
		{ "4m10s", 250 }, { "59m59s", 3599 }, { "1h", 3600 }, { "1h59s", 3659 }, { "1h30m", 5400 },
		{ "2h", 7200 }, { "2h1m", 7261 }, { "1d", 86400 }, { "1d59s", 86459 }, { "1d1m", 86465 },
		{ "3d4h", 273600 }, { "36500d", CENTURY_S }, { "4m10s", -250 }, { "106751991167300d15h", INT64_MAX },
		{ "106751991167300d15h", INT64_MIN } };
	static const int64_t exact[] = { 0, 1, 59, 60, 61, 3599, 3600, 3601, 5400, 86399 - 59, 86400, 86401, 273600,
		CENTURY_S - 3600, CENTURY_S };
	int64_t again;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		duration_format(text, rows[i].wanted);
		assert_string_equal(text, rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
		duration_format(text, exact[i]);
		assert_int_equal(duration_parse(text, &again), RJWT_OK);
		assert_int_equal(again, exact[i]);
	}
}

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
		cmocka_unit_test(durations),
		cmocka_unit_test(times),
		cmocka_unit_test(time_from_now_ends_where_years_do),
		cmocka_unit_test(every_day_there_and_back),
		cmocka_unit_test(times_written),
		cmocka_unit_test(numbers),
		cmocka_unit_test(durations_written),
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

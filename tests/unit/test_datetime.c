/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
#include "unit.h"

#include "base/datetime.h"

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

static const struct row time_rows[] = {
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

static void
times(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(time_rows); i++) {
		int64_t seconds = -7;

		EXPECT(time_rows[i].text, time_parse(time_rows[i].text, 1000, &seconds),
		    time_rows[i].wanted == NONE ? RJWT_USAGE : RJWT_OK);
		CHECK(time_rows[i].text, seconds == (time_rows[i].wanted == NONE ? -7 : time_rows[i].wanted));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/datetime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_S INT64_C(31536000)
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

enum rjwt_err
number_parse(struct view text, int64_t max, int64_t *number)
{
	int64_t value = 0;

	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return RJWT_USAGE;
	for (size_t i = 0; i < text.n; i++) {
		int digit = text.p[i] - '0';

		if (digit < 0 || digit > 9 || digit > max || value > (max - digit) / 10)
			return RJWT_USAGE;
		value = value * 10 + digit;
	}
	*number = value;
	return RJWT_OK;
}

/* Units of a duration, in the order in which they are written. */
static const struct {
	int64_t size_s;
	char letter;
} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };

enum rjwt_err
duration_parse(const char *text, int64_t *seconds)
{
	int64_t sum = 0, count;
	size_t unit = 0;

	if (strcmp(text, "0") == 0) {
		*seconds = 0;
		return RJWT_OK;
	}
	if (text[0] == '\0')
		return RJWT_USAGE;
	while (text[0] != '\0') {
		size_t n = strspn(text, "0123456789");

		while (unit < ARRAY_LEN(units) && units[unit].letter != text[n])
			unit++;
		if (unit == ARRAY_LEN(units))
			return RJWT_USAGE;
		RJWT_TRY(number_parse((struct view){ text, n }, 100 * YEAR_S / units[unit].size_s, &count));
		sum += count * units[unit++].size_s;
		text += n + 1;
	}
	if (sum > 100 * YEAR_S)
		return RJWT_USAGE;
	*seconds = sum;
	return RJWT_OK;
}

/* Exactly n digits at p, up to max. */
static bool
digits_at(const char *p, int n, int max, int *value)
{
	*value = 0;
	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*value = *value * 10 + (p[i] - '0');
	}
	return *value <= max;
}

/* Days from 1970-01-01 to a Gregorian date; the year is counted from March. */
static int64_t
days_before(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "Z" or "+hh:mm", to the end of the text. */
static bool
offset_parse(const char *p, int *minutes)
{
	int hour, minute;

	*minutes = 0;
	if ((p[0] == 'Z' || p[0] == 'z') && p[1] == '\0')
		return true;
	if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 || p[3] != ':' || !digits_at(p + 1, 2, 23, &hour) ||
	    !digits_at(p + 4, 2, 59, &minute))
		return false;
	*minutes = (p[0] == '-' ? -1 : 1) * (hour * 60 + minute);
	return true;
}

static bool
rfc3339_parse(const char *p, int64_t *seconds)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, hour, minute, second, offset;
	bool leap;

	if (strlen(p) < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't') || p[13] != ':' ||
	    p[16] != ':')
		return false;
	if (!digits_at(p, 4, 9999, &year) || !digits_at(p + 5, 2, 12, &month) || !digits_at(p + 8, 2, 31, &day) ||
	    !digits_at(p + 11, 2, 23, &hour) || !digits_at(p + 14, 2, 59, &minute) ||
	    !digits_at(p + 17, 2, 59, &second) || !offset_parse(p + 19, &offset))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || day < 1 || day > month_days[month - 1] + (leap && month == 2 ? 1 : 0))
		return false;
	*seconds = days_before(year, month, day) * 86400 + hour * 3600 + (minute - offset) * 60 + second;
	return *seconds >= 0 && *seconds <= LAST_SECOND;
}

enum rjwt_err
time_parse(const char *text, int64_t now_s, int64_t *seconds)
{
	int64_t value;

	if (text[0] == '+') {
		RJWT_TRY(duration_parse(text + 1, &value));
		if (now_s < 0 || value > LAST_SECOND - now_s)
			return RJWT_USAGE;
		*seconds = now_s + value;
		return RJWT_OK;
	}
	if (number_parse(view_of(text), LAST_SECOND, &value) != RJWT_OK && !rfc3339_parse(text, &value))
		return RJWT_USAGE;
	*seconds = value;
	return RJWT_OK;
}

void
duration_format(char out[static 32], int64_t seconds)
{
	uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	int n = 0;

	snprintf(out, 32, "0s");
	for (size_t i = 0, shown = 0; i < ARRAY_LEN(units) && shown < 2; i++) {
		uint64_t size_s = (uint64_t)units[i].size_s;

		if (left < size_s)
			continue;
		n += snprintf(out + n, 32 - (size_t)n, "%" PRIu64 "%c", left / size_s, units[i].letter);
		left %= size_s;
		shown++;
	}
}

void
time_format(char out[static 32], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || t != seconds || gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "-", 2);
}

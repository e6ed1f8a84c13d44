/* SPDX-License-Identifier: MIT */
#include "jose/numeric_date.h"
#include "base/json.h"

#define FRACTION_DIGITS 18
#define EXPONENT_MAX 100000 /* beyond it every number is 0 or too large: a payload is shorter */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind e or E; saturates. */
static int64_t
read_exponent(struct view text)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	int64_t value = 0;

	for (size_t i = 0; i < text.n; i++)
		if (is_digit(text.p[i]) && value < EXPONENT_MAX)
			value = 10 * value + (text.p[i] - '0');
	return minus ? -value : value;
}

/* The place of the decimal point: how many digits come before it, by the literal and its exponent. */
static int64_t
find_point(struct view mantissa, struct view exponent)
{
	size_t n = 0;

	while (n < mantissa.n && is_digit(mantissa.p[n]))
		n++;
	return (int64_t)n + read_exponent(exponent);
}

/* One digit more; at is its place, the first behind the point being 0. */
static bool
add_digit(struct numeric_date *date, int64_t at, int digit)
{
	if (at < 0)
		date->whole_s = 10 * date->whole_s + digit;
	else if (at < FRACTION_DIGITS)
		date->fraction = 10 * date->fraction + digit;
	else
		date->more = date->more || digit != 0;
	return date->whole_s <= JSON_INTEGER_MAX;
}

bool
numeric_date_parse(struct view literal, struct numeric_date *date)
{
	struct numeric_date found = { 0 };
	struct view mantissa = literal, exponent = { NULL, 0 };
	int64_t at;

	for (size_t i = 0; i < literal.n; i++)
		if (literal.p[i] == 'e' || literal.p[i] == 'E') {
			mantissa.n = i;
			exponent = (struct view){ literal.p + i + 1, literal.n - i - 1 };
		}
	if (mantissa.n == 0 || !is_digit(mantissa.p[0])) /* negative, or not a number */
		return false;
	at = -find_point(mantissa, exponent);
	for (size_t i = 0; i < mantissa.n; i++)
		if (is_digit(mantissa.p[i]) && !add_digit(&found, at++, mantissa.p[i] - '0'))
			return false;
	/* Zeros that the exponent adds. A whole number of 0 stays 0, however many they are. */
	for (; at < FRACTION_DIGITS; at++)
		if (!add_digit(&found, at, 0))
			return false;
	if (found.whole_s == JSON_INTEGER_MAX && (found.fraction > 0 || found.more))
		return false;
	*date = found;
	return true;
}

int64_t
numeric_date_up(const struct numeric_date *date)
{
	return date->whole_s + (date->fraction > 0 || date->more ? 1 : 0);
}

int64_t
numeric_date_between(const struct numeric_date *from, const struct numeric_date *to)
{
	bool more = to->fraction > from->fraction || (to->fraction == from->fraction && to->more);

	return to->whole_s - from->whole_s + (more ? 1 : 0);
}

/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

enum rjwt_err
duration_parse(const char *text, int64_t *seconds)
{
	struct view digits = view_of(text);
	int64_t unit, count;

	if (view_is(digits, "0")) {
		*seconds = 0;
		return RJWT_OK;
	}
	if (digits.n < 2)
		return RJWT_USAGE;
	switch (digits.p[digits.n - 1]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return RJWT_USAGE;
	}
	digits.n--;
	RJWT_TRY(number_parse(digits, 100 * YEAR_S / unit, &count));
	*seconds = count * unit;
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

/* Days from 1970-01-01 to a date of the Gregorian calendar, March being the year's first month. */
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
	if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 || p[3] != ':' ||
	    !digits_at(p + 1, 2, 23, &hour) || !digits_at(p + 4, 2, 59, &minute))
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

	if (strlen(p) < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't') ||
	    p[13] != ':' || p[16] != ':')
		return false;
	if (!digits_at(p, 4, 9999, &year) || !digits_at(p + 5, 2, 12, &month) ||
	    !digits_at(p + 8, 2, 31, &day) || !digits_at(p + 11, 2, 23, &hour) ||
	    !digits_at(p + 14, 2, 59, &minute) || !digits_at(p + 17, 2, 59, &second) ||
	    !offset_parse(p + 19, &offset))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || day < 1 || day > month_days[month - 1] + (leap && month == 2 ? 1 : 0))
		return false;
	*seconds = days_before(year, month, day) * 86400 + hour * 3600 + (minute - offset) * 60 +
	    second;
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
	if (number_parse(view_of(text), LAST_SECOND, &value) != RJWT_OK &&
	    !rfc3339_parse(text, &value))
		return RJWT_USAGE;
	*seconds = value;
	return RJWT_OK;
}

void
duration_format(char out[static 32], int64_t seconds)
{
	static const struct {
		int64_t size_s;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	size_t i = 0;
	int n;

	while (i < 3 && left < (uint64_t)units[i].size_s)
		i++;
	n = snprintf(out, 32, "%llu %c", (unsigned long long)(left / (uint64_t)units[i].size_s),
	    units[i].letter);
	left %= (uint64_t)units[i].size_s;
	if (i < 3 && left / (uint64_t)units[i + 1].size_s > 0 && n > 0)
		snprintf(out + n, 32 - (size_t)n, " %llu %c",
		    (unsigned long long)(left / (uint64_t)units[i + 1].size_s),
		    units[i + 1].letter);
}

void
time_format(char out[static 32], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "-", 2);
}

size_t
utf8_length(const char *text, size_t n)
{
	/* RFC 3629 s4: the range of the second byte depends on the first. */
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		length = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		length = 3;
		low = p[0] == 0xe0 ? 0xa0 : low;
		high = p[0] == 0xed ? 0x9f : high;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		length = 4;
		low = p[0] == 0xf0 ? 0x90 : low;
		high = p[0] == 0xf4 ? 0x8f : high;
	} else {
		return 0;
	}
	if (n < length || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return length;
}

uint32_t
utf8_decode(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *)text;
	static const unsigned char lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = p[0] & lead[length];

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* Controls, blanks that are no space, and what Unicode calls default ignorable or formatting. */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x00, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
	{ 0x115f, 0x1160 }, { 0x1680, 0x1680 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x2800, 0x2800 },
	{ 0x3000, 0x3000 }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

bool
text_is_printable(uint32_t c)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return false;
	return true;
}

/* How much of it is what nearly all of it is: printable ASCII but backslash. */
static size_t
plain_length(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] >= 0x20 && text[i] < 0x7f && text[i] != '\\')
		i++;
	return i;
}

void
text_escape(struct buf *out, struct view text)
{
	size_t i = 0;

	while (i < text.n) {
		size_t length = plain_length(text.p + i, text.n - i);

		buf_add(out, text.p + i, length);
		i += length;
		if (i == text.n)
			return;
		length = utf8_length(text.p + i, text.n - i);
		if (length == 0 || text.p[i] == '\\' ||
		    !text_is_printable(utf8_decode(text.p + i, length))) {
			length = length == 0 ? 1 : length;
			for (size_t k = 0; k < length; k++)
				buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text.p[i + k]);
		} else {
			buf_add(out, text.p + i, length);
		}
		i += length;
	}
}

void
text_append(char *out, size_t size, const char *between, const char *fmt, ...)
{
	size_t have = strlen(out);
	va_list args;
	int n = 0;

	if (have > 0)
		n = snprintf(out + have, size - have, "%s", between);
	have += n > 0 ? (size_t)n : 0;
	if (have + 1 >= size)
		return;
	va_start(args, fmt);
	vsnprintf(out + have, size - have, fmt, args);
	va_end(args);
}

void
text_log_word(struct buf *line, const char *key, struct view text)
{
	RJWT_CLEAN(buf_clear) struct buf word = { 0 };
	bool quote;

	text_escape(&word, text);
	line->failed = line->failed || word.failed;
	quote = word.n == 0 || strpbrk(word.p, " \"=") != NULL;
	buf_adds(line, line->n > 0 ? " " : "");
	buf_adds(line, key);
	buf_adds(line, quote ? "=\"" : "=");
	for (const char *p = word.p, *next; p != NULL; p = next) {
		next = strchr(p, '"');
		buf_add(line, p, next == NULL ? strlen(p) : (size_t)(next - p));
		if (next != NULL)
			buf_adds(line, "\\x22");
		next = next == NULL ? NULL : next + 1;
	}
	if (quote)
		buf_adds(line, "\"");
}

/* Damerau-Levenshtein distance of adjacent transpositions; words over 32 bytes count as far. */
static unsigned
edits(struct view a, struct view b)
{
	unsigned row[3][34];

	if (a.n > 32 || b.n > 32)
		return 99;
	for (unsigned k = 0; k <= b.n; k++)
		row[0][k] = row[1][k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3], *above = row[(i + 2) % 3], *two = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			unsigned best = above[k - 1] + (a.p[i - 1] == b.p[k - 1] ? 0 : 1);

			best = above[k] + 1 < best ? above[k] + 1 : best;
			best = now[k - 1] + 1 < best ? now[k - 1] + 1 : best;
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1] &&
			    two[k - 2] + 1 < best)
				best = two[k - 2] + 1;
			now[k] = best;
		}
	}
	return row[a.n % 3][b.n];
}

const char *
text_nearest(struct view word, const char *const *names)
{
	const char *nearest = NULL;
	unsigned best = 3; /* 0: but for case the same */

	for (; *names != NULL; names++) {
		bool same = strlen(*names) == word.n && strncasecmp(word.p, *names, word.n) == 0;
		unsigned distance = same ? 0 : edits(word, view_of(*names));

		if (distance < best && distance < word.n) {
			best = distance;
			nearest = *names;
		}
	}
	return nearest;
}

/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "base/datetime.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Control characters, blanks other than the space, and what Unicode calls default ignorable or formatting. */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{ 0x00, 0x1f },
	{ 0x7f, 0xa0 },
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x1680, 0x1680 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3000, 0x3000 },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

bool
text_is_printable(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(unprintable); i++)
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return false;
	return true;
}

/* Length of the leading run of printable ASCII other than backslash, which most text is. */
static size_t
plain_length(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] >= 0x20 && text[i] < 0x7f && text[i] != '\\')
		i++;
	return i;
}

/* Append the first character or byte; what it took of the text. also: a character to escape; NUL: none. */
static size_t
escape_one(struct buf *out, struct view text, char also)
{
	size_t length = utf8_length(text.p, text.n);

	if (length > 0 && text.p[0] != '\\' && text.p[0] != also && text_is_printable(utf8_decode(text.p, length))) {
		buf_add(out, text.p, length);
		return length;
	}
	length = length == 0 ? 1 : length;
	for (size_t k = 0; k < length; k++)
		buf_addf(out, "\\x%02x", (unsigned)(unsigned char)text.p[k]);
	return length;
}

void
text_escape(struct buf *out, struct view text)
{
	for (size_t i = 0; i < text.n;) {
		size_t length = plain_length(text.p + i, text.n - i);

		buf_add(out, text.p + i, length);
		i += length;
		if (i < text.n)
			i += escape_one(out, (struct view){ text.p + i, text.n - i }, '\0');
	}
}

static void
escape_most(struct buf *out, struct view text, size_t most, char also)
{
	RJWT_CLEAN(buf_clear) struct buf whole = { 0 };
	size_t i = 0, fits = 0;

	/* What nearly every value is. */
	if (text.n <= most && plain_length(text.p, text.n) == text.n &&
	    (text.n == 0 || memchr(text.p, also, text.n) == NULL)) {
		buf_add_view(out, text);
		return;
	}
	while (i < text.n && whole.n <= most && !whole.failed) {
		i += escape_one(&whole, (struct view){ text.p + i, text.n - i }, also);
		if (whole.n + 3 <= most)
			fits = whole.n;
	}
	out->failed = out->failed || whole.failed;
	if (whole.n > most || i < text.n) {
		whole.n = fits;
		buf_adds(&whole, "...");
	}
	buf_add_view(out, buf_view(&whole));
}

void
text_escape_most(struct buf *out, struct view text, size_t most)
{
	escape_most(out, text, most, '\0');
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

	escape_most(&word, text, LOG_VALUE_MAX, '"');
	line->failed = line->failed || word.failed;
	quote = word.n == 0 || strpbrk(word.p, " =") != NULL || strstr(word.p, "\\x22") != NULL;
	buf_adds(line, line->n > 0 ? " " : "");
	buf_adds(line, key);
	buf_adds(line, quote ? "=\"" : "=");
	buf_add_view(line, buf_view(&word));
	buf_adds(line, quote ? "\"" : "");
}

void
text_log_clock(struct buf *line, int64_t by_s)
{
	char amount[32];

	duration_format(amount, by_s);
	buf_adds(line, "clock");
	text_log_word(line, "suspect", view_of(by_s < 0 ? "back" : "forward"));
	text_log_word(line, "by", view_of(amount));
}

bool
text_is_name(struct view word)
{
	if (word.n == 0 || word.n > 32)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] != '_' && (word.p[i] < 'a' || word.p[i] > 'z'))
			return false;
	return true;
}

/* Damerau-Levenshtein distance with adjacent transpositions; words over 32 bytes count as distant. */
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
	unsigned best = 3; /* 0: equal except for case */

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

void
text_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > width) {
			buf_addf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_adds(out, " ");
			column++;
		}
		buf_add(out, text, n);
		column += n;
		text += n + strspn(text + n, " ");
	}
}

bool
label_check(struct view name)
{
	if (name.n == 0 || name.n > LABEL_MAX || name.p[0] < 'a' || name.p[0] > 'z')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] < 'a' || name.p[i] > 'z') && (name.p[i] < '0' || name.p[i] > '9') && name.p[i] != '-')
			return false;
	return true;
}

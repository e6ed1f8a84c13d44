/* SPDX-License-Identifier: MIT */
#include "base/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* clang-format off */
/* Value of each byte plus one; 0: not in the alphabet. */
static const unsigned char value_plus_one[256] = {
	['-'] = 63, ['_'] = 64,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
	49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
};
/* clang-format on */

/* More than 63 for a byte outside the alphabet, even after any number of values were or-ed together. */
static unsigned
value(char c)
{
	return value_plus_one[(unsigned char)c] - 1U;
}

const char *
base64url_check(struct view text)
{
	size_t tail = text.n % 4;
	unsigned seen = 0;

	for (size_t i = 0; i < text.n; i++)
		seen |= value(text.p[i]);
	if (seen > 63)
		return "a byte outside the base64url alphabet";
	if (tail == 1)
		return "a length that base64url cannot have";
	/* Bits of the last character beyond the last byte: 4 after two characters, 2 after three. */
	if (tail != 0 && (value(text.p[text.n - 1]) & (tail == 2 ? 15U : 3U)) != 0)
		return "unused bits that are not zero";
	return NULL;
}

enum rjwt_err
base64url_decode(struct view text, struct buf *out)
{
	size_t tail = text.n % 4, start = out->n, have = tail == 0 ? 0 : tail - 1, i;
	unsigned group = 0, seen = 0;
	char *to;

	/* Only the tail needs this check: the loop below checks the bytes themselves. */
	if (tail != 0 && base64url_check((struct view){ text.p + text.n - tail, tail }) != NULL)
		return RJWT_MALFORMED;
	to = buf_room(out, text.n / 4 * 3 + have);
	if (to == NULL)
		return RJWT_MEMORY;
	for (i = 0; i < text.n - tail; i += 4) {
		unsigned a = value(text.p[i]), b = value(text.p[i + 1]), c = value(text.p[i + 2]),
			 d = value(text.p[i + 3]);

		seen |= a | b | c | d;
		group = a << 18 | b << 12 | c << 6 | d;
		*to++ = (char)(group >> 16 & 0xff);
		*to++ = (char)(group >> 8 & 0xff);
		*to++ = (char)(group & 0xff);
	}
	for (group = 0; i < text.n; i++)
		group = group << 6 | value(text.p[i]);
	group <<= tail == 2 ? 12 : 6;
	for (i = 0; i < have; i++)
		*to++ = (char)(group >> (16 - 8 * i) & 0xff);
	if (seen > 63)
		out->n = start;
	return seen > 63 ? RJWT_MALFORMED : RJWT_OK;
}

void
base64url_encode(struct buf *out, struct view bytes)
{
	size_t tail = bytes.n % 3, i;
	char *to = buf_room(out, bytes.n / 3 * 4 + (tail == 0 ? 0 : tail + 1));
	const unsigned char *p = (const unsigned char *)bytes.p;

	if (to == NULL)
		return;
	for (i = 0; i + 3 <= bytes.n; i += 3) {
		uint32_t group = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];

		*to++ = alphabet[group >> 18];
		*to++ = alphabet[group >> 12 & 63];
		*to++ = alphabet[group >> 6 & 63];
		*to++ = alphabet[group & 63];
	}
	if (tail > 0) {
		uint32_t group = (uint32_t)p[i] << 16 | (tail == 2 ? (uint32_t)p[i + 1] << 8 : 0);

		*to++ = alphabet[group >> 18];
		*to++ = alphabet[group >> 12 & 63];
		if (tail == 2)
			*to++ = alphabet[group >> 6 & 63];
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * The scanner in front of json-c: RFC 8259 to the letter, with the limits of json.h. It keeps
 * only the names in the objects that it is inside of, to find duplicates.
 */
#include "base/json.h"
#include "base/text.h"

#include <string.h>

struct scan {
	const char *p, *end;
	const char *why; /* what is wrong at p; NULL: nothing so far */
	bool minus_zero;
	int depth;
	struct view wanted,
	    raw; /* a name to look for in the outermost object (.p NULL: none), and the text of its value */
	struct view names[JSON_DEPTH_MAX][JSON_MEMBERS_MAX]; /* between the quotes, escapes as written */
};

static bool
fail(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static void
skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool
take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool
word(struct scan *s, const char *literal)
{
	size_t n = strlen(literal);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, literal, n) != 0)
		return fail(s, "not a JSON value");
	s->p += n;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The value of four hex digits at p, or -1. */
static int
hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* After the backslash. */
static bool
escape(struct scan *s)
{
	int unit, low;

	if (s->p == s->end || strchr("\"\\/bfnrtu", *s->p) == NULL || *s->p == '\0')
		return fail(s, "not a JSON escape");
	if (*s->p++ != 'u')
		return true;
	unit = hex4(s->p, s->end);
	if (unit < 0)
		return fail(s, "\\u is not followed by four hex digits");
	if (unit == 0)
		return fail(s, "\\u0000 is not accepted");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail(s, "a low surrogate without a high one");
	s->p += 4;
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s->p + 2, s->end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, "a high surrogate without a low one");
	s->p += 6;
	return true;
}

/* Past what RFC 8259 calls unescaped, as far as it is ASCII: most of any text, and the last two hardly ever. */
static const char *
skip_plain(const char *p, const char *end)
{
	while (p < end && ((*p >= ']' && *p <= '~') || (*p >= '#' && *p <= '[') || *p == ' ' || *p == '!'))
		p++;
	return p;
}

static bool
string(struct scan *s, struct view *inside)
{
	const char *start;

	if (!take(s, '"'))
		return fail(s, "expected a string");
	start = s->p;
	while ((s->p = skip_plain(s->p, s->end)) < s->end && *s->p != '"') {
		size_t length;

		if ((unsigned char)*s->p < 0x20)
			return fail(s, "unescaped control character in a string");
		if (take(s, '\\')) {
			if (!escape(s))
				return false;
			continue;
		}
		length = (unsigned char)*s->p < 0x80 ? 1 : utf8_length(s->p, (size_t)(s->end - s->p));
		if (length == 0)
			return fail(s, "not UTF-8");
		s->p += length;
	}
	*inside = (struct view){ start, (size_t)(s->p - start) };
	return take(s, '"') || fail(s, "unterminated string");
}

static bool
digits(struct scan *s)
{
	const char *start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > start || fail(s, "expected a digit");
}

static bool
number(struct scan *s)
{
	const char *start = s->p;
	bool minus = take(s, '-'), plain = true;

	if (take(s, '0')) {
		if (s->p < s->end && *s->p >= '0' && *s->p <= '9')
			return fail(s, "a number with a leading zero");
	} else if (!digits(s)) {
		return false;
	}
	if (take(s, '.')) {
		plain = false;
		if (!digits(s))
			return false;
	}
	if (take(s, 'e') || take(s, 'E')) {
		plain = false;
		if (!take(s, '+'))
			(void)take(s, '-');
		if (!digits(s))
			return false;
	}
	if (minus && plain && s->p - start == 2 && start[1] == '0')
		s->minus_zero = true;
	return true;
}

/* The next character of a scanned string, escapes resolved, as code units of UTF-16 or bytes. */
static int
next_unit(struct view *text)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	int c = (unsigned char)*text->p++;

	text->n--;
	if (c != '\\')
		return c;
	c = *text->p++;
	text->n--;
	if (c != 'u')
		return meanings[strchr(letters, c) - letters];
	c = hex4(text->p, text->p + text->n);
	text->p += 4;
	text->n -= 4;
	return c;
}

/* Resolve one string into UTF-8, at most 4 bytes at a time. */
static size_t
next_bytes(struct view *text, char out[static 4])
{
	bool escaped = text->p[0] == '\\' && text->p[1] == 'u';
	uint32_t c = (uint32_t)next_unit(text);

	if (!escaped || c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0xd800 || c > 0xdbff) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)next_unit(text) - 0xdc00);
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

void
json_unescape(struct view inside, struct buf *out)
{
	char bytes[4];

	while (inside.n > 0) {
		const char *escape = memchr(inside.p, '\\', inside.n);
		size_t plain = escape == NULL ? inside.n : (size_t)(escape - inside.p);

		buf_add(out, inside.p, plain);
		inside = (struct view){ inside.p + plain, inside.n - plain };
		if (inside.n > 0)
			buf_add(out, bytes, next_bytes(&inside, bytes));
	}
}

struct units {
	struct view text;
	char bytes[4];
	size_t at, have;
};

/* The next byte of a name, -1 at its end. */
static int
next_byte(struct units *u)
{
	if (u->at == u->have) {
		if (u->text.n == 0)
			return -1;
		u->have = next_bytes(&u->text, u->bytes);
		u->at = 0;
	}
	return (unsigned char)u->bytes[u->at++];
}

static bool
same_name(struct view a, struct view b)
{
	struct units ua = { .text = a }, ub = { .text = b };
	int ca, cb;

	/* Nearly all names end here. */
	if (a.n > 0 && b.n > 0 && *a.p != *b.p && *a.p != '\\' && *b.p != '\\')
		return false;
	if (memchr(a.p, '\\', a.n) == NULL && memchr(b.p, '\\', b.n) == NULL)
		return view_eq(a, b);
	do {
		ca = next_byte(&ua);
		cb = next_byte(&ub);
	} while (ca == cb && ca != -1);
	return ca == cb;
}

static bool value(struct scan *s);

static bool
object(struct scan *s)
{
	struct view *names = s->names[s->depth - 1];
	size_t n = 0;

	skip_blanks(s);
	if (take(s, '}'))
		return true;
	do {
		const char *start;

		skip_blanks(s);
		start = s->p;
		if (n == JSON_MEMBERS_MAX)
			return fail(s, "more than 64 members in an object");
		if (!string(s, &names[n]))
			return false;
		for (size_t i = 0; i < n; i++)
			if (same_name(names[i], names[n])) {
				s->p = start;
				return fail(s, "duplicate name in an object");
			}
		n++;
		skip_blanks(s);
		if (!take(s, ':'))
			return fail(s, "expected a colon");
		skip_blanks(s);
		start = s->p;
		if (!value(s))
			return false;
		if (s->depth == 1 && s->wanted.p != NULL && same_name(names[n - 1], s->wanted))
			s->raw = (struct view){ start, (size_t)(s->p - start) };
		skip_blanks(s);
	} while (take(s, ','));
	return take(s, '}') || fail(s, "expected a comma or }");
}

static bool
array(struct scan *s)
{
	skip_blanks(s);
	if (take(s, ']'))
		return true;
	do {
		if (!value(s))
			return false;
		skip_blanks(s);
	} while (take(s, ','));
	return take(s, ']') || fail(s, "expected a comma or ]");
}

static bool
nested(struct scan *s, bool (*kind)(struct scan *))
{
	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, "nested deeper than 8 levels");
	s->p++;
	s->depth++;
	if (!kind(s))
		return false;
	s->depth--;
	return true;
}

static bool
value(struct scan *s)
{
	struct view ignored;

	skip_blanks(s);
	if (s->p == s->end)
		return fail(s, "expected a value");
	switch (*s->p) {
	case '{':
		return nested(s, object);
	case '[':
		return nested(s, array);
	case '"':
		return string(s, &ignored);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		if (*s->p != '-' && (*s->p < '0' || *s->p > '9'))
			return fail(s, "expected a value");
		return number(s);
	}
}

/* Line and column of p, in bytes, both from 1. */
static enum rjwt_err
fail_at(struct view text, const struct scan *s, struct rjwt_diag *diag)
{
	(void)diag_fail(diag, RJWT_MALFORMED, "", "%s", s->why);
	if (diag == NULL)
		return RJWT_MALFORMED;
	diag->line = diag->column = 1;
	for (const char *p = text.n == 0 ? s->p : text.p; p < s->p; p++) {
		diag->column++;
		if (*p == '\n') {
			diag->line++;
			diag->column = 1;
		}
	}
	return RJWT_MALFORMED;
}

/* names is left alone: 8 KiB that are written before they are read. */
static void
begin(struct scan *s, struct view text)
{
	s->p = text.n == 0 ? "" : text.p;
	s->end = s->p + text.n;
	s->why = NULL;
	s->minus_zero = false;
	s->depth = 0;
	s->wanted = s->raw = (struct view){ NULL, 0 };
	skip_blanks(s);
}

enum rjwt_err
json_scan(struct view text, bool *minus_zero, struct rjwt_diag *diag)
{
	struct scan s;

	begin(&s, text);
	if (s.p == s.end || *s.p != '{') {
		(void)fail(&s, "expected an object");
		return fail_at(text, &s, diag);
	}
	if (!value(&s))
		return fail_at(text, &s, diag);
	skip_blanks(&s);
	if (s.p != s.end) {
		(void)fail(&s, "unexpected text after the object");
		return fail_at(text, &s, diag);
	}
	*minus_zero = s.minus_zero;
	return RJWT_OK;
}

bool
json_raw(struct view text, const char *name, struct view *value_text)
{
	struct scan s;

	begin(&s, text);
	s.wanted = view_of(name);
	if (!value(&s) || s.raw.p == NULL)
		return false;
	*value_text = s.raw;
	return true;
}

/* SPDX-License-Identifier: MIT */
#include "json_documents.h"
#include "base/json.h"

uint64_t documents_seed;

static unsigned
draw(unsigned below)
{
	documents_seed = documents_seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(documents_seed >> 33) % below;
}

static void
put_blanks(struct buf *out)
{
	static const char *const blanks[] = { "", "", "", "", " ", "\t", "\n", "\r", " \n\t " };

	buf_adds(out, blanks[draw(ARRAY_LEN(blanks))]);
}

static void
put_some(struct buf *out, const char *const *some, size_t n)
{
	buf_adds(out, some[draw((unsigned)n)]);
}

static void
put_string(struct buf *out)
{
	static const char *const pieces[] = { "a", "b", "Z", "0", " ", "/", "'", "{", "]", ",", ":", "\x7f", "\\\"",
		"\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u000a", "\\u0001", "\\u001F", "\\u007f",
		"\\u0080", "\\u07ff", "\\u0800", "\\uD7fF", "\\uE000", "\\ufffE", "\\ud800\\udc00", "\\uD83D\\uDE00",
		"\\udbff\\udfff", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf", "sub",
		"exp", "u0000", "\\\\u0000" };

	for (unsigned n = draw(5) * draw(3); n > 0; n--)
		put_some(out, pieces, ARRAY_LEN(pieces));
}

static void
put_number(struct buf *out)
{
	static const char *const whole[] = { "0", "1", "7", "10", "42", "1800000000", "9007199254740992",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999999" },
				 *const fraction[] = { "", "", "", "", ".0", ".5", ".000", ".125",
					 ".99999999999999999999" },
				 *const exponent[] = { "", "", "", "", "e0", "E3", "e+2", "e-2", "E-007", "e400",
					 "e-400" };

	if (draw(4) == 0)
		buf_adds(out, "-");
	put_some(out, whole, ARRAY_LEN(whole));
	put_some(out, fraction, ARRAY_LEN(fraction));
	put_some(out, exponent, ARRAY_LEN(exponent));
}

static void put_value(struct buf *out, unsigned depth);

/* depth: levels that are open, this one included. */
static void
put_object(struct buf *out, unsigned depth)
{
	unsigned n = draw(60) == 0 ? 60 + draw(5) : draw(5);

	buf_adds(out, "{");
	for (unsigned i = 0; i < n; i++) {
		put_blanks(out);
		buf_adds(out, "\"");
		put_string(out);
		buf_addf(out, "#%u\"", i); /* no two are the same */
		put_blanks(out);
		buf_adds(out, ":");
		put_value(out, n > 10 ? JSON_DEPTH_MAX : depth);
		buf_adds(out, i + 1 < n ? "," : "");
	}
	put_blanks(out);
	buf_adds(out, "}");
}

static void
put_array(struct buf *out, unsigned depth)
{
	unsigned n = draw(4);

	buf_adds(out, "[");
	for (unsigned i = 0; i < n; i++) {
		put_value(out, depth);
		buf_adds(out, i + 1 < n ? "," : "");
	}
	put_blanks(out);
	buf_adds(out, "]");
}

static void
put_value(struct buf *out, unsigned depth)
{
	static const char *const words[] = { "true", "false", "null" };
	unsigned kind = draw(depth < JSON_DEPTH_MAX ? 6 : 3);

	put_blanks(out);
	if (kind == 0) {
		put_some(out, words, ARRAY_LEN(words));
	} else if (kind == 1) {
		buf_adds(out, "\"");
		put_string(out);
		buf_adds(out, "\"");
	} else if (kind == 2) {
		put_number(out);
	} else if (kind == 3) {
		put_array(out, depth + 1);
	} else {
		put_object(out, depth + 1);
	}
	put_blanks(out);
}

void
document_make(struct buf *out)
{
	buf_clear(out);
	put_blanks(out);
	put_object(out, 1);
	put_blanks(out);
}

void
document_change(struct buf *text)
{
	static const char letters[] = "{}[]\",:\\u0019eE+-.truefalsn/bdD8cC# \n\t\x80\xc3\xa9\xed\xa0\xf0\x01\x1f\x7f";

	for (unsigned n = 1 + draw(3); n > 0; n--) {
		size_t at = draw((unsigned)text->n), end = at + 1 + draw(6);
		char c = letters[draw(sizeof(letters))]; /* its NUL, too */
		RJWT_CLEAN(buf_clear) struct buf rest = { 0 };

		end = end > text->n ? text->n : end;
		buf_add(&rest, text->p + at, text->n - at);
		switch (draw(4)) {
		case 0:
			text->p[at] = c;
			break;
		case 1:
			text->n = at;
			buf_add(text, &c, 1);
			buf_add_view(text, buf_view(&rest));
			break;
		case 2:
			if (text->n < 2)
				break;
			text->n = at;
			buf_add(text, rest.p + (end - at), rest.n - (end - at));
			break;
		default:
			text->n = end;
			buf_add_view(text, buf_view(&rest));
		}
		if (text->n == 0)
			buf_adds(text, "{");
	}
}

/* SPDX-License-Identifier: MIT */
#include "base/json_write.h"
#include "base/text.h"

#include <string.h>

static void
put_text(struct buf *out, struct view text)
{
	size_t begin = 0;

	buf_adds(out, "\"");
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, text.p + begin, i - begin);
		begin = i + 1;
		if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else
			buf_addf(out, "\\%c", c);
	}
	if (begin < text.n) /* an empty view may be NULL */
		buf_add(out, text.p + begin, text.n - begin);
	buf_adds(out, "\"");
}

/* The comma, unless this is the first element, and the name. */
static void
put_name(struct buf *out, struct view name)
{
	char last = out->n == 0 ? '{' : out->p[out->n - 1];

	if (last != '{' && last != '[')
		buf_adds(out, ",");
	if (name.p == NULL)
		return;
	put_text(out, name);
	buf_adds(out, ":");
}

void
json_open(struct buf *out, const char *name)
{
	if (name != NULL)
		put_name(out, view_of(name));
	buf_adds(out, "{");
}

void
json_open_element(struct buf *out)
{
	put_name(out, (struct view){ NULL, 0 });
	buf_adds(out, "{");
}

void
json_close(struct buf *out)
{
	buf_adds(out, "}");
}

void
json_open_array(struct buf *out, const char *name)
{
	put_name(out, view_of(name));
	buf_adds(out, "[");
}

void
json_close_array(struct buf *out)
{
	buf_adds(out, "]");
}

void
json_put_string(struct buf *out, const char *name, struct view value)
{
	put_name(out, view_of(name));
	put_text(out, value);
}

void
json_put_text(struct buf *out, const char *name, struct view value)
{
	RJWT_CLEAN(buf_clear) struct buf safe = { 0 };

	text_escape(&safe, value);
	out->failed = out->failed || safe.failed;
	json_put_string(out, name, buf_view(&safe));
}

void
json_put_integer(struct buf *out, const char *name, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[20], *first = digits + sizeof(digits);

	put_name(out, view_of(name));
	do
		*--first = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	buf_adds(out, value < 0 ? "-" : "");
	buf_add(out, first, (size_t)(digits + sizeof(digits) - first));
}

void
json_put_bool(struct buf *out, const char *name, bool value)
{
	put_name(out, view_of(name));
	buf_adds(out, value ? "true" : "false");
}

void
json_put_raw(struct buf *out, const char *name, struct view value)
{
	put_name(out, view_of(name));
	buf_add_view(out, value);
}

void
json_put_printable(struct buf *out, const char *name, struct view value)
{
	size_t i = 0;

	put_name(out, view_of(name));
	while (i < value.n) {
		size_t length = utf8_length(value.p + i, value.n - i);
		uint32_t c = length == 0 ? 0xfffd : utf8_decode(value.p + i, length);

		/* Below 0x20 there are only blanks between tokens: leaving them out keeps the text on one line. */
		if (length > 0 && text_is_printable(c))
			buf_add(out, value.p + i, length);
		else if (c >= 0x20 && c < 0x10000)
			buf_addf(out, "\\u%04x", (unsigned)c);
		else if (c >= 0x10000)
			buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
			    (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
		i += length == 0 ? 1 : length;
	}
}

void
json_put_members(struct buf *out, struct view object)
{
	const char *first = memchr(object.p, '{', object.n);
	const char *last = memrchr(object.p, '}', object.n);
	struct view inside = { first + 1, (size_t)(last - first - 1) };

	while (inside.n > 0 && strchr(" \t\r\n", inside.p[0]) != NULL) {
		inside.p++;
		inside.n--;
	}
	if (inside.n == 0)
		return;
	put_name(out, (struct view){ NULL, 0 });
	buf_add_view(out, inside);
}

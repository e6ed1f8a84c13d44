/* SPDX-License-Identifier: MIT */
#include "json.h"
#include "text.h"

#include <json-c/json.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- building the tree of a text that the scanner let through --------------------------------------- */

/*
 * Not by json-c's own parser: it does not look whether there was memory for a member, and then gives an object
 * that lacks it, or crashes. A token without its "once", "cnf" or "src" is worth more than it was minted for.
 */
struct build {
	const char *p;
	struct buf text; /* of the last string */
	bool failed;	 /* there was no memory */
};

static struct json_object *build_value(struct build *b);

static void
skip_blanks(struct build *b)
{
	while (*b->p == ' ' || *b->p == '\t' || *b->p == '\n' || *b->p == '\r')
		b->p++;
}

/* What stands between the quotes. */
static struct view
take_string(struct build *b)
{
	const char *start = ++b->p;

	while (*b->p != '"')
		b->p += *b->p == '\\' ? 2 : 1;
	return (struct view){ start, (size_t)(b->p++ - start) };
}

/* As it reads, with a NUL behind it, until the next. */
static void
resolve(struct build *b, struct view inside)
{
	b->text.n = 0;
	json_unescape(inside, &b->text);
	buf_adds(&b->text, "");
	b->failed = b->failed || b->text.failed;
}

static struct json_object *
build_string(struct build *b)
{
	resolve(b, take_string(b));
	return b->failed ? NULL : json_object_new_string_len(b->text.p, (int)b->text.n);
}

/* An integer that does not fit is the nearest that does. Nobody asks for a fraction's value, in whatever locale. */
static struct json_object *
build_number(struct build *b)
{
	const char *start = b->p;
	int64_t value;

	b->p += strspn(b->p, "+-0123456789");
	if (strchr(".eE", *b->p) != NULL) {
		b->p += strspn(b->p, "+-.eE0123456789");
		resolve(b, (struct view){ start, (size_t)(b->p - start) });
		return b->failed ? NULL : json_object_new_double_s(strtod(b->text.p, NULL), b->text.p);
	}
	errno = 0;
	value = strtoll(start, NULL, 10); /* what follows a number in a text that was scanned ends it */
	if (errno == ERANGE && value > 0)
		return json_object_new_uint64(strtoull(start, NULL, 10));
	return json_object_new_int64(value);
}

static void
build_member(struct build *b, struct json_object *object)
{
	struct json_object *value;
	struct view name;

	skip_blanks(b);
	name = take_string(b);
	skip_blanks(b);
	b->p++; /* the colon */
	value = build_value(b);
	resolve(b, name);
	if (b->failed ||
	    json_object_object_add_ex(object, b->text.p, value, JSON_C_OBJECT_ADD_KEY_IS_NEW) != 0) {
		json_object_put(value);
		b->failed = true;
	}
}

static void
build_element(struct build *b, struct json_object *array)
{
	struct json_object *value = build_value(b);

	if (b->failed || json_object_array_add(array, value) != 0) {
		json_object_put(value);
		b->failed = true;
	}
}

/* All that stands between two brackets, into an object or an array. */
static struct json_object *
build_all(struct build *b, struct json_object *into, char end,
    void (*each)(struct build *, struct json_object *))
{
	b->failed = b->failed || into == NULL;
	b->p++;
	skip_blanks(b);
	while (!b->failed && *b->p != end) {
		each(b, into);
		skip_blanks(b);
		if (*b->p == ',')
			b->p++;
	}
	b->p++;
	return into;
}

/* NULL for null, too. */
static struct json_object *
build_value(struct build *b)
{
	struct json_object *made = NULL;

	skip_blanks(b);
	switch (*b->p) {
	case 'n':
		b->p += strlen("null");
		return NULL;
	case 't':
	case 'f':
		made = json_object_new_boolean(*b->p == 't');
		b->p += *b->p == 't' ? strlen("true") : strlen("false");
		break;
	case '{':
		made = build_all(b, json_object_new_object(), '}', build_member);
		break;
	case '[':
		made = build_all(b, json_object_new_array(), ']', build_element);
		break;
	case '"':
		made = build_string(b);
		break;
	default:
		made = build_number(b);
		break;
	}
	b->failed = b->failed || made == NULL;
	return made;
}

enum rjwt_err
json_parse(struct view text, struct json *json, struct rjwt_diag *diag)
{
	struct json found = { 0 };
	struct build b = { .p = text.p };

	if (text.n > INT32_MAX - 1) /* json-c counts in int */
		return diag_fail(diag, RJWT_MALFORMED, "", "the JSON text is too long");
	RJWT_TRY(json_scan(text, &found.minus_zero, diag));
	found.object = build_value(&b);
	buf_clear(&b.text);
	if (b.failed) {
		json_clear(&found);
		return RJWT_MEMORY;
	}
	*json = found;
	return RJWT_OK;
}

/* --- reading ------------------------------------------------------------------------------------------ */

void
json_clear(struct json *json)
{
	if (json->object != NULL)
		json_object_put(json->object);
	*json = (struct json){ 0 };
}

static struct view
string_of(struct json_object *value)
{
	return (struct view){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
}

/* A member of this type. json null is there, and of the wrong type. */
static enum json_has
member(struct json json, const char *name, enum json_type type, struct json_object **value)
{
	if (json.object == NULL || !json_object_object_get_ex(json.object, name, value))
		return JSON_ABSENT;
	return json_object_is_type(*value, type) ? JSON_GOOD : JSON_WRONG;
}

enum json_has
json_string(struct json json, const char *name, struct view *value)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_string, &found);

	if (has == JSON_GOOD)
		*value = string_of(found);
	return has;
}

enum json_has
json_integer(struct json json, const char *name, int64_t *value)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_int, &found);
	int64_t number;

	if (has != JSON_GOOD)
		return has;
	number = json_object_get_int64(found); /* saturates: out of range either way */
	if (number < 0 || number > JSON_INTEGER_MAX || (number == 0 && json.minus_zero))
		return JSON_WRONG;
	*value = number;
	return JSON_GOOD;
}

enum json_has
json_boolean(struct json json, const char *name, bool *value)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_boolean, &found);

	if (has == JSON_GOOD)
		*value = json_object_get_boolean(found);
	return has;
}

enum json_has
json_member(struct json json, const char *name, struct json *value)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_object, &found);

	if (has == JSON_GOOD)
		*value = (struct json){ found, json.minus_zero };
	return has;
}

enum json_has
json_strings(struct json json, const char *name, size_t *count)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_array, &found);
	size_t n = 1;

	if (has == JSON_WRONG && json_object_is_type(found, json_type_string))
		has = JSON_GOOD;
	if (has == JSON_GOOD && json_object_is_type(found, json_type_array)) {
		n = json_object_array_length(found);
		has = n > 0 ? JSON_GOOD : JSON_WRONG;
		for (size_t i = 0; i < n; i++)
			if (!json_object_is_type(json_object_array_get_idx(found, i), json_type_string))
				has = JSON_WRONG;
	}
	if (has == JSON_GOOD && count != NULL)
		*count = n;
	return has;
}

struct view
json_string_at(struct json json, const char *name, size_t index)
{
	struct json_object *found = NULL;

	if (member(json, name, json_type_array, &found) == JSON_GOOD)
		found = index < json_object_array_length(found) ?
		    json_object_array_get_idx(found, index) : NULL;
	else if (index > 0)
		found = NULL;
	if (found == NULL || !json_object_is_type(found, json_type_string))
		return (struct view){ NULL, 0 };
	return string_of(found);
}

enum json_has
json_array(struct json json, const char *name, size_t *count)
{
	struct json_object *found;
	enum json_has has = member(json, name, json_type_array, &found);

	if (has == JSON_GOOD)
		*count = json_object_array_length(found);
	return has;
}

struct json
json_element(struct json json, const char *name, size_t index)
{
	struct json_object *found, *element;

	if (member(json, name, json_type_array, &found) != JSON_GOOD ||
	    index >= json_object_array_length(found))
		return (struct json){ 0 };
	element = json_object_array_get_idx(found, index);
	if (!json_object_is_type(element, json_type_object))
		return (struct json){ 0 };
	return (struct json){ element, json.minus_zero };
}

enum rjwt_err
json_names(struct json json, enum rjwt_err (*each)(void *context, struct view name), void *context)
{
	json_object_object_foreach(json.object, name, value)
	{
		(void)value;
		RJWT_TRY(each(context, view_of(name)));
	}
	return RJWT_OK;
}

/* --- writing ------------------------------------------------------------------------------------ */

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

/* The comma in front, where something stands before, and the name. */
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

		/* Below 0x20 are blanks between tokens, and nothing else: a line stays a line without them. */
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

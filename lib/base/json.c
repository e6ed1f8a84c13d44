/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <json-c/json.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- building the tree of a text that the scanner accepted ----------------------------------- */

/*
 * The parser of json-c is not used: it does not check whether memory for a member was allocated, and then gives an
 * object without the member, or crashes. Losing "once", "cnf" or "src" would make a token more powerful.
 */
struct build {
	const char *p;
	struct buf text; /* the last string */
	bool failed;	 /* out of memory */
};

static struct json_object *build_value(struct build *b);

static void
skip_blanks(struct build *b)
{
	while (*b->p == ' ' || *b->p == '\t' || *b->p == '\n' || *b->p == '\r')
		b->p++;
}

/* The text between the quotes. */
static struct view
take_string(struct build *b)
{
	const char *start = ++b->p;

	while (*b->p != '"')
		b->p += *b->p == '\\' ? 2 : 1;
	return (struct view){ start, (size_t)(b->p++ - start) };
}

/* The same with escapes resolved and a NUL at its end; valid until the next call. */
static void
resolve(struct build *b, struct view inside)
{
	b->text.n = 0;
	json_unescape(inside, &b->text);
	if (inside.n == 0)
		buf_add(&b->text, "", 0);
	b->failed = b->failed || b->text.failed;
}

static struct json_object *
build_string(struct build *b)
{
	struct view inside = take_string(b);

	if (memchr(inside.p, '\\', inside.n) == NULL)
		return json_object_new_string_len(inside.p, (int)inside.n);
	resolve(b, inside);
	return b->failed ? NULL : json_object_new_string_len(b->text.p, (int)b->text.n);
}

/* An integer that does not fit becomes the nearest one that does. The value of a fraction is never used. */
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
	value = strtoll(start, NULL, 10); /* in a scanned text the byte after a number ends it */
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
	if (b->failed || json_object_object_add_ex(object, b->text.p, value, JSON_C_OBJECT_ADD_KEY_IS_NEW) != 0) {
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

/* The elements between two brackets, put into an object or an array. */
static struct json_object *
build_all(struct build *b, struct json_object *into, char end, void (*each)(struct build *, struct json_object *))
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

/* Also NULL for the value null. */
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

/* --- reading ---------------------------------------------------------------------------------- */

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
	return (struct view){ json_object_get_string(value), (size_t)json_object_get_string_len(value) };
}

/* A member of this type. null counts as present, with the wrong type. */
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

bool
json_copy(struct json json, const char *name, char *to, size_t size)
{
	struct view text;

	if (json_string(json, name, &text) != JSON_GOOD || text.n >= size)
		return false;
	memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return true;
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
		found = index < json_object_array_length(found) ? json_object_array_get_idx(found, index) : NULL;
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

	if (member(json, name, json_type_array, &found) != JSON_GOOD || index >= json_object_array_length(found))
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

/* --- writing ---------------------------------------------------------------------------------- */

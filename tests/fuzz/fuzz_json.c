/* SPDX-License-Identifier: MIT */
/*
 * The scanner and json-c. What the scanner lets through is read here once more, by the letter of RFC 8259
 * and knowing that it is well-formed, and compared with what json-c made of it. Written again, it must
 * be accepted again, and mean the same.
 */
#include "fuzz.h"
#include "base/json.h"
#include "base/buf.h"
#include "base/json_write.h"

#include <json-c/json.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "json";
enum { ACCEPTED, REFUSED, ESCAPED, NUMBERED };
const char *const fuzz_sights[] = { "accepted", "refused", "escapes", "numbers", NULL };

struct reader {
	const char *p;
};

static void
blanks(struct reader *r)
{
	r->p += strspn(r->p, " \t\r\n");
}

static void
put_utf8(char **to, unsigned long c)
{
	if (c < 0x80) {
		*(*to)++ = (char)c;
	} else if (c < 0x800) {
		*(*to)++ = (char)(0xc0 | c >> 6);
		*(*to)++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*(*to)++ = (char)(0xe0 | c >> 12);
		*(*to)++ = (char)(0x80 | (c >> 6 & 63));
		*(*to)++ = (char)(0x80 | (c & 63));
	} else {
		*(*to)++ = (char)(0xf0 | c >> 18);
		*(*to)++ = (char)(0x80 | (c >> 12 & 63));
		*(*to)++ = (char)(0x80 | (c >> 6 & 63));
		*(*to)++ = (char)(0x80 | (c & 63));
	}
}

static unsigned long
hex4(const char *p)
{
	char digits[5] = "";

	memcpy(digits, p, 4);
	return strtoul(digits, NULL, 16);
}

/* A string at p, unescaped; its length. free() */
static char *
unescape(struct reader *r, size_t *n)
{
	const char *end = strchr(r->p + 1, '"');
	char *text, *to;

	while (end != NULL && end[-1] == '\\') { /* at worst longer than it is */
		size_t slashes = 0;

		while (end[-1 - (long)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			break;
		end = strchr(end + 1, '"');
	}
	FUZZ_CHECK(end != NULL);
	text = to = malloc((size_t)(end - r->p) + 1);
	FUZZ_CHECK(text != NULL);
	for (r->p++; r->p < end; r->p++) {
		static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
		const char *letter;
		unsigned long c;

		if (*r->p != '\\') {
			*to++ = *r->p;
			continue;
		}
		FUZZ_SAW(ESCAPED);
		r->p++;
		letter = strchr(letters, *r->p);
		if (*r->p == 'u') {
			c = hex4(r->p + 1);
			r->p += 4;
			if (c >= 0xd800 && c < 0xdc00) {
				c = 0x10000 + (c - 0xd800) * 1024 + hex4(r->p + 3) - 0xdc00;
				r->p += 6;
			}
			FUZZ_CHECK(c != 0 && (c < 0xd800 || c > 0xdfff) && c < 0x110000);
			put_utf8(&to, c);
		} else {
			*to++ = letter == NULL ? *r->p : meanings[letter - letters];
		}
	}
	r->p = end + 1;
	*n = (size_t)(to - text);
	FUZZ_CHECK(memchr(text, '\0', *n) == NULL);
	text[*n] = '\0';
	return text;
}

static void compare(struct reader *r, struct json_object *value);

static void
compare_object(struct reader *r, struct json_object *value)
{
	int members = 0;

	FUZZ_CHECK(json_object_is_type(value, json_type_object));
	r->p++;
	blanks(r);
	while (*r->p != '}') {
		struct json_object *member = NULL;
		size_t n;
		char *name;

		blanks(r);
		name = unescape(r, &n);
		FUZZ_CHECK(json_object_object_get_ex(value, name, &member));
		free(name);
		blanks(r);
		FUZZ_CHECK(*r->p++ == ':');
		compare(r, member);
		members++;
		blanks(r);
		if (*r->p == ',')
			r->p++;
	}
	r->p++;
	/* No name came twice, and none was made up. */
	FUZZ_CHECK(json_object_object_length(value) == members && members <= JSON_MEMBERS_MAX);
}

static void
compare_array(struct reader *r, struct json_object *value)
{
	size_t n = 0;

	FUZZ_CHECK(json_object_is_type(value, json_type_array));
	r->p++;
	blanks(r);
	while (*r->p != ']') {
		FUZZ_CHECK(n < json_object_array_length(value));
		compare(r, json_object_array_get_idx(value, n++));
		blanks(r);
		if (*r->p == ',')
			r->p++;
	}
	r->p++;
	FUZZ_CHECK(json_object_array_length(value) == n);
}

static void
compare_number(struct reader *r, struct json_object *value)
{
	size_t n = strspn(r->p, "+-.eE0123456789");
	char literal[64] = "";
	double number, read;

	FUZZ_SAW(NUMBERED);
	if (strcspn(r->p, ".eE") >= n) {
		FUZZ_CHECK(json_object_is_type(value, json_type_int));
		memcpy(literal, r->p, n < 63 ? n : 63);
		/* Beyond 64 bits it saturates; 2^53 is all that json_integer() gives. */
		if (n < 19)
			FUZZ_CHECK(json_object_get_int64(value) == strtoll(literal, NULL, 10));
		else if (literal[0] != '-')
			FUZZ_CHECK(json_object_get_int64(value) > JSON_INTEGER_MAX);
		else
			FUZZ_CHECK(json_object_get_int64(value) < 0);
	} else {
		FUZZ_CHECK(json_object_is_type(value, json_type_double));
		number = strtod(r->p, NULL);
		read = json_object_get_double(value);
		FUZZ_CHECK(memcmp(&number, &read, sizeof(read)) == 0);
	}
	r->p += n;
}

static void
compare(struct reader *r, struct json_object *value)
{
	size_t n;
	char *text;

	blanks(r);
	switch (*r->p) {
	case '{':
		compare_object(r, value);
		return;
	case '[':
		compare_array(r, value);
		return;
	case '"':
		text = unescape(r, &n);
		FUZZ_CHECK(json_object_is_type(value, json_type_string) &&
			   (size_t)json_object_get_string_len(value) == n &&
			   memcmp(json_object_get_string(value), text, n) == 0);
		free(text);
		return;
	case 't':
	case 'f':
		FUZZ_CHECK(
		    json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value) == (*r->p == 't'));
		r->p += *r->p == 't' ? 4 : 5;
		return;
	case 'n':
		FUZZ_CHECK(value == NULL);
		r->p += 4;
		return;
	default:
		compare_number(r, value);
	}
}

/* Whether what the accessors give is what the types promise. */
static enum rjwt_err
look(void *context, struct view name)
{
	struct json json = *(struct json *)context, inner;
	struct view text = { NULL, 0 };
	int64_t number = -1;
	size_t count = 0;
	bool truth;

	if (json_string(json, name.p, &text) == JSON_GOOD)
		FUZZ_CHECK(text.p != NULL && strlen(text.p) == text.n);
	if (json_integer(json, name.p, &number) == JSON_GOOD)
		FUZZ_CHECK(number >= 0 && number <= JSON_INTEGER_MAX);
	if (json_strings(json, name.p, &count) == JSON_GOOD)
		for (size_t i = 0; i < count; i++)
			FUZZ_CHECK(json_string_at(json, name.p, i).p != NULL);
	FUZZ_CHECK(json_string_at(json, name.p, 100000).p == NULL);
	if (json_array(json, name.p, &count) == JSON_GOOD)
		for (size_t i = 0; i <= count; i++)
			(void)json_element(json, name.p, i);
	(void)json_boolean(json, name.p, &truth);
	if (json_member(json, name.p, &inner) == JSON_GOOD)
		FUZZ_CHECK(json_names(inner, look, &inner) == RJWT_OK);
	return RJWT_OK;
}

/* Written into another object as it is, and with escapes: the same values, or too deep or too many by then. */
static void
write_again(struct view text, struct json json)
{
	RJWT_CLEAN(buf_clear) struct buf raw = { 0 };
	RJWT_CLEAN(buf_clear) struct buf printable = { 0 };
	RJWT_CLEAN(json_clear) struct json again = { 0 };
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	json_open(&raw, NULL);
	json_put_members(&raw, text);
	json_close(&raw);
	FUZZ_CHECK(json_parse(buf_view(&raw), &again, &diag) == RJWT_OK);
	FUZZ_CHECK(json_object_equal(json.object, again.object));
	json_clear(&again);
	json_open(&printable, NULL);
	json_put_printable(&printable, "a", text);
	json_put_raw(&printable, "b", text);
	json_put_text(&printable, "c", text);
	json_close(&printable);
	err = json_parse(buf_view(&printable), &again, &diag);
	if (err != RJWT_OK) {
		FUZZ_CHECK(err == RJWT_MALFORMED && strstr(diag.text, "nested") != NULL);
		return;
	}
	FUZZ_CHECK(json_object_equal(json.object, json_object_object_get(again.object, "a")));
	FUZZ_CHECK(json_object_equal(json.object, json_object_object_get(again.object, "b")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = { (const char *)data, size };
	struct rjwt_diag diag = { 0 };
	struct json json = { 0 };
	bool minus_zero = false;
	enum rjwt_err scanned = json_scan(text, &minus_zero, &diag);
	enum rjwt_err parsed = json_parse(text, &json, &diag);

	FUZZ_CHECK(scanned == parsed);
	if (scanned == RJWT_OK) {
		char *copy = strndup((const char *)data, size); /* no NUL in it: it was accepted */
		struct reader r = { copy };

		FUZZ_SAW(ACCEPTED);
		FUZZ_CHECK(copy != NULL && strlen(copy) == size);
		compare(&r, json.object);
		blanks(&r);
		FUZZ_CHECK(*r.p == '\0');
		free(copy);
		FUZZ_CHECK(json_names(json, look, &json) == RJWT_OK);
		write_again(text, json);
	} else {
		FUZZ_SAW(REFUSED);
		FUZZ_CHECK(scanned == RJWT_MALFORMED && json.object == NULL && diag.line > 0 && diag.column > 0 &&
			   diag.text[0] != '\0');
		FUZZ_CHECK(json_scan(text, &minus_zero, NULL) == scanned);
	}
	json_clear(&json);
	return 0;
}

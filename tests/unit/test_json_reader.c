/* SPDX-License-Identifier: MIT */
/*
 * The scanner beside json-c, on documents that are made up: what is valid by the way it was made is accepted, and
 * what is accepted we and json-c's own parser read to the value that stands there, by a reader of its own here:
 * strings byte for byte, numbers by their literal, members and elements by their order and number.
 *
 * RJWT_SEED makes the same documents again.
 */
#include "unit.h"
#include "json_documents.h"

#include <errno.h>
#include <time.h>

#include <json-c/json.h>

#define DOCUMENTS 40000
#define CHANGED 5 /* of each document, so many with some bytes changed */

/* --- reading them once more ------------------------------------------------------------------- */

/* How far a text that the scanner let through was read; fails where the tree holds something else. */
struct reading {
	const char *text, *p;
	bool minus_zero;
};

static void
differs(const struct reading *r, const char *what)
{
	fail_msg("read was another %s at %zu of: %s", what, (size_t)(r->p - r->text), r->text);
}

static void
blanks(struct reading *r)
{
	r->p += strspn(r->p, " \t\r\n");
}

static void
put_utf8(struct buf *out, uint32_t c)
{
	char bytes[4] = { (char)c };
	size_t n = 1;

	if (c >= 0x10000) {
		bytes[0] = (char)(0xf0 | c >> 18);
		n = 4;
	} else if (c >= 0x800) {
		bytes[0] = (char)(0xe0 | c >> 12);
		n = 3;
	} else if (c >= 0x80) {
		bytes[0] = (char)(0xc0 | c >> 6);
		n = 2;
	}
	for (size_t i = 1; i < n; i++)
		bytes[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 63));
	buf_add(out, bytes, n);
}

static uint32_t
four_digits(struct reading *r)
{
	char digits[5] = { r->p[0], r->p[1], r->p[2], r->p[3], '\0' };

	r->p += 4;
	return (uint32_t)strtoul(digits, NULL, 16);
}

/* Behind the opening quote; to behind the closing one. */
static void
read_string(struct reading *r, struct buf *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

	buf_adds(out, "");
	while (*r->p != '"') {
		if (*r->p != '\\') {
			buf_add(out, r->p++, 1);
		} else if (r->p[1] == 'u') {
			uint32_t c;

			r->p += 2;
			c = four_digits(r);
			if (c >= 0xd800 && c < 0xdc00) {
				r->p += 2;
				c = 0x10000 + (c - 0xd800) * 0x400 + (four_digits(r) - 0xdc00);
			}
			put_utf8(out, c);
		} else {
			const char *at = strchr(from, r->p[1]);

			buf_add(out, at == NULL ? r->p + 1 : &to[at - from], 1);
			r->p += 2;
		}
	}
	r->p++;
}

static void
same_number(struct reading *r, struct json_object *value)
{
	char literal[128];
	size_t n = strspn(r->p, "-+.eE0123456789");

	r->p += n;
	if (n >= sizeof(literal))
		return; /* changes wrote one a few times over */
	memcpy(literal, r->p - n, n);
	literal[n] = '\0';
	if (strpbrk(literal, ".eE") != NULL) {
		if (!json_object_is_type(value, json_type_double) ||
		    json_object_get_double(value) != strtod(literal, NULL) ||
		    strcmp(json_object_to_json_string(value), literal) != 0)
			differs(r, "fraction");
	} else {
		r->minus_zero = r->minus_zero || strcmp(literal, "-0") == 0;
		errno = 0;
		if (!json_object_is_type(value, json_type_int) ||
		    json_object_get_int64(value) != strtoll(literal, NULL, 10) ||
		    (literal[0] != '-' && json_object_get_uint64(value) != strtoull(literal, NULL, 10)))
			differs(r, "integer");
		if (strcmp(literal, "-0") != 0 && errno == 0 && strcmp(json_object_to_json_string(value), literal) != 0)
			differs(r, "literal");
	}
}

static void same_value(struct reading *r, struct json_object *value);

static void
same_object(struct reading *r, struct json_object *value)
{
	size_t n = 0;

	if (!json_object_is_type(value, json_type_object))
		differs(r, "type than an object");
	for (blanks(r); *r->p != '}'; n++) {
		RJWT_CLEAN(buf_clear) struct buf name = { 0 };
		struct json_object *member = NULL;

		r->p++; /* a quote */
		read_string(r, &name);
		if (!json_object_object_get_ex(value, name.p, &member))
			differs(r, "name");
		blanks(r);
		r->p++; /* a colon */
		same_value(r, member);
		r->p += *r->p == ',';
		blanks(r);
	}
	if ((size_t)json_object_object_length(value) != n)
		differs(r, "number of members");
	r->p++;
}

static void
same_array(struct reading *r, struct json_object *value)
{
	size_t n = 0;

	if (!json_object_is_type(value, json_type_array))
		differs(r, "type than an array");
	for (blanks(r); *r->p != ']'; n++) {
		if (n == json_object_array_length(value))
			differs(r, "number of elements");
		same_value(r, json_object_array_get_idx(value, n));
		r->p += *r->p == ',';
		blanks(r);
	}
	if (json_object_array_length(value) != n)
		differs(r, "number of elements");
	r->p++;
}

static void
same_string(struct reading *r, struct json_object *value)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	read_string(r, &text);
	if (!json_object_is_type(value, json_type_string) ||
	    !view_eq(buf_view(&text),
		unit_view(json_object_get_string(value), (size_t)json_object_get_string_len(value))))
		differs(r, "string");
}

static void
same_word(struct reading *r, struct json_object *value)
{
	bool yes = *r->p == 't', no = *r->p == 'f';

	if (*r->p == 'n' ? value != NULL
			 : !json_object_is_type(value, json_type_boolean) || json_object_get_boolean(value) != yes)
		differs(r, "word");
	r->p += no ? 5 : 4;
}

static void
same_value(struct reading *r, struct json_object *value)
{
	blanks(r);
	switch (*r->p) {
	case '{':
		r->p++;
		same_object(r, value);
		break;
	case '[':
		r->p++;
		same_array(r, value);
		break;
	case '"':
		r->p++;
		same_string(r, value);
		break;
	case 't':
	case 'f':
	case 'n':
		same_word(r, value);
		break;
	default:
		same_number(r, value);
	}
	blanks(r);
}

/* --- both ------------------------------------------------------------------------------------- */

/* A tree holds what stands in the text, to its end. */
static void
same_document(const struct buf *text, struct json_object *value, bool *minus_zero)
{
	struct reading r = { .text = text->p, .p = text->p };

	same_value(&r, value);
	if (r.p != text->p + text->n)
		differs(&r, "end");
	*minus_zero = r.minus_zero;
}

/* When it is strict, json-c 0.18 refuses integers that 64 bits do not hold, and each byte above 0x7f, which it takes for a control. */
static bool
json_c_refuses(const char *text)
{
	size_t digits = 0;

	for (; *text != '\0' && digits < 19; text++) {
		if ((unsigned char)*text > 0x7f)
			return true;
		digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
	}
	return digits == 19;
}

static unsigned long compared, refused;

/* By json-c's own parser. */
static void
check_json_c(const struct buf *text)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	struct json_object *value;
	bool minus_zero;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, text->p, (int)text->n);
	if (value == NULL && json_c_version_num() >= (17 << 8) && json_c_refuses(text->p)) {
		refused++;
	} else {
		CHECK(text->p, value != NULL && json_tokener_get_error(tokener) == json_tokener_success);
		same_document(text, value, &minus_zero);
		compared++;
	}
	json_object_put(value);
	json_tokener_free(tokener);
}

/* Whether the scanner lets it through; then we and json-c must read what stands there. */
static bool
accepted(const struct buf *text)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	bool minus_zero = false, read_minus_zero;
	enum rjwt_err scanned = json_scan(buf_view(text), &minus_zero, NULL);

	EXPECT(text->p, json_parse(buf_view(text), &json, NULL), scanned);
	if (scanned != RJWT_OK) {
		EXPECT(text->p, scanned, RJWT_MALFORMED);
		return false;
	}
	same_document(text, json.object, &read_minus_zero);
	CHECK(text->p, minus_zero == read_minus_zero && json.minus_zero == read_minus_zero);
	check_json_c(text);
	return true;
}

static void
valid_documents(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	size_t bytes = 0;

	(void)state;
	for (int i = 0; i < DOCUMENTS; i++) {
		document_make(&text);
		CHECK(text.p, accepted(&text));
		bytes += text.n;
	}
	printf("# %d valid documents of %zu bytes\n", DOCUMENTS, bytes);
}

static void
changed_documents(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf good = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	int n = 0;

	(void)state;
	for (int i = 0; i < DOCUMENTS * CHANGED; i++) {
		if (i % CHANGED == 0)
			document_make(&good);
		buf_clear(&text);
		buf_add_view(&text, buf_view(&good));
		document_change(&text);
		n += accepted(&text);
	}
	printf("# %d documents with changes, %d of them accepted\n", DOCUMENTS * CHANGED, n);
	printf("# json-c agreed on %lu, and did not read %lu\n", compared, refused);
	assert_true(compared > DOCUMENTS / 100);
	assert_in_range(n, DOCUMENTS / 100, DOCUMENTS * CHANGED - DOCUMENTS / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(valid_documents), cmocka_unit_test(changed_documents) };
	const char *text = getenv("RJWT_SEED");

	documents_seed = text == NULL ? (uint64_t)time(NULL) : strtoull(text, NULL, 10);
	printf("# RJWT_SEED=%llu\n", (unsigned long long)documents_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

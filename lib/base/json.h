/* SPDX-License-Identifier: MIT */
/*
 * json.h - strict JSON (RFC 8259) for a verifier.
 *
 * A strict scanner checks the text first: an object at the top, UTF-8 (RFC 3629), no duplicate names
 * after unescaping, no \u0000, no lone surrogate, depth at most 8, at most 64 members per object,
 * nothing after the object. An accepted text becomes a tree of json-c objects, and each allocation is checked.
 * Only json.c uses json-c.
 *
 * A struct json is passed by value: the one from json_parse() owns the tree, all others are
 * views into it.
 */
#ifndef RJWT_JSON_H
#define RJWT_JSON_H

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 8
#define JSON_MEMBERS_MAX 64
#define JSON_INTEGER_MAX (INT64_C(1) << 53) /* RFC 8259 s6: exact everywhere */

struct json_object; /* json-c's */
struct json {
	struct json_object *object; /* NULL: none */
	bool minus_zero;	    /* the text contains -0, which json-c reads as 0 */
};

/* Only scan. RJWT_MALFORMED with line, column and reason. */
RJWT_MUST enum rjwt_err json_scan(struct view text, bool *minus_zero, struct rjwt_diag *diag);

/* The text of a member's value in an object that json_scan() accepted; view. False: no such member. */
bool json_raw(struct view text, const char *name, struct view *value);

/* The text of a scanned string, without its quotes and with its escapes resolved. */
void json_unescape(struct view inside, struct buf *out);

/* json gives; json_clear(). RJWT_MALFORMED, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err json_parse(struct view text, struct json *json, struct rjwt_diag *diag);
void json_clear(struct json *json);

/* A member of the wrong type is not absent. Values are set for JSON_GOOD only. */
enum json_has { JSON_ABSENT, JSON_GOOD, JSON_WRONG };

enum json_has json_string(struct json json, const char *name, struct view *value); /* view */
/* A string of fewer than size bytes, copied, with a NUL. */
bool json_copy(struct json json, const char *name, char *to, size_t size);
enum json_has json_integer(struct json json, const char *name, int64_t *value); /* 0 to 2^53 */
enum json_has json_boolean(struct json json, const char *name, bool *value);
enum json_has json_member(struct json json, const char *name, struct json *value); /* object */

/* A string, or a non-empty array of strings. count may be NULL. */
enum json_has json_strings(struct json json, const char *name, size_t *count);
struct view json_string_at(struct json json, const char *name, size_t index); /* view */

/* An array of anything. json_element(): .object is NULL if the element is not an object. */
enum json_has json_array(struct json json, const char *name, size_t *count);
struct json json_element(struct json json, const char *name, size_t index); /* view */

/* Call each with the name of every member; the first error ends the loop and is returned. */
RJWT_MUST enum rjwt_err
json_names(struct json json, enum rjwt_err (*each)(void *context, struct view name), void *context);

#endif

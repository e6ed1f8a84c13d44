/* SPDX-License-Identifier: MIT */
/*
 * json.h - JSON (RFC 8259) with what a verifier must not accept taken away.
 *
 * A strict scanner passes the text first: an object at the top, UTF-8 (RFC 3629), no duplicate names
 * after unescaping, no \u0000, no lone surrogate, depth at most 8, at most 64 members an object,
 * nothing after it. What it lets through becomes a tree of json-c's objects, each of which was asked whether it
 * was made; json-c itself lives only in json.c.
 *
 * A struct json is passed by value: the one that json_parse() gave owns the tree, the others are
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
	struct json_object *object; /* NULL: there is none */
	bool minus_zero;	    /* somewhere in the text stands -0, which json-c reads as 0 */
};

/* Scan alone. RJWT_MALFORMED with line, column and the reason. */
RJWT_MUST enum rjwt_err json_scan(struct view text, bool *minus_zero, struct rjwt_diag *diag);

/* The value of a member as it is written in an object that json_scan() passed; view. False: there is none. */
bool json_raw(struct view text, const char *name, struct view *value);

/* What stands between the quotes of a scanned string, its escapes resolved. */
void json_unescape(struct view inside, struct buf *out);

/* json gives; json_clear(). RJWT_MALFORMED, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err json_parse(struct view text, struct json *json, struct rjwt_diag *diag);
void json_clear(struct json *json);

/* A member of the wrong type is not absent. Values are written for JSON_GOOD alone. */
enum json_has { JSON_ABSENT, JSON_GOOD, JSON_WRONG };

enum json_has json_string(struct json json, const char *name, struct view *value); /* view */
enum json_has json_integer(struct json json, const char *name, int64_t *value);	   /* 0 to 2^53 */
enum json_has json_boolean(struct json json, const char *name, bool *value);
enum json_has json_member(struct json json, const char *name, struct json *value); /* object */

/* A string, or an array of strings alone, at least one. count may be NULL. */
enum json_has json_strings(struct json json, const char *name, size_t *count);
struct view json_string_at(struct json json, const char *name, size_t index); /* view */

/* An array of anything. json_element: an object, else .object is NULL. */
enum json_has json_array(struct json json, const char *name, size_t *count);
struct json json_element(struct json json, const char *name, size_t index); /* view */

/* Call each with every member's name; anything but RJWT_OK ends it and is returned. */
RJWT_MUST enum rjwt_err
json_names(struct json json, enum rjwt_err (*each)(void *context, struct view name), void *context);

#endif

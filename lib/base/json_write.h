/* SPDX-License-Identifier: MIT */
/*
 * json_write.h - writing JSON (RFC 8259) into a buf.
 */
#ifndef RJWT_JSON_WRITE_H
#define RJWT_JSON_WRITE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Members are written in the order of the calls and without blanks. json_open() begins an object (name
 * NULL: the outermost one), json_put_...() adds a member, with a comma in front of it
 * if needed; name NULL adds an array element. Strings are escaped (RFC 8259 s7).
 */
void json_open(struct buf *out, const char *name);
void json_open_element(struct buf *out); /* an object in an array */
void json_close(struct buf *out);
void json_open_array(struct buf *out, const char *name);
void json_close_array(struct buf *out);
void json_put_string(struct buf *out, const char *name, struct view value);
void json_put_text(struct buf *out, const char *name, struct view value); /* need not be UTF-8 */
void json_put_integer(struct buf *out, const char *name, int64_t value);
void json_put_bool(struct buf *out, const char *name, bool value);
/* The text of a value that json_scan() accepted. */
void json_put_raw(struct buf *out, const char *name, struct view value);
/* The same, with \u escapes for characters that would control a terminal. */
void json_put_printable(struct buf *out, const char *name, struct view value);
/* All members of an object that json_scan() accepted, unchanged. */
void json_put_members(struct buf *out, struct view object);

#endif

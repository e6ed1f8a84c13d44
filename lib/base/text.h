/* SPDX-License-Identifier: MIT */
/*
 * text.h - words of people: durations, times, escapes, the nearest name.
 */
#ifndef RJWT_TEXT_H
#define RJWT_TEXT_H

#include "base/buf.h"
#include "base/err.h"

#include <time.h>

/*
 * One line, safe in a log and on a terminal: printable ASCII stays but for backslash, and well-formed
 * UTF-8 stays but for control and formatting characters; all else becomes \xNN.
 */
void text_escape(struct buf *out, struct view text);

/* Add to what stands in out, with between in front of it if something does; what has no room is cut. */
void text_append(char *out, size_t size, const char *between, const char *fmt, ...) RJWT_PRINTF(4, 5);

/* One more word of a log line: key=text, escaped, in quotes where that is needed to find its end. */
void text_log_word(struct buf *line, const char *key, struct view text);

/* Length in bytes of the well-formed UTF-8 character at p (RFC 3629 s4), 0 if there is none. */
size_t utf8_length(const char *p, size_t n);

/* The character of that length at p. */
uint32_t utf8_decode(const char *p, size_t length);

/* Whether a character neither moves, hides nor reorders what stands around it, on a terminal or in a log. */
bool text_is_printable(uint32_t character);

/* The name that is at most two edits away, and nearest; NULL when none is. */
const char *text_nearest(struct view word, const char *const *names);

#endif

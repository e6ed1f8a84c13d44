/* SPDX-License-Identifier: MIT */
/*
 * text.h - text for people: escaping, UTF-8, log words, the nearest name.
 */
#ifndef RJWT_TEXT_H
#define RJWT_TEXT_H

#include "base/buf.h"
#include "base/err.h"

#include <time.h>

/*
 * One line, safe in a log and on a terminal: printable ASCII except backslash and well-formed UTF-8 except
 * control and formatting characters stay; everything else becomes \xNN.
 */
void text_escape(struct buf *out, struct view text);

/* The same; at most so many bytes are added, of which the last three are "..." where something was left out. */
void text_escape_most(struct buf *out, struct view text, size_t most);

/* Append to out, after between if out is not empty. The text is truncated to fit. */
void text_append(char *out, size_t size, const char *between, const char *fmt, ...) RJWT_PRINTF(4, 5);

/*
 * Append key=text to a log line: escaped, and quoted where its end would not be clear otherwise. syslog(3) drops a
 * line that is too long without a word, so a value has at most LOG_VALUE_MAX bytes and a line LOG_LINE_MAX.
 */
#define LOG_VALUE_MAX 256
#define LOG_LINE_MAX 8192
void text_log_word(struct buf *line, const char *key, struct view text);

/* A line about a clock that was set: by so much, back if that is below 0. */
void text_log_clock(struct buf *line, int64_t by_s);

/*
 * Append words, broken into lines where they do not fit into width columns. The first is at column indent already, and so
 * are the lines that follow; a word that is too long makes its own line longer.
 */
void text_wrap(struct buf *out, const char *text, size_t indent, size_t width);

/* Length in bytes of the well-formed UTF-8 character at p (RFC 3629 s4), 0 if there is none. */
size_t utf8_length(const char *p, size_t n);

/* The character of that length at p. */
uint32_t utf8_decode(const char *p, size_t length);

/* Whether a character does not move, hide or reorder the text around it on a terminal or in a log. */
bool text_is_printable(uint32_t character);

/*
 * Whether an error may show a word of a file that the caller of sudo may have chosen: what could be a name of ours, 1 to
 * 32 of a-z and _. /etc/shadow has no such word.
 */
bool text_is_name(struct view word);

/* A short name that machines are given: 1 to LABEL_MAX of a-z 0-9 -, a letter first. */
#define LABEL_MAX 32
bool label_check(struct view name);

/* The nearest name that is at most two edits away; NULL: none. */
const char *text_nearest(struct view word, const char *const *names);

#endif

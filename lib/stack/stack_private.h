/* SPDX-License-Identifier: MIT */
/*
 * stack_private.h - shared by the files of lib/stack/: text to lines, lines to words, words to actions.
 */
#ifndef RJWT_STACK_PRIVATE_H
#define RJWT_STACK_PRIVATE_H

#include "base/buf.h"
#include "stack/stack.h"

/* libpam up to 1.5 takes what is longer for several lines. */
#define STACK_LINE_MAX 1022
/* Substacks in each other, as libpam has it; and includes in each other, of which libpam up to 1.5 has no limit. */
#define STACK_DEPTH_MAX 16
/* Far above any stack: files that include others twice double them with each level. */
#define STACK_LINES_MAX 10000
#define STACK_FILES_MAX 1000
#define STACK_BYTES_MAX 1048576

/*
 * In place of a blank that a joined line begins with: libpam up to 1.5 keeps these, 1.7 leaves them out. Between words that
 * is the same, and so it is in a control. Other words that have one are not judged.
 */
#define STACK_DOUBTFUL '\v'

/* A file's text while lines are taken off it. */
struct stack_text {
	struct view rest;
	unsigned line; /* of the last physical line that was taken */
};

/*
 * Take the next line that is not blank: without its comment, with those that its backslash joins to it. out is replaced.
 * first is its number; 0: there is none. RJWT_CONFIG, RJWT_MALFORMED, as stack_read().
 */
RJWT_MUST enum rjwt_err
stack_next_line(struct stack_text *text, const char *path, struct buf *out, unsigned *first, struct rjwt_diag *diag);

/*
 * Take a word off a line, in place: "[...]" is one, without its brackets, with "\]" for a bracket in it. NULL: none.
 * rest is moved behind the word; NULL there is the end of the line.
 */
char *stack_word(char **rest);

/* What a control says: "required", or the text between brackets. false: libpam takes it for all bad, and so is action. */
bool stack_control(const char *text, int action[static STACK_CODES]);

/* diag_fail() about a line. */
enum rjwt_err stack_fail(struct rjwt_diag *diag, enum rjwt_err err, const char *path, unsigned line, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * colour.h - words that are coloured on a terminal. Nothing is said by colour alone.
 */
#ifndef RJWT_COLOUR_H
#define RJWT_COLOUR_H

#include "base/buf.h"

/* Whether standard output is to be coloured: a terminal that is not dumb, without NO_COLOR. */
bool colour_wanted(void);

/* OK and accepted, WARN, FAIL and rejected; other words have no colour. */
void colour_word(struct buf *out, const char *word, bool colour);

#endif

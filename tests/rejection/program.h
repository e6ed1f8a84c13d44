/* SPDX-License-Identifier: MIT */
/*
 * program.h - run a program of the build, and keep what it printed.
 */
#ifndef RJWT_TEST_PROGRAM_H
#define RJWT_TEST_PROGRAM_H

#include "fixture.h"
#include "base/buf.h"
#include "base/err.h"

struct printed {
	struct buf out, err;
	int status; /* its exit status */
};

/* argv[0]: its name below RJWT_BUILD; argv ends with NULL. printed_clear() */
struct printed run_program(const struct fixture *f, char *const argv[], struct view input);
void printed_clear(struct printed *printed);

/*
 * Whether all of it is for a terminal: UTF-8, lines, and no character that a terminal would act on or that hides
 * or reorders others. What is wrong, NULL: nothing.
 */
const char *unsafe_text(struct view text);

#endif

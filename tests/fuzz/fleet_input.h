/* SPDX-License-Identifier: MIT */
/*
 * fleet_input.h - lines of a fleet by the input's choice: signed by keys of the fleet, of others, or by nobody
 * (../unit/fleet_lines.h).
 */
#ifndef RJWT_FLEET_INPUT_H
#define RJWT_FLEET_INPUT_H

#include "../unit/fleet_lines.h"
#include "fuzz.h"

struct fleet_input {
	struct buf *files; /* that lines are added to, and repeated from */
	size_t nfiles;
	int64_t from_s;	    /* numbers and serials are a byte more */
	const char *marker; /* what a line that nobody signed begins with, so that nobody else says it; NULL: nothing */
};

/* Add one; or as many as a file may have. */
void fleet_input_line(const struct fleet_input *input, struct rest *rest);

#endif

/* SPDX-License-Identifier: MIT */
/* mutant.h - in front of a file that mutate.py has changed. */
#ifndef RJWT_MUTANT_H
#define RJWT_MUTANT_H

/* The mutant that this run is about, of RJWT_MUTANT; and which of them were come by, for RJWT_REACHED. */
extern int mutant_asked;
extern volatile unsigned char *mutant_reached;

#define MUTANT(n) (mutant_reached[n] = 1, mutant_asked == (n))

/* An error that nobody hears: RJWT_OK is 0. */
#define MUTANT_DEAF(n, err) mutant_deaf(n, err)

static inline int
mutant_deaf(int n, int err)
{
	return MUTANT(n) ? 0 : err;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * numeric_date.h - NumericDate (RFC 7519 s2) as others write it: any JSON number, with a fraction or an exponent. What
 * rjwt mints has integers, and its own tokens are read as such (json_integer()).
 */
#ifndef RJWT_NUMERIC_DATE_H
#define RJWT_NUMERIC_DATE_H

#include "base/err.h"

struct numeric_date {
	int64_t whole_s;  /* rounded down; at most 2^53 */
	int64_t fraction; /* in units of 10^-18 s, rounded down */
	bool more;	  /* something was lost by that */
};

/* literal: a JSON number that was scanned. False: negative, or beyond 2^53. */
bool numeric_date_parse(struct view literal, struct numeric_date *date);

int64_t numeric_date_up(const struct numeric_date *date); /* rounded up to a whole second */
/* to - from, rounded up to a whole second. */
int64_t numeric_date_between(const struct numeric_date *from, const struct numeric_date *to);

#endif

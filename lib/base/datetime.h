/* SPDX-License-Identifier: MIT */
/*
 * datetime.h - numbers, durations and times as people write them, and RFC 3339.
 */
#ifndef RJWT_DATETIME_H
#define RJWT_DATETIME_H

#include "base/err.h"

/*
 * "90s", "15m", "1h30m", "7d" or "0": units d, h, m, s in this order, each at most once; at most 100 years, and
 * without a sign. RJWT_USAGE otherwise.
 */
RJWT_MUST enum rjwt_err duration_parse(const char *text, int64_t *seconds);

/*
 * "2026-11-23T22:00:00Z" or with an offset (RFC 3339 s5.6, no fraction), seconds since the epoch,
 * or "+10m" after now_s. RJWT_USAGE otherwise. Years 1970 to 9999.
 */
RJWT_MUST enum rjwt_err time_parse(const char *text, int64_t now_s, int64_t *seconds);

/* Decimal digits alone, no sign, no blank, no leading zero but "0"; at most max. RJWT_USAGE. */
RJWT_MUST enum rjwt_err number_parse(struct view text, int64_t max, int64_t *number);

/* As it is typed: "40s", "4m10s", "2h", "3d4h"; the two largest units that are not 0. The sign is dropped. */
void duration_format(char out[static 32], int64_t seconds);

/* RFC 3339 in UTC, "-" for 0. */
void time_format(char out[static 32], int64_t seconds);

#endif

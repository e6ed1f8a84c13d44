/* SPDX-License-Identifier: MIT */
/*
 * watch.h - what a host follows, for people: reads what is installed, and what lies in the spool; writes nothing.
 */
#ifndef RJWT_WATCH_H
#define RJWT_WATCH_H

#include "base/err.h"
#include "fleet/fleet.h"
#include "rjwt.h"

/*
 * Fill in what is installed of each issuer. A keyset of one that cannot be read is in why, and has serial 0. Errors are
 * those of fleet.json: RJWT_KEYSET, RJWT_IO, RJWT_KEY_UNKNOWN (not joined), RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err watch_installed(struct fleet_reader *reader, int64_t max_age_s,
    struct rjwt_following *following, struct rjwt_diag *diag);

/* Fill in what the mirrors gave to the carrier that comes with rjwt. RJWT_MEMORY, RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err watch_spool(const struct fleet *fleet, struct rjwt_following *following);

/*
 * An issuer does not follow itself: what it has is what it published, which is read from the state directory. What cannot
 * be read is 0. RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err watch_own(const char *state, int64_t max_age_s, struct rjwt_following *following);

#endif

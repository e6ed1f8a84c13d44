/* SPDX-License-Identifier: MIT */
/*
 * merge.h - which lines of several files an issuer publishes: the rosters that a host needs to walk from the pin to the
 * newest one, and of each issuer in that one the bundle that this host has installed. Pure.
 */
#ifndef RJWT_MERGE_H
#define RJWT_MERGE_H

#include "base/buf.h"
#include "base/err.h"
#include "fleet/fleet.h"

/* The serial that is installed of each issuer in a roster, in its order; 0: none, and no bundle of it is published. */
typedef enum rjwt_err
merge_serials(void *context, const struct roster *roster, int64_t serials[static FLEET_ISSUERS_MAX]);

/* fleet: as it is in fleet.json. Appends whole lines to out. RJWT_MEMORY, RJWT_INTERNAL, and what serials returns. */
RJWT_MUST enum rjwt_err merge_lines(const struct fleet *fleet, const struct buf *files, size_t nfiles,
    merge_serials *serials, void *context, struct buf *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * own.h - what an issuer is to itself: its base, its record, and lines that its bundle key signed although it did not.
 */
#ifndef RJWT_OWN_H
#define RJWT_OWN_H

#include "base/err.h"
#include "fleet/offer.h"
#include "fleet/record.h"

struct own {
	struct keyset keyset; /* base "": this host has no keyset of its own */
	bool issues;
	struct record record;
};

/*
 * Whether a state directory is an issuer's, also one whose bundle key or record is lost. RJWT_IO: that is not
 * known.
 */
RJWT_MUST enum rjwt_err own_look(const struct dir *state, bool *issues, struct rjwt_diag *diag);

RJWT_MUST enum rjwt_err own_read(const struct dir *state, struct own *own, struct rjwt_diag *diag);

/* Whether an entry is for this host's own keyset, or was for an earlier one: that is never followed here. */
bool own_is(const struct own *own, const struct fleet_issuer *issuer);
bool own_was(const struct own *own, const struct fleet_issuer *issuer);

/*
 * Look at what is offered in the name of this host. If somebody else wrote it, it is a clone of this host, or this host was
 * restored: why is recorded, durably, and nothing is published from then on. *stopped: this call found it.
 */
RJWT_MUST enum rjwt_err own_check(const struct dir *state, struct own *own, const struct fleet_issuer *issuer,
    const struct offer *offer, bool *stopped, struct rjwt_diag *diag);

#endif

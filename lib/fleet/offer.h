/* SPDX-License-Identifier: MIT */
/*
 * offer.h - what files of lines offer to a host that believes in a roster: the rosters that follow it, one after the
 * other, and the bundles of the issuers in the last one. Pure: it judges signatures before any lock is taken.
 */
#ifndef RJWT_OFFER_H
#define RJWT_OFFER_H

#include "base/err.h"
#include "fleet/bundle.h"
#include "fleet/fleet.h"

struct offered_roster {
	struct roster roster;
	char digest[DIGEST_HEX]; /* of its payload */
	struct view line;	 /* into the text that it was read from */
};

struct offer {
	struct offered_roster *rosters; /* in order: a key of the one before signed each */
	size_t nrosters;
	struct bundle *bundles; /* believed, highest serial first */
	size_t nbundles;
	size_t skipped;		 /* lines that nobody signed who counts, or that break a rule */
	int64_t forked_n;	 /* two believed rosters have this n and other bytes: neither is taken; 0: no */
	int64_t forked_iat_s[2]; /* of the two, the earlier first */
};

/* files: texts of lines. offer gives; offer_clear(). RJWT_MEMORY, RJWT_INTERNAL. */
RJWT_MUST enum rjwt_err
offer_read(const struct fleet *fleet, const struct buf *files, size_t nfiles, struct offer *offer);
void offer_clear(struct offer *offer);

/* The roster that is believed after all that is offered. */
const struct roster *offer_roster(const struct offer *offer, const struct fleet *fleet);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * prune.h - removes what a host of a fleet needs no more: denials of tokens that have expired, by all clocks there are, and
 * keys of a base that the roster has no more. The caller holds the lock.
 */
#ifndef RJWT_PRUNE_H
#define RJWT_PRUNE_H

#include "base/err.h"
#include "fleet/install.h"

/*
 * Remove the denials whose date, with the largest lifetime and the leeway twice, is passed by the clock of this host and by
 * what is installed of every issuer in the roster. Their newest date becomes `before` of fleet.json and of each directory
 * first, so that no clock that goes back brings a denied token back. *removed: how many.
 */
RJWT_MUST enum rjwt_err prune_denials(const struct install_ctx *ctx, size_t *removed);

/* What to say of that. */
#define PRUNE_TEXT 64
void prune_describe(char text[static PRUNE_TEXT], size_t removed);

/* Remove the keys of a directory: of one that the roster has dropped. */
RJWT_MUST enum rjwt_err prune_keys(const struct install_ctx *ctx, const char *base);

#endif

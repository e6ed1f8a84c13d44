/* SPDX-License-Identifier: MIT */
/*
 * mint.h - mints tokens. It takes tickets instead of the lock, signs the tokens, and checks keyset.json again; if
 * another key has become active meanwhile, the tokens are discarded and minted again.
 */
#ifndef RJWT_MINT_H
#define RJWT_MINT_H

#include "base/err.h"
#include "base/host.h"
#include "config/config.h"
#include "fleet/fleet.h"
#include "keyset/events.h"
#include "keyset/store.h"
#include "rjwt.h"

struct minter {
	const struct config *config;
	struct store *store;
	struct clock *clock;
	struct event_list *events;  /* of a rotation on the way */
	struct fleet_reader *fleet; /* what other issuers deny is not minted; NULL: it is not asked */
	bool issues;		    /* other hosts may follow this one */
};

/* As rjwt_mint() and rjwt_mint_batch(): tokens of one call share a check of the keyset, a ticket write and the syncs. */
RJWT_MUST enum rjwt_err mint_token(const struct minter *minter, const struct rjwt_request *request,
    struct rjwt_token *token, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err
mint_tokens(const struct minter *minter, const struct rjwt_request *requests, size_t n, struct rjwt_minted *minted);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * mint.h - requests become tokens. No lock is taken: tickets are, the tokens are signed, and keyset.json is
 * looked at again; when another key has become active meanwhile, they are thrown away, and made again.
 */
#ifndef RJWT_MINT_H
#define RJWT_MINT_H

#include "base/err.h"
#include "base/host.h"
#include "config/config.h"
#include "keyset/store.h"
#include "rjwt.h"

struct minter {
	const struct config *config;
	struct store *store;
	struct clock *clock;
};

/* As rjwt_mint(): one, or some together, which share a look at the keyset, a write of tickets and the syncs. */
RJWT_MUST enum rjwt_err mint_token(const struct minter *minter, const struct rjwt_request *request,
    struct rjwt_token *token, struct rjwt_diag *diag);
RJWT_MUST enum rjwt_err
mint_tokens(const struct minter *minter, const struct rjwt_request *requests, size_t n, struct rjwt_minted *minted);

#endif

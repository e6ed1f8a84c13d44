/* SPDX-License-Identifier: MIT */
/*
 * mint.h - a request becomes a token. No lock is taken: a ticket is, the token is signed, and keyset.json
 * is looked at again; when another key has become active meanwhile, the token is thrown away.
 */
#ifndef RJWT_MINT_H
#define RJWT_MINT_H

#include "verify.h"

struct minter {
	const struct config *config;
	struct store *store;
	struct clock *clock;
};

/* As rjwt_mint(). */
RJWT_MUST enum rjwt_err mint_token(const struct minter *minter, const struct rjwt_request *request,
    struct rjwt_token *token, struct rjwt_diag *diag);

#endif

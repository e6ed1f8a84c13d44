/* SPDX-License-Identifier: MIT */
/*
 * mint_order.h - inside mint.c: a request with its defaults filled in, whether it is acceptable, and the JSON
 * that it becomes.
 */
#ifndef RJWT_MINT_ORDER_H
#define RJWT_MINT_ORDER_H

#include "mint.h"

struct order {
	const struct minter *minter;
	const struct rjwt_request *request;
	struct rjwt_request full; /* as request, nothing NULL that has a default */
	int64_t lifetime_s;
	const char *default_audience[2];
	char jti[sizeof(((struct rjwt_token *)NULL)->jti)];
	struct rjwt_change change; /* a rotation on the way */
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)];
	struct rjwt_diag *diag;
};

/* Fill in what the request leaves to the configuration, and to the keyset as it is now. */
void order_fill(struct order *order);

/* RJWT_OK, or the code of what is wrong with it, as rjwt_mint(). */
RJWT_MUST enum rjwt_err order_check(struct order *order);

/* Add a warning where this host would not accept the token itself. */
void order_warn(struct order *order);

/* The JSON of both parts, from the times and the key that token has; gives token->header and claims. */
RJWT_MUST enum rjwt_err order_compose(struct order *order, const struct signer *signer,
    struct rjwt_token *token);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * mint_order.h - inside mint.c: a request with its defaults filled in, whether it is acceptable, and the JSON
 * that it becomes.
 */
#ifndef RJWT_MINT_ORDER_H
#define RJWT_MINT_ORDER_H

#include "err.h"
#include "mint.h"
#include "provider.h"
#include "rjwt.h"

enum order_state {
	ORDER_PENDING,
	ORDER_TRIED, /* signed or refused, if the keyset that it was done with still holds */
	ORDER_DONE
};

struct order {
	const struct minter *minter;
	const struct rjwt_request *request;
	enum order_state state;
	enum rjwt_err err;	  /* unless it is pending */
	struct rjwt_token token;
	struct rjwt_request full; /* as request, nothing NULL that has a default */
	int64_t lifetime_s;
	const char *default_audience[2];
	char jti[sizeof(((struct rjwt_token *)NULL)->jti)];
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)];
	struct rjwt_diag *diag; /* of the one who asked; never NULL */
};

/* Fill in what the request leaves to the configuration, and to the keyset as it is now. */
void order_fill(struct order *order);

/* RJWT_OK, or the code of what is wrong with it, as rjwt_mint(). */
RJWT_MUST enum rjwt_err order_check(struct order *order);

/* Add a warning where this host would not accept the token itself. */
void order_warn(struct order *order);

/* The JSON of both parts, from the times and the key that order->token has; fills its header and claims. */
RJWT_MUST enum rjwt_err order_compose(struct order *order, const struct signer *signer);

#endif

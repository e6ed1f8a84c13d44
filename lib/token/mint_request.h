/* SPDX-License-Identifier: MIT */
/*
 * mint_order.h - inside mint.c: a request with its defaults filled in, whether it is acceptable, and the JSON
 * that it becomes.
 */
#ifndef RJWT_MINT_ORDER_H
#define RJWT_MINT_ORDER_H

#include "base/err.h"
#include "jose/provider.h"
#include "keyset/keyset.h"
#include "rjwt.h"
#include "token/mint.h"

enum mint_item_state {
	ITEM_PENDING,
	ITEM_TRIED, /* signed or refused, if the keyset that it was done with still holds */
	ITEM_DONE
};

struct mint_item {
	const struct minter *minter;
	const struct rjwt_request *request;
	enum mint_item_state state;
	enum rjwt_err err; /* unless it is pending */
	struct rjwt_token token;
	struct rjwt_request full; /* as request, nothing NULL that has a default */
	int64_t lifetime_s;
	const char *default_audience[2];
	char jti[sizeof(((struct rjwt_token *)NULL)->jti)];
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)];
	struct rjwt_diag *diag; /* of the one who asked; never NULL */
};

/* Check a request, refusing what no keyset can make good, and give it its id. item->err says what became of it. */
void mint_item_begin(struct mint_item *item);

/* Everything but the signature, by a key of this keyset. A request that is refused here takes no ticket. */
RJWT_MUST enum rjwt_err
mint_item_prepare(struct mint_item *item, const struct keyset *keyset, const struct signer *signer);

/* Sign it, dated as of now. */
RJWT_MUST enum rjwt_err mint_item_sign(struct mint_item *item, struct signer *signer);

#endif

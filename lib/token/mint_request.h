/* SPDX-License-Identifier: MIT */
/*
 * mint_request.h - used by mint.c: completes and checks a request, and builds the JSON of its token.
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
	ITEM_TRIED, /* signed or refused, provided that the keyset has not changed */
	ITEM_DONE
};

struct mint_item {
	const struct minter *minter;
	const struct rjwt_request *request;
	enum mint_item_state state;
	enum rjwt_err err; /* unless it is pending */
	struct rjwt_token token;
	struct rjwt_request full; /* request with all defaults filled in */
	int64_t lifetime_s;
	size_t prompt_limit;	  /* of its prompts the one that takes least; SIZE_MAX: not known */
	const char *prompt_scope; /* whose that is */
	const char *default_audience[2];
	char jti[sizeof(((struct rjwt_token *)NULL)->jti)];
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)];
	struct rjwt_diag *diag; /* of the caller; never NULL */
};

/*
 * Fill in what a request leaves out, from the configuration and the keyset that was read last; issuer, audience and scope
 * may then be views of both, or of default_audience. lifetime_s: the lifetime it asks for.
 */
void mint_request_fill(const struct minter *minter, struct rjwt_request *request,
    const char *default_audience[static 2], int64_t *lifetime_s);

/* What becomes of the prompts of its scopes, and of the hosts that it is for: warning, prompt_limit, prompt_scope. */
void mint_item_warn(struct mint_item *item);

/* Check a request as far as that does not depend on the keyset, and assign the token id. item->err is the result. */
void mint_item_begin(struct mint_item *item);

/* Everything except signing with a key of this keyset. A request that is refused here takes no ticket. */
RJWT_MUST enum rjwt_err
mint_item_prepare(struct mint_item *item, const struct keyset *keyset, const struct signer *signer);

/* Sign the token, dated now. */
RJWT_MUST enum rjwt_err mint_item_sign(struct mint_item *item, struct signer *signer);

#endif

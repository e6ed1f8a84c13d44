/* SPDX-License-Identifier: MIT */
/* rjwt_list(): the minted tokens that may still let somebody in. */
#include "handle.h"
#include "base/buf.h"
#include "keyset/issued.h"
#include "keyset/keyset.h"

#include <string.h>

struct list {
	struct rjwt *handle;
	int64_t now_s;
	bool (*each)(void *context, const struct rjwt_issued *token);
	void *context;
};

/* Whether its key may verify it: it was not removed, and not revoked. */
static bool
key_is_live(struct store *store, const struct issued_token *token)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	int64_t version;

	return keyset_kid_parse(&store->keyset, token->kid, &version) == RJWT_OK && version >= store->keyset.floor &&
	       store_read_key(store, version, &jwk, NULL) == RJWT_OK && jwk.revoked_s == 0;
}

/* What cannot be read revokes nothing here: a token too many is shown rather than one too few. */
static bool
is_live(const struct list *list, const struct issued_token *token)
{
	struct rjwt *h = list->handle;
	const struct claims claims = { .jti = token->jti, .user = token->user };
	int64_t version;

	if (token->exp_s + h->config.rotation.leeway_s <= list->now_s || !key_is_live(h->store, token) ||
	    keyset_kid_parse(&h->store->keyset, token->kid, &version) != RJWT_OK)
		return false;
	return mark_revoked(&h->marks, version, &claims, NULL) != RJWT_REVOKED;
}

static enum rjwt_err
list_one(void *context, const struct issued_token *token)
{
	const struct list *list = context;
	const struct rjwt_issued issued = { .jti = token->jti.p,
		.user = token->user.p,
		.kid = token->kid.p,
		.exp_s = token->exp_s,
		.once = token->once };

	if (is_live(list, token) && !list->each(list->context, &issued))
		return RJWT_EXISTS;
	return RJWT_OK;
}

enum rjwt_err
rjwt_list(struct rjwt *h, bool (*each)(void *context, const struct rjwt_issued *token), void *context,
    struct rjwt_diag *diag)
{
	struct list list = { .handle = h, .each = each, .context = context };
	struct rjwt_time now;
	enum rjwt_err err;

	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	clock_now(&h->clock, &now);
	list.now_s = now.wall_s;
	err = issued_each(&h->store->dir, now.wall_s - h->config.rotation.leeway_s, list_one, &list, diag);
	return err == RJWT_EXISTS ? RJWT_OK : err;
}

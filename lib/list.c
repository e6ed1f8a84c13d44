/* SPDX-License-Identifier: MIT */
/* rjwt_list(): the minted tokens that have not expired. */
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
	int64_t version; /* whose key was looked at last; 0: none was */
	bool key_revoked;
};

static bool
key_is_revoked(struct list *list, int64_t version)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

	if (version != list->version)
		list->key_revoked =
		    store_read_key(list->handle->store, version, &jwk, NULL) == RJWT_OK && jwk.revoked_s != 0;
	list->version = version;
	return list->key_revoked;
}

/* Whether a revocation rejects it. What cannot be read revokes nothing here: better a token too many than one too few. */
static bool
is_revoked(struct list *list, const struct issued_token *token, int64_t version)
{
	const struct claims claims = { .jti = token->jti, .user = token->user };

	return key_is_revoked(list, version) ||
	       mark_revoked(&list->handle->marks, version, &claims, NULL) == RJWT_REVOKED;
}

static enum rjwt_err
list_one(void *context, const struct issued_token *token)
{
	struct list *list = context;
	const struct rjwt *h = list->handle;
	const struct keyset *keyset = &h->store->keyset;
	struct rjwt_issued issued = { .jti = token->jti.p,
		.user = token->user.p,
		.kid = token->kid.p,
		.exp_s = token->exp_s,
		.once = token->once };
	int64_t version;

	if (token->exp_s + h->config.rotation.leeway_s <= list->now_s ||
	    keyset_kid_parse(keyset, token->kid, &version) != RJWT_OK)
		return RJWT_OK;
	issued.revoked = version < keyset->floor || is_revoked(list, token, version);
	return list->each(list->context, &issued) ? RJWT_OK : RJWT_EXISTS;
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

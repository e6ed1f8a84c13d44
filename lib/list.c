/* SPDX-License-Identifier: MIT */
/* rjwt_list(): the minted tokens that have not expired. */
#include "handle.h"
#include "base/buf.h"
#include "base/host.h"
#include "base/string_list.h"
#include "keyset/codes.h"
#include "keyset/issued.h"
#include "keyset/keyset.h"
#include "keyset/marks.h"

#include <stdlib.h>
#include <string.h>

#define USES_STEP 8

struct list {
	struct rjwt *handle;
	int64_t now_s;
	bool (*each)(void *context, const struct rjwt_issued *token);
	void *context;
	int64_t version; /* whose key was looked at last; 0: none was */
	bool key_revoked;
	struct rjwt_use *uses; /* of one token */
	size_t uses_max;
	struct string_list parked; /* ids of the tokens for which a code waits */
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

/* The scopes for which it was used here. What cannot be read was not used: better a token too many than one too few. */
static enum rjwt_err
find_uses(struct list *list, const struct issued_token *token, int64_t version, struct rjwt_issued *issued)
{
	const struct claims claims = { .iss = token->issuer, .jti = token->jti, .uses = token->uses };

	for (size_t i = 0; token->scope != NULL && token->scope[i] != NULL; i++) {
		struct mark_uses used = { .most = issued->most };
		enum rjwt_err err = mark_spent_at(&list->handle->marks, version, &claims, token->scope[i], &used, NULL);

		if (err == RJWT_MEMORY)
			return err;
		if ((err != RJWT_OK && err != RJWT_SPENT) || used.used == 0)
			continue;
		if (issued->nuses == list->uses_max) {
			struct rjwt_use *more =
			    reallocarray(list->uses, list->uses_max + USES_STEP, sizeof(*list->uses));

			if (more == NULL)
				return RJWT_MEMORY;
			list->uses = more;
			list->uses_max += USES_STEP;
		}
		list->uses[issued->nuses++] = (struct rjwt_use){ token->scope[i], used.at_s, used.used };
	}
	issued->uses = list->uses;
	return RJWT_OK;
}

static size_t
count(const char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

static bool
is_for_this_host(const struct rjwt *h, const struct issued_token *token)
{
	for (size_t i = 0; token->audience != NULL && token->audience[i] != NULL; i++)
		if (config_has_audience(&h->config, store_keyset(h->store)->audience, view_of(token->audience[i])))
			return true;
	return false;
}

/* Whether it may still be used: one that another host takes as well may be, whatever was spent here. */
static bool
is_live(const struct rjwt_issued *issued)
{
	bool alone = issued->here && count(issued->audience) == 1 && !host_is_group(issued->audience[0]);
	size_t spent = 0;

	for (size_t i = 0; i < issued->nuses; i++)
		spent += issued->uses[i].times >= issued->most;
	return !issued->revoked && !(issued->most > 0 && alone && spent > 0 && spent == count(issued->scope));
}

static bool
has_code(const struct list *list, const char *jti)
{
	for (size_t i = 0; i < list->parked.n; i++)
		if (strcmp(list->parked.list[i], jti) == 0)
			return true;
	return false;
}

/* What has expired, or is of another keyset, is passed over. */
static enum rjwt_err
give(struct list *list, const struct issued_token *token, bool code)
{
	const struct rjwt *h = list->handle;
	const struct keyset *keyset = store_keyset(h->store);
	struct rjwt_issued issued = { .jti = token->jti.p,
		.user = token->user.p,
		.kid = token->kid.p,
		.by = token->by.p,
		.why = token->why.p,
		.actor = token->actor.p,
		.rule = token->rule,
		.audience = token->audience,
		.scope = token->scope,
		.iat_s = token->iat_s,
		.nbf_s = token->nbf_s,
		.exp_s = token->exp_s,
		.once = token->once,
		.code = code,
		.most = token->once || h->config.one_time_always ? 1 : token->uses,
		.here = is_for_this_host(h, token) };
	int64_t version;

	if (token->exp_s + h->config.rotation.leeway_s <= list->now_s ||
	    keyset_kid_parse(keyset, token->kid, &version) != RJWT_OK)
		return RJWT_OK;
	issued.revoked = version < keyset->floor || is_revoked(list, token, version);
	if (issued.most > 0 && issued.here)
		RJWT_TRY(find_uses(list, token, version, &issued));
	issued.live = is_live(&issued);
	return list->each(list->context, &issued) ? RJWT_OK : RJWT_EXISTS;
}

/* A code is listed by what is parked with it: the record of its mint has the times of its first token. */
static enum rjwt_err
list_one(void *context, const struct issued_token *token)
{
	struct list *list = context;

	return has_code(list, token->jti.p) ? RJWT_OK : give(list, token, false);
}

/* A scope has words, an audience is a string or an array. */
static enum rjwt_err
read_words(const struct code *code, struct string_list *audience, struct string_list *scope)
{
	RJWT_CLEAN(free_clean) char *words = strdup(code->scope.p);
	size_t n = 0;
	char *rest = words, *word;

	if (words == NULL)
		return RJWT_MEMORY;
	while ((word = strsep(&rest, " ")) != NULL)
		RJWT_TRY(string_list_add(scope, word));
	(void)json_strings(code->claims, "aud", &n);
	for (size_t i = 0; i < n; i++)
		RJWT_TRY(string_list_add(audience, json_string_at(code->claims, "aud", i).p));
	return RJWT_OK;
}

static enum rjwt_err
list_code(void *context, const char *name, const struct code *code)
{
	struct list *list = context;
	RJWT_CLEAN(string_list_clear) struct string_list audience = { 0 };
	RJWT_CLEAN(string_list_clear) struct string_list scope = { 0 };
	struct issued_token token = { .jti = code->jti,
		.user = code->user,
		.kid = code->kid,
		.issuer = code->iss,
		.by = code->by,
		.why = code->why,
		.actor = code->actor,
		.iat_s = code->iat_s,
		.exp_s = code->until_s,
		.once = true };

	(void)name;
	RJWT_TRY(read_words(code, &audience, &scope));
	token.audience = string_list_view(&audience);
	token.scope = string_list_view(&scope);
	(void)json_integer(code->claims, "nbf", &token.nbf_s);
	RJWT_TRY(string_list_add(&list->parked, code->jti.p));
	return give(list, &token, true);
}

static enum rjwt_err
list_all(struct list *list, struct rjwt_diag *diag)
{
	const struct rjwt *h = list->handle;

	RJWT_TRY(codes_each(store_dir(h->store), list_code, list, diag));
	return issued_each(store_dir(h->store), list->now_s - h->config.rotation.leeway_s, list_one, list, diag);
}

enum rjwt_err
rjwt_list(struct rjwt *h, bool (*each)(void *context, const struct rjwt_issued *token), void *context,
    struct rjwt_diag *diag)
{
	struct list list = { .handle = h, .each = each, .context = context };
	struct rjwt_time now;
	enum rjwt_err err;

	if (h->store == NULL && h->fleet != NULL)
		return RJWT_OK; /* a host that only follows mints nothing */
	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	clock_now(&h->clock, &now);
	list.now_s = now.wall_s;
	err = list_all(&list, diag);
	string_list_clear(&list.parked);
	free(list.uses);
	return err == RJWT_EXISTS ? RJWT_OK : err;
}

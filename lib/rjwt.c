/* SPDX-License-Identifier: MIT */
/*
 * The handle: a configuration, a source of keys, a clock. Each function of rjwt.h puts together what the
 * modules do; how they do it is theirs.
 */
#include "rjwt.h"
#include "alg.h"
#include "buf.h"
#include "claims.h"
#include "config.h"
#include "digest.h"
#include "err.h"
#include "file.h"
#include "host.h"
#include "jwk.h"
#include "keeper.h"
#include "keyset.h"
#include "marks.h"
#include "mint.h"
#include "store.h"
#include "verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rjwt {
	struct config config;
	struct store *store; /* NULL: set is in its place */
	struct marks marks;
	struct jwk_set set;
	struct clock clock;
};

void
rjwt_free(void *p)
{
	free(p);
}

void
rjwt_close(struct rjwt *h)
{
	if (h == NULL)
		return;
	marks_close(&h->marks);
	store_close(h->store);
	jwk_set_clear(&h->set);
	config_clear(&h->config);
	free(h);
}

static void
handle_clean(struct rjwt **h)
{
	rjwt_close(*h);
}

static enum rjwt_err
range(const int64_t *value, int64_t least, int64_t most, const char *name, int64_t *to,
    struct rjwt_diag *diag)
{
	if (value == NULL)
		return RJWT_OK;
	if (*value < least || *value > most)
		return diag_fail(diag, RJWT_USAGE, "", "%s: %lld s is not from %lld to %lld", name,
		    (long long)*value, (long long)least, (long long)most);
	*to = *value;
	return RJWT_OK;
}

static enum rjwt_err
replace(char **field, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return RJWT_MEMORY;
	free(*field);
	*field = copy;
	return RJWT_OK;
}

static enum rjwt_err
apply_overrides(struct config *config, const struct rjwt_options *o, struct rjwt_diag *diag)
{
	RJWT_TRY(range(o->leeway_s, 0, RJWT_LEEWAY_MAX, "leeway", &config->rotation.leeway_s, diag));
	RJWT_TRY(range(o->max_lifetime_s, 1, RJWT_LIFETIME_MAX, "max_lifetime",
	    &config->rotation.max_lifetime_s, diag));
	if (o->issuer != NULL)
		RJWT_TRY(names_set(&config->issuer, (const char *const[]){ o->issuer, NULL }));
	if (o->audience != NULL)
		RJWT_TRY(names_set(&config->audience, o->audience));
	if (o->typ != NULL)
		RJWT_TRY(replace(&config->token_type, o->typ));
	if (o->state_dir != NULL)
		RJWT_TRY(replace(&config->state_dir, o->state_dir));
	return RJWT_OK;
}

static enum rjwt_err
load_set(const char *path, struct jwk_set *set, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char kept[sizeof(diag->path)];
	const char *name;
	enum rjwt_err err;

	RJWT_TRY(dir_of(path, &dir, &name, diag));
	RJWT_TRY(file_read(&dir, name, JWK_SET_MAX, &text, NULL, diag));
	err = jwk_set_parse(buf_view(&text), set, diag);
	if (err != RJWT_OK && diag != NULL) {
		snprintf(kept, sizeof(kept), "%s", path);
		memcpy(diag->path, kept, sizeof(kept));
	}
	return err;
}

enum rjwt_err
rjwt_open(const struct rjwt_options *options, struct rjwt **handle, struct rjwt_diag *diag)
{
	RJWT_CLEAN(handle_clean) struct rjwt *h = calloc(1, sizeof(*h));

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	if (h == NULL)
		return RJWT_MEMORY;
	h->marks = MARKS_NONE; /* first: zeros are descriptor 0, which is the host's */
	h->clock.read = options->now;
	RJWT_TRY(digest_ready());
	RJWT_TRY(config_load(options->config, &h->config, diag));
	RJWT_TRY(apply_overrides(&h->config, options, diag));
	if (options->jwks != NULL)
		RJWT_TRY(load_set(options->jwks, &h->set, diag));
	else
		RJWT_TRY(store_open(h->config.state_dir, NULL, &h->store, diag));
	h->marks.store = h->store;
	*handle = RJWT_STEAL(h);
	return RJWT_OK;
}

/* --- verify and mint ----------------------------------------------------------------------------------------- */

enum rjwt_err
rjwt_verify(struct rjwt *h, const struct rjwt_attempt *attempt, struct rjwt_verdict *verdict,
    struct rjwt_diag *diag)
{
	struct verifier v = { .config = &h->config, .clock = &h->clock };
	enum rjwt_err err;

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	if (h->store != NULL) {
		v.keyset = &h->store->keyset;
		v.keys = store_keys(h->store);
		v.marks = &h->marks;
	} else {
		v.keys = (struct key_source){ jwk_set_find, NULL, &h->set };
		verdict_begin(verdict, RJWT_USAGE);
		if ((attempt->flags & RJWT_SIGNATURE_ONLY) == 0 &&
		    (h->config.issuer.n == 0 || h->config.audience.n == 0))
			return diag_fail(diag, RJWT_USAGE, "",
			    "a JWK Set records no issuer and no audience: both must be given");
	}
	err = verify_token(&v, attempt, verdict, diag);
	/* A mark that was looked for and is not there is no news. */
	if (err == RJWT_OK && diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	return err;
}

/* What needs the keyset itself, and not a set of keys. */
static enum rjwt_err
need_store(const struct rjwt *h, struct rjwt_diag *diag)
{
	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	if (h->store == NULL)
		return diag_fail(diag, RJWT_USAGE, "", "a JWK Set can be verified with, no more");
	return RJWT_OK;
}

enum rjwt_err
rjwt_mint(struct rjwt *h, const struct rjwt_request *request, struct rjwt_token *token,
    struct rjwt_diag *diag)
{
	struct minter m = { &h->config, h->store, &h->clock };

	RJWT_TRY(need_store(h, diag));
	return mint_token(&m, request, token, diag);
}

enum rjwt_err
rjwt_mint_batch(struct rjwt *h, const struct rjwt_request *requests, size_t n,
    struct rjwt_minted *minted)
{
	struct minter m = { &h->config, h->store, &h->clock };
	struct rjwt_diag diag;
	enum rjwt_err err = need_store(h, &diag);

	for (size_t i = 0; i < n; i++)
		minted[i] = (struct rjwt_minted){ .err = err, .diag = diag };
	RJWT_TRY(err);
	return mint_tokens(&m, requests, n, minted);
}

/* --- the keyset ------------------------------------------------------------------------------------------------- */

enum rjwt_err
rjwt_jwks(struct rjwt *h, char **json, size_t *len, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_time now;

	RJWT_TRY(need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	clock_now(&h->clock, &now);
	RJWT_TRY(store_jwks(h->store, now.wall_s, &text, diag));
	return buf_give(&text, json, len);
}

enum rjwt_err
rjwt_current_key(struct rjwt *h, char kid[RJWT_ID_SIZE], const char **alg, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

	RJWT_TRY(need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	RJWT_TRY(store_read_key(h->store, h->store->keyset.active.version, &jwk, diag));
	keyset_kid_format(&h->store->keyset, h->store->keyset.active.version, kid);
	*alg = jwk.alg->label;
	return RJWT_OK;
}

const char *const *
rjwt_supports(void)
{
	return alg_labels();
}

static enum rjwt_err
change(struct rjwt *h, struct keeper_order order, int flags, struct rjwt_change *change,
    struct rjwt_diag *diag)
{
	return keeper_change(h->store, &h->config.rotation, &order, &h->clock, flags, change, diag);
}

enum rjwt_err
rjwt_rotate(struct rjwt *h, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	struct keeper_order order = { .why = WHY_COMPROMISED };

	RJWT_TRY(need_store(h, diag));
	if ((flags & RJWT_COMPROMISED) != 0)
		return change(h, order, flags, done, diag);
	/* The version before the lock: whoever comes second finds another one, and does not rotate. */
	RJWT_TRY(store_load(h->store, diag));
	order = (struct keeper_order){ .why = WHY_HAND, .version = h->store->keyset.active.version };
	return change(h, order, flags, done, diag);
}

enum rjwt_err
rjwt_tick(struct rjwt *h, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	RJWT_TRY(need_store(h, diag));
	return change(h, (struct keeper_order){ .why = WHY_DUE }, flags, done, diag);
}

static enum rjwt_err
read_revocation(struct rjwt *h, const struct rjwt_revocation *r, struct keeper_order *order,
    struct rjwt_diag *diag)
{
	enum rjwt_err err;

	if ((r->jti != NULL) + (r->users != NULL) + (r->kid != NULL) + (r->all ? 1 : 0) != 1)
		return diag_fail(diag, RJWT_USAGE, "", "one of a token, users, a key and all is revoked");
	if (r->jti != NULL && !claims_jti_check(view_of(r->jti)))
		return diag_fail(diag, RJWT_USAGE, "", "%s is no id of a token (claim jti)", r->jti);
	if (r->users != NULL && r->users[0] == NULL)
		return diag_fail(diag, RJWT_USAGE, "", "no user was named");
	for (size_t i = 0; r->users != NULL && r->users[i] != NULL; i++)
		if (!claims_name_check(view_of(r->users[i])))
			return diag_fail(diag, RJWT_USAGE, "", "%s is no login name", r->users[i]);
	*order = (struct keeper_order){ .why = r->all ? WHY_REVOKE_ALL :
		r->kid != NULL			      ? WHY_REVOKE_KEY :
		r->users != NULL		      ? WHY_REVOKE_USER :
							WHY_TOUCH,
		.jti = r->jti, .users = r->users };
	if (r->kid == NULL)
		return RJWT_OK;
	RJWT_TRY(store_load(h->store, diag));
	err = keyset_kid_parse(&h->store->keyset, view_of(r->kid), &order->version);
	if (err == RJWT_KID)
		return diag_fail(diag, err, "", "%s is no key id: BASE.VERSION is wanted", r->kid);
	return err == RJWT_OK ? err : diag_fail(diag, err, "", "%s is of another keyset", r->kid);
}

enum rjwt_err
rjwt_revoke(struct rjwt *h, const struct rjwt_revocation *revocation, int flags,
    struct rjwt_change *done, struct rjwt_diag *diag)
{
	struct keeper_order order;

	RJWT_TRY(need_store(h, diag));
	RJWT_TRY(read_revocation(h, revocation, &order, diag));
	return change(h, order, flags, done, diag);
}

enum rjwt_err
rjwt_init(const struct rjwt_options *options, int flags, struct rjwt_change *done,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	struct clock clock = { .read = options->now };
	struct keeper_names names = { NULL, NULL };

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	RJWT_TRY(digest_ready());
	RJWT_TRY(config_load(options->config, &config, diag));
	RJWT_TRY(apply_overrides(&config, options, diag));
	if (config.issuer.n > 0)
		names.issuer = config.issuer.list[0];
	if (config.audience.n > 0)
		names.audience = config.audience.list[0];
	return keeper_init(config.state_dir, NULL, &config.rotation, &names, (flags & RJWT_ADOPT) != 0,
	    &clock, done, diag);
}

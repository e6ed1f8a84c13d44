/* SPDX-License-Identifier: MIT */
#include "mint_order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 1000 /* each lost one is somebody else's rotation */

/* --- which key ------------------------------------------------------------------------------------------------- */

/* kid, key_version and alg are assertions: they never choose a key, they only refuse another. */
static enum rjwt_err
check_asserted(struct order *o, const struct signer *signer, const char *kid)
{
	const struct rjwt_request *r = &o->full;
	int64_t version = o->minter->store->keyset.active.version;

	if (r->kid != NULL && strcmp(r->kid, kid) != 0)
		return diag_fail(o->diag, RJWT_KID, "", "%s signs now, not %s", kid, r->kid);
	if (r->key_version != 0 && r->key_version != version)
		return diag_fail(o->diag, RJWT_KID, "", "version %lld signs now, not %lld",
		    (long long)version, (long long)r->key_version);
	if (r->alg != NULL && strcmp(r->alg, signer->alg->label) != 0 &&
	    strcmp(r->alg, signer->alg->name) != 0)
		return diag_fail(o->diag, RJWT_ALG, "", "%s signs with %s, not with %s", kid,
		    signer->alg->label, r->alg);
	return RJWT_OK;
}

/* Do what is due. The active key goes on where that fails: only a limit of tokens must not be passed. */
static enum rjwt_err
rotate_if_due(struct order *o)
{
	const struct minter *m = o->minter;
	struct rjwt_diag why = { 0 };
	struct rjwt_time now;

	clock_now(m->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, o->diag));
	if (!keyset_due(&m->store->keyset, &m->config->rotation, 0, now.wall_s))
		return RJWT_OK;
	if (keeper_change(m->store, &m->config->rotation, &(struct keeper_order){ .why = WHY_DUE },
		m->clock, 0, &o->change, &why) != RJWT_OK)
		text_append(o->warning, sizeof(o->warning), "; ", "rotation is due, but failed: %s%s%s",
		    why.path, why.path[0] == '\0' ? "" : ": ", why.text);
	return store_load(m->store, o->diag);
}

/* RJWT_KEY_RETIRED: the tickets were used up, another key signs now. */
static enum rjwt_err
take_ticket(struct order *o)
{
	const struct minter *m = o->minter;
	const struct rotation_policy *policy = &m->config->rotation;
	int64_t version = m->store->keyset.active.version, number = 0;
	struct rjwt_diag why = { 0 };
	enum rjwt_err err =
	    store_ticket(m->store, version, policy->max_tokens > 0, &number, &why);

	bool lost = err == RJWT_IO && errno == ENOENT; /* a count that was lost is used up */

	if (err != RJWT_OK && policy->max_tokens == 0) {
		text_append(o->warning, sizeof(o->warning), "; ", "the token was not counted: %s: %s", why.path,
		    why.text);
		return RJWT_OK;
	}
	if (err != RJWT_OK && !lost)
		return diag_fail(o->diag, err, why.path, "%s", why.text);
	if (policy->max_tokens == 0 || (!lost && number <= policy->max_tokens))
		return RJWT_OK;
	RJWT_TRY(keeper_change(m->store, policy,
	    &(struct keeper_order){ .why = WHY_COUNT, .version = version }, m->clock, 0, &o->change,
	    o->diag));
	return RJWT_KEY_RETIRED;
}

/* --- the token --------------------------------------------------------------------------------------------------- */
/* iat is taken as late as may be: a key that retires while we work must not look older than the token. */
static enum rjwt_err
set_times(struct order *o, struct rjwt_token *token)
{
	int64_t most = o->minter->config->rotation.max_lifetime_s;
	struct rjwt_time now;

	clock_now(o->minter->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, o->diag));
	token->iat_s = now.wall_s;
	token->nbf_s = o->full.not_before_s > now.wall_s ? o->full.not_before_s : now.wall_s;
	if (o->full.not_before_s != 0)
		token->nbf_s = o->full.not_before_s;
	token->exp_s = (token->nbf_s > token->iat_s ? token->nbf_s : token->iat_s) + o->lifetime_s;
	if (token->exp_s - token->iat_s > most)
		return diag_fail(o->diag, RJWT_LIFETIME, "",
		    "the token would be issued %lld s before it expires, max_lifetime is %lld s",
		    (long long)(token->exp_s - token->iat_s), (long long)most);
	return RJWT_OK;
}

static enum rjwt_err
set_jti(struct order *o)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char bits[16];

	RJWT_TRY(random_fill(bits, sizeof(bits)));
	base64url_encode(&text, (struct view){ bits, sizeof(bits) });
	RJWT_TRY(buf_done(&text));
	memcpy(o->jti, text.p, text.n + 1);
	return RJWT_OK;
}

static size_t
encoded(size_t n)
{
	return (4 * n + 2) / 3;
}

static bool
asked_for(const struct order *o, const char *scope)
{
	for (size_t i = 0; o->full.scope[i] != NULL; i++)
		if (strcmp(o->full.scope[i], scope) == 0)
			return true;
	return false;
}

/* Which prompts the token will fit; refused when one that it is meant for is not among them. */
static enum rjwt_err
check_fits(struct order *o, const struct signer *signer, struct rjwt_token *token)
{
	size_t header = strlen(token->header), claims = strlen(token->claims);
	size_t length = encoded(header) + 1 + encoded(claims) + 1 + encoded(signer->signature_size);
	size_t most = (size_t)o->minter->config->max_token_bytes, limit;
	const char *scope;

	if (length > most)
		return diag_fail(o->diag, RJWT_TOO_LONG, "",
		    "the token would have %zu bytes, max_token_bytes is %zu", length, most);
	for (unsigned i = 0; (scope = rjwt_prompt(i, &limit)) != NULL; i++) {
		if (length <= limit)
			token->fits |= 1U << i;
		else if ((o->full.flags & RJWT_FORCE) == 0 && asked_for(o, scope))
			return diag_fail(o->diag, RJWT_TOO_LONG, "",
			    "the token would have %zu bytes, the prompt of %s takes %zu: %s has a signature of "
			    "%zu bytes, the claims have %zu, the header %zu, all of it a third longer when encoded",
			    length, scope, limit, signer->alg->label, signer->signature_size, claims, header);
	}
	return RJWT_OK;
}

static enum rjwt_err
sign(struct signer *signer, struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	RJWT_TRY(jws_sign(signer, view_of(token->header), view_of(token->claims), &text));
	return buf_give(&text, &token->text, &token->len);
}

/* Taking a ticket may have waited for a disk: iat is when the token is signed. */
static enum rjwt_err
date_again(struct order *o, const struct signer *signer, struct rjwt_token *token)
{
	struct rjwt_time now;

	clock_now(o->minter->clock, &now);
	if (now.wall_s == token->iat_s)
		return RJWT_OK;
	free(RJWT_STEAL(token->header));
	free(RJWT_STEAL(token->claims));
	RJWT_TRY(set_times(o, token));
	return order_compose(o, signer, token);
}

/* Mint with the key that is active in keyset. A request that is refused takes no ticket. */
static enum rjwt_err
mint_with(struct order *o, const struct keyset *keyset, struct rjwt_token *token)
{
	const struct minter *m = o->minter;
	struct signer *signer;

	RJWT_TRY(store_signer(m->store, keyset->active.version, &signer, o->diag));
	keyset_kid_format(keyset, keyset->active.version, token->kid);
	RJWT_TRY(check_asserted(o, signer, token->kid));
	memcpy(token->jti, o->jti, sizeof(token->jti));
	token->once = !o->full.reusable || m->config->one_time_always;
	RJWT_TRY(set_times(o, token));
	RJWT_TRY(order_compose(o, signer, token));
	RJWT_TRY(check_fits(o, signer, token));
	RJWT_TRY(take_ticket(o));
	RJWT_TRY(date_again(o, signer, token));
	return sign(signer, token);
}

/*
 * RJWT_KEY_RETIRED: another key has become active meanwhile. Then what was signed is worth nothing, and
 * what failed may have failed because a rotation had taken it away.
 */
static enum rjwt_err
mint_once(struct order *o, struct rjwt_token *token)
{
	const struct minter *m = o->minter;
	struct keyset before;
	struct rjwt_diag *diag = o->diag, why = { 0 };
	enum rjwt_err err, again;

	RJWT_TRY(store_load(m->store, o->diag));
	RJWT_TRY(store_writable(m->store, &m->config->rotation, o->diag));
	RJWT_TRY(rotate_if_due(o));
	before = m->store->keyset;
	order_fill(o);
	err = mint_with(o, &before, token);
	if (err != RJWT_OK && err != RJWT_KEY_RETIRED)
		o->diag = &why; /* that one has told why; this is only to see whether it matters */
	again = err == RJWT_MEMORY ? RJWT_OK : store_load(m->store, o->diag);
	o->diag = diag;
	if (again != RJWT_OK)
		return err != RJWT_OK && err != RJWT_KEY_RETIRED ? err : again;
	if (m->store->keyset.active.version != before.active.version ||
	    strcmp(m->store->keyset.base, before.base) != 0)
		return RJWT_KEY_RETIRED;
	RJWT_TRY(err);
	/* The commit that made this key active may not be durable yet: the token hangs on it. */
	return dir_sync(&m->store->dir, o->diag);
}

enum rjwt_err
mint_token(const struct minter *minter, const struct rjwt_request *request,
    struct rjwt_token *token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token made = { 0 };
	struct order o = { .minter = minter, .request = request, .diag = diag };
	struct rjwt_diag why = { 0 };
	enum rjwt_err err;

	RJWT_TRY(store_load(minter->store, diag));
	order_fill(&o);
	RJWT_TRY(order_check(&o));
	order_warn(&o);
	RJWT_TRY(set_jti(&o));
	for (int i = 0; (err = mint_once(&o, &made)) == RJWT_KEY_RETIRED; i++) {
		rjwt_token_clear(&made);
		if (i == TRIES)
			return diag_fail(diag, RJWT_BUSY, "",
			    "the keyset rotates faster than tokens are minted");
	}
	RJWT_TRY(err);
	if (mark_issued(&minter->store->dir, &made, &o.full, &why) != RJWT_OK)
		text_append(o.warning, sizeof(o.warning), "; ",
		    "the token is minted, but not recorded: %s: %s", why.path, why.text);
	made.change = o.change;
	memcpy(made.warning, o.warning, sizeof(made.warning));
	*token = made;
	made = (struct rjwt_token){ 0 };
	return RJWT_OK;
}

void
rjwt_token_clear(struct rjwt_token *token)
{
	secret_wipe(token->text, token->len);
	free(token->text);
	free(token->header);
	free(token->claims);
	secret_wipe(token, sizeof(*token));
}

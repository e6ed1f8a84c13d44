/* SPDX-License-Identifier: MIT */
#include "mint_order.h"
#include "base64url.h"
#include "buf.h"
#include "digest.h"
#include "file.h"
#include "host.h"
#include "jws.h"
#include "keeper.h"
#include "keyset.h"
#include "marks.h"
#include "store.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 1000 /* each lost one is somebody else's rotation */

/* Requests that are minted together. */
struct block {
	const struct minter *minter;
	struct order *orders;
	size_t n;
	struct rjwt_change change; /* a rotation on the way, which the next token tells of */
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)]; /* likewise */
	struct rjwt_diag diag;
};

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
rotate_if_due(struct block *b)
{
	const struct minter *m = b->minter;
	struct rjwt_diag why = { 0 };
	struct rjwt_time now;

	clock_now(m->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, &b->diag));
	if (!keyset_due(&m->store->keyset, &m->config->rotation, 0, now.wall_s))
		return RJWT_OK;
	if (keeper_change(m->store, &m->config->rotation, &(struct keeper_order){ .why = WHY_DUE },
		m->clock, 0, &b->change, &why) != RJWT_OK)
		text_append(b->warning, sizeof(b->warning), "; ", "rotation is due, but failed: %s%s%s",
		    why.path, why.path[0] == '\0' ? "" : ": ", why.text);
	return store_load(m->store, &b->diag);
}

/* Take so many tickets of a version; got: those that its limit allows, and fewer when they are used up. */
static enum rjwt_err
take_tickets(struct block *b, int64_t version, size_t wanted, size_t *got)
{
	int64_t limit = b->minter->config->rotation.max_tokens, number = 0, left;
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = RJWT_OK;

	*got = wanted;
	if (wanted > 0)
		err = store_tickets(b->minter->store, version, wanted, limit > 0, &number, &why);
	if (err != RJWT_OK && limit == 0)
		text_append(b->warning, sizeof(b->warning), "; ", "the token was not counted: %s: %s", why.path,
		    why.text);
	if (wanted == 0 || limit == 0)
		return RJWT_OK;
	if (err == RJWT_IO && errno == ENOENT) /* a count that was lost is used up */
		number = INT64_MAX;
	else if (err != RJWT_OK)
		return diag_fail(&b->diag, err, why.path, "%s", why.text);
	left = limit - (number - (int64_t)wanted);
	*got = left <= 0 ? 0 : (size_t)left < wanted ? (size_t)left : wanted;
	return RJWT_OK;
}

/* --- the token --------------------------------------------------------------------------------------------------- */
/* iat is taken as late as may be: a key that retires while we work must not look older than the token. */
static enum rjwt_err
set_times(struct order *o)
{
	struct rjwt_token *token = &o->token;
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
check_fits(struct order *o, const struct signer *signer)
{
	struct rjwt_token *token = &o->token;
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

/* Everything but the signature. A request that is refused takes no ticket. */
static enum rjwt_err
prepare(struct order *o, const struct keyset *keyset, const struct signer *signer)
{
	struct rjwt_token *token = &o->token;

	order_fill(o);
	keyset_kid_format(keyset, keyset->active.version, token->kid);
	RJWT_TRY(check_asserted(o, signer, token->kid));
	memcpy(token->jti, o->jti, sizeof(token->jti));
	token->once = !o->full.reusable || o->minter->config->one_time_always;
	RJWT_TRY(set_times(o));
	RJWT_TRY(order_compose(o, signer));
	return check_fits(o, signer);
}

/* What order_compose() made. */
static void
token_drop(struct rjwt_token *token)
{
	free(RJWT_STEAL(token->header));
	free(RJWT_STEAL(token->claims));
	free(RJWT_STEAL(token->audience));
	free(RJWT_STEAL(token->scope));
}

/* Taking a ticket may have waited for a disk: iat is when the token is signed. */
static enum rjwt_err
date_again(struct order *o, const struct signer *signer)
{
	struct rjwt_time now;

	clock_now(o->minter->clock, &now);
	if (now.wall_s == o->token.iat_s)
		return RJWT_OK;
	token_drop(&o->token);
	RJWT_TRY(set_times(o));
	return order_compose(o, signer);
}

static enum rjwt_err
sign(struct order *o, struct signer *signer)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_token *token = &o->token;

	RJWT_TRY(date_again(o, signer));
	RJWT_TRY(jws_sign(signer, view_of(token->header), view_of(token->claims), &text));
	return buf_give(&text, &token->text, &token->len);
}

/* --- the block --------------------------------------------------------------------------------------------------- */

/* Try what is pending with the key that is active in keyset; used_up: some found no ticket. */
static enum rjwt_err
sign_block(struct block *b, const struct keyset *keyset, bool *used_up)
{
	int64_t version = keyset->active.version;
	size_t wanted = 0, got;
	struct signer *signer;

	RJWT_TRY(store_signer(b->minter->store, version, &signer, &b->diag));
	for (struct order *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state != ORDER_PENDING)
			continue;
		o->err = prepare(o, keyset, signer);
		o->state = o->err == RJWT_OK ? ORDER_PENDING : ORDER_TRIED;
		wanted += o->err == RJWT_OK;
	}
	RJWT_TRY(take_tickets(b, version, wanted, &got));
	*used_up = got < wanted;
	for (struct order *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state != ORDER_PENDING)
			continue;
		if (got == 0) {
			rjwt_token_clear(&o->token);
			continue;
		}
		o->err = sign(o, signer);
		o->state = ORDER_TRIED;
		got--;
	}
	return RJWT_OK;
}

/* Another key has become active: what was signed is worth nothing, and what failed may have failed for that. */
static void
rewind_block(struct block *b)
{
	for (struct order *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state == ORDER_DONE)
			continue;
		o->state = ORDER_PENDING;
		rjwt_token_clear(&o->token);
		*o->diag = (struct rjwt_diag){ 0 };
	}
}

/* What was tried stands; or, with an error of the whole, what was refused does, and the rest fails with that. */
static void
settle_block(struct block *b, enum rjwt_err err)
{
	for (struct order *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state == ORDER_DONE || (o->state == ORDER_PENDING && err == RJWT_OK))
			continue;
		if (err != RJWT_OK && (o->state == ORDER_PENDING || o->err == RJWT_OK)) {
			o->err = err;
			*o->diag = b->diag;
		}
		o->state = ORDER_DONE;
		if (o->err != RJWT_OK)
			continue;
		o->token.change = b->change;
		b->change = (struct rjwt_change){ 0 };
		if (b->warning[0] != '\0')
			text_append(o->warning, sizeof(o->warning), "; ", "%s", b->warning);
		b->warning[0] = '\0';
	}
}

/* RJWT_KEY_RETIRED: another key has become active meanwhile, and nothing came of it. */
static enum rjwt_err
mint_once(struct block *b)
{
	const struct minter *m = b->minter;
	struct rjwt_diag why = { 0 };
	struct keyset before;
	bool used_up = false;
	enum rjwt_err err, again;

	RJWT_TRY(store_load(m->store, &b->diag));
	RJWT_TRY(store_writable(m->store, &m->config->rotation, &b->diag));
	RJWT_TRY(rotate_if_due(b));
	before = m->store->keyset;
	err = sign_block(b, &before, &used_up);
	/* After an error this is only to see whether it matters: that one has told why. */
	again = err == RJWT_MEMORY ? RJWT_OK : store_load(m->store, err == RJWT_OK ? &b->diag : &why);
	if (again != RJWT_OK)
		return err != RJWT_OK ? err : again;
	if (m->store->keyset.active.version != before.active.version ||
	    strcmp(m->store->keyset.base, before.base) != 0) {
		rewind_block(b);
		return RJWT_KEY_RETIRED;
	}
	RJWT_TRY(err);
	/* The commit that made this key active may not be durable yet: the tokens hang on it. */
	RJWT_TRY(dir_sync(&m->store->dir, &b->diag));
	settle_block(b, RJWT_OK);
	if (!used_up)
		return RJWT_OK;
	return keeper_change(m->store, &m->config->rotation,
	    &(struct keeper_order){ .why = WHY_COUNT, .version = before.active.version }, m->clock, 0,
	    &b->change, &b->diag);
}

static size_t
count_pending(const struct block *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->orders[i].state == ORDER_PENDING;
	return n;
}

static void
mint_block(struct block *b)
{
	enum rjwt_err err = RJWT_OK;

	for (int lost = 0; err == RJWT_OK && count_pending(b) > 0;) {
		size_t before = count_pending(b);

		err = mint_once(b);
		lost += before == count_pending(b);
		if (err == RJWT_KEY_RETIRED)
			err = RJWT_OK;
		if (err == RJWT_OK && lost > TRIES)
			err = diag_fail(&b->diag, RJWT_BUSY, "",
			    "the keyset rotates faster than tokens are minted");
	}
	settle_block(b, err);
}

/* --- who may get in ---------------------------------------------------------------------------------------------- */

/* Lines about those from i on that expire in one hour; the number of the first that does not. */
static size_t
add_lines(const struct block *b, size_t i, struct buf *lines, int64_t *until_s)
{
	for (*until_s = 0; i < b->n; i++) {
		const struct order *o = &b->orders[i];

		if (o->err != RJWT_OK)
			continue;
		if (*until_s == 0)
			*until_s = o->token.exp_s;
		if (!mark_same_hour(*until_s, o->token.exp_s))
			break;
		mark_issued_line(lines, &o->token, &o->full);
	}
	return i;
}

/* For people alone: a token that cannot be recorded is good, and says so. */
static void
record_block(struct block *b)
{
	for (size_t i = 0, next; i < b->n; i = next) {
		RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
		struct rjwt_diag why = { 0 };
		int64_t until_s;

		next = add_lines(b, i, &lines, &until_s);
		if (until_s == 0 || mark_issued(&b->minter->store->dir, until_s, &lines, &why) == RJWT_OK)
			continue;
		for (struct order *o = b->orders + i; o < b->orders + next; o++)
			text_append(o->warning, sizeof(o->warning), "; ",
			    "the token is minted, but not recorded: %s: %s", why.path, why.text);
	}
}

/* --- requests, and what becomes of them --------------------------------------------------------------------------- */

/* Refused here is what no keyset can make good. */
static void
begin_order(struct order *o)
{
	o->state = ORDER_DONE;
	order_fill(o);
	if ((o->err = order_check(o)) != RJWT_OK || (o->err = set_jti(o)) != RJWT_OK)
		return;
	order_warn(o);
	o->state = ORDER_PENDING;
}

static enum rjwt_err
give(struct block *b, struct rjwt_minted *minted)
{
	enum rjwt_err first = RJWT_OK;

	for (size_t i = 0; i < b->n; i++) {
		struct order *o = &b->orders[i];

		minted[i].err = o->err;
		if (first == RJWT_OK)
			first = o->err;
		if (o->err == RJWT_OK) {
			memcpy(o->token.warning, o->warning, sizeof(o->token.warning));
			minted[i].token = o->token;
			minted[i].diag = (struct rjwt_diag){ 0 };
		} else {
			rjwt_token_clear(&o->token);
		}
	}
	return first;
}

enum rjwt_err
mint_tokens(const struct minter *minter, const struct rjwt_request *requests, size_t n,
    struct rjwt_minted *minted)
{
	RJWT_CLEAN(free_clean) struct order *orders = calloc(n, sizeof(*orders));
	struct block b = { .minter = minter, .orders = orders, .n = n };
	enum rjwt_err err = orders == NULL ? RJWT_MEMORY : store_load(minter->store, &b.diag);

	for (size_t i = 0; i < n; i++)
		minted[i] = (struct rjwt_minted){ .err = err, .diag = b.diag };
	RJWT_TRY(err);
	for (size_t i = 0; i < n; i++) {
		orders[i] = (struct order){ .minter = minter, .request = &requests[i],
			.diag = &minted[i].diag };
		begin_order(&orders[i]);
	}
	mint_block(&b);
	record_block(&b);
	return give(&b, minted);
}

enum rjwt_err
mint_token(const struct minter *minter, const struct rjwt_request *request,
    struct rjwt_token *token, struct rjwt_diag *diag)
{
	struct rjwt_minted one;
	enum rjwt_err err = mint_tokens(minter, request, 1, &one);

	if (diag != NULL)
		*diag = one.diag;
	if (err == RJWT_OK)
		*token = one.token;
	return err;
}

void
rjwt_token_clear(struct rjwt_token *token)
{
	secret_wipe(token->text, token->len);
	free(token->text);
	token_drop(token);
	secret_wipe(token, sizeof(*token));
}

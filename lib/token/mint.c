/* SPDX-License-Identifier: MIT */
#include "token/mint_request.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/file.h"
#include "base/host.h"
#include "base/text.h"
#include "fleet/fleet.h"
#include "jose/provider_write.h"
#include "keyset/change.h"
#include "keyset/inspect.h"
#include "keyset/issued.h"
#include "keyset/plan.h"
#include "keyset/store.h"
#include "keyset/tickets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 1000 /* each failed try is a rotation by another process */

/* Requests that are minted together. */
struct mint_batch {
	const struct minter *minter;
	struct mint_item *orders;
	size_t n;
	struct rjwt_change change; /* a rotation that was done; the next token reports it */
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)]; /* likewise */
	struct rjwt_diag diag;
};

/* Do what is due. If that fails, the active key still signs, unless its limit of tokens is reached. */
static enum rjwt_err
rotate_if_due(struct mint_batch *b)
{
	const struct minter *m = b->minter;
	struct rjwt_diag why = { 0 };
	struct rjwt_time now;

	clock_now(m->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, &b->diag));
	if (!keyset_due(store_keyset(m->store), &m->config->rotation, 0, now.wall_s))
		return RJWT_OK;
	if (keyset_change(m->store, &(struct keyset_env){ &m->config->rotation, m->clock, &why, m->events },
		&(struct change_request){ .why = WHY_DUE }, 0, &b->change) != RJWT_OK)
		text_append(b->warning, sizeof(b->warning), "; ", "the rotation that is due failed: %s%s%s", why.path,
		    why.path[0] == '\0' ? "" : ": ", why.text);
	return store_load(m->store, &b->diag);
}

/* Take tickets of a version; got: how many the limit allows, which is fewer when they are used up. */
static enum rjwt_err
take_tickets(struct mint_batch *b, int64_t version, size_t wanted, size_t *got)
{
	int64_t limit = b->minter->config->rotation.max_tokens, number = 0, left;
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = RJWT_OK;

	*got = wanted;
	if (wanted > 0)
		err = tickets_take(b->minter->store, version, wanted, limit > 0, &number, &why);
	if (err != RJWT_OK && limit == 0)
		text_append(b->warning, sizeof(b->warning), "; ", "the token was not counted: %s: %s", why.path,
		    why.text);
	if (wanted == 0 || limit == 0)
		return RJWT_OK;
	if (err_is_missing(err)) /* a lost count is treated as used up */
		number = INT64_MAX;
	else if (err != RJWT_OK)
		return diag_fail(&b->diag, err, why.path, "%s", why.text);
	left = limit - (number - (int64_t)wanted);
	if (left <= 0)
		*got = 0;
	else if ((size_t)left < wanted)
		*got = (size_t)left;
	return RJWT_OK;
}

/* --- the block -------------------------------------------------------------------------------- */

/* Try the pending requests with the active key; used_up: there were not enough tickets. */
static enum rjwt_err
sign_block(struct mint_batch *b, const struct keyset *keyset, bool *used_up)
{
	int64_t version = keyset->active.version;
	size_t wanted = 0, got;
	struct signer *signer;

	provider_make_writable(store_provider(b->minter->store));
	RJWT_TRY(store_signer(b->minter->store, version, &signer, &b->diag));
	for (struct mint_item *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state != ITEM_PENDING)
			continue;
		o->err = mint_item_prepare(o, keyset, signer);
		o->state = o->err == RJWT_OK ? ITEM_PENDING : ITEM_TRIED;
		wanted += o->err == RJWT_OK;
	}
	RJWT_TRY(take_tickets(b, version, wanted, &got));
	*used_up = got < wanted;
	for (struct mint_item *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state != ITEM_PENDING)
			continue;
		if (got == 0) {
			rjwt_token_clear(&o->token);
			continue;
		}
		o->err = mint_item_sign(o, signer);
		o->state = ITEM_TRIED;
		got--;
	}
	return RJWT_OK;
}

/* Another key has become active: the signed tokens no longer verify, and failures may be due to the change. */
static void
rewind_block(struct mint_batch *b)
{
	for (struct mint_item *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state == ITEM_DONE)
			continue;
		o->state = ITEM_PENDING;
		rjwt_token_clear(&o->token);
		*o->diag = (struct rjwt_diag){ 0 };
	}
}

/* Keep the results; or, after an error of the whole block, keep the refusals and fail the rest with that error. */
static void
settle_block(struct mint_batch *b, enum rjwt_err err)
{
	for (struct mint_item *o = b->orders; o < b->orders + b->n; o++) {
		if (o->state == ITEM_DONE || (o->state == ITEM_PENDING && err == RJWT_OK))
			continue;
		if (err != RJWT_OK && (o->state == ITEM_PENDING || o->err == RJWT_OK)) {
			o->err = err;
			*o->diag = b->diag;
		}
		o->state = ITEM_DONE;
		if (o->err != RJWT_OK)
			continue;
		o->token.change = b->change;
		b->change = (struct rjwt_change){ 0 };
		if (b->warning[0] != '\0')
			text_append(o->warning, sizeof(o->warning), "; ", "%s", b->warning);
		b->warning[0] = '\0';
	}
}

/* RJWT_KEY_RETIRED: another key has become active meanwhile; nothing was minted. */
static enum rjwt_err
mint_once(struct mint_batch *b)
{
	const struct minter *m = b->minter;
	struct rjwt_diag why = { 0 };
	struct keyset before;
	bool used_up = false;
	enum rjwt_err err, again;

	RJWT_TRY(store_load(m->store, &b->diag));
	RJWT_TRY(store_check_writable(m->store, &m->config->rotation, &b->diag));
	RJWT_TRY(rotate_if_due(b));
	before = *store_keyset(m->store);
	err = sign_block(b, &before, &used_up);
	/* After an error this only checks whether the error matters; diag is already set. */
	again = err == RJWT_MEMORY ? RJWT_OK : store_load(m->store, err == RJWT_OK ? &b->diag : &why);
	if (again != RJWT_OK)
		return err != RJWT_OK ? err : again;
	if (!keyset_mints_alike(store_keyset(m->store), &before)) {
		rewind_block(b);
		return RJWT_KEY_RETIRED;
	}
	RJWT_TRY(err);
	/* The commit that made this key active may not be durable yet, but the tokens depend on it. */
	RJWT_TRY(dir_sync(store_dir(m->store), &b->diag));
	settle_block(b, RJWT_OK);
	if (!used_up)
		return RJWT_OK;
	return keyset_change(m->store, &(struct keyset_env){ &m->config->rotation, m->clock, &b->diag, m->events },
	    &(struct change_request){ .why = WHY_TOKEN_LIMIT, .version = before.active.version }, 0, &b->change);
}

static size_t
count_pending(const struct mint_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->orders[i].state == ITEM_PENDING;
	return n;
}

static void
mint_block(struct mint_batch *b)
{
	enum rjwt_err err = RJWT_OK;

	for (int lost = 0; err == RJWT_OK && count_pending(b) > 0;) {
		size_t before = count_pending(b);

		err = mint_once(b);
		lost += before == count_pending(b);
		if (err == RJWT_KEY_RETIRED)
			err = RJWT_OK;
		if (err == RJWT_OK && lost > TRIES)
			err = diag_fail(&b->diag, RJWT_BUSY, "", "the keyset keeps being rotated");
	}
	settle_block(b, err);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Lines for the tokens from i on that expire in the same hour; returns the index of the first that does not. */
static size_t
add_lines(const struct mint_batch *b, size_t i, struct buf *lines, int64_t *until_s)
{
	for (*until_s = 0; i < b->n; i++) {
		const struct mint_item *o = &b->orders[i];

		if (o->err != RJWT_OK)
			continue;
		if (*until_s == 0)
			*until_s = o->token.exp_s;
		if (!issued_same_hour(*until_s, o->token.exp_s))
			break;
		issued_line(lines, &o->token, &o->full);
	}
	return i;
}

/*
 * Records are only for people: a token that cannot be recorded is valid and gets a warning. But an issuer dates a denial
 * after the newest record: there nobody gets the token.
 */
static void
tell_unrecorded(const struct mint_batch *b, struct mint_item *o, enum rjwt_err err, const struct rjwt_diag *why)
{
	if (o->err != RJWT_OK)
		return;
	if (!b->minter->issues) {
		text_append(o->warning, sizeof(o->warning), "; ", "the token was minted but not recorded: %s: %s",
		    why->path, why->text);
		return;
	}
	o->err = err;
	*o->diag = *why;
	text_append(o->diag->text, sizeof(o->diag->text), ": ", "a token that is not recorded could not be denied");
}

static void
record_block(struct mint_batch *b)
{
	for (size_t i = 0, next; i < b->n; i = next) {
		RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
		struct rjwt_diag why = { 0 };
		enum rjwt_err err = RJWT_OK;
		int64_t until_s;

		next = add_lines(b, i, &lines, &until_s);
		if (until_s != 0)
			err = issued_add(store_dir(b->minter->store), until_s, &lines, &why);
		for (struct mint_item *o = b->orders + i; err != RJWT_OK && o < b->orders + next; o++)
			tell_unrecorded(b, o, err, &why);
	}
}

/* --- requests and results --------------------------------------------------------------------- */

static enum rjwt_err
give(struct mint_batch *b, struct rjwt_minted *minted)
{
	enum rjwt_err first = RJWT_OK;

	for (size_t i = 0; i < b->n; i++) {
		struct mint_item *o = &b->orders[i];

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

/* A denial of a login name, by whichever issuer, has a date: what is minted for it until then verifies nowhere. */
static enum rjwt_err
check_denial(const struct mint_item *o)
{
	const struct minter *m = o->minter;
	int64_t until_s;
	struct rjwt_time now;
	char at[32];
	enum rjwt_err err = fleet_denied_until(m->fleet, store_dir(m->store), view_of(o->full.user), &until_s, o->diag);

	if (err != RJWT_DENIED)
		return err;
	clock_now(m->clock, &now);
	if (now.wall_s > until_s)
		return RJWT_OK;
	time_format(at, until_s);
	return diag_fail(o->diag, RJWT_DENIED, "", "tokens for %s are denied until %s: issue one after that",
	    o->full.user, at);
}

static void
refuse_denied(struct mint_item *o)
{
	if (o->state != ITEM_PENDING)
		return;
	o->err = check_denial(o);
	if (o->err != RJWT_OK)
		o->state = ITEM_DONE;
}

enum rjwt_err
mint_tokens(const struct minter *minter, const struct rjwt_request *requests, size_t n, struct rjwt_minted *minted)
{
	RJWT_CLEAN(free_clean) struct mint_item *orders = calloc(n, sizeof(*orders));
	struct mint_batch b = { .minter = minter, .orders = orders, .n = n };
	enum rjwt_err err = orders == NULL ? RJWT_MEMORY : store_load(minter->store, &b.diag);

	for (size_t i = 0; i < n; i++)
		minted[i] = (struct rjwt_minted){ .err = err, .diag = b.diag };
	RJWT_TRY(err);
	for (size_t i = 0; i < n; i++) {
		orders[i] = (struct mint_item){ .minter = minter, .request = &requests[i], .diag = &minted[i].diag };
		mint_item_begin(&orders[i]);
		refuse_denied(&orders[i]);
	}
	mint_block(&b);
	record_block(&b);
	return give(&b, minted);
}

enum rjwt_err
mint_token(const struct minter *minter, const struct rjwt_request *request, struct rjwt_token *token,
    struct rjwt_diag *diag)
{
	struct rjwt_minted one;
	enum rjwt_err err = mint_tokens(minter, request, 1, &one);

	if (diag != NULL)
		*diag = one.diag;
	if (err == RJWT_OK)
		*token = one.token;
	return err;
}

/* SPDX-License-Identifier: MIT */
/*
 * What mints and what changes a keyset. pam_rjwt.so does not contain this file.
 */
#include "handle.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/file.h"
#include "base/openssl.h"
#include "base/text.h"
#include "jose/claims.h"
#include "keyset/change.h"
#include "keyset/codes.h"
#include "keyset/events.h"
#include "keyset/init.h"
#include "keyset/jwks.h"
#include "keyset/keyset.h"
#include "keyset/parked_write.h"
#include "keyset/plan.h"
#include "token/mint.h"

#include <stdio.h>
#include <string.h>

/* Whether a request is for a name that this host accepts. */
static bool
is_for_us(const struct rjwt *h, const struct rjwt_request *request)
{
	for (size_t i = 0; request->audience != NULL && request->audience[i] != NULL; i++)
		if (config_has_audience(&h->config, store_keyset(h->store)->audience, view_of(request->audience[i])))
			return true;
	return request->audience == NULL;
}

/* A token whose uses this host could not mark as spent lets nobody in here. */
static void
warn_unspendable(const struct rjwt *h, const struct rjwt_request *request, struct rjwt_token *token)
{
	RJWT_CLEAN(dir_close) struct dir spent = DIR_NONE;
	struct rjwt_diag why = { 0 };

	if ((!token->once && token->uses == 0) || !is_for_us(h, request))
		return;
	if (dir_open_at(store_dir(h->store), "spent", &spent, &why) != RJWT_OK || dir_probe(&spent, 0, &why) != RJWT_OK)
		text_append(token->warning, sizeof(token->warning), "; ",
		    "this host could not mark the token as spent, and rejects it until it can: %s: %s", why.path,
		    why.text);
}

/* --- parked tokens ---------------------------------------------------------------------------- */

/* A code that outlives its token: for a scope that the configuration names, for so long, and on one host alone. */
static enum rjwt_err
check_code(const struct rjwt *h, const struct rjwt_request *r, int64_t now_s, struct rjwt_diag *diag)
{
	const struct string_list *codes = &h->config.rotation.codes;
	bool named = false, in_fleet;

	if ((r->flags & RJWT_PARK) == 0 || r->lifetime_s != NULL || r->not_before_s != 0)
		return diag_fail(diag, RJWT_USAGE, "",
		    "only a parked token, without a lifetime and not-before of its own, has a code that is renewed");
	RJWT_TRY(handle_is_in_fleet(h, &in_fleet));
	if (in_fleet)
		return diag_fail(diag, RJWT_USAGE, "", "a host that has joined a fleet makes no break-glass codes");
	if (r->scope == NULL || r->scope[0] == NULL || r->scope[1] != NULL)
		return diag_fail(diag, RJWT_SCOPE, "", "a code that is renewed has exactly one scope");
	for (size_t i = 0; i < codes->n; i++)
		named = named || strcmp(codes->list[i], r->scope[0]) == 0;
	if (!named)
		return diag_fail(diag, RJWT_SCOPE, h->config.path == NULL ? RJWT_CONFIG_FILE : h->config.path,
		    "the key codes does not name the scope %.32s", r->scope[0]);
	if (r->code_until_s > now_s && r->code_until_s - now_s <= RJWT_CODE_MAX)
		return RJWT_OK;
	return diag_fail(diag, RJWT_LIFETIME, "", "a code works for 1s to %dd", RJWT_CODE_MAX / 86400);
}

/* Only this host can look a code up, and who types it must not be able to use it again. */
static enum rjwt_err
begin_parking(struct rjwt *h, const struct rjwt_request *request, struct rjwt_diag *diag)
{
	struct rjwt_time now;

	RJWT_TRY(flags_check(request->flags, RJWT_MINT_FLAGS, diag));
	clock_now(&h->clock, &now);
	if (request->code_until_s != 0)
		RJWT_TRY(check_code(h, request, now.wall_s, diag));
	if ((request->flags & RJWT_PARK) == 0)
		return RJWT_OK;
	if (request->reusable || request->uses != 0)
		return diag_fail(diag, RJWT_USAGE, "", "only a one-time token can have a short code");
	if (!is_for_us(h, request))
		return diag_fail(diag, RJWT_AUDIENCE, "", "only a token for this host can have a short code");
	return parked_begin(store_dir(h->store), now.wall_s, diag);
}

/* A code in groups of four. */
static enum rjwt_err
park(struct rjwt *h, const struct rjwt_request *request, struct rjwt_token *token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char code[PARKED_CODE_SIZE] = "";
	bool renewed = request->code_until_s != 0;
	enum rjwt_err err = code_format(token, request, h->config.token_type,
	    renewed ? request->code_until_s : token->exp_s, renewed, &text);

	if (err == RJWT_OK)
		err = parked_put(store_dir(h->store), buf_view(&text), code, diag);
	if (err == RJWT_OK)
		snprintf(token->code, sizeof(token->code), "%.4s-%.4s-%.4s-%.4s", code, code + 4, code + 8, code + 12);
	secret_wipe(code, sizeof(code));
	return err;
}

/* The token of a code lives as long as a token may, and no longer than the code. */
static int64_t
code_lifetime_s(struct rjwt *h, const struct rjwt_request *request)
{
	int64_t left_s;
	struct rjwt_time now;

	clock_now(&h->clock, &now);
	left_s = request->code_until_s - now.wall_s;
	return left_s < h->config.rotation.max_lifetime_s ? left_s : h->config.rotation.max_lifetime_s;
}

enum rjwt_err
rjwt_mint(struct rjwt *h, const struct rjwt_request *request, struct rjwt_token *token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(events_give) struct event_list events = { .tell = h->event, .context = h->event_context };
	struct minter m = { &h->config, h->store, &h->clock, &events, h->fleet, false };
	struct rjwt_request full = *request;
	bool parks = (request->flags & RJWT_PARK) != 0;
	int64_t lifetime_s;
	enum rjwt_err err;

	*token = (struct rjwt_token){ 0 };
	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(handle_look_at_fleet(h, diag));
	RJWT_TRY(handle_issues(h, &m.issues, diag));
	RJWT_TRY(begin_parking(h, request, diag));
	if (request->code_until_s != 0) {
		lifetime_s = code_lifetime_s(h, request);
		full.lifetime_s = &lifetime_s;
	}
	RJWT_TRY(mint_token(&m, &full, token, diag));
	err = parks ? park(h, request, token, diag) : RJWT_OK;
	if (err != RJWT_OK)
		rjwt_token_clear(token);
	RJWT_TRY(err);
	warn_unspendable(h, request, token);
	if (token->change.any)
		handle_publish(h, &events, token->warning, sizeof(token->warning));
	return RJWT_OK;
}

static void
publish_rotation(struct rjwt *h, struct event_list *events, struct rjwt_minted *minted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (minted[i].err == RJWT_OK && minted[i].token.change.any) {
			handle_publish(h, events, minted[i].token.warning, sizeof(minted[i].token.warning));
			return;
		}
}

enum rjwt_err
rjwt_mint_batch(struct rjwt *h, const struct rjwt_request *requests, size_t n, struct rjwt_minted *minted)
{
	RJWT_CLEAN(events_give) struct event_list events = { .tell = h->event, .context = h->event_context };
	struct minter m = { &h->config, h->store, &h->clock, &events, h->fleet, false };
	struct rjwt_diag diag;
	enum rjwt_err err = handle_need_store(h, &diag);

	if (err == RJWT_OK)
		err = handle_look_at_fleet(h, &diag);
	if (err == RJWT_OK)
		err = handle_issues(h, &m.issues, &diag);
	for (size_t i = 0; i < n; i++)
		minted[i] = (struct rjwt_minted){ .err = err, .diag = diag };
	RJWT_TRY(err);
	for (size_t i = 0; i < n; i++)
		if ((requests[i].flags & RJWT_PARK) != 0 || requests[i].code_until_s != 0)
			return diag_fail(&minted[i].diag, minted[i].err = RJWT_USAGE, "", "a batch parks no tokens");
	err = mint_tokens(&m, requests, n, minted);
	publish_rotation(h, &events, minted, n);
	for (size_t i = 0; i < n; i++)
		if (minted[i].err == RJWT_OK && (minted[i].token.once || minted[i].token.uses != 0) &&
		    is_for_us(h, &requests[i])) {
			warn_unspendable(h, &requests[i], &minted[i].token);
			break; /* the first says it for all */
		}
	return err;
}

enum rjwt_err
rjwt_jwks(struct rjwt *h, char **json, size_t *len, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_time now;

	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	clock_now(&h->clock, &now);
	RJWT_TRY(store_jwks(h->store, now.wall_s, &text, diag));
	return buf_give(&text, json, len);
}

static enum rjwt_err
change(struct rjwt *h, struct change_request request, int flags, struct rjwt_change *change, struct rjwt_diag *diag)
{
	RJWT_CLEAN(events_give) struct event_list events = { .tell = h->event, .context = h->event_context };

	RJWT_TRY(handle_look_at_fleet(h, diag));
	RJWT_TRY(keyset_change(h->store, &(struct keyset_env){ &h->config.rotation, &h->clock, diag, &events },
	    &request, flags, change));
	if ((flags & RJWT_DRY_RUN) != 0)
		return RJWT_OK;
	if (change->any)
		handle_publish(h, &events, change->warning, sizeof(change->warning));
	else if (request.why == WHY_DUE)
		handle_publish_due(h, &events, change->warning, sizeof(change->warning), &change->next_event_s);
	return RJWT_OK;
}

/*
 * Whoever had the private keys of an issuer has its bundle key: a new base, and a new bundle key for it, which other hosts
 * believe once a roster says so.
 */
static enum rjwt_err
begin_anew(struct rjwt *h, struct rjwt_change *change, struct rjwt_diag *diag)
{
	RJWT_CLEAN(events_give) struct event_list events = { .tell = h->event, .context = h->event_context };
	const struct init_names names = { h->config.issuer.n > 0 ? h->config.issuer.list[0] : NULL,
		config_audience(&h->config, NULL) };
	const struct rjwt_change replaced = *change;

	RJWT_TRY(keyset_init(h->config.state_dir, NULL,
	    &(struct keyset_env){ &h->config.rotation, &h->clock, diag, &events }, &names, true, change));
	if (replaced.warning[0] != '\0') /* such as that other hosts do not know of it yet */
		text_append(change->warning, sizeof(change->warning), "; ", "%s", replaced.warning);
	RJWT_TRY(handle_renew(&h->config, &h->clock, diag));
	return store_load(h->store, diag);
}

enum rjwt_err
rjwt_rotate(struct rjwt *h, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	struct change_request request = { .why = WHY_COMPROMISED };
	bool issues;

	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(flags_check(flags, RJWT_ROTATE_FLAGS, diag));
	if ((flags & RJWT_COMPROMISED) != 0) {
		RJWT_TRY(change(h, request, flags, done, diag));
		RJWT_TRY(handle_issues(h, &issues, diag));
		return issues && (flags & RJWT_DRY_RUN) == 0 ? begin_anew(h, done, diag) : RJWT_OK;
	}
	/* The version before the lock: whoever comes second finds another one, and does not rotate. */
	RJWT_TRY(store_load(h->store, diag));
	request = (struct change_request){ .why = WHY_MANUAL, .version = store_keyset(h->store)->active.version };
	return change(h, request, flags, done, diag);
}

enum rjwt_err
rjwt_maintain(struct rjwt *h, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	bool follows = h->store == NULL && h->fleet != NULL; /* its issuers rotate */

	RJWT_TRY(flags_check(flags, RJWT_MAINTAIN_FLAGS, diag));
	*done = (struct rjwt_change){ .text = "nothing is due: this host only follows others" };
	if (!follows) {
		RJWT_TRY(handle_need_store(h, diag));
		RJWT_TRY(change(h, (struct change_request){ .why = WHY_DUE }, flags, done, diag));
	}
	if ((flags & RJWT_DRY_RUN) == 0)
		handle_prune(h, done);
	return RJWT_OK;
}

static enum rjwt_err
read_revocation(struct rjwt *h, const struct rjwt_revocation *r, struct change_request *request, struct rjwt_diag *diag)
{
	enum rjwt_err err;

	if ((r->jti != NULL) + (r->users != NULL) + (r->kid != NULL) + (r->all ? 1 : 0) != 1)
		return diag_fail(diag, RJWT_USAGE, "",
		    "name exactly one of these: a token, login names, a key, all tokens");
	if (r->jti != NULL && !claims_jti_check(view_of(r->jti)))
		return diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not a token id (claim jti)", r->jti);
	if (r->users != NULL && r->users[0] == NULL)
		return diag_fail(diag, RJWT_USAGE, "", "no user was named");
	for (size_t i = 0; r->users != NULL && r->users[i] != NULL; i++)
		if (!claims_name_check(view_of(r->users[i])))
			return diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not a login name", r->users[i]);
	*request = (struct change_request){ .why = WHY_BUMP, .jti = r->jti, .users = r->users };
	if (r->all)
		request->why = WHY_REVOKE_ALL;
	else if (r->kid != NULL)
		request->why = WHY_REVOKE_KEY;
	else if (r->users != NULL)
		request->why = WHY_REVOKE_USER;
	if (r->kid == NULL)
		return RJWT_OK;
	RJWT_TRY(store_load(h->store, diag));
	err = keyset_kid_parse(store_keyset(h->store), view_of(r->kid), &request->version);
	if (err == RJWT_KID)
		return diag_fail(diag, err, "", "\"%s\" is not a key id (expected BASE.VERSION)", r->kid);
	return err == RJWT_OK ? err : diag_fail(diag, err, "", "%s is a key of another keyset", r->kid);
}

/*
 * In a fleet it does not promote the next key, which other hosts may not know yet: a denial has a date. It is there
 * before the commit, which is published.
 */
static enum rjwt_err
deny(struct rjwt *h, const struct rjwt_revocation *r, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	char at[32], names[KEYSET_NAMES_SIZE];
	int64_t until_s = 0;
	const char *where;
	bool issues;

	RJWT_TRY(handle_issues(h, &issues, diag));
	if ((flags & RJWT_DRY_RUN) == 0)
		RJWT_TRY(handle_deny(h, r, &until_s, diag));
	*done = (struct rjwt_change){ .any = true };
	if (h->store != NULL)
		RJWT_TRY(change(h, (struct change_request){ .why = WHY_BUMP }, flags, done, diag));
	where = issues ? "in this fleet" : "on this host alone";
	time_format(at, until_s);
	keyset_name_users(r->users, names);
	if (r->jti != NULL)
		snprintf(done->text, sizeof(done->text), "the token %.128s is denied %s", r->jti, where);
	else
		snprintf(done->text, sizeof(done->text), "tokens of %s minted until %s are denied %s", names,
		    until_s == 0 ? "now" : at, where);
	return RJWT_OK;
}

enum rjwt_err
rjwt_revoke(struct rjwt *h, const struct rjwt_revocation *revocation, int flags, struct rjwt_change *done,
    struct rjwt_diag *diag)
{
	bool deniable = revocation->users != NULL || revocation->jti != NULL, in_fleet;
	struct change_request request;
	enum rjwt_err err;

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	RJWT_TRY(handle_is_in_fleet(h, &in_fleet));
	if (!deniable || !in_fleet) /* a host that only follows has no keys */
		RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(flags_check(flags, RJWT_REVOKE_FLAGS, diag));
	RJWT_TRY(read_revocation(h, revocation, &request, diag));
	if (deniable && in_fleet)
		return deny(h, revocation, flags, done, diag);
	err = change(h, request, flags, done, diag);
	if (err == RJWT_KEY_UNKNOWN && revocation->kid != NULL) /* the change knows its version alone */
		return diag_fail(diag, err, "", "%s is not a key of this keyset that still verifies", revocation->kid);
	return err;
}

enum rjwt_err
rjwt_init(const struct rjwt_options *options, int flags, struct rjwt_change *done, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };
	struct clock clock = { .read = options->now, .context = options->now_context };
	struct init_names names = { NULL, NULL };
	RJWT_CLEAN(events_give)
	struct event_list events = { .tell = options->event, .context = options->event_context };

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	RJWT_TRY(flags_check(flags, RJWT_INIT_FLAGS, diag));
	RJWT_TRY(openssl_ready(diag));
	RJWT_TRY(config_load(options->config, &config, diag));
	RJWT_TRY(handle_override(&config, options, diag));
	if (config.issuer.n > 0)
		names.issuer = config.issuer.list[0];
	names.audience = config_audience(&config, NULL);
	RJWT_TRY(keyset_init(config.state_dir, NULL, &(struct keyset_env){ &config.rotation, &clock, diag, &events },
	    &names, (flags & RJWT_ADOPT) != 0, done));
	return (flags & RJWT_ADOPT) != 0 ? handle_renew(&config, &clock, diag) : RJWT_OK;
}

/* SPDX-License-Identifier: MIT */
#include "token/mint_request.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/host.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/openssl.h"
#include "base/text.h"
#include "config/config.h"
#include "jose/claims.h"
#include "jose/jws.h"
#include "token/mint_origin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_LEAST 300 /* bytes: no token with all its claims and a short name has fewer */

static const char *const default_scope[] = { "ssh", NULL };

/* --- is the request acceptable? --------------------------------------------------------------- */

static enum rjwt_err
refuse_name(struct mint_item *o, enum rjwt_err err, const char *what)
{
	return diag_fail(o->diag, err, "", "%s must be 1 to %d bytes of UTF-8 without control characters", what,
	    RJWT_NAME_MAX);
}

static enum rjwt_err
check_names(struct mint_item *o)
{
	const struct rjwt_request *r = &o->full;
	size_t suffix = strlen(o->minter->config->user_suffix);

	if (!claims_name_check(view_of(r->user)) || strlen(r->user) + suffix > RJWT_NAME_MAX)
		return refuse_name(o, RJWT_USER, "the user");
	if (!claims_name_check(view_of(r->issuer)))
		return refuse_name(o, RJWT_ISSUER, "the issuer");
	if (r->actor != NULL && !claims_name_check(view_of(r->actor)))
		return refuse_name(o, RJWT_CLAIMS, "the actor");
	for (size_t i = 0; r->audience[i] != NULL; i++)
		if (!claims_name_check(view_of(r->audience[i])))
			return refuse_name(o, RJWT_AUDIENCE, "an audience");
	for (size_t i = 0; r->scope[i] != NULL; i++)
		if (!claims_word_check(view_of(r->scope[i])))
			return diag_fail(o->diag, RJWT_SCOPE, "", "a scope must be 1 to 32 of A-Z a-z 0-9 . _ : / -");
	return RJWT_OK;
}

struct free_members {
	struct mint_item *order;
	bool header;
};

static enum rjwt_err
check_free_name(void *context, struct view name)
{
	const struct free_members *f = context;
	const char *user_claim = f->order->minter->config->user_claim;

	if (f->header ? !jws_is_reserved(name) : !claims_is_reserved(name, user_claim))
		return RJWT_OK;
	return diag_fail(f->order->diag, f->header ? RJWT_HEADER : RJWT_CLAIMS, "",
	    "%.*s is reserved and cannot be set", (int)name.n, name.p);
}

static enum rjwt_err
check_free(struct mint_item *o, const char *text, bool header)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct free_members f = { o, header };
	enum rjwt_err err;

	if (text == NULL)
		return RJWT_OK;
	err = json_parse(view_of(text), &json, o->diag);
	if (err == RJWT_MALFORMED)
		return header ? RJWT_HEADER : RJWT_CLAIMS;
	RJWT_TRY(err);
	return json_names(json, check_free_name, &f);
}

static enum rjwt_err
check_requested_lifetime(struct mint_item *o)
{
	int64_t most = o->minter->config->rotation.max_lifetime_s;
	char value[32], limit[32];

	if (o->full.not_before_s < 0 || o->full.not_before_s > JSON_INTEGER_MAX / 2)
		return diag_fail(o->diag, RJWT_LIFETIME, "", "not-before is out of range");
	if (o->lifetime_s >= 1 && o->lifetime_s <= most)
		return RJWT_OK;
	duration_format(value, o->lifetime_s);
	duration_format(limit, most);
	return diag_fail(o->diag, RJWT_LIFETIME, "", "lifetime %s%s is out of range (1s to max_lifetime, %s)",
	    o->lifetime_s < 0 ? "-" : "", value, limit);
}

static enum rjwt_err
check_uses(struct mint_item *o)
{
	if (o->full.uses == 0)
		return RJWT_OK;
	if (o->full.reusable)
		return diag_fail(o->diag, RJWT_CLAIMS, "", "a reusable token has no number of uses");
	if (claims_uses_check(o->full.uses))
		return RJWT_OK;
	return diag_fail(o->diag, RJWT_CLAIMS, "", "%" PRId64 " uses are out of range (2 to %d)", o->full.uses,
	    RJWT_USES_MAX);
}

static enum rjwt_err
order_check(struct mint_item *o)
{
	RJWT_TRY(flags_check(o->request->flags, RJWT_MINT_FLAGS, o->diag));
	if (o->request->user == NULL)
		return diag_fail(o->diag, RJWT_USER, "", "no user was named (a token is for one user)");
	RJWT_TRY(check_names(o));
	RJWT_TRY(mint_origin_check(&o->full, o->diag));
	RJWT_TRY(check_requested_lifetime(o));
	RJWT_TRY(check_uses(o));
	RJWT_TRY(check_free(o, o->full.claims, false));
	return check_free(o, o->full.header, true);
}

void
mint_request_fill(const struct minter *minter, struct rjwt_request *r, const char *default_audience[static 2],
    int64_t *lifetime_s)
{
	const struct config *config = minter->config;
	const struct keyset *keyset = store_keyset(minter->store);

	if (r->issuer == NULL)
		r->issuer = config->issuer.n > 0 ? config->issuer.list[0] : keyset->issuer;
	if (r->audience == NULL || r->audience[0] == NULL) {
		default_audience[0] = config_audience(config, keyset->audience);
		default_audience[1] = NULL;
		r->audience = default_audience;
	}
	if (r->scope == NULL || r->scope[0] == NULL)
		r->scope = default_scope;
	*lifetime_s = r->lifetime_s == NULL ? config->default_lifetime_s : *r->lifetime_s;
}

static void
order_fill(struct mint_item *o)
{
	o->full = *o->request;
	mint_request_fill(o->minter, &o->full, o->default_audience, &o->lifetime_s);
}

/* --- the JSON that is signed ------------------------------------------------------------------ */

static enum rjwt_err
put_header(struct mint_item *o, const struct signer *signer, const char *kid, struct buf *out)
{
	json_open(out, NULL);
	json_put_string(out, "alg", view_of(signer->alg->name));
	json_put_string(out, "kid", view_of(kid));
	json_put_string(out, "typ", view_of(o->minter->config->token_type));
	if (o->full.header != NULL)
		json_put_members(out, view_of(o->full.header));
	json_close(out);
	return buf_done(out);
}

/* One audience is a string, several are an array (RFC 7519 s4.1.3). */
static enum rjwt_err
put_audience(struct mint_item *o, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf names = { 0 };
	const char *const *audience = o->full.audience;
	bool several = audience[1] != NULL;

	if (several)
		json_open_array(out, "aud");
	for (size_t i = 0; audience[i] != NULL; i++) {
		json_put_string(out, several ? NULL : "aud", view_of(audience[i]));
		buf_adds(&names, i > 0 ? "," : "");
		buf_adds(&names, audience[i]);
	}
	if (several)
		json_close_array(out);
	return buf_give(&names, &o->token.audience, NULL);
}

static enum rjwt_err
put_scope(struct mint_item *o, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf words = { 0 };
	const char *const *scope = o->full.scope;

	for (size_t i = 0; scope[i] != NULL; i++)
		buf_addf(&words, "%s%s", i > 0 ? " " : "", scope[i]);
	RJWT_TRY(buf_done(&words));
	json_put_string(out, "scope", buf_view(&words));
	return buf_give(&words, &o->token.scope, NULL);
}

static enum rjwt_err
put_user(struct mint_item *o, struct buf *out)
{
	RJWT_CLEAN(buf_clear) struct buf user = { 0 };
	const struct config *config = o->minter->config;
	bool sub = strcmp(config->user_claim, "sub") == 0;

	buf_addf(&user, "%s%s", o->full.user, config->user_suffix);
	RJWT_TRY(buf_done(&user));
	json_put_string(out, "sub", sub ? buf_view(&user) : view_of(o->full.user));
	if (!sub)
		json_put_string(out, config->user_claim, buf_view(&user));
	return RJWT_OK;
}

static enum rjwt_err
put_claims(struct mint_item *o, struct buf *out)
{
	const struct rjwt_token *token = &o->token;

	json_open(out, NULL);
	json_put_string(out, "iss", view_of(o->full.issuer));
	RJWT_TRY(put_user(o, out));
	RJWT_TRY(put_audience(o, out));
	json_put_integer(out, "iat", token->iat_s);
	json_put_integer(out, "nbf", token->nbf_s);
	json_put_integer(out, "exp", token->exp_s);
	json_put_string(out, "jti", view_of(token->jti));
	RJWT_TRY(put_scope(o, out));
	if (token->once)
		json_put_bool(out, "once", true);
	if (token->uses != 0)
		json_put_integer(out, "uses", token->uses);
	if (o->full.actor != NULL) {
		json_open(out, "act");
		json_put_string(out, "sub", view_of(o->full.actor));
		json_close(out);
	}
	mint_origin_put(&o->full, out);
	if (o->full.claims != NULL)
		json_put_members(out, view_of(o->full.claims));
	json_close(out);
	return buf_done(out);
}

/*
 * The JSON to be signed must be accepted by our own parser: free members may exceed its limits. Without
 * free members it has only names and values that were checked.
 */
static enum rjwt_err
check_readable(struct mint_item *o, struct view header, struct view claims)
{
	RJWT_CLEAN(claims_clear) struct claims read = { 0 };
	bool minus_zero;

	if (o->full.header == NULL && o->full.claims == NULL)
		return RJWT_OK;
	if (json_scan(header, &minus_zero, o->diag) != RJWT_OK)
		return RJWT_HEADER;
	return claims_parse(claims, o->minter->config->user_claim, &read, o->diag);
}

static enum rjwt_err
order_compose(struct mint_item *o, const struct signer *signer)
{
	struct rjwt_token *token = &o->token;
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };

	RJWT_TRY(put_header(o, signer, token->kid, &header));
	RJWT_TRY(put_claims(o, &claims));
	RJWT_TRY(check_readable(o, buf_view(&header), buf_view(&claims)));
	RJWT_TRY(buf_give(&header, &token->header, NULL));
	return buf_give(&claims, &token->claims, NULL);
}

/* kid, key_version and alg are assertions: they never select a key, they only refuse another one. */
static enum rjwt_err
check_asserted(struct mint_item *o, const struct signer *signer, const char *kid)
{
	const struct rjwt_request *r = &o->full;
	int64_t version = store_keyset(o->minter->store)->active.version;

	if (r->kid != NULL && strcmp(r->kid, kid) != 0)
		return diag_fail(o->diag, RJWT_KID, "", "%s signs now, not %s", kid, r->kid);
	if (r->key_version != 0 && r->key_version != version)
		return diag_fail(o->diag, RJWT_KID, "", "version %" PRId64 " signs now, not %" PRId64, version,
		    r->key_version);
	if (r->alg != NULL && strcmp(r->alg, signer->alg->label) != 0 && strcmp(r->alg, signer->alg->name) != 0)
		return diag_fail(o->diag, RJWT_ALG, "", "%s signs with %s, not with %s", kid, signer->alg->label,
		    r->alg);
	return RJWT_OK;
}

/* --- the token -------------------------------------------------------------------------------- */
/* iat is taken as late as possible: if a key retires meanwhile, the token must not appear to be younger. */
static enum rjwt_err
set_times(struct mint_item *o)
{
	struct rjwt_token *token = &o->token;
	int64_t most = o->minter->config->rotation.max_lifetime_s;
	char value[32], limit[32];
	struct rjwt_time now;

	clock_now(o->minter->clock, &now);
	RJWT_TRY(keyset_clock_check(&now, o->diag));
	token->iat_s = now.wall_s;
	token->nbf_s = o->full.not_before_s > now.wall_s ? o->full.not_before_s : now.wall_s;
	if (o->full.not_before_s != 0)
		token->nbf_s = o->full.not_before_s;
	token->exp_s = (token->nbf_s > token->iat_s ? token->nbf_s : token->iat_s) + o->lifetime_s;
	duration_format(value, token->exp_s - token->iat_s);
	duration_format(limit, most);
	if (token->exp_s - token->iat_s > most)
		return diag_fail(o->diag, RJWT_LIFETIME, "",
		    "the token would expire %s after it is issued (max_lifetime is %s)", value, limit);
	return RJWT_OK;
}

static enum rjwt_err
set_jti(struct mint_item *o)
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

/* What is too long for one scope's prompt, and why. */
static enum rjwt_err
refuse_length(struct mint_item *o, const struct signer *signer, size_t length, const char *scope, size_t limit)
{
	if (limit < LENGTH_LEAST)
		return diag_fail(o->diag, RJWT_TOO_LONG, "", "%zu bytes for %s (expected at most %zu: no token fits)",
		    length, scope, limit);
	return diag_fail(o->diag, RJWT_TOO_LONG, "",
	    "%zu bytes for %s (expected at most %zu): a signature of %s has %zu bytes, the claims %zu and the header "
	    "%zu, all a third longer when encoded",
	    length, scope, limit, signer->alg->label, signer->signature_size, strlen(o->token.claims),
	    strlen(o->token.header));
}

/* Refuse a token that is too long for a prompt that it is meant for. */
static enum rjwt_err
check_fits(struct mint_item *o, const struct signer *signer)
{
	const struct config *config = o->minter->config;
	const struct rjwt_token *token = &o->token;
	size_t length =
	    encoded(strlen(token->header)) + 1 + encoded(strlen(token->claims)) + 1 + encoded(signer->signature_size);

	if (length > (size_t)config->max_token_bytes)
		return diag_fail(o->diag, RJWT_TOO_LONG, "", "the token would have %zu bytes (max_token_bytes is %zu)",
		    length, (size_t)config->max_token_bytes);
	if (length > o->prompt_limit && (o->full.flags & (RJWT_FORCE | RJWT_PARK)) == 0)
		return refuse_length(o, signer, length, o->prompt_scope, o->prompt_limit);
	return RJWT_OK;
}

/* What order_compose() created. */
static void
token_drop(struct rjwt_token *token)
{
	free(RJWT_STEAL(token->header));
	free(RJWT_STEAL(token->claims));
	free(RJWT_STEAL(token->audience));
	free(RJWT_STEAL(token->scope));
}

/* Taking a ticket may have waited for the disk: iat is the time of signing. */
static enum rjwt_err
date_again(struct mint_item *o, const struct signer *signer)
{
	struct rjwt_time now;

	clock_now(o->minter->clock, &now);
	if (now.wall_s == o->token.iat_s)
		return RJWT_OK;
	token_drop(&o->token);
	RJWT_TRY(set_times(o));
	return order_compose(o, signer);
}

void
mint_item_begin(struct mint_item *o)
{
	o->state = ITEM_DONE;
	order_fill(o);
	if ((o->err = order_check(o)) != RJWT_OK || (o->err = set_jti(o)) != RJWT_OK)
		return;
	mint_item_warn(o);
	o->state = ITEM_PENDING;
}

enum rjwt_err
mint_item_prepare(struct mint_item *o, const struct keyset *keyset, const struct signer *signer)
{
	struct rjwt_token *token = &o->token;

	order_fill(o);
	keyset_kid_format(keyset, keyset->active.version, token->kid);
	RJWT_TRY(check_asserted(o, signer, token->kid));
	memcpy(token->jti, o->jti, sizeof(token->jti));
	token->uses = o->minter->config->one_time_always ? 0 : o->full.uses;
	token->once = o->minter->config->one_time_always || (!o->full.reusable && token->uses == 0);
	RJWT_TRY(set_times(o));
	RJWT_TRY(order_compose(o, signer));
	return check_fits(o, signer);
}

enum rjwt_err
mint_item_sign(struct mint_item *o, struct signer *signer)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_token *token = &o->token;
	enum rjwt_err err;

	RJWT_TRY(date_again(o, signer));
	err = jws_sign(signer, view_of(token->header), view_of(token->claims), &text);
	RJWT_TRY(signer_tell(signer, err, o->diag));
	return buf_give(&text, &token->text, &token->len);
}

void
rjwt_token_clear(struct rjwt_token *token)
{
	secret_wipe(token->text, token->len);
	free(token->text);
	token_drop(token);
	secret_wipe(token, sizeof(*token));
}

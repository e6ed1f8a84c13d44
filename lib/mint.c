/* SPDX-License-Identifier: MIT */
#include "mint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 1000 /* each lost one is somebody else's rotation */

/* A request with its defaults filled in. */
struct order {
	const struct minter *minter;
	const struct rjwt_request *request;
	struct rjwt_request full; /* as request, nothing NULL that has a default */
	int64_t lifetime_s;
	const char *default_audience[2];
	char jti[sizeof(((struct rjwt_token *)NULL)->jti)];
	struct rjwt_change change; /* a rotation on the way */
	char warning[sizeof(((struct rjwt_token *)NULL)->warning)];
	struct rjwt_diag *diag;
};

static const char *const default_scope[] = { "ssh", NULL };

/* --- is the request acceptable? ----------------------------------------------------------------------------- */

static enum rjwt_err
refuse_name(struct order *o, enum rjwt_err err, const char *what)
{
	return diag_fail(o->diag, err, "", "%s must be 1 to %d bytes of UTF-8 without control characters",
	    what, RJWT_NAME_MAX);
}

static enum rjwt_err
check_names(struct order *o)
{
	const struct rjwt_request *r = &o->full;
	size_t suffix = strlen(o->minter->config->user_suffix);

	if (!claims_name_check(view_of(r->user)) || strlen(r->user) + suffix > RJWT_NAME_MAX)
		return refuse_name(o, RJWT_USER, "the user");
	if (!claims_name_check(view_of(r->issuer)))
		return refuse_name(o, RJWT_ISSUER, "the issuer");
	for (size_t i = 0; r->audience[i] != NULL; i++)
		if (!claims_name_check(view_of(r->audience[i])))
			return refuse_name(o, RJWT_AUDIENCE, "an audience");
	for (size_t i = 0; r->scope[i] != NULL; i++)
		if (!claims_word_check(view_of(r->scope[i])))
			return diag_fail(o->diag, RJWT_SCOPE, "",
			    "a scope is a word of 1 to 32 of A-Z a-z 0-9 . _ : / -");
	return RJWT_OK;
}

struct free_members {
	struct order *order;
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
	    "%.*s is rjwt's own and cannot be set freely", (int)name.n, name.p);
}

static enum rjwt_err
check_free(struct order *o, const char *text, bool header)
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
check_lifetime(struct order *o)
{
	int64_t most = o->minter->config->rotation.max_lifetime_s;

	if (o->full.not_before_s < 0 || o->full.not_before_s > JSON_INTEGER_MAX / 2)
		return diag_fail(o->diag, RJWT_LIFETIME, "", "the time not-before is out of range");
	if (o->lifetime_s >= 1 && o->lifetime_s <= most)
		return RJWT_OK;
	return diag_fail(o->diag, RJWT_LIFETIME, "",
	    "a lifetime of %lld s is not from 1 s to max_lifetime, %lld s", (long long)o->lifetime_s,
	    (long long)most);
}

static enum rjwt_err
order_check(struct order *o)
{
	RJWT_TRY(check_names(o));
	RJWT_TRY(check_lifetime(o));
	RJWT_TRY(check_free(o, o->full.claims, false));
	return check_free(o, o->full.header, true);
}

static void
order_fill(struct order *o)
{
	const struct config *config = o->minter->config;
	const struct keyset *keyset = &o->minter->store->keyset;
	struct rjwt_request *r = &o->full;

	*r = *o->request;
	if (r->issuer == NULL)
		r->issuer = config->issuer.n > 0 ? config->issuer.list[0] : keyset->issuer;
	if (r->audience == NULL || r->audience[0] == NULL) {
		o->default_audience[0] = config->audience.n > 0 ? config->audience.list[0] :
								  keyset->audience;
		r->audience = o->default_audience;
	}
	if (r->scope == NULL || r->scope[0] == NULL)
		r->scope = default_scope;
	o->lifetime_s = r->lifetime_s == NULL ? config->default_lifetime_s : *r->lifetime_s;
}

/*
 * A token that this host refuses is worth nothing anywhere: no other has its keys. It is minted all the
 * same, for who wants to see it refused, or verifies with the JWK Set.
 */
static void
warn_elsewhere(struct order *o)
{
	const struct config *config = o->minter->config;
	const struct keyset *keyset = &o->minter->store->keyset;
	bool here = false;

	for (size_t i = 0; o->full.audience[i] != NULL; i++)
		here = here || verify_name(&config->audience, keyset->audience, view_of(o->full.audience[i]));
	if (!here)
		text_append(o->warning, sizeof(o->warning), "; ", "this host does not accept the audience %.100s",
		    o->full.audience[0]);
	if (!verify_name(&config->issuer, keyset->issuer, view_of(o->full.issuer)))
		text_append(o->warning, sizeof(o->warning), "; ", "this host does not accept the issuer %.100s",
		    o->full.issuer);
}

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

static enum rjwt_err
put_header(struct order *o, const struct signer *signer, const char *kid, struct buf *out)
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
static void
put_audience(struct buf *out, const char *const *audience)
{
	if (audience[1] == NULL) {
		json_put_string(out, "aud", view_of(audience[0]));
		return;
	}
	json_open_array(out, "aud");
	for (; *audience != NULL; audience++)
		json_put_string(out, NULL, view_of(*audience));
	json_close_array(out);
}

static enum rjwt_err
put_scope(struct buf *out, const char *const *scope)
{
	RJWT_CLEAN(buf_clear) struct buf words = { 0 };

	for (size_t i = 0; scope[i] != NULL; i++)
		buf_addf(&words, "%s%s", i > 0 ? " " : "", scope[i]);
	RJWT_TRY(buf_done(&words));
	json_put_string(out, "scope", buf_view(&words));
	return RJWT_OK;
}

static enum rjwt_err
put_user(struct order *o, struct buf *out)
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
put_claims(struct order *o, const struct rjwt_token *token, struct buf *out)
{
	json_open(out, NULL);
	json_put_string(out, "iss", view_of(o->full.issuer));
	RJWT_TRY(put_user(o, out));
	put_audience(out, o->full.audience);
	json_put_integer(out, "iat", token->iat_s);
	json_put_integer(out, "nbf", token->nbf_s);
	json_put_integer(out, "exp", token->exp_s);
	json_put_string(out, "jti", view_of(token->jti));
	RJWT_TRY(put_scope(out, o->full.scope));
	if (token->once)
		json_put_bool(out, "once", true);
	if (o->full.claims != NULL)
		json_put_members(out, view_of(o->full.claims));
	json_close(out);
	return buf_done(out);
}

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

/* What we are about to sign must pass our own reading of it: free members may have made it too deep. */
static enum rjwt_err
check_readable(struct order *o, struct view header, struct view claims)
{
	RJWT_CLEAN(claims_clear) struct claims read = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	enum rjwt_err err = json_parse(header, &json, o->diag);

	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_HEADER : err;
	return claims_parse(claims, o->minter->config->user_claim, &read, o->diag);
}

/* The JSON of both parts, from the times and the key that token has. */
static enum rjwt_err
compose(struct order *o, const struct signer *signer, struct rjwt_token *token)
{
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };

	RJWT_TRY(put_header(o, signer, token->kid, &header));
	RJWT_TRY(put_claims(o, token, &claims));
	RJWT_TRY(check_readable(o, buf_view(&header), buf_view(&claims)));
	RJWT_TRY(buf_give(&header, &token->header, NULL));
	return buf_give(&claims, &token->claims, NULL);
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
	return compose(o, signer, token);
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
	RJWT_TRY(compose(o, signer, token));
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
	warn_elsewhere(&o);
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

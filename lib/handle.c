/* SPDX-License-Identifier: MIT */
/*
 * The handle: a configuration, a source of keys, a clock. Each function of rjwt.h puts together what the
 * modules do; how they do it is theirs.
 */
#include "handle.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/file.h"
#include "base/openssl.h"
#include "base/string_list.h"
#include "config/config_value.h"
#include "jose/alg.h"
#include "jose/claims.h"
#include "keyset/keyset.h"
#include "keyset/parked.h"
#include "token/prompt_limits.h"
#include "token/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
rjwt_version(void)
{
	return RJWT_VERSION;
}

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
	fleet_close(h->fleet);
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
range(const int64_t *value, int64_t least, int64_t most, const char *name, int64_t *to, struct rjwt_diag *diag)
{
	char typed[32], from[32], to_most[32];

	if (value == NULL)
		return RJWT_OK;
	duration_format(typed, *value);
	duration_format(from, least);
	duration_format(to_most, most);
	if (*value < least || *value > most)
		return diag_fail(diag, RJWT_USAGE, "", "%s: %s%s is out of range (%s to %s)", name,
		    *value < 0 ? "-" : "", typed, from, to_most);
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

/* What a file may not have, an override may not have either. */
static enum rjwt_err
check_override(const char *option, bool good, const char *value, const char *expected, struct rjwt_diag *diag)
{
	if (good)
		return RJWT_OK;
	return diag_fail(diag, RJWT_USAGE, "", "%s: \"%s\" is not accepted (expected %s)", option, value, expected);
}

static enum rjwt_err
check_overrides(const struct rjwt_options *o, struct rjwt_diag *diag)
{
	static const char name[] = "1 to 255 bytes without control characters";

	if (o->issuer != NULL)
		RJWT_TRY(check_override("issuer", claims_name_check(view_of(o->issuer)), o->issuer, name, diag));
	if (o->audience != NULL && o->audience[0] == NULL)
		return diag_fail(diag, RJWT_USAGE, "", "audience: the list is empty");
	for (size_t i = 0; o->audience != NULL && o->audience[i] != NULL; i++)
		RJWT_TRY(
		    check_override("audience", claims_name_check(view_of(o->audience[i])), o->audience[i], name, diag));
	if (o->typ == NULL)
		return RJWT_OK;
	return check_override("typ", config_check_typ(view_of(o->typ)), o->typ,
	    "1 to 64 bytes without control characters", diag);
}

enum rjwt_err
handle_override(struct config *config, const struct rjwt_options *o, struct rjwt_diag *diag)
{
	RJWT_TRY(check_overrides(o, diag));
	RJWT_TRY(range(o->leeway_s, 0, RJWT_LEEWAY_MAX, "leeway", &config->rotation.leeway_s, diag));
	RJWT_TRY(
	    range(o->max_lifetime_s, 1, RJWT_LIFETIME_MAX, "max_lifetime", &config->rotation.max_lifetime_s, diag));
	if (o->issuer != NULL)
		RJWT_TRY(string_list_set(&config->issuer, (const char *const[]){ o->issuer, NULL }));
	if (o->audience != NULL)
		RJWT_TRY(string_list_set(&config->audience, o->audience));
	config->audience_given = o->audience != NULL;
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

/* The JWK Set of options, which have one. */
static enum rjwt_err
open_set(const struct rjwt_options *options, struct jwk_set *set, struct rjwt_diag *diag)
{
	if (options->jwks_text == NULL)
		return load_set(options->jwks, set, diag);
	if (options->jwks != NULL)
		return diag_fail(diag, RJWT_USAGE, "", "a JWK Set can be a file or a text, not both");
	if (options->jwks_len > RJWT_JWKS_MAX)
		return diag_fail(diag, RJWT_KEYSET, "", "too large (at most %d bytes)", RJWT_JWKS_MAX);
	return jwk_set_parse((struct view){ options->jwks_text, options->jwks_len }, set, diag);
}

/*
 * This host's own keyset, those of its fleet, or both. The own one is reported, unless there is none and another can
 * judge.
 */
static enum rjwt_err
open_keysets(struct rjwt *h, struct rjwt_diag *diag)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err;

	RJWT_TRY(fleet_open(h->config.state_dir, &h->fleet));
	err = store_open(h->config.state_dir, NULL, &h->store, diag);
	if (err != RJWT_KEYSET || !store_is_missing(h->config.state_dir))
		return err;
	RJWT_TRY(fleet_refresh(h->fleet));
	if (!fleet_is_joined(h->fleet))
		return err;
	err = fleet_can_judge(h->fleet, &why);
	if (diag != NULL)
		*diag = why;
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
	h->marks = MARKS_OF(NULL); /* first: zeros are descriptor 0, which is the host's */
	h->clock = (struct clock){ .read = options->now, .context = options->now_context };
	h->event = options->event;
	h->event_context = options->event_context;
	RJWT_TRY(openssl_ready(diag));
	RJWT_TRY(config_load(options->config, &h->config, diag));
	RJWT_TRY(handle_override(&h->config, options, diag));
	if (options->jwks != NULL || options->jwks_text != NULL)
		RJWT_TRY(open_set(options, &h->set, diag));
	else
		RJWT_TRY(open_keysets(h, diag));
	if (h->store != NULL)
		RJWT_TRY(keyset_check_config(store_keyset(h->store), &h->config.rotation, diag));
	h->marks = MARKS_OF(h->store);
	*handle = RJWT_STEAL(h);
	return RJWT_OK;
}

/* --- verify and mint -------------------------------------------------------------------------- */

enum rjwt_err
rjwt_verify(struct rjwt *h, const struct rjwt_attempt *attempt, struct rjwt_verdict *verdict, struct rjwt_diag *diag)
{
	struct verifier v = { .config = &h->config, .clock = &h->clock };
	enum rjwt_err err;

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	err = flags_check(attempt->flags, RJWT_VERIFY_FLAGS, diag);
	if (err != RJWT_OK) {
		verdict_begin(verdict, err);
		return err;
	}
	v.fleet = h->fleet;
	if (h->store != NULL) {
		v.keyset = store_keyset(h->store);
		v.keys = store_keys(h->store);
		v.marks = &h->marks;
	} else if (h->fleet == NULL) {
		v.set = &h->set;
		verdict_begin(verdict, RJWT_USAGE);
		if ((attempt->flags & RJWT_SIGNATURE_ONLY) == 0 &&
		    (h->config.issuer.n == 0 || h->config.audience.n == 0))
			return diag_fail(diag, RJWT_USAGE, "", "a JWK Set has no issuer and no audience (name both)");
	}
	err = verify_token(&v, attempt, verdict, diag);
	/* A mark that was looked for and is not there is no news. */
	if (err == RJWT_OK && diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	return err;
}

enum rjwt_err
rjwt_parked(struct rjwt *h, const char *typed, size_t len, char **token, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf found = { 0 };
	char code[PARKED_CODE_SIZE];
	enum rjwt_err err;

	RJWT_TRY(handle_need_store(h, diag));
	if (!parked_code((struct view){ typed, len }, code)) {
		secret_wipe(code, sizeof(code));
		*token = NULL;
		return RJWT_OK;
	}
	err = parked_find(store_dir(h->store), code, &found, diag);
	secret_wipe(code, sizeof(code));
	RJWT_TRY(err);
	if (found.n > 0)
		return buf_give(&found, token, NULL);
	*token = NULL;
	return RJWT_OK;
}

bool
rjwt_passed_over(const struct rjwt *h, size_t i, const char **kid, const char **why)
{
	if (i >= h->set.npassed_over)
		return false;
	*kid = h->set.passed_over[i].kid;
	*why = h->set.passed_over[i].why;
	return true;
}

/* --- the keyset ------------------------------------------------------------------------------- */

enum rjwt_err
handle_need_store(const struct rjwt *h, struct rjwt_diag *diag)
{
	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	if (h->store == NULL && h->fleet != NULL)
		return diag_fail(diag, RJWT_KEYSET, h->config.state_dir,
		    "this host has no keyset of its own, it only follows others (rjwt-keyd init creates one)");
	if (h->store == NULL)
		return diag_fail(diag, RJWT_USAGE, "", "a JWK Set can only verify");
	return RJWT_OK;
}

enum rjwt_err
rjwt_current_key(struct rjwt *h, char kid[RJWT_ID_SIZE], const char **alg, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	const struct keyset *keyset;

	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(store_load(h->store, diag));
	keyset = store_keyset(h->store);
	RJWT_TRY(store_read_key(h->store, keyset->active.version, &jwk, diag));
	keyset_kid_format(keyset, keyset->active.version, kid);
	*alg = jwk.alg->label;
	return RJWT_OK;
}

bool
rjwt_prompt(const struct rjwt *h, const char *scope, struct rjwt_prompt *prompt)
{
	return prompt_find(&h->config, scope, prompt);
}

const char *
rjwt_scope(const struct rjwt *h, const char *service)
{
	return config_scope(&h->config, service);
}

bool
rjwt_requires_log(const struct rjwt *h)
{
	return h->config.require_log;
}

const char *const *
rjwt_algorithms(void)
{
	return alg_labels();
}

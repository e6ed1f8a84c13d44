/* SPDX-License-Identifier: MIT */
#include "config/config.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/file.h"
#include "config/config_names.h"
#include "config/config_value.h"
#include "config/config_yaml.h"
#include "jose/claims.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rjwt_err
config_check(const struct config *config, const char *const **keys, struct rjwt_diag *diag)
{
	static const char *const ttl[] = { "previous_key_ttl", "max_lifetime", "leeway", NULL };
	static const char *const often[] = { "rotate_every", "previous_key_ttl", NULL };
	static const char *const lifetime[] = { "default_lifetime", "max_lifetime", NULL };
	static const char *const bits[] = { "rsa_bits", NULL };
	static const char *const tpm[] = { "alg", "private_keys", NULL };
	static const char *const size[] = { "rsa_bits", "private_keys", NULL };
	static const char *const claim[] = { "user_claim", NULL };
	const struct rotation_policy *p = &config->rotation;
	int64_t least = p->max_lifetime_s + p->leeway_s + keyset_slack_s(p);
	char value[32], limit[32];

	*keys = ttl;
	if (p->previous_key_ttl_s < least) {
		duration_format(value, p->previous_key_ttl_s);
		duration_format(limit, least);
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "previous_key_ttl: %s is less than max_lifetime + %s (%s): tokens would outlive their key", value,
		    p->leeway_s > 0 ? "2 x leeway" : "1s", limit);
	}
	*keys = often;
	if (p->rotate_every_s > 0 && p->previous_key_ttl_s > CONFIG_RETIRED_MAX * p->rotate_every_s) {
		duration_format(value, p->rotate_every_s);
		duration_format(limit, (p->previous_key_ttl_s + CONFIG_RETIRED_MAX - 1) / CONFIG_RETIRED_MAX);
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "rotate_every: %s is too often with this previous_key_ttl: more than %d retired keys would verify "
		    "(expected at least %s)",
		    value, CONFIG_RETIRED_MAX, limit);
	}
	*keys = lifetime;
	if (config->default_lifetime_s > p->max_lifetime_s) {
		duration_format(value, config->default_lifetime_s);
		duration_format(limit, p->max_lifetime_s);
		return diag_fail(diag, RJWT_CONFIG, config->path, "default_lifetime: %s is more than max_lifetime (%s)",
		    value, limit);
	}
	*keys = bits;
	if (p->rsa_bits % 8 != 0)
		return diag_fail(diag, RJWT_CONFIG, config->path, "rsa_bits: %u is not a multiple of 8", p->rsa_bits);
	*keys = tpm;
	if (p->tpm2 && !p->alg->tpm)
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "alg: a TPM has no %s keys (private_keys: tpm2 expects ES256, ES384, RS256 to RS512 or PS256 to "
		    "PS512)",
		    p->alg->label);
	*keys = size;
	if (p->tpm2 && strcmp(p->alg->kty, "RSA") == 0 && p->rsa_bits != 2048 && p->rsa_bits != 3072)
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "rsa_bits: a TPM has no RSA keys of %u bits (private_keys: tpm2 expects 2048 or 3072)",
		    p->rsa_bits);
	*keys = claim;
	if (strcmp(config->user_claim, "sub") != 0 && claims_is_reserved(view_of(config->user_claim), "sub"))
		return diag_fail(diag, RJWT_CONFIG, config->path,
		    "user_claim: \"%s\" is a claim with a meaning of its own", config->user_claim);
	return RJWT_OK;
}

void
config_clear(struct config *config)
{
	string_list_clear(&config->rotation.codes);
	string_list_clear(&config->issuer);
	string_list_clear(&config->audience);
	for (size_t i = 0; i < config->nservices; i++) {
		free(config->services[i].name);
		free(config->services[i].scope);
	}
	free(config->services);
	for (size_t i = 0; i < config->nrules; i++)
		rule_clear(&config->rules[i]);
	free(config->rules);
	free(config->path);
	free(config->state_dir);
	free(config->base_kid);
	free(config->fleet_issuer);
	free(config->token_type);
	free(config->user_claim);
	free(config->user_suffix);
	*config = (struct config){ 0 };
}

/* The defaults of the rows, read by the parser of the file. */
static enum rjwt_err
set_defaults(struct config *config)
{
	for (size_t i = 0; i < config_nrows; i++) {
		struct config_value v = { .row = &config_rows[i], .text = view_of(config_rows[i].initial) };

		v.plain = config_rows[i].kind == COUNT || config_rows[i].kind == BOOL;
		if (v.text.n == 0 && config_rows[i].kind != TEXT)
			continue;
		if (!config_value_set(&v, config))
			return RJWT_MEMORY;
	}
	return RJWT_OK;
}

static enum rjwt_err
read_file(const char *path, bool must_be, struct buf *text, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	const char *name;
	enum rjwt_err err = dir_of(path, &dir, &name, diag);

	if (err == RJWT_OK)
		err = file_read(&dir, name, CONFIG_FILE_MAX, text, NULL, diag);
	if (err_is_missing(err) && !must_be)
		return RJWT_OK;
	return err == RJWT_MEMORY || err == RJWT_OK ? err : RJWT_CONFIG;
}

/* The first key of the rule that is in the file: defaults alone break no rule. */
static void
blame(const struct config_places *places, const char *const *keys, struct rjwt_diag *diag)
{
	for (; *keys != NULL; keys++)
		for (size_t i = 0; i < config_nrows; i++)
			if (places->line[i] != 0 && strcmp(config_rows[i].name, *keys) == 0) {
				diag->line = places->line[i];
				diag->column = places->column[i];
				return;
			}
}

static size_t
row_of(const char *name)
{
	size_t i = 0;

	while (strcmp(config_rows[i].name, name) != 0)
		i++;
	return i;
}

int64_t
config_rotate_every_s(const struct config *config, bool published)
{
	return published && !config->rotate_given ? CONFIG_ROTATE_PUBLISHED_S : config->rotation.rotate_every_s;
}

static enum rjwt_err
read_config(struct view text, struct config *config, struct rjwt_diag *diag)
{
	struct config_places places = { 0 };
	const char *const *keys;
	enum rjwt_err err;

	RJWT_TRY(config_yaml_read(text, config, &places, diag));
	config->rotate_given = places.line[row_of("rotate_every")] != 0;
	err = config_check(config, &keys, diag);
	if (err != RJWT_OK && diag != NULL)
		blame(&places, keys, diag);
	return err;
}

enum rjwt_err
config_load(const char *path, struct config *config, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config found = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	RJWT_TRY(set_defaults(&found));
	RJWT_TRY(read_file(path == NULL ? RJWT_CONFIG_FILE : path, path != NULL, &text, diag));
	if (text.p != NULL) {
		found.path = strdup(path == NULL ? RJWT_CONFIG_FILE : path);
		if (found.path == NULL)
			return RJWT_MEMORY;
		RJWT_TRY(read_config(buf_view(&text), &found, diag));
	}
	found.rotation.base = found.base_kid;
	found.rotation.path = found.path;
	found.rotation.configured = path == NULL && found.path != NULL;
	*config = RJWT_STEAL(found);
	return RJWT_OK;
}

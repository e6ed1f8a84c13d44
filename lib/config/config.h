/* SPDX-License-Identifier: MIT */
/*
 * config.h - rjwt.yaml. The whole file is rejected, with line and column, for an unknown key (naming the
 * nearest known one), a duplicate, a wrong type, a value out of range, an anchor, an alias, a tag, a second
 * document or more than 64 KiB. config.def has the keys.
 */
#ifndef RJWT_CONFIG_H
#define RJWT_CONFIG_H

#include "base/err.h"
#include "base/string_list.h"
#include "keyset/keyset.h"

#define CONFIG_FILE_MAX 65536
#define CONFIG_RETIRED_MAX 10000 /* retired keys that verify: each rotation reads all of them */

struct service {
	char *name, *scope; /* scope "": all tokens are rejected */
};

/* A rule of the key issue: who may mint what for whom with rjwt-grant. rules.def has its members. Zeros allow nothing. */
struct issue_rule {
	struct string_list who, users, scopes, audience;
	int64_t max_lifetime_s;
	int64_t uses;
	bool reusable, reason_required, root;
	unsigned line; /* where it begins in the file */
};

struct config {
	char *path; /* the file that was read; NULL: none, all keys have their defaults */
	struct rotation_policy rotation;
	struct string_list issuer, audience; /* n 0: as recorded in the keyset */
	char *state_dir, *base_kid, *fleet_issuer, *token_type, *user_claim, *user_suffix;
	int64_t default_lifetime_s;
	int64_t max_token_bytes;
	int64_t fleet_max_age_s; /* older bundles verify nothing */
	struct service *services;
	size_t nservices;
	struct issue_rule *rules; /* in their order: the first that fits counts */
	size_t nrules;
	bool one_time_always, cap_session, require_log;
	bool rotate_given;   /* the file has rotate_every */
	bool audience_given; /* by the caller, who means these names and no recorded one */
};

/*
 * Load a file. path NULL: the default path; if that file is missing, all keys have their defaults.
 * config gives; config_clear(). RJWT_CONFIG with line and column, RJWT_MEMORY.
 */
RJWT_MUST enum rjwt_err config_load(const char *path, struct config *config, struct rjwt_diag *diag);
void config_clear(struct config *config);

/* Check the rules between keys. RJWT_CONFIG; keys lists the keys of the broken rule, NULL-terminated, static. */
RJWT_MUST enum rjwt_err config_check(const struct config *config, const char *const **keys, struct rjwt_diag *diag);

/* The scope that a PAM service requires; NULL: it rejects all tokens. A view of config, or service itself. */
const char *config_scope(const struct config *config, const char *service);

/*
 * The audience that is this host's alone: the first that is configured and no group, else the one that was recorded, which
 * may be NULL.
 */
const char *config_audience(const struct config *config, const char *recorded);

/* Whether this host accepts tokens for a name: its own, each that is configured, and each of its groups. */
bool config_has_audience(const struct config *config, const char *recorded, struct view name);

/* Whether a name is configured or, if none is, equal to the one recorded in the keyset; recorded may be NULL. */
bool config_accepts(const struct string_list *configured, const char *recorded, struct view name);

/*
 * rotate_every of a keyset that other hosts follow is longer, where the file does not say it: a host that is away for days
 * knows the next key, too.
 */
#define CONFIG_ROTATE_PUBLISHED_S INT64_C(604800)
int64_t config_rotate_every_s(const struct config *config, bool published);

/* The table: name, default and help of key i; NULL at the end. */
const char *config_key(size_t i, const char **initial, const char **help);

#endif

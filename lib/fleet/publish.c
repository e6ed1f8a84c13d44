/* SPDX-License-Identifier: MIT */
#include "fleet/publish.h"
#include "fleet/bundle.h"
#include "fleet/own.h"
#include "fleet/publish_private.h"
#include "keyset/denials_write.h"
#include "keyset/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rjwt_err
publish_look(const char *state, bool *wanted, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

	*wanted = false;
	RJWT_TRY(dir_open(state, &dir, diag));
	return own_look(&dir, wanted, diag);
}

bool
publish_wanted(const char *state)
{
	bool wanted;

	return publish_look(state, &wanted, NULL) == RJWT_OK && wanted;
}

enum rjwt_err
publish_last(const char *state, struct record *record, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;

	*record = (struct record){ 0 };
	RJWT_TRY(dir_open(state, &dir, diag));
	RJWT_TRY(dir_open_at(&dir, "private", &private, diag));
	return record_read(&private, record, diag);
}

/* --- what is published ------------------------------------------------------------------------- */

static enum rjwt_err
add_key(struct store *store, int64_t version, struct bundle *bundle, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	struct bundle_key *grown;
	enum rjwt_err err = store_read_key(store, version, &jwk, diag);

	if (err == RJWT_OK)
		err = keyset_check_key(store_keyset(store), version, &jwk);
	/* What verifies nothing here verifies nothing elsewhere. */
	if (!keyset_active_or_next(store_keyset(store), version) && (err == RJWT_KEY_UNKNOWN || err == RJWT_KEYSET))
		return RJWT_OK;
	RJWT_TRY(err);
	if (jwk.alg->kind == ALG_HMAC)
		return diag_fail(diag, RJWT_ALG, "",
		    "key %s is a secret, which cannot be published (set alg to ES256, and rotate twice)", jwk.kid);
	if (bundle->nkeys == BUNDLE_KEYS_MAX)
		return diag_fail(diag, RJWT_KEYSET, "", "more than %d keys cannot be published", BUNDLE_KEYS_MAX);
	grown = reallocarray(bundle->keys, bundle->nkeys + 1, sizeof(*grown));
	if (grown == NULL)
		return RJWT_MEMORY;
	bundle->keys = grown;
	grown[bundle->nkeys].version = version;
	grown[bundle->nkeys++].jwk = RJWT_STEAL(jwk);
	return RJWT_OK;
}

struct adding {
	struct denial_list *list;
	int64_t from_s; /* earlier dates count no more */
};

static enum rjwt_err
add_denial(void *context, const char *hash, int64_t until_s)
{
	struct adding *a = context;

	/* A damaged one has no date: it counts here alone, until it is written again. */
	return until_s == DENIAL_DAMAGED_S || until_s < a->from_s ? RJWT_OK : denial_add(a->list, hash, until_s);
}

/*
 * Those that still count. What was denied long ago has expired; a host that had the denial keeps it, and for a new one no
 * clock is earlier than the bundle.
 */
static enum rjwt_err
add_denials(const struct dir *state, int64_t from_s, struct bundle *bundle, struct rjwt_diag *diag)
{
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;

	RJWT_TRY(denials_open(state, &denials, diag));
	RJWT_TRY(denials_each(&denials.sub, add_denial, &(struct adding){ &bundle->sub, from_s }, diag));
	RJWT_TRY(denials_each(&denials.jti, add_denial, &(struct adding){ &bundle->jti, from_s }, diag));
	if (bundle->sub.n + bundle->jti.n <= BUNDLE_DENIALS_MAX)
		return RJWT_OK;
	return diag_fail(diag, RJWT_KEYSET, state->path, "more than %d denials cannot be published (use revoke --all)",
	    BUNDLE_DENIALS_MAX);
}

static enum rjwt_err
bundle_of(struct store *store, const struct follow_env *env, const struct fleet *fleet, const struct rjwt_time *now,
    struct bundle *bundle)
{
	const struct rotation_policy *policy = env->keyset.policy;
	const struct keyset *k = store_keyset(store);
	bool suspect = keyset_clock_suspect(k, policy, now, NULL);
	int64_t from_s = suspect ? 0 : now->wall_s - policy->previous_key_ttl_s - policy->max_lifetime_s;

	memcpy(bundle->base, k->base, sizeof(bundle->base));
	bundle->roster = fleet->roster.n;
	bundle->max_lifetime_s = policy->max_lifetime_s;
	bundle->floor = k->floor;
	bundle->next_version = k->next_version;
	bundle->active.version = k->active.version;
	bundle->active.since_s = k->active.since_s;
	bundle->next.version = k->next.version;
	bundle->next.published_s = now->wall_s; /* if it is new; use_serial() knows */
	for (int64_t v = k->floor; v <= k->next.version; v++)
		RJWT_TRY(add_key(store, v, bundle, env->keyset.diag));
	return add_denials(store_dir(store), from_s, bundle, env->keyset.diag);
}

/* --- the whole --------------------------------------------------------------------------------- */

static enum rjwt_err
sign(struct key *key, const struct bundle *bundle, struct buf *line, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	enum rjwt_err err;

	RJWT_TRY(bundle_format(&payload, bundle));
	err = document_make(key, DOCUMENT_BUNDLE, buf_view(&payload), line);
	return err == RJWT_TOO_LONG ? diag_fail(diag, err, "", "the bundle has more than %d bytes", DOCUMENT_LINE_MAX)
				    : err;
}

enum rjwt_err
publish_listed(const struct fleet *fleet, const char *base, const struct key *key, const struct fleet_issuer **issuer)
{
	struct fleet_key name;

	RJWT_TRY(fleet_key_of(key, &name));
	*issuer = roster_find(&fleet->roster, view_of(base));
	if (*issuer != NULL && !fleet_key_eq(&(*issuer)->key, &name))
		*issuer = NULL;
	return RJWT_OK;
}

/* Whether this host may publish this keyset. */
static enum rjwt_err
check_right(struct store *store, const struct fleet *fleet, const struct key *key, const struct record *record,
    const struct fleet_issuer **issuer, struct rjwt_diag *diag)
{
	const char *base = store_keyset(store)->base, *path = store_dir(store)->path;

	RJWT_TRY(store_check_machine(store, diag));
	if (record->stopped[0] != '\0')
		return diag_fail(diag, RJWT_KEYSET, path, "stopped: %s (" PUBLISH_RENEW ")", record->stopped);
	if (record->base[0] != '\0' && strcmp(record->base, base) != 0)
		return diag_fail(diag, RJWT_KEYSET, path,
		    "the bundle key was made for another base, and cannot sign for this one (rjwt-keyd fleet "
		    "request URL makes a new one)");
	RJWT_TRY(publish_listed(fleet, base, key, issuer));
	if (*issuer == NULL)
		return diag_fail(diag, RJWT_KEYSET, path,
		    "the roster does not list base %s with this bundle key: not published", base);
	return RJWT_OK;
}

/* Whether the next key is out since that time: a date by a clock that was wrong does not count. */
static bool
is_out(const struct record *record, const struct bundle *bundle)
{
	return record->next == bundle->next.version && record->next_s <= bundle->iat_s;
}

/* Others can know it from now on: the file is written. */
static enum rjwt_err
note_out(const struct dir *private, struct record *record, const struct bundle *bundle, const struct keyset_env *env)
{
	struct rjwt_time now;

	if (is_out(record, bundle))
		return RJWT_OK;
	clock_now(env->clock, &now);
	record->next = bundle->next.version;
	record->next_s = now.wall_s;
	return record_write(private, record, env->diag);
}

/* The next serial, which is used up before the line is out: no two lines ever have one. */
static enum rjwt_err
use_serial(const struct dir *private, struct record *record, struct key *key, struct bundle *bundle, struct buf *line,
    struct rjwt_diag *diag)
{
	if (record->serial >= JSON_INTEGER_MAX)
		return diag_fail(diag, RJWT_KEYSET, private->path, "all serials are used up (rjwt-keyd init --adopt)");
	if (is_out(record, bundle))
		bundle->next.published_s = record->next_s;
	bundle->serial = record->serial + 1 > bundle->iat_s ? record->serial + 1 : bundle->iat_s;
	RJWT_TRY(sign(key, bundle, line, diag));
	memcpy(record->base, bundle->base, sizeof(record->base));
	record->serial = bundle->serial;
	record->iat_s = bundle->iat_s;
	RJWT_TRY(digest_hex(buf_view(line), record->digest));
	return record_write(private, record, diag);
}

enum rjwt_err
publish_locked(struct store *store, const struct follow_env *env, const struct fleet *fleet, struct key *key,
    struct published *published)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	struct rjwt_diag *diag = env->keyset.diag;
	const struct fleet_issuer *issuer;
	struct record record;
	struct rjwt_time now;

	RJWT_TRY(store_load(store, diag));
	RJWT_TRY(dir_open_at(store_dir(store), "private", &private, diag));
	RJWT_TRY(record_read(&private, &record, diag));
	RJWT_TRY(check_right(store, fleet, key, &record, &issuer, diag));
	clock_now(env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag));
	RJWT_TRY(bundle_of(store, env, fleet, &now, &bundle));
	bundle.iat_s = now.wall_s;
	RJWT_TRY(use_serial(&private, &record, key, &bundle, &line, diag));
	RJWT_TRY(www_merge(store_dir(store), &env->keyset, fleet, &line, 1, &line));
	RJWT_TRY(note_out(&private, &record, &bundle, &env->keyset));
	*published = (struct published){ .serial = bundle.serial };
	memcpy(published->name, issuer->name, sizeof(published->name));
	snprintf(published->path, sizeof(published->path), "%.200s/" PUBLISH_DIR "/" PUBLISH_FILE,
	    store_dir(store)->path);
	return RJWT_OK;
}

enum rjwt_err
publish(struct store *store, const struct follow_env *env, struct published *published)
{
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet fleet;
	enum rjwt_err err;

	RJWT_TRY(lock_take(&lock, store_dir(store), 0, diag));
	err = fleet_read(store_dir(store), &fleet, NULL, diag);
	if (err_is_missing(err))
		return diag_fail(diag, RJWT_KEYSET, store_dir(store)->path,
		    "this host has joined no fleet (rjwt-keyd join URL KEY)");
	RJWT_TRY(err);
	RJWT_TRY(bundle_key_read(store_dir(store), &key, diag));
	return publish_locked(store, env, &fleet, key, published);
}

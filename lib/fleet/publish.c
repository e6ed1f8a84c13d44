/* SPDX-License-Identifier: MIT */
#include "fleet/publish.h"
#include "base/file_write.h"
#include "base/json_write.h"
#include "fleet/bundle.h"
#include "fleet/publish_private.h"
#include "keyset/denials_write.h"
#include "keyset/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD "published.json"
#define RECORD_MAX 1024

bool
publish_wanted(const char *state)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct stat status;

	return dir_open(state, &dir, NULL) == RJWT_OK &&
	       fstatat(dir.fd, "private/" BUNDLE_KEY, &status, AT_SYMLINK_NOFOLLOW) == 0;
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
	bundle->next.published_s = k->next.published_s;
	for (int64_t v = k->floor; v <= k->next.version; v++)
		RJWT_TRY(add_key(store, v, bundle, env->keyset.diag));
	return add_denials(store_dir(store), from_s, bundle, env->keyset.diag);
}

/* --- serials ----------------------------------------------------------------------------------- */

/* The serial that was used last by this bundle key; 0: none. */
static enum rjwt_err
read_record(const struct dir *private, const char *base, int64_t *serial, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct view of;
	enum rjwt_err err = file_read(private, RECORD, RECORD_MAX, &text, NULL, diag);

	*serial = 0;
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	if (seal_check(buf_view(&text)) != RJWT_OK || json_parse(buf_view(&text), &json, NULL) != RJWT_OK ||
	    json_integer(json, "serial", serial) != JSON_GOOD || json_string(json, "base", &of) != JSON_GOOD)
		return diag_fail(diag, RJWT_KEYSET, private->path,
		    RECORD " is damaged: without it a serial could be used twice (rjwt-keyd init --adopt)");
	if (!view_is(of, base))
		return diag_fail(diag, RJWT_KEYSET, private->path,
		    RECORD " is of another base: a bundle key has one base for life");
	return RJWT_OK;
}

static enum rjwt_err
write_record(const struct dir *private, const struct bundle *bundle, struct view line, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char digest[DIGEST_HEX];

	RJWT_TRY(digest_hex(line, digest));
	json_open(&text, NULL);
	json_put_integer(&text, "format", 1);
	json_put_string(&text, "base", view_of(bundle->base));
	json_put_integer(&text, "serial", bundle->serial);
	json_put_string(&text, "digest", view_of(digest));
	RJWT_TRY(seal_add(&text));
	return file_write(private, RECORD, 0600, buf_view(&text), NULL, diag);
}

/* --- the file ---------------------------------------------------------------------------------- */

static bool
is_bundle_of(struct view line, const struct fleet_key *key)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	return document_open(line, DOCUMENT_BUNDLE, key, &payload) == RJWT_OK;
}

/* What is there stays, but for what replaces it: a bundle that replaced signed (NULL: none). */
static void
keep_lines(struct view file, const struct fleet_key *replaced, struct buf *out)
{
	struct view line;

	while (document_next(&file, &line))
		if (replaced == NULL || !is_bundle_of(line, replaced)) {
			buf_add_view(out, line);
			buf_adds(out, "\n");
		}
}

enum rjwt_err
www_add(const struct dir *state, const struct keyset_env *env, struct view line, const struct fleet_key *replaced)
{
	RJWT_CLEAN(dir_close) struct dir www = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf there = { 0 };
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_time now;
	struct timespec mtime = { 0 };
	struct stat status;
	enum rjwt_err err;

	RJWT_TRY(dir_make(state, PUBLISH_DIR, 0755, env->diag));
	RJWT_TRY(dir_open_at(state, PUBLISH_DIR, &www, env->diag));
	err = file_read(&www, PUBLISH_FILE, DOCUMENT_FILE_MAX, &there, &status, env->diag);
	if (err != RJWT_OK && !err_is_missing(err))
		return err;
	clock_now(env->clock, &now);
	mtime.tv_sec = now.wall_s;
	/* Web servers make their tags of mtime and size: no two files have the same second. */
	if (err == RJWT_OK && status.st_mtime >= now.wall_s)
		mtime.tv_sec = status.st_mtime + 1;
	keep_lines(buf_view(&there), replaced, &text);
	buf_add_view(&text, line);
	buf_adds(&text, "\n");
	RJWT_TRY(buf_done(&text));
	return file_write(&www, PUBLISH_FILE, 0644, buf_view(&text), &mtime, env->diag);
}

/* --- the whole --------------------------------------------------------------------------------- */

static enum rjwt_err
sign(struct key *key, struct bundle *bundle, struct buf *line, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	enum rjwt_err err;

	RJWT_TRY(bundle_format(&payload, bundle));
	err = document_make(key, DOCUMENT_BUNDLE, buf_view(&payload), line);
	return err == RJWT_TOO_LONG ? diag_fail(diag, err, "", "the bundle has more than %d bytes", DOCUMENT_LINE_MAX)
				    : err;
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
	struct fleet_key name;
	struct rjwt_time now;
	int64_t last;

	RJWT_TRY(store_load(store, diag));
	RJWT_TRY(store_check_machine(store, diag));
	RJWT_TRY(fleet_key_of(key, &name));
	issuer = roster_find(&fleet->roster, view_of(store_keyset(store)->base));
	if (issuer == NULL || !fleet_key_eq(&issuer->key, &name))
		return diag_fail(diag, RJWT_KEYSET, store_dir(store)->path,
		    "the roster does not list base %s with this bundle key: not published", store_keyset(store)->base);
	RJWT_TRY(dir_open_at(store_dir(store), "private", &private, diag));
	RJWT_TRY(read_record(&private, store_keyset(store)->base, &last, diag));
	clock_now(env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag));
	RJWT_TRY(bundle_of(store, env, fleet, &now, &bundle));
	if (last >= JSON_INTEGER_MAX)
		return diag_fail(diag, RJWT_KEYSET, private.path, "all serials are used up (rjwt-keyd init --adopt)");
	bundle.iat_s = now.wall_s;
	bundle.serial = last + 1 > now.wall_s ? last + 1 : now.wall_s;
	RJWT_TRY(sign(key, &bundle, &line, diag));
	/* Used up before it is out: no two lines ever have one serial. */
	RJWT_TRY(write_record(&private, &bundle, buf_view(&line), diag));
	RJWT_TRY(www_add(store_dir(store), &env->keyset, buf_view(&line), &name));
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

	RJWT_TRY(lock_take(&lock, store_dir(store), 0, diag));
	RJWT_TRY(fleet_read(store_dir(store), &fleet, NULL, diag));
	RJWT_TRY(bundle_key_read(store_dir(store), &key, diag));
	return publish_locked(store, env, &fleet, key, published);
}

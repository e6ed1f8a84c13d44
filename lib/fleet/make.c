/* SPDX-License-Identifier: MIT */
/* fleet_make(): the keys of a fleet, and its first roster. */
#include "base/host.h"
#include "fleet/publish_private.h"
#include "keyset/denials_write.h"
#include "keyset/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The one that is configured, or the first part of the host's name as far as it can be a name in a roster. */
static void
issuer_name(const struct follow_env *env, char name[static LABEL_MAX + 1])
{
	char host[RJWT_NAME_MAX + 1] = "";
	size_t n;

	if (env->name != NULL) {
		snprintf(name, LABEL_MAX + 1, "%s", env->name);
		return;
	}
	if (host_name(host, NULL) != RJWT_OK)
		host[0] = '\0';
	n = strcspn(host, ".");
	n = n > LABEL_MAX ? LABEL_MAX : n;
	snprintf(name, LABEL_MAX + 1, "%.*s", (int)n, host);
	if (!label_check(view_of(name)))
		memcpy(name, "i1", 3);
}

enum rjwt_err
entry_fill(const struct follow_env *env, const struct keyset *keyset, const char *url, const char *name,
    const struct key *bundle_key, struct fleet_issuer *entry)
{
	*entry = (struct fleet_issuer){ 0 };
	if (name[0] == '\0')
		issuer_name(env, entry->name);
	else
		snprintf(entry->name, sizeof(entry->name), "%s", name);
	memcpy(entry->base, keyset->base, sizeof(entry->base));
	snprintf(entry->iss, sizeof(entry->iss), "%s", env->issuer != NULL ? env->issuer : keyset->issuer);
	snprintf(entry->url, sizeof(entry->url), "%s", url);
	return fleet_key_of(bundle_key, &entry->key);
}

static enum rjwt_err
check_url(const char *url, struct rjwt_diag *diag)
{
	return fleet_url_check(view_of(url))
		   ? RJWT_OK
		   : diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not an address (expected http:// or https://)", url);
}

/* The entry that this host has in the roster, or that an earlier base of it has: the latest. NULL: none. */
static const struct fleet_issuer *
find_listed(const struct roster *roster, const struct record *record, const char *base)
{
	const struct fleet_issuer *found = roster_find(roster, view_of(base));

	for (size_t i = record->nleft; found == NULL && i > 0; i--)
		found = roster_find(roster, view_of(record->left[i - 1]));
	return found;
}

static enum rjwt_err
entry_as_listed(struct store *store, const struct follow_env *env, const struct key *key, struct fleet_issuer *entry)
{
	struct rjwt_diag *diag = env->keyset.diag;
	const char *base = store_keyset(store)->base;
	const struct fleet_issuer *there = NULL;
	struct fleet fleet = { 0 };
	struct record record;

	RJWT_TRY(publish_last(store_dir(store)->path, &record, diag));
	if (fleet_read(store_dir(store), &fleet, NULL, NULL) == RJWT_OK)
		there = find_listed(&fleet.roster, &record, base);
	if (there == NULL)
		return diag_fail(diag, RJWT_USAGE, "",
		    "the roster does not list this host (rjwt-keyd fleet request URL)");
	return entry_fill(env, store_keyset(store), there->url, there->name, key, entry);
}

enum rjwt_err
fleet_entry(struct store *store, const struct follow_env *env, const char *url, const char *name,
    struct fleet_issuer *entry)
{
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	struct rjwt_diag *diag = env->keyset.diag;

	if (url[0] != '\0')
		RJWT_TRY(check_url(url, diag));
	if (name[0] != '\0' && !label_check(view_of(name)))
		return diag_fail(diag, RJWT_USAGE, "",
		    "\"%s\" is not a name (expected 1 to 32 of a-z, 0-9 and -, a letter first)", name);
	RJWT_TRY(lock_take(&lock, store_dir(store), 0, diag));
	RJWT_TRY(store_load(store, diag));
	RJWT_TRY(store_check_machine(store, diag));
	RJWT_TRY(bundle_key_for(store_dir(store), store_keyset(store)->base, &key, diag));
	return url[0] == '\0' ? entry_as_listed(store, env, key, entry)
			      : entry_fill(env, store_keyset(store), url, name, key, entry);
}

enum rjwt_err
fleet_renew(struct store *store, const struct follow_env *env)
{
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet fleet = { 0 };
	struct rjwt_time now;
	int64_t most_s;

	RJWT_TRY(lock_take(&lock, store_dir(store), 0, diag));
	RJWT_TRY(store_load(store, diag));
	if (fleet_read(store_dir(store), &fleet, NULL, NULL) != RJWT_OK)
		fleet = (struct fleet){ 0 };
	RJWT_TRY(bundle_key_renew(store_dir(store), store_keyset(store)->base, &fleet, diag));
	clock_now(env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag));
	most_s = now.wall_s + env->keyset.policy->leeway_s;
	RJWT_TRY(denials_open(store_dir(store), &denials, diag));
	RJWT_TRY(denials_date_back(&denials.sub, most_s, diag));
	return denials_date_back(&denials.jti, most_s, diag);
}

enum rjwt_err
roster_sign(const struct roster *roster, struct key *key, struct buf *lines, char digest[static DIGEST_HEX])
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	RJWT_TRY(roster_format(&payload, roster));
	RJWT_TRY(digest_hex(buf_view(&payload), digest));
	RJWT_TRY(document_make(key, DOCUMENT_ROSTER, buf_view(&payload), lines));
	buf_adds(lines, "\n");
	return buf_done(lines);
}

static enum rjwt_err
first_roster(const struct follow_env *env, const struct keyset *keyset, const char *url, const struct fleet_keys *k,
    const struct key *bundle_key, struct roster *roster)
{
	struct rjwt_time now;

	clock_now(env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, env->keyset.diag));
	*roster = (struct roster){ .n = now.wall_s, .iat_s = now.wall_s, .nkeys = FLEET_KEYS, .nissuers = 1 };
	for (size_t i = 0; i < FLEET_KEYS; i++)
		RJWT_TRY(fleet_key_of(k->keys[i], &roster->keys[i]));
	return entry_fill(env, keyset, url, "", bundle_key, &roster->issuers[0]);
}

/* fleet.json comes last: broken off before it, the next run makes the roster once more, with a higher n. */
static enum rjwt_err
make_roster(struct store *store, const struct follow_env *env, const char *url, const struct fleet_keys *k,
    const struct key *bundle_key, struct fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	struct roster roster;

	RJWT_TRY(first_roster(env, store_keyset(store), url, k, bundle_key, &roster));
	RJWT_TRY(roster_sign(&roster, k->keys[0], &line, fleet->digest));
	RJWT_TRY(www_merge(store_dir(store), &env->keyset, fleet, &line, 1, &line));
	fleet->roster = roster;
	return fleet_commit(store_dir(store), &env->keyset, fleet);
}

static enum rjwt_err
make_locked(struct store *store, const struct follow_env *env, const char *url, const struct fleet_keys *k,
    struct published *published)
{
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(key_clean) struct key *key = NULL;
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet fleet;

	RJWT_TRY(lock_take(&lock, store_dir(store), 0, diag));
	RJWT_TRY(store_load(store, diag));
	RJWT_TRY(fleet_read(store_dir(store), &fleet, NULL, diag));
	RJWT_TRY(bundle_key_for(store_dir(store), store_keyset(store)->base, &key, diag));
	if (fleet.roster.n == 0)
		RJWT_TRY(make_roster(store, env, url, k, key, &fleet));
	return publish_locked(store, env, &fleet, key, published);
}

enum rjwt_err
fleet_make(struct store *store, const struct follow_env *env, const char *url, const char *key_file,
    struct fleet_made *made)
{
	RJWT_CLEAN(fleet_keys_clear) struct fleet_keys k = { { NULL } };
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet fleet = { 0 };
	enum rjwt_err err;
	bool changed;

	*made = (struct fleet_made){ 0 };
	RJWT_TRY(store_check_machine(store, diag));
	RJWT_TRY(check_url(url, diag));
	err = fleet_read(store_dir(store), &fleet, NULL, diag);
	if (err != RJWT_OK && !err_is_missing(err))
		return err;
	RJWT_TRY(fleet_keys_make(key_file, &k, &made->keys, diag));
	RJWT_TRY(fleet_key_of(k.keys[0], &made->pin));
	if (err == RJWT_OK && !fleet_key_eq(&fleet.pin, &made->pin))
		return diag_fail(diag, RJWT_EXISTS, store_dir(store)->path,
		    "this host has joined another fleet, whose key is not in %s", key_file);
	RJWT_TRY(follow_join(env, url, made->pin.text, &changed, &fleet));
	return make_locked(store, env, url, &k, &made->published);
}

/* SPDX-License-Identifier: MIT */
/* fleet_make(): the keys of a fleet, and its first roster. */
#include "base/file_write.h"
#include "base/host.h"
#include "base/json_write.h"
#include "fleet/publish_private.h"
#include "jose/alg.h"
#include "keyset/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- keys -------------------------------------------------------------------------------------- */

static const struct alg *
ed25519(void)
{
	return alg_by_label(VIEW("EdDSA"));
}

/* Public halves are typed as arguments: one that begins as an option does, one in 64, is not taken. */
static enum rjwt_err
new_key(struct key **key, struct buf *text)
{
	struct fleet_key public = { "" };

	do {
		key_clean(key);
		*key = NULL;
		RJWT_TRY(key_generate(ed25519(), 0, key));
		RJWT_TRY(fleet_key_of(*key, &public));
	} while (public.text[0] == '-');
	return key_private_format(*key, text);
}

enum rjwt_err
bundle_key_read(const struct dir *state, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *why = "";
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	RJWT_TRY(file_read(&private, BUNDLE_KEY, FLEET_PRIVATE_MAX, &text, NULL, diag));
	err = key_private_parse(ed25519(), buf_view(&text), key, &why);
	return err == RJWT_KEYSET ? diag_fail(diag, err, private.path, BUNDLE_KEY ": %s", why) : err;
}

static enum rjwt_err
bundle_key_make(const struct dir *state, struct key **key, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir private = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(key_clean) struct key *made = NULL;
	enum rjwt_err err = bundle_key_read(state, key, diag);

	if (!err_is_missing(err))
		return err;
	RJWT_TRY(dir_open_at(state, "private", &private, diag));
	RJWT_TRY(new_key(&made, &text));
	RJWT_TRY(file_create(&private, BUNDLE_KEY, 0600, buf_view(&text), diag));
	*key = RJWT_STEAL(made);
	return RJWT_OK;
}

/* The two fleet keys: PEM after PEM in one file. The second may sign when the first is lost. */
#define FLEET_KEYS 2
struct fleet_keys {
	struct key *keys[FLEET_KEYS];
};

static void
fleet_keys_clear(struct fleet_keys *k)
{
	for (size_t i = 0; i < FLEET_KEYS; i++)
		key_clean(&k->keys[i]);
}

static enum rjwt_err
parse_keys(struct view text, struct fleet_keys *k, const char *path, struct rjwt_diag *diag)
{
	static const char end[] = "-----END PRIVATE KEY-----\n";

	for (size_t i = 0; i < FLEET_KEYS; i++) {
		const char *at = text.n == 0 ? NULL : memmem(text.p, text.n, end, sizeof(end) - 1), *why = "";
		size_t n = at == NULL ? 0 : (size_t)(at - text.p) + sizeof(end) - 1;
		enum rjwt_err err = at == NULL
					? RJWT_KEYSET
					: key_private_parse(ed25519(), (struct view){ text.p, n }, &k->keys[i], &why);

		if (err == RJWT_KEYSET)
			return diag_fail(diag, err, path, "does not have two private Ed25519 keys");
		RJWT_TRY(err);
		text = (struct view){ text.p + n, text.n - n };
	}
	return RJWT_OK;
}

static enum rjwt_err
fleet_keys_make(const char *path, struct fleet_keys *k, bool *made, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	const char *name;
	enum rjwt_err err;

	RJWT_TRY(dir_of(path, &dir, &name, diag));
	err = file_read(&dir, name, FLEET_PRIVATE_MAX, &text, NULL, diag);
	if (err == RJWT_OK)
		return parse_keys(buf_view(&text), k, path, diag);
	if (!err_is_missing(err))
		return err;
	for (size_t i = 0; i < FLEET_KEYS; i++)
		RJWT_TRY(new_key(&k->keys[i], &text));
	RJWT_TRY(file_create(&dir, name, 0600, buf_view(&text), diag));
	*made = true;
	return RJWT_OK;
}

/* --- the roster --------------------------------------------------------------------------------- */

/* The first part of the host's name, as far as it can be a name in a roster. */
static void
issuer_name(char name[static FLEET_NAME_MAX + 1])
{
	char host[RJWT_NAME_MAX + 1] = "";
	size_t n;

	if (host_name(host, NULL) != RJWT_OK)
		host[0] = '\0';
	n = strcspn(host, ".");
	n = n > FLEET_NAME_MAX ? FLEET_NAME_MAX : n;
	snprintf(name, FLEET_NAME_MAX + 1, "%.*s", (int)n, host);
	if (!fleet_name_check(view_of(name)))
		memcpy(name, "i1", 3);
}

static enum rjwt_err
first_roster(const struct follow_env *env, const struct keyset *keyset, const char *url, const struct fleet_keys *k,
    const struct key *bundle_key, struct roster *roster)
{
	struct fleet_issuer *issuer = &roster->issuers[0];
	struct rjwt_time now;

	clock_now(env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, env->keyset.diag));
	*roster = (struct roster){ .n = now.wall_s, .iat_s = now.wall_s, .nkeys = FLEET_KEYS, .nissuers = 1 };
	for (size_t i = 0; i < FLEET_KEYS; i++)
		RJWT_TRY(fleet_key_of(k->keys[i], &roster->keys[i]));
	issuer_name(issuer->name);
	memcpy(issuer->base, keyset->base, sizeof(issuer->base));
	snprintf(issuer->iss, sizeof(issuer->iss), "%s", env->issuer != NULL ? env->issuer : keyset->issuer);
	snprintf(issuer->url, sizeof(issuer->url), "%s", url);
	return fleet_key_of(bundle_key, &issuer->key);
}

/* fleet.json comes last: broken off before it, the next run makes the roster once more, with a higher n. */
static enum rjwt_err
make_roster(struct store *store, const struct follow_env *env, const char *url, const struct fleet_keys *k,
    const struct key *bundle_key, struct fleet *fleet)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };

	RJWT_TRY(first_roster(env, store_keyset(store), url, k, bundle_key, &fleet->roster));
	RJWT_TRY(roster_format(&payload, &fleet->roster));
	RJWT_TRY(digest_hex(buf_view(&payload), fleet->digest));
	RJWT_TRY(document_make(k->keys[0], DOCUMENT_ROSTER, buf_view(&payload), &line));
	RJWT_TRY(www_add(store_dir(store), &env->keyset, buf_view(&line), NULL));
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
	RJWT_TRY(fleet_read(store_dir(store), &fleet, NULL, diag));
	RJWT_TRY(bundle_key_make(store_dir(store), &key, diag));
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
	if (!fleet_url_check(view_of(url)))
		return diag_fail(diag, RJWT_USAGE, "", "\"%s\" is not an address (expected http:// or https://)", url);
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

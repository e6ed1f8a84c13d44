/* SPDX-License-Identifier: MIT */
#include "keyset/store.h"
#include "base/buf.h"
#include "base/datetime.h"
#include "base/hash.h"
#include "base/json.h"
#include "rjwt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stored_key {
	int64_t version;
	struct jwk jwk;
};

struct store {
	struct dir dir, keys;
	char *path;		   /* of keyset.json */
	unsigned replaced;	   /* how often another directory was opened */
	uint64_t loaded;	   /* how often keyset.json was read */
	struct provider *provider; /* owns */
	struct keyset keyset;	   /* as of the last store_load() */
	struct stat identity;	   /* of the keyset.json that was read */
	struct stored_key *cache;  /* keys read so far; dropped when keyset.json changes */
	size_t ncache;
	struct signer *signer; /* cached, of signer_version */
	int64_t signer_version;
	bool approved; /* see store_approve() */
	bool followed; /* see store_open_followed() */
};

/* --- names of files --------------------------------------------------------------------------- */

void
store_name(char name[static STORE_NAME_SIZE], int64_t version, const char *suffix)
{
	snprintf(name, STORE_NAME_SIZE, "%" PRId64 ".%s", version, suffix);
}

int64_t
store_version(const char *name, const char *suffix)
{
	const char *dot = strchr(name, '.');
	int64_t version;

	if (dot == NULL || strcmp(dot + 1, suffix) != 0 ||
	    number_parse((struct view){ name, (size_t)(dot - name) }, KEYSET_VERSION_MAX, &version) != RJWT_OK)
		return 0;
	return version;
}

/* --- open, load ------------------------------------------------------------------------------- */

static void
forget(struct store *store)
{
	for (size_t i = 0; i < store->ncache; i++)
		jwk_clear(&store->cache[i].jwk);
	free(store->cache);
	store->cache = NULL;
	store->ncache = 0;
	signer_clean(&store->signer);
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	forget(store);
	if (store->provider != NULL)
		store->provider->free(store->provider);
	dir_close(&store->keys);
	dir_close(&store->dir);
	free(store->path);
	free(store);
}

void
store_clean(struct store **store)
{
	store_close(*store);
}

/* For a required file that is missing: what to do about it. */
static enum rjwt_err
missing(enum rjwt_err err, struct rjwt_diag *diag)
{
	if (!err_is_missing(err))
		return err;
	return diag_fail(diag, RJWT_KEYSET, diag == NULL ? NULL : diag->path,
	    "does not exist: no keyset was created (rjwt-keyd init creates one), or a part of it was lost");
}

/* Open the directory that is at the path now: a handle may live for years. */
static enum rjwt_err
reopen_if_replaced(struct store *store, struct rjwt_diag *diag)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct dir keys = DIR_NONE;
	struct stat there, held;

	if (stat(store->dir.path, &there) == 0 && fstat(store->dir.fd, &held) == 0 && there.st_dev == held.st_dev &&
	    there.st_ino == held.st_ino)
		return RJWT_OK;
	RJWT_TRY(missing(dir_open(store->dir.path, &dir, diag), diag));
	RJWT_TRY(missing(dir_open_at(&dir, "keys", &keys, diag), diag));
	dir_close(&store->keys);
	dir_close(&store->dir);
	store->keys = keys;
	store->dir = dir_steal(&dir);
	store->replaced++;
	return RJWT_OK;
}

static enum rjwt_err
load(struct store *store, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset found;
	struct stat status;
	enum rjwt_err err;

	RJWT_TRY(missing(file_read(&store->dir, "keyset.json", KEYSET_FILE_MAX, &text, &status, diag), diag));
	forget(store);
	store->loaded++;
	store->approved = false;
	store->identity = (struct stat){ 0 };
	err = keyset_parse(buf_view(&text), &found, diag);
	if (err == RJWT_OK && keyset_is_followed(&found) != store->followed)
		err = diag_fail(diag, RJWT_KEYSET, "", "is %s",
		    store->followed ? "this host's own keyset, and not one that it follows"
				    : "a keyset that another host follows, and cannot be this host's own");
	if (err == RJWT_OK)
		store->keyset = found;
	if (err != RJWT_OK && diag != NULL)
		snprintf(diag->path, sizeof(diag->path), "%.254s", store->path);
	RJWT_TRY(err);
	store->identity = status;
	return RJWT_OK;
}

enum rjwt_err
store_load(struct store *store, struct rjwt_diag *diag)
{
	struct stat status;

	if (store->identity.st_ino != 0 && fstatat(AT_FDCWD, store->path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    file_same(&status, &store->identity))
		return RJWT_OK;
	RJWT_TRY(reopen_if_replaced(store, diag));
	return load(store, diag);
}

static enum rjwt_err
open_one(const char *path, struct provider *provider, bool followed, struct store **store, struct rjwt_diag *diag)
{
	RJWT_CLEAN(store_clean) struct store *made = calloc(1, sizeof(*made));

	if (made == NULL) {
		if (provider != NULL)
			provider->free(provider);
		return RJWT_MEMORY;
	}
	made->dir = made->keys = DIR_NONE;
	made->provider = provider;
	made->followed = followed;
	RJWT_TRY(missing(dir_open(path, &made->dir, diag), diag));
	if (asprintf(&made->path, "%s/keyset.json", made->dir.path) < 0) {
		made->path = NULL;
		return RJWT_MEMORY;
	}
	RJWT_TRY(load(made, diag));
	RJWT_TRY(missing(dir_open_at(&made->dir, "keys", &made->keys, diag), diag));
	if (made->provider == NULL)
		RJWT_TRY(provider_file(&made->dir, &made->provider));
	*store = RJWT_STEAL(made);
	return RJWT_OK;
}

enum rjwt_err
store_open(const char *path, struct provider *provider, struct store **store, struct rjwt_diag *diag)
{
	return open_one(path, provider, false, store, diag);
}

bool
store_is_missing(const char *path)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct stat status;

	return dir_open(path, &dir, NULL) == RJWT_OK &&
	       fstatat(dir.fd, "keyset.json", &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

enum rjwt_err
store_open_followed(const char *path, struct store **store, struct rjwt_diag *diag)
{
	return open_one(path, NULL, true, store, diag);
}

/* --- keys ------------------------------------------------------------------------------------- */

enum rjwt_err
store_read_key(struct store *store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	RJWT_CLEAN(jwk_clear) struct jwk found = { 0 };
	char name[STORE_NAME_SIZE], kid[RJWT_ID_SIZE];
	struct rjwt_diag why = { 0 };
	enum rjwt_err err;

	store_name(name, version, "jwk");
	err = file_read(&store->keys, name, JWK_FILE_MAX, &text, NULL, diag);
	if (err_is_missing(err))
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(err);
	keyset_kid_format(&store->keyset, version, kid);
	err = seal_check(buf_view(&text));
	if (err == RJWT_OK)
		err = json_parse(buf_view(&text), &json, &why);
	if (err == RJWT_OK)
		err = jwk_parse(json, &found, &why);
	if (err == RJWT_MEMORY || err == RJWT_INTERNAL)
		return err;
	if (err != RJWT_OK)
		return diag_fail(diag, RJWT_KEYSET, store->keys.path, "%s: %s", name,
		    why.text[0] == '\0' ? KEYSET_DAMAGED : why.text);
	if (strcmp(found.kid, kid) != 0)
		return diag_fail(diag, RJWT_KEYSET, store->keys.path, "%s: has key %s of another keyset", name,
		    found.kid);
	*jwk = RJWT_STEAL(found);
	return RJWT_OK;
}

/* takes what jwk holds. */
static enum rjwt_err
cache_add(struct store *store, int64_t version, struct jwk *jwk)
{
	struct stored_key *grown = reallocarray(store->cache, store->ncache + 1, sizeof(*store->cache));

	if (grown == NULL)
		return RJWT_MEMORY;
	store->cache = grown;
	store->cache[store->ncache++] = (struct stored_key){ version, *jwk };
	*jwk = (struct jwk){ 0 };
	return RJWT_OK;
}

/* Read and check a key, and keep it in the cache. */
static enum rjwt_err
cache_load(struct store *store, int64_t version, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	enum rjwt_err err;

	if (!keyset_has(&store->keyset, version))
		return RJWT_KEY_UNKNOWN;
	RJWT_TRY(store_read_key(store, version, &jwk, diag));
	err = keyset_check_key(&store->keyset, version, &jwk);
	if (err == RJWT_KEYSET)
		return diag_fail(diag, err, store->keys.path, "%" PRId64 ".jwk: a retired key without exp", version);
	RJWT_TRY(err);
	if (jwk.key == NULL && jwk.revoked_s == 0)
		RJWT_TRY(store->provider->secret(store->provider, version, jwk.alg, &jwk.key, diag));
	return cache_add(store, version, &jwk);
}

static enum rjwt_err
store_find(void *context, struct view kid, const struct jwk **jwk, struct rjwt_diag *diag)
{
	struct store *store = context;
	int64_t version;

	RJWT_TRY(keyset_kid_parse(&store->keyset, kid, &version));
	for (size_t i = 0; i < store->ncache; i++)
		if (store->cache[i].version == version) {
			*jwk = &store->cache[i].jwk;
			return RJWT_OK;
		}
	RJWT_TRY(cache_load(store, version, diag));
	*jwk = &store->cache[store->ncache - 1].jwk;
	return RJWT_OK;
}

static enum rjwt_err
store_refresh(void *context, struct rjwt_diag *diag)
{
	return store_load(context, diag);
}

struct key_source
store_keys(struct store *store)
{
	return (struct key_source){ store_find, store_refresh, store };
}

enum rjwt_err
store_read_signing_key(struct store *store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag)
{
	enum rjwt_err err = store_read_key(store, version, jwk, diag);

	if (err == RJWT_KEY_UNKNOWN)
		return diag_fail(diag, RJWT_KEYSET, store->keys.path, "%" PRId64 ".jwk is missing", version);
	return err;
}

enum rjwt_err
store_read_signer(struct store *store, int64_t version, struct signer **signer, struct rjwt_diag *diag)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

	RJWT_TRY(store_read_signing_key(store, version, &jwk, diag));
	return store->provider->load(store->provider, version, &jwk, signer, diag);
}

enum rjwt_err
store_signer(struct store *store, int64_t version, struct signer **signer, struct rjwt_diag *diag)
{
	if (store->signer == NULL || store->signer_version != version) {
		signer_clean(&store->signer);
		RJWT_TRY(store_read_signer(store, version, &store->signer, diag));
		store->signer_version = version;
	}
	*signer = store->signer;
	return RJWT_OK;
}

void
store_drop_signer(struct store *store)
{
	signer_clean(&store->signer);
}

/* --- what others ask -------------------------------------------------------------------------- */

const struct keyset *
store_keyset(const struct store *store)
{
	return &store->keyset;
}

const struct dir *
store_dir(const struct store *store)
{
	return &store->dir;
}

uint64_t
store_loaded(const struct store *store)
{
	return store->loaded;
}

unsigned
store_replaced(const struct store *store)
{
	return store->replaced;
}

const struct timespec *
store_commit_time(const struct store *store)
{
	return &store->identity.st_mtim;
}

const struct dir *
store_keys_dir(const struct store *store)
{
	return &store->keys;
}

struct provider *
store_provider(const struct store *store)
{
	return store->provider;
}

bool
store_is_approved(const struct store *store)
{
	return store->approved;
}

void
store_approve(struct store *store)
{
	store->approved = true;
}

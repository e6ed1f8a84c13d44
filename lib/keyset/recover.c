/* SPDX-License-Identifier: MIT */
/*
 * recover(): removes what a crash or a change left. Every holder of the lock calls it first and last, so that
 * the state directory has no file that is not part of keyset.json.
 */
#include "keyset/recover.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/file_write.h"
#include "jose/alg.h"
#include "jose/jwk.h"
#include "jose/provider.h"
#include "keyset/events.h"
#include "keyset/jwks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct sweep {
	const struct commit_ctx *ctx;
	struct store *store;
	bool removed;
};

/* Whether the private file of an unreadable key may be an HMAC secret: PEM is not. */
static enum rjwt_err
may_be_secret(const struct sweep *s, const char *name, bool *maybe)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	enum rjwt_err err = file_read(s->ctx->private, name, JWK_FILE_MAX * 2, &text, NULL, s->ctx->env->diag);

	*maybe = text.n < 11 || memcmp(text.p, "-----BEGIN ", 11) != 0;
	return err == RJWT_KEYSET ? RJWT_OK : err;
}

/*
 * An HMAC secret is needed for verifying: it stays as long as its key, and also while it is unknown whether it
 * is one.
 */
static enum rjwt_err
still_verifies(const struct sweep *s, int64_t version, const char *name, bool *verifies)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	enum rjwt_err err;

	*verifies = false;
	if (!keyset_has(store_keyset(s->store), version))
		return RJWT_OK;
	err = store_read_key(s->store, version, &jwk, s->ctx->env->diag);
	if (err == RJWT_KEY_UNKNOWN)
		return RJWT_OK;
	if (err == RJWT_KEYSET)
		return may_be_secret(s, name, verifies);
	RJWT_TRY(err);
	*verifies = jwk.alg->kind == ALG_HMAC && jwk.revoked_s == 0;
	return RJWT_OK;
}

static enum rjwt_err
sweep_private(void *context, const char *name)
{
	struct sweep *s = context;
	int64_t version = commit_version(name);
	bool verifies;

	if (!commit_is_temporary(name)) {
		if (version == 0 || keyset_active_or_next(store_keyset(s->store), version))
			return RJWT_OK;
		RJWT_TRY(still_verifies(s, version, name, &verifies));
		if (verifies)
			return RJWT_OK;
		RJWT_TRY(s->ctx->provider->destroy(s->ctx->provider, version, s->ctx->env->diag));
		if (store_version(name, "key") != 0)
			events_add_key(s->ctx->env->events, RJWT_EVENT_ERASED, store_keyset(s->store), version);
	}
	s->removed = true;
	return file_remove(s->ctx->private, name, s->ctx->env->diag);
}

static enum rjwt_err
sweep_keys(void *context, const char *name)
{
	struct sweep *s = context;
	int64_t version = commit_version(name);

	if (!commit_is_temporary(name) && (version == 0 || keyset_has(store_keyset(s->store), version)))
		return RJWT_OK;
	s->removed = true;
	RJWT_TRY(file_remove(s->ctx->keys, name, s->ctx->env->diag));
	if (version != 0)
		events_add_key(s->ctx->env->events, RJWT_EVENT_REMOVED, store_keyset(s->store), version);
	return RJWT_OK;
}

/* Clean one directory, and fsync it if something was removed. */
static enum rjwt_err
sweep(const struct commit_ctx *ctx, struct store *store, const struct dir *dir,
    enum rjwt_err (*each)(void *context, const char *name), bool *removed)
{
	struct sweep s = { .ctx = ctx, .store = store };

	RJWT_TRY(dir_each(dir, each, &s, ctx->env->diag));
	*removed = *removed || s.removed;
	return s.removed ? dir_sync(dir, ctx->env->diag) : RJWT_OK;
}

/* The init was committed: remove its file, which would mark it as interrupted. */
static enum rjwt_err
drop_unfinished(const struct commit_ctx *s)
{
	if (unlinkat(s->dir->fd, COMMIT_UNFINISHED, 0) == 0)
		return dir_sync(s->dir, s->env->diag);
	return errno == ENOENT ? RJWT_OK : diag_fail(s->env->diag, RJWT_IO, s->dir->path, COMMIT_UNFINISHED);
}

enum rjwt_err
recover(const struct commit_ctx *ctx, struct store *store, bool first, bool *removed)
{
	RJWT_TRY(sweep(ctx, store, ctx->private, sweep_private, removed));
	RJWT_TRY(sweep(ctx, store, ctx->keys, sweep_keys, removed));
	RJWT_TRY(drop_unfinished(ctx));
	if (first && jwks_is_current(store))
		return RJWT_OK;
	return jwks_export(ctx, store);
}

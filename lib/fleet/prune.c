/* SPDX-License-Identifier: MIT */
#include "fleet/prune.h"
#include "base/file_write.h"
#include "keyset/commit.h"
#include "keyset/denials_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prune {
	const struct install_ctx *ctx;
	int64_t limit_s;  /* denials up to this date are not needed */
	int64_t newest_s; /* of these; 0: there are none */
	size_t removed;
	bool remove;		/* else they are looked for */
	const struct dir *kind; /* the directory that is walked */
};

/* --- the time that all have reached ------------------------------------------------------------ */

/* The base of this host's own keyset; "": it has none. An issuer does not follow itself. */
static enum rjwt_err
read_own_base(const struct install_ctx *ctx, char base[static KEYSET_BASE_MAX + 1])
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct keyset own;
	enum rjwt_err err = file_read(ctx->state, "keyset.json", KEYSET_FILE_MAX, &text, NULL, ctx->env->diag);

	base[0] = '\0';
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	RJWT_TRY(keyset_parse(buf_view(&text), &own, ctx->env->diag));
	memcpy(base, own.base, sizeof(own.base));
	return RJWT_OK;
}

static enum rjwt_err
open_issuer(const struct install_ctx *ctx, const struct fleet_issuer *issuer, struct store **store)
{
	RJWT_CLEAN(free_clean) char *path = fleet_path(ctx->state, issuer->base);

	return path == NULL ? RJWT_MEMORY : store_open_followed(path, store, NULL);
}

/* What is not there, or cannot be read, has reached no time: then nothing is removed. */
static enum rjwt_err
find_limit(struct prune *p, const char *own_base)
{
	const struct rotation_policy *policy = p->ctx->env->policy;
	const struct roster *roster = &p->ctx->fleet->roster;
	int64_t published_s = 0; /* for so much longer an issuer publishes them: other hosts may take longer tokens */

	p->limit_s = p->ctx->now.wall_s;
	for (size_t i = 0; i < roster->nissuers; i++) {
		RJWT_CLEAN(store_clean) struct store *store = NULL;
		const struct keyset *keyset;
		enum rjwt_err err;

		if (strcmp(roster->issuers[i].base, own_base) == 0) {
			published_s = policy->previous_key_ttl_s;
			continue;
		}
		err = open_issuer(p->ctx, &roster->issuers[i], &store);
		if (err == RJWT_MEMORY)
			return err;
		keyset = err == RJWT_OK ? store_keyset(store) : NULL;
		if (keyset == NULL || strcmp(keyset->followed.key, roster->issuers[i].key.text) != 0)
			p->limit_s = 0;
		else if (keyset->followed.issued_s < p->limit_s)
			p->limit_s = keyset->followed.issued_s;
	}
	p->limit_s -= policy->max_lifetime_s + 2 * policy->leeway_s + published_s;
	if (roster->n == 0)
		p->limit_s = 0;
	return RJWT_OK;
}

/* --- before ------------------------------------------------------------------------------------ */

static enum rjwt_err
raise_fleet(struct prune *p)
{
	struct fleet next = *p->ctx->fleet;

	if (next.before_s >= p->newest_s)
		return RJWT_OK;
	next.before_s = p->newest_s;
	RJWT_TRY(fleet_commit(p->ctx->state, p->ctx->env, &next));
	*p->ctx->fleet = next;
	return RJWT_OK;
}

/* Each directory, also of a base that the roster has no more: it may come back. One without a keyset begins with ours. */
static enum rjwt_err
raise_one(void *context, const char *base)
{
	RJWT_CLEAN(free_clean) char *path = NULL;
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct prune *p = context;
	struct commit_ctx ctx = { .env = p->ctx->env };
	struct keyset next;

	if (!keyset_base_check(view_of(base)))
		return RJWT_OK;
	path = fleet_path(p->ctx->state, base);
	if (path == NULL)
		return RJWT_MEMORY;
	if (store_is_missing(path))
		return RJWT_OK;
	RJWT_TRY(store_open_followed(path, &store, p->ctx->env->diag));
	next = *store_keyset(store);
	if (next.followed.before_s >= p->newest_s)
		return RJWT_OK;
	next.followed.before_s = p->newest_s;
	ctx.dir = store_dir(store);
	RJWT_TRY(commit_stage(&ctx, store_keyset(store), &next));
	return commit_publish(&ctx);
}

static enum rjwt_err
raise_before(struct prune *p)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;

	RJWT_TRY(dir_open_at(p->ctx->state, FLEET_DIR, &all, p->ctx->env->diag));
	RJWT_TRY(dir_each(&all, raise_one, p, p->ctx->env->diag));
	return raise_fleet(p);
}

/* --- denials ----------------------------------------------------------------------------------- */

static enum rjwt_err
prune_one(void *context, const char *hash, int64_t until_s)
{
	struct prune *p = context;

	if (until_s > p->limit_s)
		return RJWT_OK;
	if (!p->remove) {
		p->newest_s = until_s > p->newest_s ? until_s : p->newest_s;
		return RJWT_OK;
	}
	p->removed++;
	return file_remove(p->kind, hash, p->ctx->env->diag);
}

static enum rjwt_err
prune_kind(void *context, const struct dir *kind)
{
	struct prune *p = context;

	p->kind = kind;
	return denials_each(kind, prune_one, p, p->ctx->env->diag);
}

/* denied/ is not made here: a host without it gives no verdict, and that must stay so. */
static enum rjwt_err
walk_directory(struct prune *p, const struct dir *dir)
{
	return denials_each_kind(dir, prune_kind, p, p->ctx->env->diag);
}

static enum rjwt_err
walk_all(struct prune *p, const char *own_base)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	const struct roster *roster = &p->ctx->fleet->roster;

	RJWT_TRY(walk_directory(p, p->ctx->state));
	RJWT_TRY(dir_open_at(p->ctx->state, FLEET_DIR, &all, p->ctx->env->diag));
	for (size_t i = 0; i < roster->nissuers; i++) {
		RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;

		if (strcmp(roster->issuers[i].base, own_base) == 0)
			continue;
		RJWT_TRY(dir_open_at(&all, roster->issuers[i].base, &dir, p->ctx->env->diag));
		RJWT_TRY(walk_directory(p, &dir));
	}
	return RJWT_OK;
}

enum rjwt_err
prune_denials(const struct install_ctx *ctx, size_t *removed)
{
	struct prune p = { .ctx = ctx };
	char own_base[KEYSET_BASE_MAX + 1];

	*removed = 0;
	RJWT_TRY(read_own_base(ctx, own_base));
	RJWT_TRY(find_limit(&p, own_base));
	if (p.limit_s <= 0)
		return RJWT_OK;
	RJWT_TRY(walk_all(&p, own_base));
	if (p.newest_s == 0)
		return RJWT_OK;
	RJWT_TRY(raise_before(&p));
	p.remove = true;
	RJWT_TRY(walk_all(&p, own_base));
	*removed = p.removed;
	return RJWT_OK;
}

/* --- keys -------------------------------------------------------------------------------------- */

static enum rjwt_err
remove_key(void *context, const char *name)
{
	struct prune *p = context;

	return store_version(name, "jwk") != 0 || commit_is_temporary(name)
		   ? file_remove(p->kind, name, p->ctx->env->diag)
		   : RJWT_OK;
}

enum rjwt_err
prune_keys(const struct install_ctx *ctx, const char *base)
{
	RJWT_CLEAN(free_clean) char *path = fleet_path(ctx->state, base);
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir keys = DIR_NONE;
	struct prune p = { .ctx = ctx, .kind = &keys };
	enum rjwt_err err;

	if (path == NULL)
		return RJWT_MEMORY;
	err = dir_open(path, &dir, ctx->env->diag);
	if (err == RJWT_OK)
		err = dir_open_at(&dir, "keys", &keys, ctx->env->diag);
	if (err != RJWT_OK)
		return err_is_missing(err) ? RJWT_OK : err;
	return dir_each(&keys, remove_key, &p, ctx->env->diag);
}

void
prune_describe(char text[static PRUNE_TEXT], size_t removed)
{
	snprintf(text, PRUNE_TEXT, "%zu denial%s of expired tokens removed", removed, removed == 1 ? "" : "s");
}

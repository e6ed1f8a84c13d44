/* SPDX-License-Identifier: MIT */
#include "fleet/install.h"
#include "base/file_write.h"
#include "base/host.h"
#include "base/json_write.h"
#include "fleet/conflict.h"
#include "keyset/commit.h"
#include "keyset/denials_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LATER_FROM 8 /* so many files are made durable together */

/* A followed directory, open. */
struct target {
	const struct install_ctx *ctx;
	const struct fleet_issuer *issuer;
	struct dir dir, keys;
	bool there;	      /* it has a keyset.json */
	struct keyset keyset; /* that of it, or what a first one begins with */
	bool reborn;	      /* what was used is not known, or born is ahead of the time */
};

enum rjwt_err
report_add(struct string_list *list, const char *fmt, ...)
{
	RJWT_CLEAN(free_clean) char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return RJWT_MEMORY;
	}
	return string_list_add(list, text);
}

static void
target_close(struct target *t)
{
	dir_close(&t->keys);
	dir_close(&t->dir);
}

/* --- the directory ---------------------------------------------------------------------------- */

static enum rjwt_err
read_keyset(struct target *t)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_diag *diag = t->ctx->env->diag;
	enum rjwt_err err = file_read(&t->dir, "keyset.json", KEYSET_FILE_MAX, &text, NULL, diag);

	t->keyset = (struct keyset){ .revoked = -1 };
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	err = keyset_parse(buf_view(&text), &t->keyset, diag);
	if (err == RJWT_OK && !keyset_is_followed(&t->keyset))
		err = diag_fail(diag, RJWT_KEYSET, "", "is not a keyset that is followed");
	if (err != RJWT_OK && diag != NULL)
		snprintf(diag->path, sizeof(diag->path), "%.240s/keyset.json", t->dir.path);
	t->there = err == RJWT_OK;
	return err;
}

static bool
has_spent(const struct target *t)
{
	struct stat status;

	return fstatat(t->dir.fd, "spent", &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The time of a directory, as verifying has it: a clock that is behind would bring back what was used before the bundle. */
static int64_t
time_of(const struct target *t, int64_t issued_s)
{
	int64_t now_s = t->ctx->now.wall_s;

	return now_s > issued_s ? now_s : issued_s;
}

/* Without spent/, and on another machine, nobody knows what was used: born then says since when it is known again. */
static bool
is_reborn(const struct target *t)
{
	const struct keyset *k = &t->keyset;
	int64_t now_s = time_of(t, k->followed.issued_s);

	return !has_spent(t) || strcmp(k->machine, t->ctx->fleet->machine) != 0 ||
	       k->followed.born_s > now_s + t->ctx->env->policy->leeway_s;
}

/* make: what is missing, and durably what is there. */
static enum rjwt_err
target_open(struct target *t, bool make)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	struct rjwt_diag *diag = t->ctx->env->diag;

	RJWT_TRY(dir_open_at(t->ctx->state, FLEET_DIR, &all, diag));
	if (make)
		RJWT_TRY(dir_make(&all, t->issuer->base, 0755, diag));
	RJWT_TRY(dir_open_at(&all, t->issuer->base, &t->dir, diag));
	if (make)
		RJWT_TRY(dir_make(&t->dir, "keys", 0755, diag));
	RJWT_TRY(dir_open_at(&t->dir, "keys", &t->keys, diag));
	RJWT_TRY(read_keyset(t));
	t->reborn = t->there && is_reborn(t);
	return RJWT_OK;
}

/* --- whether a bundle may be installed --------------------------------------------------------- */

/* One that a roster has dropped and lists again has its keys no more: the same bundle brings them back. */
static bool
has_keys(const struct target *t)
{
	char name[STORE_NAME_SIZE];
	struct stat status;

	store_name(name, t->keyset.active.version, "jwk");
	return fstatat(t->keys.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* why NULL: it may be installed. "": it is the one that is, or an older one. */
static enum rjwt_err
judge(const struct target *t, const struct bundle *bundle, const char **why)
{
	const struct keyset *k = &t->keyset;
	bool conflicts = false;

	*why = NULL;
	if (!t->there)
		return RJWT_OK;
	if (strcmp(k->followed.key, t->issuer->key.text) != 0)
		*why = "it is signed by another bundle key than before, and a base cannot have a second one";
	else if (bundle->serial < k->followed.serial || (bundle->serial == k->followed.serial && has_keys(t)))
		*why = "";
	else if (bundle->floor < k->floor || bundle->active.version < k->active.version ||
		 bundle->next.version < k->next.version || bundle->next_version < k->next_version)
		*why = "its key versions are lower than those that are installed";
	if (*why != NULL)
		return RJWT_OK;
	RJWT_TRY(bundle_conflicts(bundle, k, &t->keys, &conflicts));
	*why = conflicts ? "a key id came back with another public key" : NULL;
	return RJWT_OK;
}

/* --- installing -------------------------------------------------------------------------------- */

/* What was removed because its date has passed for everybody stays so: `before` rejects the tokens. */
static bool
is_pruned(const struct target *t, const struct dir *kind, const struct denial *denial)
{
	struct stat status;

	return denial->until_s <= t->keyset.followed.before_s &&
	       fstatat(kind->fd, denial->hash, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static enum rjwt_err
put_list(const struct target *t, const struct dir *kind, const struct denial_list *list, bool later, bool *any)
{
	for (size_t i = 0; i < list->n; i++)
		if (!is_pruned(t, kind, &list->list[i]))
			RJWT_TRY(
			    denial_put(kind, list->list[i].hash, list->list[i].until_s, later, any, t->ctx->env->diag));
	return RJWT_OK;
}

/* Denials are added, never replaced, and of two dates the later stays. */
static enum rjwt_err
put_denials(const struct target *t, const struct bundle *bundle)
{
	RJWT_CLEAN(denials_close) struct denials denials = DENIALS_NONE;
	bool later = bundle->sub.n + bundle->jti.n >= LATER_FROM, any = false;

	RJWT_TRY(denials_open(&t->dir, &denials, t->ctx->env->diag));
	RJWT_TRY(put_list(t, &denials.sub, &bundle->sub, later, &any));
	RJWT_TRY(put_list(t, &denials.jti, &bundle->jti, later, &any));
	return later && any ? files_sync(&t->dir, t->ctx->env->diag) : RJWT_OK;
}

static enum rjwt_err
put_key(const struct target *t, const struct commit_ctx *commit, const struct bundle_key *key)
{
	RJWT_CLEAN(buf_clear) struct buf there = { 0 };
	RJWT_CLEAN(buf_clear) struct buf wanted = { 0 };
	char name[STORE_NAME_SIZE];

	store_name(name, key->version, "jwk");
	json_open(&wanted, NULL);
	RJWT_TRY(jwk_put(&wanted, &key->jwk));
	RJWT_TRY(seal_add(&wanted));
	if (file_read(&t->keys, name, JWK_FILE_MAX, &there, NULL, NULL) == RJWT_OK &&
	    view_eq(buf_view(&there), buf_view(&wanted)))
		return RJWT_OK;
	return commit_key(commit, key->version, &key->jwk);
}

/*
 * What a directory begins with: whatever was denied before it was there stays so. A date that a wrong clock left ahead of the
 * time counts until the roster.
 */
static int64_t
first_before(const struct target *t, int64_t issued_s)
{
	const struct fleet *fleet = t->ctx->fleet;
	int64_t roster_s = fleet->roster.iat_s + t->ctx->env->policy->leeway_s;

	return fleet->before_s < roster_s || fleet->before_s <= time_of(t, issued_s) ? fleet->before_s : roster_s;
}

static void
fill(const struct target *t, const struct bundle *bundle, struct keyset *k)
{
	const struct rjwt_time *now = &t->ctx->now;

	snprintf(k->base, sizeof(k->base), "%s", bundle->base);
	snprintf(k->issuer, sizeof(k->issuer), "%s", t->issuer->iss);
	memcpy(k->audience, t->ctx->fleet->audience, sizeof(k->audience));
	memcpy(k->machine, t->ctx->fleet->machine, sizeof(k->machine));
	k->floor = bundle->floor;
	k->active.version = bundle->active.version;
	k->active.since_s = bundle->active.since_s;
	k->next.version = bundle->next.version;
	k->next.published_s = bundle->next.published_s;
	k->next_version = bundle->next_version;
	k->clock = *now;
	k->trial.wall_s = now->wall_s;
	k->trial.boot_s = now->boot_s;
	k->trial.ran_s = 0;
	k->configured = k->configured || t->ctx->env->policy->configured;
	if (!t->there || t->reborn)
		k->followed.born_s = time_of(t, bundle->iat_s);
	k->followed.serial = bundle->serial;
	k->followed.issued_s = bundle->iat_s;
	memcpy(k->followed.key, t->issuer->key.text, sizeof(k->followed.key));
}

struct sweep {
	const struct target *t;
	const struct bundle *bundle;
};

static enum rjwt_err
sweep_key(void *context, const char *name)
{
	const struct sweep *s = context;
	int64_t version = store_version(name, "jwk");

	if (version != 0 && bundle_key(s->bundle, version) != NULL)
		return RJWT_OK;
	return version != 0 || commit_is_temporary(name) ? file_remove(&s->t->keys, name, s->t->ctx->env->diag)
							 : RJWT_OK;
}

static enum rjwt_err
commit(const struct target *t, const struct commit_ctx *commit, struct keyset *next)
{
	RJWT_TRY(dir_make(&t->dir, "spent", 0700, t->ctx->env->diag));
	RJWT_TRY(commit_stage(commit, &t->keyset, next));
	return commit_publish(commit);
}

static enum rjwt_err
install(const struct target *t, const struct bundle *bundle)
{
	struct commit_ctx ctx = { .dir = &t->dir, .keys = &t->keys, .env = t->ctx->env };
	struct sweep s = { t, bundle };
	struct keyset next = t->keyset;

	RJWT_TRY(put_denials(t, bundle));
	for (size_t i = 0; i < bundle->nkeys; i++)
		RJWT_TRY(put_key(t, &ctx, &bundle->keys[i]));
	fill(t, bundle, &next);
	RJWT_TRY(commit(t, &ctx, &next));
	return dir_each(&t->keys, sweep_key, &s, t->ctx->env->diag);
}

/* Nothing new, but what this host remembers has changed. */
static enum rjwt_err
be_reborn(const struct target *t, struct follow_report *report)
{
	struct commit_ctx ctx = { .dir = &t->dir, .keys = &t->keys, .env = t->ctx->env };
	struct keyset next = t->keyset;

	if (!t->reborn)
		return RJWT_OK;
	next.followed.born_s = time_of(t, next.followed.issued_s);
	memcpy(next.machine, t->ctx->fleet->machine, sizeof(next.machine));
	RJWT_TRY(commit(t, &ctx, &next));
	return report_add(&report->done, "%s: used tokens are remembered from now on", t->issuer->name);
}

static enum rjwt_err
report_old(const struct target *t, const struct bundle *newest, struct follow_report *report)
{
	if (newest == NULL || newest->serial >= t->keyset.followed.serial)
		return RJWT_OK;
	return report_add(&report->wrong,
	    "%s: serial %" PRId64 " is installed, serial %" PRId64 " was offered: a rollback", t->issuer->name,
	    t->keyset.followed.serial, newest->serial);
}

/* Bundles are in order: the first of a base has the highest serial. */
static const struct bundle *
newest_of(const struct offer *offer, const char *base)
{
	for (size_t i = 0; i < offer->nbundles; i++)
		if (strcmp(offer->bundles[i].base, base) == 0)
			return &offer->bundles[i];
	return NULL;
}

static enum rjwt_err
install_best(struct target *t, const struct offer *offer, struct follow_report *report)
{
	for (size_t i = 0; i < offer->nbundles; i++) {
		const struct bundle *bundle = &offer->bundles[i];
		const char *why;

		if (strcmp(bundle->base, t->issuer->base) != 0)
			continue;
		RJWT_TRY(judge(t, bundle, &why));
		if (why != NULL && why[0] == '\0')
			break; /* the rest is older */
		if (why != NULL) {
			RJWT_TRY(report_add(&report->wrong, "%s: serial %" PRId64 " is not installed: %s",
			    t->issuer->name, bundle->serial, why));
			continue;
		}
		if (!t->there)
			t->keyset.followed.before_s = first_before(t, bundle->iat_s);
		RJWT_TRY(install(t, bundle));
		return report_add(&report->done, "%s: installed serial %" PRId64, t->issuer->name, bundle->serial);
	}
	RJWT_TRY(report_old(t, newest_of(offer, t->issuer->base), report));
	return be_reborn(t, report);
}

bool
install_is_needed(const struct install_ctx *ctx, const struct fleet_issuer *issuer, const struct offer *offer)
{
	RJWT_CLEAN(target_close)
	struct target t = { .ctx = ctx, .issuer = issuer, .dir = DIR_NONE, .keys = DIR_NONE };
	const struct bundle *newest = newest_of(offer, issuer->base);

	if (target_open(&t, false) != RJWT_OK || !t.there || newest == NULL)
		return newest != NULL || t.reborn;
	if (t.reborn || !has_keys(&t))
		return true;
	return strcmp(t.keyset.followed.key, issuer->key.text) != 0 || newest->serial != t.keyset.followed.serial;
}

enum rjwt_err
install_issuer(const struct install_ctx *ctx, const struct fleet_issuer *issuer, const struct offer *offer,
    struct follow_report *report)
{
	RJWT_CLEAN(target_close)
	struct target t = { .ctx = ctx, .issuer = issuer, .dir = DIR_NONE, .keys = DIR_NONE };
	struct rjwt_diag *diag = ctx->env->diag;
	enum rjwt_err err;

	if (!install_is_needed(ctx, issuer, offer))
		return RJWT_OK;
	err = target_open(&t, true);
	if (err == RJWT_KEYSET && diag != NULL) /* a directory that is damaged does not stop the others */
		return report_add(&report->wrong, "%s: %s: %s", issuer->name, diag->path, diag->text);
	RJWT_TRY(err);
	return install_best(&t, offer, report);
}

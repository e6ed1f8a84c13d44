/* SPDX-License-Identifier: MIT */
#include "fleet/follow.h"
#include "base/datetime.h"
#include "base/file_write.h"
#include "base/host.h"
#include "fleet/install.h"
#include "fleet/offer.h"
#include "fleet/own.h"
#include "fleet/prune.h"
#include "fleet/www.h"
#include "keyset/denials_write.h"
#include "keyset/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_TRIES 10

void
follow_report_clear(struct follow_report *report)
{
	string_list_clear(&report->done);
	string_list_clear(&report->wrong);
}

/* --- what is offered -------------------------------------------------------------------------- */

void
texts_clear(struct texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		buf_clear(&texts->files[i]);
}

/* A file of a mirror that is broken does not stop what others brought. */
enum rjwt_err
texts_read(const char *const *files, struct texts *texts, struct follow_report *report)
{
	for (; *files != NULL; files++) {
		struct rjwt_diag why = { 0 };
		enum rjwt_err err = RJWT_USAGE;

		if (texts->n == FOLLOW_FILES_MAX)
			(void)diag_fail(&why, err, *files, "not read: more than %d files", FOLLOW_FILES_MAX);
		else
			err = file_read_foreign(*files, DOCUMENT_FILE_MAX, &texts->files[texts->n], &why);
		if (err == RJWT_MEMORY)
			return err;
		if (err != RJWT_OK)
			RJWT_TRY(report_add(&report->wrong, "%s: %s", why.path, why.text));
		else
			texts->n++;
	}
	return RJWT_OK;
}

/* --- the roster ------------------------------------------------------------------------------- */

struct inherit {
	const struct dir *own;
	int64_t most_s;
	struct rjwt_diag *diag;
	bool any;
};

static enum rjwt_err
inherit_one(void *context, const char *hash, int64_t until_s)
{
	struct inherit *i = context;

	return denial_put(i->own, hash, until_s < i->most_s ? until_s : i->most_s, true, &i->any, i->diag);
}

/*
 * The denials of a base that a roster drops become the host's own, those that are dated later than the roster as of that:
 * nobody is denied for longer than who denies is listed.
 */
static enum rjwt_err
inherit(const struct install_ctx *ctx, const char *base, int64_t most_s)
{
	RJWT_CLEAN(dir_close) struct dir all = DIR_NONE;
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	RJWT_CLEAN(denials_close) struct denials theirs = DENIALS_NONE;
	RJWT_CLEAN(denials_close) struct denials own = DENIALS_NONE;
	struct inherit i = { .most_s = most_s, .diag = ctx->env->diag };
	enum rjwt_err err;

	RJWT_TRY(dir_open_at(ctx->state, FLEET_DIR, &all, i.diag));
	err = dir_open_at(&all, base, &dir, i.diag);
	if (err_is_missing(err))
		return RJWT_OK;
	RJWT_TRY(err);
	RJWT_TRY(denials_open(&dir, &theirs, i.diag));
	RJWT_TRY(denials_open(ctx->state, &own, i.diag));
	i.own = &own.sub;
	RJWT_TRY(denials_each(&theirs.sub, inherit_one, &i, i.diag));
	i.own = &own.jti;
	RJWT_TRY(denials_each(&theirs.jti, inherit_one, &i, i.diag));
	return i.any ? files_sync(ctx->state, i.diag) : RJWT_OK;
}

static enum rjwt_err
take_roster(struct install_ctx *ctx, const struct offered_roster *offered, struct follow_report *report)
{
	struct fleet next = *ctx->fleet;

	for (size_t i = 0; i < ctx->fleet->roster.nissuers; i++) {
		const char *base = ctx->fleet->roster.issuers[i].base;

		if (roster_find(&offered->roster, view_of(base)) == NULL)
			RJWT_TRY(inherit(ctx, base, offered->roster.iat_s + ctx->env->policy->leeway_s));
	}
	next.roster = offered->roster;
	memcpy(next.digest, offered->digest, sizeof(next.digest));
	RJWT_TRY(fleet_commit(ctx->state, ctx->env, &next));
	*ctx->fleet = next;
	return report_add(&report->done, "took roster %" PRId64 ", with %zu issuer%s", next.roster.n,
	    next.roster.nissuers, next.roster.nissuers == 1 ? "" : "s");
}

/* The keys of those whom the present roster does not list. */
static enum rjwt_err
prune_dropped(const struct install_ctx *ctx, const struct roster *earlier)
{
	for (size_t i = 0; i < earlier->nissuers; i++)
		if (roster_find(&ctx->fleet->roster, view_of(earlier->issuers[i].base)) == NULL)
			RJWT_TRY(prune_keys(ctx, earlier->issuers[i].base));
	return RJWT_OK;
}

/* Keys go at the end of the walk: who was dropped on the way and is listed again has not changed. */
static enum rjwt_err
take_rosters(struct install_ctx *ctx, const struct offer *offer, struct follow_report *report)
{
	const struct roster before = ctx->fleet->roster;

	for (size_t i = 0; i < offer->nrosters; i++)
		RJWT_TRY(take_roster(ctx, &offer->rosters[i], report));
	RJWT_TRY(prune_dropped(ctx, &before));
	for (size_t i = 0; i < offer->nrosters; i++)
		RJWT_TRY(prune_dropped(ctx, &offer->rosters[i].roster));
	return RJWT_OK;
}

/* An image of a joined host is another host; and born may be from when the clock was wrong. */
static bool
is_this_host(const struct install_ctx *ctx, const char *machine)
{
	return strcmp(machine, ctx->fleet->machine) == 0 &&
	       ctx->fleet->born_s <= ctx->now.wall_s + ctx->env->policy->leeway_s;
}

/* Another host gets its own name, and what was used before is unknown to it. */
static enum rjwt_err
check_identity(struct install_ctx *ctx, const char *audience, struct follow_report *report)
{
	struct fleet next = *ctx->fleet;
	char machine[DIGEST_HEX];

	RJWT_TRY(host_machine(machine, ctx->env->diag));
	if (is_this_host(ctx, machine))
		return RJWT_OK;
	if (strcmp(machine, next.machine) != 0) {
		memcpy(next.machine, machine, sizeof(machine));
		if (audience != NULL)
			snprintf(next.audience, sizeof(next.audience), "%s", audience);
		else
			RJWT_TRY(host_name(next.audience, ctx->env->diag));
	}
	next.born_s = ctx->now.wall_s;
	RJWT_TRY(fleet_commit(ctx->state, ctx->env, &next));
	*ctx->fleet = next;
	return report_add(&report->done, "this host is %s; used tokens are remembered from now on", next.audience);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* A keyset of this host's own is not followed here; lines in its name may be a clone's. */
static enum rjwt_err
take_issuer(struct install_ctx *ctx, struct own *own, const struct fleet_issuer *issuer, const struct offer *offer,
    struct follow_report *report)
{
	bool stopped;

	if (own_was(own, issuer))
		return RJWT_OK;
	if (!own_is(own, issuer))
		return install_issuer(ctx, issuer, offer, report);
	RJWT_TRY(own_check(ctx->state, own, issuer, offer, &stopped, ctx->env->diag));
	return stopped ? report_add(&report->wrong, "%s: %s: stopped (" PUBLISH_RENEW ")", issuer->name,
			     own->record.stopped)
		       : RJWT_OK;
}

/* With the news alone: who has none has looked at all denials before. */
static enum rjwt_err
prune(const struct install_ctx *ctx, struct follow_report *report)
{
	const struct rjwt_diag *diag = ctx->env->diag;
	char text[PRUNE_TEXT];
	size_t removed;
	enum rjwt_err err = prune_denials(ctx, &removed);

	if (err != RJWT_OK && err != RJWT_MEMORY && diag != NULL) /* they stay, and what is installed counts */
		return report_add(&report->wrong, "%s: %s", diag->path, diag->text);
	RJWT_TRY(err);
	prune_describe(text, removed);
	return removed == 0 ? RJWT_OK : report_add(&report->done, "%s", text);
}

static enum rjwt_err
carry_out(struct install_ctx *ctx, const char *audience, const struct offer *offer, struct follow_report *report)
{
	struct own own;

	RJWT_TRY(own_read(ctx->state, &own, ctx->env->diag));
	RJWT_TRY(check_identity(ctx, audience, report));
	RJWT_TRY(take_rosters(ctx, offer, report));
	for (size_t i = 0; i < ctx->fleet->roster.nissuers; i++)
		RJWT_TRY(take_issuer(ctx, &own, &ctx->fleet->roster.issuers[i], offer, report));
	return report->done.n == 0 ? RJWT_OK : prune(ctx, report);
}

/* Whoever issues passes on what it has of the others. */
static enum rjwt_err
pass_on(const struct install_ctx *ctx, const struct texts *texts)
{
	struct own own;

	RJWT_TRY(own_read(ctx->state, &own, ctx->env->diag));
	return own.issues ? www_merge(ctx->state, ctx->env, ctx->fleet, texts->files, texts->n, NULL) : RJWT_OK;
}

/*
 * Most polls bring nothing: then no lock is taken, whose file would be written. An issuer looks closer at what is said in its
 * name, and passes on what it has.
 */
static bool
is_needed(const struct install_ctx *ctx, const struct offer *offer)
{
	char machine[DIGEST_HEX];
	bool issues;

	if (offer->nrosters > 0 || own_look(ctx->state, &issues, NULL) != RJWT_OK || issues)
		return true;
	if (host_machine(machine, NULL) != RJWT_OK || !is_this_host(ctx, machine))
		return true;
	for (size_t i = 0; i < ctx->fleet->roster.nissuers; i++)
		if (install_is_needed(ctx, &ctx->fleet->roster.issuers[i], offer))
			return true;
	return false;
}

/*
 * Signatures are judged before the lock is taken; if fleet.json is another one by then, once more. *needed: whether
 * anything is to be done; if not, the lock is not taken.
 */
static enum rjwt_err
judge_and_lock(const struct follow_env *env, const struct texts *texts, struct install_ctx *ctx, struct lock *lock,
    struct offer *offer, bool *needed)
{
	for (int i = 0; i < JUDGE_TRIES; i++) {
		int64_t generation;

		RJWT_TRY(fleet_read(ctx->state, ctx->fleet, NULL, env->keyset.diag));
		generation = ctx->fleet->generation;
		offer_clear(offer);
		RJWT_TRY(offer_read(ctx->fleet, texts->files, texts->n, offer));
		*needed = is_needed(ctx, offer);
		if (!*needed)
			return RJWT_OK;
		RJWT_TRY(lock_take(lock, ctx->state, 0, env->keyset.diag));
		RJWT_TRY(fleet_read(ctx->state, ctx->fleet, NULL, env->keyset.diag));
		if (ctx->fleet->generation == generation)
			return RJWT_OK;
		lock_release(lock);
	}
	return diag_fail(env->keyset.diag, RJWT_BUSY, ctx->state->path, "fleet.json keeps being replaced");
}

static enum rjwt_err
report_offer(const struct offer *offer, struct follow_report *report)
{
	char one[32], other[32];

	report->skipped = offer->skipped;
	if (offer->forked_n == 0)
		return RJWT_OK;
	time_format(one, offer->forked_iat_s[0]);
	time_format(other, offer->forked_iat_s[1]);
	return report_add(&report->wrong,
	    "two rosters have the number %" PRId64
	    " and differ, one of %s and one of %s: neither is taken (publish another one)",
	    offer->forked_n, one, other);
}

/* fleet.json, under the lock. */
static enum rjwt_err
lock_fleet(const struct follow_env *env, struct install_ctx *ctx, struct lock *lock)
{
	RJWT_TRY(lock_take(lock, ctx->state, 0, env->keyset.diag));
	RJWT_TRY(fleet_read(ctx->state, ctx->fleet, NULL, env->keyset.diag));
	clock_now(env->keyset.clock, &ctx->now);
	return keyset_clock_check(&ctx->now, env->keyset.diag);
}

enum rjwt_err
follow_prune(const struct follow_env *env, size_t *removed)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	struct fleet fleet = { 0 };
	struct install_ctx ctx = { .state = &state, .env = &env->keyset, .fleet = &fleet };

	RJWT_TRY(dir_open(env->state, &state, env->keyset.diag));
	RJWT_TRY(lock_fleet(env, &ctx, &lock));
	return prune_denials(&ctx, removed);
}

enum rjwt_err
follow_files(const struct follow_env *env, const char *const *files, struct follow_report *report)
{
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(texts_clear) struct texts texts = { 0 };
	RJWT_CLEAN(offer_clear) struct offer offer = { 0 };
	struct rjwt_diag *diag = env->keyset.diag;
	struct fleet fleet = { 0 };
	struct install_ctx ctx = { .state = &state, .env = &env->keyset, .fleet = &fleet };
	enum rjwt_err err;
	bool needed;

	err = dir_open(env->state, &state, diag);
	if (err == RJWT_OK)
		err = fleet_read(&state, &fleet, NULL, diag);
	if (err_is_missing(err))
		return diag_fail(diag, RJWT_KEYSET, env->state,
		    "this host has joined no fleet (rjwt-keyd join URL KEY)");
	RJWT_TRY(err);
	RJWT_TRY(texts_read(files, &texts, report));
	clock_now(env->keyset.clock, &ctx.now);
	RJWT_TRY(judge_and_lock(env, &texts, &ctx, &lock, &offer, &needed));
	clock_now(env->keyset.clock, &ctx.now);
	RJWT_TRY(keyset_clock_check(&ctx.now, diag));
	if (needed) {
		RJWT_TRY(carry_out(&ctx, env->audience, &offer, report));
		RJWT_TRY(pass_on(&ctx, &texts));
	}
	return report_offer(&offer, report);
}

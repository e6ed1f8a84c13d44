/* SPDX-License-Identifier: MIT */
#include "keyset/change.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/text.h"
#include "jose/jwk.h"
#include "jose/provider_write.h"
#include "keyset/codes.h"
#include "keyset/commit.h"
#include "keyset/events.h"
#include "keyset/inspect.h"
#include "keyset/issued.h"
#include "keyset/lock.h"
#include "keyset/marks_write.h"
#include "keyset/parked_write.h"
#include "keyset/recover.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAMP_TRIES 10
#define DIRECTORY_TRIES 10

/* A change of a keyset, from lock to unlock. */
struct change_ctx {
	struct store *store;
	const struct keyset *keyset; /* as the store has loaded it */
	const struct dir *state;     /* its directory */
	struct keyset_env env;
	const struct change_request *request;
	struct dir private;
	struct lock lock;
	struct fresh_keys fresh; /* made before the lock was taken */
	struct codes_found codes;
	struct commit_ctx commit;
	unsigned replaced;  /* store_replaced() when the directory that is locked was opened */
	bool removed;	    /* something that a crash left was removed */
	int64_t marked;	    /* new marks of revoked tokens and users */
	int64_t unreadable; /* version whose damaged file is removed after the commit; 0: none */
	char warning[256];  /* what failed without preventing the change */
};

static void
unlock(struct change_ctx *k)
{
	lock_release(&k->lock);
	dir_close(&k->private);
}

static void
change_end(struct change_ctx *k)
{
	unlock(k);
	commit_drop_keys(&k->fresh);
}

/* Whether it is not to wait for a writer that was made to stand still. */
static bool
is_urgent(const struct change_ctx *k)
{
	return k->request->why >= WHY_REVOKE_KEY && geteuid() == 0;
}

/* Lock the state directory: another directory may be at its path by the time we have the lock. */
static enum rjwt_err
lock_store(struct change_ctx *k)
{
	for (int i = 0; i < DIRECTORY_TRIES; i++) {
		RJWT_TRY(store_load(k->store, k->env.diag));
		k->replaced = store_replaced(k->store);
		RJWT_TRY(lock_take(&k->lock, k->state, is_urgent(k) ? LOCK_END : 0, k->env.diag));
		RJWT_TRY(store_load(k->store, k->env.diag));
		if (store_replaced(k->store) == k->replaced)
			return RJWT_OK;
		lock_release(&k->lock);
	}
	return diag_fail(k->env.diag, RJWT_BUSY, k->state->path, "keeps being replaced");
}

/* Nothing may be changed in a directory that has replaced the one that is locked. */
static enum rjwt_err
check_directory(const struct change_ctx *k)
{
	if (store_replaced(k->store) == k->replaced)
		return RJWT_OK;
	return diag_fail(k->env.diag, RJWT_BUSY, k->state->path, "was replaced meanwhile; run the command again");
}

/* Marks and records that are no longer needed do no harm: failing to remove them is only a warning. */
static void
warn_not_removed(struct change_ctx *k, const char *what, const struct rjwt_diag *why)
{
	text_append(k->warning, sizeof(k->warning), "; ", "cannot remove old %s: %.80s%s%.100s", what, why->path,
	    why->path[0] == '\0' ? "" : ": ", why->text);
}

static void
prune(struct change_ctx *k, bool rose)
{
	struct rjwt_diag why = { 0 };

	if (marks_hide(k->state, &why) != RJWT_OK || marks_prune(k->state, k->keyset->floor, rose, &why) != RJWT_OK)
		warn_not_removed(k, "marks", &why);
}

/* By the wall clock alone: they are for people, and whatever the clock shows they must not pile up. */
static void
prune_records(struct change_ctx *k, int64_t now_s)
{
	struct rjwt_diag why = { 0 };

	if (issued_prune(k->state, now_s, &why) != RJWT_OK)
		warn_not_removed(k, "records", &why);
	if (parked_prune(k->state, now_s, &why) != RJWT_OK)
		warn_not_removed(k, "parked tokens", &why);
}

static enum rjwt_err
begin(struct change_ctx *k)
{
	provider_make_writable(store_provider(k->store));
	RJWT_TRY(lock_store(k));
	if (k->lock.ended[0] != '\0')
		text_append(k->warning, sizeof(k->warning), "; ", "ended %s, which held the lock for more than %ds",
		    k->lock.ended, LOCK_END_S);
	RJWT_TRY(dir_open_at(k->state, "private", &k->private, k->env.diag));
	k->commit =
	    (struct commit_ctx){ k->state, store_keys_dir(k->store), &k->private, store_provider(k->store), &k->env };
	/* A process that crashed may have renamed without a sync: make durable what we build on. */
	RJWT_TRY(dir_sync(k->state, k->env.diag));
	RJWT_TRY(dir_sync(k->commit.keys, k->env.diag));
	RJWT_TRY(dir_sync(&k->private, k->env.diag));
	RJWT_TRY(store_check_writable(k->store, k->env.policy, k->env.diag));
	RJWT_TRY(check_directory(k));
	RJWT_TRY(recover(&k->commit, k->store, true, &k->removed));
	prune(k, false);
	codes_begin(k->store, &k->env, k->request->why, &k->codes, k->warning, sizeof(k->warning));
	store_drop_signer(k->store);
	return RJWT_OK;
}

/* --- carry out a plan ------------------------------------------------------------------------- */

/* A key that changes its state. */
static enum rjwt_err
stamp(struct change_ctx *k, const struct plan *plan, int64_t version)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	enum rjwt_err err = store_read_key(k->store, version, &jwk, k->env.diag);

	/* An unreadable file cannot be stamped and must not become readable again: it is removed. */
	if (version == plan->revoke && (err == RJWT_KEYSET || err == RJWT_KEY_UNKNOWN)) {
		k->unreadable = version;
		return RJWT_OK;
	}
	RJWT_TRY(err);
	if (version == plan->retire) {
		/* Write all stamps anew: a change that was never committed may have left others. */
		jwk.since_s = k->keyset->active.since_s < plan->stamp.retired_s
				  ? k->keyset->active.since_s
				  : plan->stamp.retired_s; /* the clock may have been set back */
		jwk.retired_s = plan->stamp.retired_s;
		jwk.until_s = plan->stamp.until_s;
		jwk.revoked_s = 0;
	} else if (keyset_active_or_next(k->keyset, version)) {
		jwk.since_s = jwk.retired_s = jwk.until_s = 0;
	}
	if (version == plan->revoke)
		jwk.revoked_s = plan->revoked_s;
	return commit_key(&k->commit, version, &jwk);
}

/* The clock was set back: a retirement cannot be in the future. */
static enum rjwt_err
restamp(struct change_ctx *k, int64_t now_s)
{
	for (int64_t v = k->keyset->floor; v < k->keyset->active.version; v++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		enum rjwt_err err = store_read_key(k->store, v, &jwk, k->env.diag);

		/* A damaged file verifies nothing and must not stop the rotation of other keys. */
		if (err == RJWT_KEY_UNKNOWN || err == RJWT_KEYSET || (err == RJWT_OK && jwk.retired_s <= now_s))
			continue;
		RJWT_TRY(err);
		jwk.since_s = jwk.since_s < now_s ? jwk.since_s : now_s;
		jwk.retired_s = now_s;
		jwk.until_s = now_s + k->env.policy->previous_key_ttl_s;
		RJWT_TRY(commit_key(&k->commit, v, &jwk));
	}
	return RJWT_OK;
}

/* Create keys under versions that are claimed first, so that no version is ever used twice, even after a crash. */
static enum rjwt_err
make_keys(struct change_ctx *k, const struct plan *plan, struct keyset *claimed)
{
	*claimed = *k->keyset;
	if (plan->make == 0)
		return RJWT_OK;
	claimed->next_version = plan->after.next_version;
	RJWT_TRY(commit_stage(&k->commit, k->keyset, claimed));
	RJWT_TRY(commit_publish(&k->commit));
	for (int64_t v = claimed->next_version - plan->make; v < claimed->next_version; v++)
		RJWT_TRY(commit_new_key(&k->commit, claimed, v, &k->fresh));
	return RJWT_OK;
}

/* Everything that must be durable before the commit, dated now; the commit must follow soon after retired_s. */
static enum rjwt_err
prepare(struct change_ctx *k, struct plan *plan, const struct keyset *claimed)
{
	struct rjwt_time now;

	clock_now(k->env.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, k->env.diag));
	keyset_plan_at(plan, k->keyset, k->env.policy, &now);
	if (plan->restamp)
		RJWT_TRY(restamp(k, now.wall_s));
	if (plan->retire != 0)
		RJWT_TRY(stamp(k, plan, plan->retire));
	if (plan->revoke != 0 && plan->revoke != plan->retire)
		RJWT_TRY(stamp(k, plan, plan->revoke));
	return commit_stage(&k->commit, claimed, &plan->after);
}

static enum rjwt_err
execute(struct change_ctx *k, struct plan *plan)
{
	struct keyset claimed;
	struct rjwt_time now;

	RJWT_TRY(make_keys(k, plan, &claimed));
	for (int i = 0;; i++) {
		RJWT_TRY(prepare(k, plan, &claimed));
		clock_now(k->env.clock, &now);
		/* A token minted between the stamp and the commit must not appear to be issued after the retirement. */
		if (plan->retire == 0 || now.wall_s - plan->stamp.retired_s <= keyset_slack_s(k->env.policy))
			break;
		if (i == STAMP_TRIES)
			return diag_fail(k->env.diag, RJWT_BUSY, k->commit.keys->path,
			    "writing the key files takes longer than the leeway");
	}
	RJWT_TRY(commit_publish(&k->commit));
	events_add_plan(k->env.events, plan, k->keyset, k->env.policy->alg->label);
	RJWT_TRY(store_load(k->store, k->env.diag));
	return check_directory(k);
}

/* Not before the commit: until then this may be the active key. */
static enum rjwt_err
drop_unreadable(struct change_ctx *k)
{
	char name[STORE_NAME_SIZE];

	if (k->unreadable == 0)
		return RJWT_OK;
	store_name(name, k->unreadable, "jwk");
	RJWT_TRY(file_remove(k->commit.keys, name, k->env.diag));
	return dir_sync(k->commit.keys, k->env.diag);
}

/* User marks are written after the commit: by then the retired key signs no more tokens for these users. */
static enum rjwt_err
mark_users(struct change_ctx *k, int64_t version)
{
	for (const char *const *user = k->request->users; user != NULL && *user != NULL; user++)
		RJWT_TRY(mark_revoke_user(k->state, *user, version, &k->marked, k->env.diag));
	return RJWT_OK;
}

/*
 * The number of marks that keyset.json vouches for: whoever removes marks that are still needed is noticed by it. It is
 * never more than there are: what is removed after this commit is taken off before, what is added is counted after.
 * If they were removed, it stays, until all earlier tokens are revoked.
 */
static int64_t
count_marks(const struct change_ctx *k, const struct plan *plan)
{
	int64_t n = k->keyset->revoked, old = k->keyset->floor, floor = plan->after.floor, gone = 0;

	if (n < 0 || plan->why == WHY_REVOKE_ALL || plan->why == WHY_COMPROMISED)
		return marks_count(k->state, floor, INT64_MAX, &n, NULL) == RJWT_OK ? n : -1;
	if (floor > old && marks_count(k->state, old, floor, &gone, NULL) != RJWT_OK)
		gone = 0;
	n += k->marked - gone;
	return n > 0 ? n : 0;
}

/* The marks of users come after the commit, and their number after them. */
static enum rjwt_err
vouch_for_users(struct change_ctx *k)
{
	struct keyset counted = *k->keyset;

	if (k->request->users == NULL || k->marked == 0 || counted.revoked < 0)
		return RJWT_OK;
	counted.revoked += k->marked;
	RJWT_TRY(commit_stage(&k->commit, k->keyset, &counted));
	RJWT_TRY(commit_publish(&k->commit));
	RJWT_TRY(store_load(k->store, k->env.diag));
	return check_directory(k);
}

/* What is done after the commit. */
static enum rjwt_err
clean_up(struct change_ctx *k, const struct rjwt_time *now, bool rose)
{
	bool removed = false;

	RJWT_TRY(codes_end(k->store, &k->env, k->request->why, &k->codes));
	RJWT_TRY(recover(&k->commit, k->store, false, &removed));
	prune(k, rose);
	prune_records(k, now->wall_s);
	return RJWT_OK;
}

static enum rjwt_err
commit(struct change_ctx *k, struct plan *plan, const struct rjwt_time *now)
{
	bool revokes = plan->why >= WHY_REVOKE_KEY, rose = plan->after.floor > k->keyset->floor;
	struct rjwt_diag *outer = k->env.diag, why = { 0 };
	enum rjwt_err err;

	if (k->request->jti != NULL)
		RJWT_TRY(mark_revoke_jti(k->state, k->request->jti, k->keyset->next.version, &k->marked, k->env.diag));
	plan->after.revoked = count_marks(k, plan);
	if (plan->any || plan->counts)
		RJWT_TRY(execute(k, plan));
	RJWT_TRY(drop_unreadable(k));
	RJWT_TRY(mark_users(k, plan->retire));
	RJWT_TRY(vouch_for_users(k));
	k->env.diag = &why;
	err = clean_up(k, now, rose);
	k->env.diag = outer;
	if (err == RJWT_OK)
		return RJWT_OK;
	if (why.text[0] == '\0')
		(void)diag_fail(&why, err, why.path, "%s", rjwt_strerror(err));
	if (revokes)
		return diag_fail(outer, err, why.path,
		    "%.300s. The revocation is recorded but incomplete; run it again", why.text);
	text_append(k->warning, sizeof(k->warning), "; ", "clean-up failed: %.80s%s%.120s", why.path,
	    why.path[0] == '\0' ? "" : ": ", why.text);
	return RJWT_OK;
}

/*
 * The active and the next key must be intact, unless they are being removed. The next key must be able to sign
 * before it is promoted: otherwise nobody could mint.
 */
static enum rjwt_err
check_keys(struct change_ctx *k, const struct plan *plan)
{
	const int64_t versions[] = { k->keyset->active.version, k->keyset->next.version };

	if (plan->why == WHY_COMPROMISED || plan->why == WHY_BUMP)
		return RJWT_OK;
	for (size_t i = 0; i < 2; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

		if (versions[i] != plan->revoke)
			RJWT_TRY(store_read_signing_key(k->store, versions[i], &jwk, k->env.diag));
	}
	if (plan->after.active.version != k->keyset->next.version)
		return RJWT_OK;
	return store_can_sign(k->store, k->keyset->next.version, k->env.diag);
}

/* Put the revoked token or users in front of the text of the plan. */
static void
describe_marks(const struct change_request *request, struct rjwt_change *change)
{
	char text[sizeof(change->text)] = "", names[KEYSET_NAMES_SIZE];

	if (request->jti == NULL && request->users == NULL)
		return;
	if (request->jti != NULL)
		snprintf(text, sizeof(text), "the token %.128s is revoked", request->jti);
	keyset_name_users(request->users, names);
	if (request->users != NULL)
		snprintf(text, sizeof(text), "all earlier tokens of %s are revoked", names);
	text_append(text, sizeof(text), ", ", "%s", change->text);
	memcpy(change->text, text, sizeof(text));
}

/* What is to be done, and what was known when that was decided. */
struct decision {
	struct plan plan;
	struct keyset_seen seen;
	struct rjwt_time now;
};

static enum rjwt_err
decide(struct change_ctx *k, struct decision *d)
{
	*d = (struct decision){ 0 };
	clock_now(k->env.clock, &d->now);
	RJWT_TRY(store_usage(k->store, k->env.policy, &d->now, &d->seen, k->env.diag));
	if (k->codes.lowest != 0 && k->codes.lowest < d->seen.first_alive)
		d->seen.first_alive = k->codes.lowest; /* the marks say whether a code was used */
	return keyset_plan(&(struct plan_facts){ k->keyset, k->env.policy, &d->seen, &d->now }, k->request->why,
	    k->request->version, &d->plan, k->env.diag);
}

/* What was done, or would be, and what comes next. */
static void
tell(struct change_ctx *k, struct decision *d, struct rjwt_change *change)
{
	const char *what;

	*change = d->plan.change;
	describe_marks(k->request, change);
	if (k->removed && !d->plan.any) {
		change->any = true;
		snprintf(change->text, sizeof(change->text), "removed what a crash had left, %.42s still signs",
		    change->kid);
	}
	if (k->codes.renewed + k->codes.removed > 0 && !change->any) {
		change->any = true;
		snprintf(change->text, sizeof(change->text), "renewed %zu code%s, removed %zu, %.42s still signs",
		    k->codes.renewed, k->codes.renewed == 1 ? "" : "s", k->codes.removed, change->kid);
	}
	if (k->warning[0] != '\0')
		text_append(change->warning, sizeof(change->warning), "; ", "%s", k->warning);
	events_add_warning(k->env.events, k->warning);
	change->next_event_s = keyset_wake_s(k->keyset, k->env.policy, &d->seen, &d->now,
	    keyset_next_event(k->keyset, k->env.policy, &d->seen, &d->now, &what));
	if (k->codes.due_s != 0 && (change->next_event_s == 0 || k->codes.due_s < change->next_event_s))
		change->next_event_s = k->codes.due_s;
}

/* Under the lock. */
static enum rjwt_err
carry_out(struct change_ctx *k, struct decision *d)
{
	RJWT_TRY(check_keys(k, &d->plan));
	RJWT_TRY(commit(k, &d->plan, &d->now));
	if (store_usage(k->store, k->env.policy, &d->now, &d->seen, NULL) != RJWT_OK)
		d->seen = (struct keyset_seen){ .first_alive = k->keyset->floor };
	return RJWT_OK;
}

/*
 * Decide under the lock, with the keys at hand that this takes. They are made before: as many as it seems to take, and
 * if it turns out to take more, the lock is given back meanwhile.
 */
static enum rjwt_err
decide_locked(struct change_ctx *k, struct decision *d)
{
	struct rjwt_diag *outer = k->env.diag;

	RJWT_TRY(store_load(k->store, k->env.diag));
	store_drop_signer(k->store);
	k->env.diag = NULL;
	if (decide(k, d) != RJWT_OK)
		d->plan.make = 0; /* what is wrong is reported when the lock is held */
	k->env.diag = outer;
	for (;;) {
		RJWT_TRY(commit_make_keys(&k->fresh, d->plan.make, k->env.policy, k->env.diag));
		RJWT_TRY(begin(k));
		RJWT_TRY(decide(k, d));
		if (d->plan.make <= k->fresh.n)
			return RJWT_OK;
		unlock(k);
	}
}

enum rjwt_err
keyset_change(struct store *store, const struct keyset_env *env, const struct change_request *request, int flags,
    struct rjwt_change *change)
{
	RJWT_CLEAN(change_end)
	struct change_ctx k = { .store = store,
		.keyset = store_keyset(store),
		.state = store_dir(store),
		.env = *env,
		.request = request,
		.private = DIR_NONE,
		.lock = LOCK_NONE };
	struct decision d;

	if ((flags & RJWT_DRY_RUN) != 0) {
		RJWT_TRY(store_load(store, env->diag));
		RJWT_TRY(store_check_writable(store, env->policy, env->diag));
		RJWT_TRY(decide(&k, &d));
		RJWT_TRY(check_keys(&k, &d.plan));
	} else {
		RJWT_TRY(decide_locked(&k, &d));
		RJWT_TRY(carry_out(&k, &d));
	}
	tell(&k, &d, change);
	return RJWT_OK;
}

/* SPDX-License-Identifier: MIT */
#include "keeper.h"

#define STAMP_TRIES 10

/* Whoever changes a keyset, from lock to unlock. */
struct keeper {
	struct store *store;
	const struct rotation_policy *policy;
	struct clock *clock;
	struct dir private;
	struct lock lock;
	struct scribe scribe;
	struct rjwt_diag *diag;
};

static void
keeper_end(struct keeper *k)
{
	lock_release(&k->lock);
	dir_close(&k->private);
}

/* --- finish what a crash left ------------------------------------------------------------------------------ */

struct sweep {
	struct keeper *k;
	bool removed;
};

/* An HMAC secret is what verifies: it stays as long as its key does. */
static bool
still_verifies(struct keeper *k, int64_t version)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

	if (version < k->store->keyset.floor || version > k->store->keyset.next.version)
		return false;
	return store_read_key(k->store, version, &jwk, NULL) == RJWT_OK &&
	    jwk.alg->kind == ALG_HMAC;
}

static enum rjwt_err
sweep_private(void *context, const char *name)
{
	struct sweep *s = context;
	struct keeper *k = s->k;
	int64_t version = commit_version(name);

	if (!commit_is_temporary(name)) {
		if (version == 0 || version == k->store->keyset.active.version ||
		    version == k->store->keyset.next.version || still_verifies(k, version))
			return RJWT_OK;
		RJWT_TRY(k->store->provider->destroy(k->store->provider, version, k->diag));
	}
	s->removed = true;
	return file_remove(&k->private, name, k->diag);
}

static enum rjwt_err
sweep_keys(void *context, const char *name)
{
	struct sweep *s = context;
	struct keeper *k = s->k;
	int64_t version = commit_version(name);

	if (!commit_is_temporary(name) &&
	    (version == 0 || (version >= k->store->keyset.floor &&
				 version <= k->store->keyset.next.version)))
		return RJWT_OK;
	s->removed = true;
	return file_remove(&k->store->keys, name, k->diag);
}

/* Private halves go first: what is left half done then can no longer sign. */
static enum rjwt_err
finish(struct keeper *k)
{
	struct sweep s = { .k = k };

	RJWT_TRY(dir_each(&k->private, sweep_private, &s, k->diag));
	if (s.removed)
		RJWT_TRY(dir_sync(&k->private, k->diag));
	s.removed = false;
	RJWT_TRY(dir_each(&k->store->keys, sweep_keys, &s, k->diag));
	if (s.removed)
		RJWT_TRY(dir_sync(&k->store->keys, k->diag));
	return commit_jwks(&k->scribe, k->store);
}

/* What signs, and what will, must be whole before anything is built on it. */
static enum rjwt_err
check_keys(struct keeper *k)
{
	const int64_t versions[] = { k->store->keyset.active.version,
		k->store->keyset.next.version };

	for (size_t i = 0; i < 2; i++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		enum rjwt_err err = store_read_key(k->store, versions[i], &jwk, k->diag);

		if (err == RJWT_KEY_UNKNOWN)
			return diag_fail(k->diag, RJWT_KEYSET, k->store->keys.path,
			    "%lld.jwk is missing", (long long)versions[i]);
		RJWT_TRY(err);
	}
	return RJWT_OK;
}

static enum rjwt_err
begin(struct keeper *k)
{
	RJWT_TRY(lock_take(&k->lock, &k->store->dir, k->diag));
	RJWT_TRY(dir_open_at(&k->store->dir, "private", &k->private, k->diag));
	k->scribe = (struct scribe){ &k->store->dir, &k->store->keys, &k->private, k->store->provider,
		k->policy, k->clock, k->diag };
	/* Whoever crashed may have renamed without a sync: what we build on must stay. */
	RJWT_TRY(dir_sync(&k->store->dir, k->diag));
	RJWT_TRY(dir_sync(&k->store->keys, k->diag));
	RJWT_TRY(dir_sync(&k->private, k->diag));
	RJWT_TRY(store_load(k->store, k->diag));
	RJWT_TRY(store_writable(k->store, k->policy, k->diag));
	RJWT_TRY(check_keys(k));
	return finish(k);
}

/* --- carry a plan out --------------------------------------------------------------------------------------- */

/* The key that retires; since is when it became active. */
static enum rjwt_err
stamp(struct keeper *k, int64_t version, int64_t since_s, int64_t retired_s, int64_t until_s)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };

	RJWT_TRY(store_read_key(k->store, version, &jwk, k->diag));
	jwk.since_s = since_s < retired_s ? since_s : retired_s; /* the clock may have gone back */
	jwk.retired_s = retired_s;
	jwk.until_s = until_s;
	jwk.revoked_s = 0; /* whole: not what a change that never came to its commit left */
	return commit_key(&k->scribe, version, &jwk);
}

/* The clock went back: a retirement cannot lie in the future. */
static enum rjwt_err
restamp(struct keeper *k, int64_t now_s)
{
	const struct keyset *keyset = &k->store->keyset;

	for (int64_t v = keyset->floor; v < keyset->active.version; v++) {
		RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
		enum rjwt_err err = store_read_key(k->store, v, &jwk, k->diag);

		/* A torn file verifies nothing: it must not stop the others' rotation. */
		if (err == RJWT_KEY_UNKNOWN || err == RJWT_KEYSET ||
		    (err == RJWT_OK && jwk.retired_s <= now_s))
			continue;
		RJWT_TRY(err);
		jwk.since_s = jwk.since_s < now_s ? jwk.since_s : now_s;
		jwk.retired_s = now_s;
		jwk.until_s = now_s + k->policy->previous_key_ttl_s;
		RJWT_TRY(commit_key(&k->scribe, v, &jwk));
	}
	return RJWT_OK;
}

static enum rjwt_err
carry_out(struct keeper *k, struct plan *plan)
{
	struct keyset claimed = k->store->keyset;
	int64_t slow_s = k->policy->leeway_s > 1 ? k->policy->leeway_s : 1;
	struct rjwt_time now;

	if (plan->make > 0) {
		claimed.next_version = plan->after.next_version;
		RJWT_TRY(commit_keyset(&k->scribe, &claimed));
		RJWT_TRY(commit_new_key(&k->scribe, &claimed, plan->after.next.version));
	}
	for (int i = 0;; i++) {
		clock_now(k->clock, &now);
		keyset_plan_at(plan, &k->store->keyset, k->policy, &now);
		if (plan->restamp)
			RJWT_TRY(restamp(k, now.wall_s));
		if (plan->retire == 0)
			break;
		RJWT_TRY(stamp(k, plan->retire, k->store->keyset.active.since_s,
		    plan->stamp.retired_s, plan->stamp.until_s));
		clock_now(k->clock, &now);
		/* A token minted after the stamp, and before the commit, must not look too young. */
		if (now.wall_s - plan->stamp.retired_s <= slow_s)
			break;
		if (i == STAMP_TRIES)
			return diag_fail(k->diag, RJWT_BUSY, k->store->keys.path,
			    "writing a key file takes longer than the leeway");
	}
	plan->after.generation = claimed.generation;
	RJWT_TRY(commit_keyset(&k->scribe, &plan->after));
	RJWT_TRY(store_load(k->store, k->diag));
	return finish(k);
}

static void
tell_next(const struct keeper *k, const struct keyset_seen *seen, const struct rjwt_time *now,
    struct rjwt_change *change)
{
	const char *what;

	change->next_event_s =
	    keyset_next_event(&k->store->keyset, k->policy, seen, now, &what);
}

/* Plan, and unless it is a dry run, do it. The lock is held then. */
static enum rjwt_err
change_now(struct keeper *k, enum keyset_why why, int64_t expected, bool dry_run,
    struct rjwt_change *change)
{
	struct keyset_seen seen;
	struct rjwt_time now;
	struct plan plan;
	unsigned removed = 0;
	int64_t floor = k->store->keyset.floor;

	clock_now(k->clock, &now);
	RJWT_TRY(store_see(k->store, now.wall_s, &seen, k->diag));
	RJWT_TRY(keyset_plan(&k->store->keyset, k->policy, why, expected, &seen, &now, &plan, k->diag));
	if (!dry_run) {
		if (plan.any)
			RJWT_TRY(carry_out(k, &plan));
		if (why == WHY_DUE)
			RJWT_TRY(marks_prune(&k->store->dir,
			    k->store->keyset.floor > floor ? k->store->keyset.floor : 0, now.wall_s,
			    &removed, k->diag));
		RJWT_TRY(store_see(k->store, now.wall_s, &seen, k->diag));
	}
	tell_next(k, &seen, &now, &plan.change);
	*change = plan.change;
	return RJWT_OK;
}

enum rjwt_err
keeper_change(struct store *store, const struct rotation_policy *policy, enum keyset_why why,
    int64_t expected, struct clock *clock, int flags, struct rjwt_change *change,
    struct rjwt_diag *diag)
{
	RJWT_CLEAN(keeper_end) struct keeper k = { .store = store, .policy = policy, .clock = clock,
		.private = DIR_NONE, .lock = LOCK_NONE, .diag = diag };

	if ((flags & RJWT_DRY_RUN) != 0) {
		RJWT_TRY(store_load(store, diag));
		RJWT_TRY(store_writable(store, policy, diag));
		RJWT_TRY(check_keys(&k));
		return change_now(&k, why, expected, true, change);
	}
	RJWT_TRY(begin(&k));
	return change_now(&k, why, expected, false, change);
}

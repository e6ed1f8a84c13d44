/* SPDX-License-Identifier: MIT */
/*
 * change_world.h - a keyset that keyset_change() changes, with a plan by which one of the parts that change.c calls fails.
 */
#ifndef RJWT_TEST_CHANGE_WORLD_H
#define RJWT_TEST_CHANGE_WORLD_H

#include "fixture.h"
#include "jose/alg.h"
#include "base/file_write.h"
#include "keyset/change.h"
#include "keyset/codes.h"
#include "keyset/commit.h"
#include "keyset/inspect.h"
#include "keyset/issued.h"
#include "keyset/lock.h"
#include "keyset/marks_write.h"
#include "keyset/parked_write.h"
#include "keyset/recover.h"

#include "planned.h"

#include <stdio.h>
#include <unistd.h>

static struct {
	struct fixture *f;
	struct store *store;
	struct rotation_policy policy;
	struct clock clock;
	struct rjwt_diag diag;
	struct rjwt_change change;
	int flags;		      /* of lock_take() */
	unsigned taken, given, drops; /* locks and keys */
	bool rose;		      /* floor, as marks_prune() was told */
	bool dropped, dropped_before; /* the signer, under the lock and before it */
	bool looks;		      /* in store_usage() */
	const char *ended;	      /* whom lock_take() ended */
	char synced[3][256];	      /* the first directories that were synced under the lock */
	unsigned nsynced;
} now;

PLANNED(store_load, (struct store * store, struct rjwt_diag *diag), store, diag);
PLANNED(marks_hide, (const struct dir *state, struct rjwt_diag *diag), state, diag);
PLANNED(commit_make_keys,
    (struct fresh_keys * fresh, unsigned n, const struct rotation_policy *policy, struct rjwt_diag *diag), fresh, n,
    policy, diag);
PLANNED(marks_count, (const struct dir *state, int64_t floor, int64_t below, int64_t *n, struct rjwt_diag *diag), state,
    floor, below, n, diag);
PLANNED(issued_prune, (const struct dir *state, int64_t now_s, struct rjwt_diag *diag), state, now_s, diag);
PLANNED(parked_prune, (const struct dir *state, int64_t now_s, struct rjwt_diag *diag), state, now_s, diag);
PLANNED(store_check_writable, (struct store * store, const struct rotation_policy *policy, struct rjwt_diag *diag),
    store, policy, diag);
/* By change.c itself, and not in here. */
WRAP(enum rjwt_err, store_usage,
    (struct store * store, const struct rotation_policy *policy, const struct rjwt_time *time, struct keyset_seen *seen,
	struct rjwt_diag *diag))
{
	enum rjwt_err err;

	if (fault_due(FAULT_ANY, "store_usage"))
		return planned_error(diag);
	now.looks = true;
	err = __real_store_usage(store, policy, time, seen, diag);
	now.looks = false;
	return err;
}

WRAP(enum rjwt_err, store_read_key, (struct store * store, int64_t version, struct jwk *jwk, struct rjwt_diag *diag))
{
	if (!now.looks && fault_due(FAULT_ANY, "store_read_key"))
		return planned_error(diag);
	return __real_store_read_key(store, version, jwk, diag);
}

PLANNED(store_can_sign, (struct store * store, int64_t version, struct rjwt_diag *diag), store, version, diag);
PLANNED(mark_revoke_user,
    (const struct dir *state, const char *user, int64_t version, int64_t *made, struct rjwt_diag *diag), state, user,
    version, made, diag);
PLANNED(mark_revoke_jti,
    (const struct dir *state, const char *jti, int64_t version, int64_t *made, struct rjwt_diag *diag), state, jti,
    version, made, diag);
PLANNED(keyset_clock_check, (const struct rjwt_time *time, struct rjwt_diag *diag), time, diag);

PLANNED_AT(recover, ctx->env->diag, (const struct commit_ctx *ctx, struct store *store, bool first, bool *removed), ctx,
    store, first, removed);
PLANNED_AT(commit_stage, ctx->env->diag,
    (const struct commit_ctx *ctx, const struct keyset *before, struct keyset *keyset), ctx, before, keyset);
PLANNED_AT(commit_publish, ctx->env->diag, (const struct commit_ctx *ctx), ctx);
PLANNED_AT(commit_key, ctx->env->diag, (const struct commit_ctx *ctx, int64_t version, const struct jwk *jwk), ctx,
    version, jwk);
PLANNED_AT(codes_end, env->diag,
    (struct store * store, const struct keyset_env *env, enum keyset_why why, struct codes_found *found), store, env,
    why, found);

/* Under the lock. */
WRAP(enum rjwt_err, dir_open_at, (const struct dir *dir, const char *name, struct dir *sub, struct rjwt_diag *diag))
{
	if (now.taken > now.given && fault_due(FAULT_ANY, "dir_open_at"))
		return planned_error(diag);
	return __real_dir_open_at(dir, name, sub, diag);
}

WRAP(enum rjwt_err, marks_prune, (const struct dir *state, int64_t floor, bool rose, struct rjwt_diag *diag))
{
	now.rose = now.rose || rose;
	return fault_due(FAULT_ANY, "marks_prune") ? planned_error(diag) : __real_marks_prune(state, floor, rose, diag);
}

WRAP(void, store_drop_signer, (struct store * store))
{
	*(now.taken > now.given ? &now.dropped : &now.dropped_before) = true;
	__real_store_drop_signer(store);
}

WRAP(enum rjwt_err, dir_sync, (const struct dir *dir, struct rjwt_diag *diag))
{
	if (now.taken > now.given && now.nsynced < ARRAY_LEN(now.synced))
		snprintf(now.synced[now.nsynced++], sizeof(now.synced[0]), "%s", dir->path);
	return fault_due(FAULT_ANY, "dir_sync") ? planned_error(diag) : __real_dir_sync(dir, diag);
}

WRAP(enum rjwt_err, lock_take, (struct lock * lock, const struct dir *dir, int flags, struct rjwt_diag *diag))
{
	enum rjwt_err err = fault_due(FAULT_ANY, "lock_take") ? diag_fail(diag, RJWT_BUSY, "", "planned")
							      : __real_lock_take(lock, dir, flags, diag);

	now.flags = flags;
	now.taken += err == RJWT_OK;
	if (err == RJWT_OK && now.ended != NULL)
		snprintf(lock->ended, sizeof(lock->ended), "%s", now.ended);
	return err;
}

/* Of a key. */
WRAP(enum rjwt_err, file_remove, (const struct dir *dir, const char *name, struct rjwt_diag *diag))
{
	if (strstr(name, ".jwk") != NULL && fault_due(FAULT_ANY, "file_remove"))
		return planned_error(diag);
	return __real_file_remove(dir, name, diag);
}

WRAP(void, lock_release, (struct lock * lock))
{
	now.given += lock->fd >= 0;
	__real_lock_release(lock);
}

WRAP(void, commit_drop_keys, (struct fresh_keys * fresh))
{
	now.drops++;
	__real_commit_drop_keys(fresh);
}

static inline void
open_store(void)
{
	store_close(now.store);
	now.store = NULL;
	want("store", store_open(now.f->state, NULL, &now.store, NULL), RJWT_OK);
	now.taken = now.given = now.drops = now.nsynced = 0;
}

static inline int
setup(void **state)
{
	planned_begin();
	memset(&now, 0, sizeof(now));
	*state = now.f = fixture_new("");
	now.policy = policy_of_a_day();
	now.policy.alg = alg_by_label(VIEW("ES256"));
	now.clock = (struct clock){ .read = clock_made_up };
	open_store();
	return 0;
}

static inline int
teardown(void **state)
{
	store_close(now.store);
	return fixture_teardown(state);
}

static inline enum rjwt_err
change(const struct change_request *request, int flags)
{
	memset(&now.change, 0, sizeof(now.change));
	now.diag = (struct rjwt_diag){ 0 };
	return keyset_change(now.store, &(struct keyset_env){ &now.policy, &now.clock, &now.diag, NULL }, request,
	    flags, &now.change);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * commit_world.h - a keyset whose files are written and swept by a test itself, step by step, as change.c does with the
 * lock; and each of these steps with every call of ours failing.
 */
#ifndef RJWT_TEST_COMMIT_WORLD_H
#define RJWT_TEST_COMMIT_WORLD_H

#include "fixture.h"
#include "jose/provider_write.h"
#include "keyset/commit.h"
#include "keyset/store.h"

#include "failing.h"

/* What begin() in change.c prepares. */
static struct {
	struct fixture *f;
	struct store *store;
	struct dir private;
	struct rotation_policy policy;
	struct clock clock;
	struct event_list events;
	struct keyset_env env;
	struct commit_ctx ctx;
	unsigned erased, removed; /* events */
} now;

static inline void
note_event(void *context, const struct rjwt_event *event)
{
	(void)context;
	now.erased += event->kind == RJWT_EVENT_ERASED;
	now.removed += event->kind == RJWT_EVENT_REMOVED;
}

static inline void
open_store(void)
{
	store_close(now.store);
	now.store = NULL;
	want("store", store_open(now.f->state, NULL, &now.store, &now.f->diag), RJWT_OK);
	provider_make_writable(store_provider(now.store));
	now.ctx = (struct commit_ctx){ store_dir(now.store), store_keys_dir(now.store), &now.private,
		store_provider(now.store), &now.env };
}

static inline int
begin_with(void **state, const char *yaml, const char *alg)
{
	memset(&now, 0, sizeof(now));
	*state = now.f = fixture_new(yaml);
	now.policy = policy_of_a_day();
	now.policy.alg = alg_by_label(view_of(alg));
	now.clock = (struct clock){ .read = clock_made_up };
	now.events = (struct event_list){ .tell = note_event };
	now.env = (struct keyset_env){ &now.policy, &now.clock, &now.f->diag, &now.events };
	open_store();
	want("private", dir_open_at(store_dir(now.store), "private", &now.private, NULL), RJWT_OK);
	return 0;
}

static inline int
setup(void **state)
{
	return begin_with(state, "", "ES256");
}

static inline int
teardown(void **state)
{
	events_give(&now.events);
	dir_close(&now.private);
	store_close(now.store);
	return fixture_teardown(state);
}

/* A signing key that OpenSSL could not build is as one that is damaged: the export stays as it is. */
static inline bool
builds_key(void)
{
	return strncmp(failing_name, "OSSL_", 5) == 0 || strncmp(failing_name, "EVP_PKEY", 8) == 0;
}

/* Where there is done(): what only looks whether it is to be done is answered by doing it; an event may be lost. */
static inline bool
excused(void)
{
	return builds_key() || strcmp(failing_name, "fstatat") == 0 || strcmp(failing_name, "reallocarray") == 0;
}

/* How many of the calls wait for the disk. */
static inline unsigned
every(const char *name, void (*prepare)(void), enum rjwt_err (*work)(void), bool (*done)(void))
{
	enum rjwt_err err;
	bool failed = true;
	unsigned syncs = 0;

	for (unsigned k = 1; failed; k++) {
		if (prepare != NULL)
			prepare();
		failing_begin(k);
		err = work();
		failed = failing_end();
		events_give(&now.events);
		if (!failed)
			failing_name = "nothing";
		syncs += strcmp(failing_name, "fsync") == 0;
		if (err == RJWT_OK && done != NULL && !done())
			fail_msg("%s: call %u, %s, failed, and it is not done", name, k, failing_name);
		if (err == RJWT_OK && failed && (done == NULL || !excused()))
			fail_msg("%s: call %u, %s, failed, and nobody minded", name, k, failing_name);
	}
	want(name, err, RJWT_OK);
	return syncs;
}

#endif

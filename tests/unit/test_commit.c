/* SPDX-License-Identifier: MIT */
/* The steps of a commit and what is swept after one, each by itself: facts of the files, and each call of ours failing. */
#include "fixture.h"
#include "base/file.h"
#include "jose/provider_write.h"
#include "keyset/commit.h"
#include "keyset/jwks.h"
#include "keyset/recover.h"
#include "keyset/store.h"

#include "failing.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void
note_event(void *context, const struct rjwt_event *event)
{
	(void)context;
	now.erased += event->kind == RJWT_EVENT_ERASED;
	now.removed += event->kind == RJWT_EVENT_REMOVED;
}

static void
open_store(void)
{
	store_close(now.store);
	now.store = NULL;
	want("store", store_open(now.f->state, NULL, &now.store, &now.f->diag), RJWT_OK);
	provider_make_writable(store_provider(now.store));
	now.ctx = (struct commit_ctx){ store_dir(now.store), store_keys_dir(now.store), &now.private,
		store_provider(now.store), &now.env };
}

static int
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

static int
setup(void **state)
{
	return begin_with(state, "", "ES256");
}

static int
setup_hs256(void **state)
{
	return begin_with(state, "alg: HS256\n", "HS256");
}

static int
teardown(void **state)
{
	events_give(&now.events);
	dir_close(&now.private);
	store_close(now.store);
	return fixture_teardown(state);
}

/* --- facts ------------------------------------------------------------------------------------ */

/* A generation more, in the file and in its time, by the clock of the commit. */
static void
test_stage(void **state)
{
	struct keyset before = *store_keyset(now.store), after = before;
	struct stat status;

	(void)state;
	clock_run(7);
	after.revoked = 2;
	want("stage", commit_stage(&now.ctx, &before, &after), RJWT_OK);
	assert_int_equal(after.generation, before.generation + 1);
	assert_int_equal(keyset_get(now.f).revoked, before.revoked); /* not yet */
	want("publish", commit_publish(&now.ctx), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 2);
	assert_int_equal(keyset_get(now.f).generation, after.generation);
	assert_int_equal(fstatat(store_dir(now.store)->fd, "keyset.json", &status, 0), 0);
	assert_int_equal(status.st_mtim.tv_sec, clock_time.wall_s);
	assert_int_equal(status.st_mtim.tv_nsec, after.generation % 1000000000);
	assert_int_equal(file_mode(now.f, "keyset.json"), 0644);
}

static void
test_make_keys(void **state)
{
	struct fresh_keys fresh = { .n = 0 };
	struct rotation_policy weak = now.policy;

	(void)state;
	want("none", commit_make_keys(&fresh, 0, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, 0);
	want("two", commit_make_keys(&fresh, COMMIT_KEYS_MAX, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, COMMIT_KEYS_MAX);
	assert_ptr_not_equal(fresh.keys[0], fresh.keys[1]);
	assert_ptr_equal(key_alg(fresh.keys[0]), now.policy.alg);
	want("there are two", commit_make_keys(&fresh, 1, &now.policy, NULL), RJWT_OK);
	assert_int_equal(fresh.n, COMMIT_KEYS_MAX);
	want("three", commit_make_keys(&fresh, COMMIT_KEYS_MAX + 1, &now.policy, NULL), RJWT_INTERNAL);
	commit_drop_keys(&fresh);
	assert_int_equal(fresh.n, 0);
	weak.alg = alg_by_label(VIEW("RS256"));
	weak.rsa_bits = 8;
	assert_int_not_equal(commit_make_keys(&fresh, 1, &weak, &now.f->diag), RJWT_OK);
	assert_string_equal(now.f->diag.text, "cannot create a RS256 key");
	assert_int_equal(fresh.n, 0);
}

static void
test_new_key(void **state)
{
	RJWT_CLEAN(jwk_clear) struct jwk jwk = { 0 };
	struct fresh_keys fresh = { .n = 0 };

	(void)state;
	want("without a key", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_INTERNAL);
	assert_false(file_there(now.f, "private/3.key"));
	want("make", commit_make_keys(&fresh, 2, &now.policy, NULL), RJWT_OK);
	want("new", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_OK);
	assert_int_equal(fresh.n, 1);
	assert_null(fresh.keys[1]);
	assert_int_equal(file_mode(now.f, "private/3.key"), 0600);
	assert_int_equal(file_mode(now.f, "private/3.minted"), 0600);
	assert_int_equal(file_mode(now.f, "keys/3.jwk"), 0644);
	want("read", store_read_key(now.store, 3, &jwk, NULL), RJWT_OK);
	assert_string_equal(jwk.kid, "B.3");
	assert_int_equal(jwk.published_s, clock_time.wall_s);
	want("the version is taken", commit_new_key(&now.ctx, store_keyset(now.store), 3, &fresh), RJWT_EXISTS);
	assert_int_equal(fresh.n, 0);
	file_put(now.f, "private/4.minted", VIEW(""));
	want("make", commit_make_keys(&fresh, 1, &now.policy, NULL), RJWT_OK);
	want("its count is there", commit_new_key(&now.ctx, store_keyset(now.store), 4, &fresh), RJWT_EXISTS);
	assert_false(file_there(now.f, "keys/4.jwk"));
}

/* What is written is read again before it counts: with its public half, where there is one. */
static const struct jwk *looked_at;
static bool with_public;

static enum rjwt_err
refuse_load(struct provider *provider, int64_t version, const struct jwk *jwk, struct signer **signer,
    struct rjwt_diag *diag)
{
	(void)provider;
	(void)version;
	(void)signer;
	(void)diag;
	looked_at = jwk;
	with_public = jwk->key != NULL;
	return RJWT_KEYSET;
}

static void
test_generate(void **state)
{
	static const char *const labels[] = { "ES256", "HS256" };
	struct provider *p = store_provider(now.store);
	struct provider own = *p;
	struct key *none = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const struct alg *alg = alg_by_label(view_of(labels[i]));
		RJWT_CLEAN(key_clean) struct key *key = NULL;
		const struct key *mine;
		char name[32];

		snprintf(name, sizeof(name), "private/%d.key", (int)(50 + i));
		want("key", key_generate(alg, 0, &key), RJWT_OK);
		mine = key;
		want("given", p->generate(p, 50 + (int64_t)i, alg, 0, &key, NULL), RJWT_OK);
		assert_ptr_equal(key, mine);
		assert_true(file_there(now.f, name));
		looked_at = NULL;
		p->load = refuse_load;
		want("unusable", p->generate(p, 60 + (int64_t)i, alg, 0, &key, NULL), RJWT_KEYSET);
		p->load = own.load;
		assert_non_null(looked_at);
		assert_true(with_public == (i == 0));
		assert_null(key);
		want("none given", p->generate(p, 70 + (int64_t)i, alg, 0, &key, NULL), RJWT_OK);
		assert_ptr_equal(key_alg(key), alg);
		want("destroy", p->destroy(p, 50 + (int64_t)i, NULL), RJWT_OK);
		assert_false(file_there(now.f, name));
		want("destroy again", p->destroy(p, 50 + (int64_t)i, NULL), RJWT_OK);
	}
	assert_int_not_equal(p->generate(p, 80, alg_by_label(VIEW("RS256")), 8, &none, &now.f->diag), RJWT_OK);
	assert_string_equal(now.f->diag.text, "cannot create a RS256 key");
	assert_null(none);
	assert_false(file_there(now.f, "private/80.key"));
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
	p->generate = NULL;
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
	p->destroy = NULL;
	provider_make_writable(p);
	assert_true(p->generate == own.generate && p->destroy == own.destroy);
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(commit_version("12.jwk"), 12);
	assert_int_equal(commit_version("12.key"), 12);
	assert_int_equal(commit_version("12.minted"), 12);
	assert_int_equal(commit_version("12.txt"), 0);
	assert_int_equal(commit_version("README"), 0);
	assert_true(commit_is_temporary(".new.12.jwk"));
	assert_false(commit_is_temporary("12.jwk"));
	assert_false(commit_is_temporary(".new"));
}

/* --- what is swept ---------------------------------------------------------------------------- */

static bool
swept(bool first)
{
	bool removed = false;

	now.erased = now.removed = 0;
	want("recover", recover(&now.ctx, now.store, first, &removed), RJWT_OK);
	events_give(&now.events);
	return removed;
}

/* Each file by itself: whether it goes, what is told of it, and that the caller hears that something went. */
static void
test_sweep(void **state)
{
	static const struct {
		const char *name;
		bool goes;
		unsigned erased, removed;
	} rows[] = { { "private/9.key", true, 1, 0 }, { "private/9.minted", true, 0, 0 },
		{ "private/.new.9.key", true, 0, 0 }, { "private/.new.1.key", true, 0, 0 },
		{ "private/notes", false, 0, 0 }, { "keys/9.jwk", true, 0, 1 }, { "keys/.new.1.jwk", true, 0, 0 },
		{ "keys/notes", false, 0, 0 }, { "keys/9.txt", false, 0, 0 }, { COMMIT_UNFINISHED, true, 0, 0 } };

	(void)state;
	assert_false(swept(false));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool sweeps = rows[i].goes && strchr(rows[i].name, '/') != NULL;

		file_put(now.f, rows[i].name, VIEW("garbage"));
		if (swept(true) != sweeps || file_there(now.f, rows[i].name) == rows[i].goes ||
		    now.erased != rows[i].erased || now.removed != rows[i].removed)
			fail_msg("%s: %s, %u erased, %u removed", rows[i].name,
			    file_there(now.f, rows[i].name) ? "is there" : "is gone", now.erased, now.removed);
	}
	for (int64_t version = 1; version <= 2; version++) {
		char name[32];

		snprintf(name, sizeof(name), "private/%d.key", (int)version);
		assert_true(file_there(now.f, name));
		snprintf(name, sizeof(name), "keys/%d.jwk", (int)version);
		assert_true(file_there(now.f, name));
	}
}

/* What was removed before is still told; a file that cannot be removed is an error. */
static void
test_sweep_tells(void **state)
{
	bool removed = true;
	char path[200];

	(void)state;
	want("nothing", recover(&now.ctx, now.store, true, &removed), RJWT_OK);
	assert_true(removed);
	snprintf(path, sizeof(path), "%s/" COMMIT_UNFINISHED, now.f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	want("a directory", recover(&now.ctx, now.store, true, &removed), RJWT_IO);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/keys/9.jwk", now.f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	want("a directory", recover(&now.ctx, now.store, true, &removed), RJWT_IO);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/private/9.minted", now.f->state);
	assert_int_equal(mkdir(path, 0700), 0);
	want("a directory", recover(&now.ctx, now.store, true, &removed), RJWT_IO);
	assert_int_equal(rmdir(path), 0);
}

/* First: only by its time; last: by its contents. */
static void
test_export(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf good = file_get(now.f, "jwks.json");
	struct timespec times[2];

	(void)state;
	file_put(now.f, "jwks.json", VIEW("{}"));
	times[0] = times[1] = *store_commit_time(now.store);
	assert_int_equal(utimensat(store_dir(now.store)->fd, "jwks.json", times, 0), 0);
	assert_true(jwks_is_current(now.store));
	(void)swept(true);
	assert_true(file_has(now.f, "jwks.json", "{}"));
	(void)swept(false);
	assert_true(file_has(now.f, "jwks.json", good.p));
	file_put(now.f, "jwks.json", VIEW("{}"));
	times[0].tv_sec = times[1].tv_sec = 1;
	assert_int_equal(utimensat(store_dir(now.store)->fd, "jwks.json", times, 0), 0);
	(void)swept(true);
	assert_true(file_has(now.f, "jwks.json", good.p));
}

/* A private half of a key that only verifies: of a pair it goes, a secret stays until the key is revoked. */
static void
retire_first(int64_t revoked_s)
{
	(void)rotate(now.f);
	key_stamp(now.f, 1, T0, T0 + 7200, revoked_s);
	open_store();
}

static void
test_pair(void **state)
{
	(void)state;
	retire_first(0);
	file_put(now.f, "private/1.key", VIEW("-----BEGIN PRIVATE KEY-----"));
	assert_true(swept(true));
	assert_false(file_there(now.f, "private/1.key"));
}

static void
test_secret(void **state)
{
	(void)state;
	retire_first(0);
	assert_false(swept(true));
	assert_true(file_there(now.f, "private/1.key"));
	retire_first(T0);
	assert_true(swept(true));
	assert_false(file_there(now.f, "private/1.key"));
}

/* While it is unknown what it is, what could be a secret stays. */
static void
test_unknown(void **state)
{
	static const struct {
		const char *text;
		bool stays;
	} rows[] = { { "-----BEGIN PRIVATE KEY-----\n", false }, { "-----BEGIN ", false }, { "-----BEGIN", true },
		{ "c2VjcmV0IHNlY3JldCBzZWNyZXQ", true }, { "", true } };
	char path[200];

	(void)state;
	retire_first(0);
	file_put(now.f, "keys/1.jwk", VIEW("damaged"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		file_put(now.f, "private/1.key", view_of(rows[i].text));
		if (swept(true) == rows[i].stays || file_there(now.f, "private/1.key") != rows[i].stays)
			fail_msg("\"%s\"", rows[i].text);
	}
	snprintf(path, sizeof(path), "%s/private/1.key", now.f->state);
	assert_int_equal(chmod(path, 0666), 0);
	assert_false(swept(true)); /* others could have written it: what it is cannot be said */
	assert_true(file_there(now.f, "private/1.key"));
	file_gone(now.f, "private/1.key");
	file_gone(now.f, "keys/1.jwk");
	file_put(now.f, "private/1.key", VIEW("c2VjcmV0IHNlY3JldCBzZWNyZXQ"));
	assert_true(swept(true)); /* without its public file it verifies nothing */
	assert_false(file_there(now.f, "private/1.key"));
}

/* --- every call ------------------------------------------------------------------------------- */

static int64_t version = 10; /* of the key that is made next */

static enum rjwt_err
do_stage(void)
{
	struct keyset before = *store_keyset(now.store), after = before;

	return commit_stage(&now.ctx, &before, &after);
}

static enum rjwt_err
do_new_key(void)
{
	struct fresh_keys fresh = { .n = 0 };
	enum rjwt_err err = commit_make_keys(&fresh, 1, &now.policy, NULL);

	version++;
	if (err == RJWT_OK)
		err = commit_new_key(&now.ctx, store_keyset(now.store), version, &fresh);
	commit_drop_keys(&fresh);
	return err;
}

static enum rjwt_err
do_destroy(void)
{
	return store_provider(now.store)->destroy(store_provider(now.store), 77, NULL);
}

/* One file for each of the steps, put there while nothing fails. */
static void
put_garbage(void)
{
	file_put(now.f, "private/9.key", VIEW("garbage"));
	file_put(now.f, "keys/9.jwk", VIEW("garbage"));
	file_put(now.f, COMMIT_UNFINISHED, VIEW(""));
	file_put(now.f, "jwks.json", VIEW("{}"));
}

static enum rjwt_err
do_recover(void)
{
	bool removed = false;

	return recover(&now.ctx, now.store, true, &removed);
}

/* A signing key that OpenSSL could not build is as one that is damaged: the export stays as it is. */
static bool
builds_key(void)
{
	return strncmp(failing_name, "OSSL_", 5) == 0 || strncmp(failing_name, "EVP_PKEY", 8) == 0;
}

/* The private half of a retired pair, whose public file is damaged. */
static void
put_retired(void)
{
	file_put(now.f, "keys/1.jwk", VIEW("damaged"));
	file_put(now.f, "private/1.key", VIEW("-----BEGIN PRIVATE KEY-----"));
}

static bool
is_erased(void)
{
	return !file_there(now.f, "private/1.key");
}

static bool
is_clean(void)
{
	return !file_there(now.f, "private/9.key") && !file_there(now.f, "keys/9.jwk") &&
	       !file_there(now.f, COMMIT_UNFINISHED) && (builds_key() || !file_has(now.f, "jwks.json", "{}"));
}

/* Where there is done(): what only looks whether it is to be done is answered by doing it; an event may be lost. */
static bool
excused(void)
{
	return builds_key() || strcmp(failing_name, "fstatat") == 0 || strcmp(failing_name, "reallocarray") == 0;
}

/* How many of the calls wait for the disk. */
static unsigned
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

/* A key that could not be written down leaves no file. */
static void
test_failing_format(void **state)
{
	char name[64];
	bool failed = true, seen = false;

	(void)state;
	for (unsigned k = 1; failed; k++) {
		failing_begin(k);
		(void)do_new_key();
		failed = failing_end();
		if (!failed || strcmp(failing_name, "PEM_write_bio_PKCS8PrivateKey") != 0)
			continue;
		seen = true;
		snprintf(name, sizeof(name), "private/%d.key", (int)version);
		assert_false(file_there(now.f, name));
	}
	assert_true(seen);
}

static void
test_failing(void **state)
{
	(void)state;
	assert_int_equal(every("stage", NULL, do_stage, NULL), 1);
	assert_int_equal(every("new key", NULL, do_new_key, NULL), 6); /* three files, each in its directory */
	assert_int_equal(every("destroy", NULL, do_destroy, NULL), 0);
	assert_int_equal(every("nothing to recover", NULL, do_recover, is_clean), 0);
	assert_int_equal(every("recover", put_garbage, do_recover, is_clean), 5); /* private, keys, state, jwks.json */
	retire_first(0);
	assert_int_equal(every("erase", put_retired, do_recover, is_erased), 1);
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_stage), C(test_make_keys), C(test_new_key), C(test_generate),
		C(test_names), C(test_sweep), C(test_sweep_tells), C(test_export), C(test_pair),
		cmocka_unit_test_setup_teardown(test_secret, setup_hs256, teardown), C(test_unknown), C(test_failing),
		C(test_failing_format) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

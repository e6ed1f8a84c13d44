/* SPDX-License-Identifier: MIT */
/* What is swept before and after a change: which files go and which stay, what is told, and each call of ours failing. */
#include "commit_world.h"
#include "keyset/jwks.h"
#include "keyset/recover.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
setup_hs256(void **state)
{
	return begin_with(state, "alg: HS256\n", "HS256");
}

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

static void
test_failing(void **state)
{
	(void)state;
	assert_int_equal(every("nothing to recover", NULL, do_recover, is_clean), 0);
	assert_int_equal(every("recover", put_garbage, do_recover, is_clean), 5); /* private, keys, state, jwks.json */
	retire_first(0);
	assert_int_equal(every("erase", put_retired, do_recover, is_erased), 1);
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_sweep), C(test_sweep_tells), C(test_export), C(test_pair),
		cmocka_unit_test_setup_teardown(test_secret, setup_hs256, teardown), C(test_unknown), C(test_failing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

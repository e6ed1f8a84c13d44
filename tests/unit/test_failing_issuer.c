/* SPDX-License-Identifier: MIT */
/*
 * An issuer whose next key was published less than two minutes ago, with each call of ours failing: whatever fails, it is
 * not promoted. A minute later, when other hosts can know it, it is.
 */
#include "fixture.h"
#include "base/file.h"

#include "failing.h"

#include <stdio.h>

/* The so-manieth look at whether this host is an issuer fails; 0: none. */
static unsigned unknown;

enum rjwt_err __real_own_look(const struct dir *state, bool *issues, struct rjwt_diag *diag);
enum rjwt_err __wrap_own_look(const struct dir *state, bool *issues, struct rjwt_diag *diag);
enum rjwt_err
__wrap_own_look(const struct dir *state, bool *issues, struct rjwt_diag *diag)
{
	*issues = false;
	return unknown > 0 && --unknown == 0 ? diag_fail(diag, RJWT_IO, "", "planned")
					     : __real_own_look(state, issues, diag);
}

static int
setup(void **state)
{
	struct fixture *f = fixture_new("rotate_every: 1h\n");

	(void)fixture_issuer(f);
	clock_run(KEYSET_OUT_S);
	want("reopen", fixture_reopen(f), RJWT_OK);
	(void)rotate(f);
	want("reopen", fixture_reopen(f), RJWT_OK);
	*state = f;
	return 0;
}

/* Every k: no success where the next key would have to sign, and the same key signs as before. */
static void
every(struct fixture *f, const char *name, enum rjwt_err (*work)(struct fixture *f), enum rjwt_err expected)
{
	int64_t version = keyset_get(f).active.version;
	enum rjwt_err err;
	unsigned k = 1;
	bool failed;

	for (;; k++) {
		failing_begin(k);
		err = work(f);
		failed = failing_end();
		if (keyset_get(f).active.version != version)
			fail_msg("%s, and call %u, %s, failed: the next key signs", name, k, failing_name);
		if (!failed)
			break;
		if (expected != RJWT_OK && err == RJWT_OK)
			fail_msg("%s, and call %u, %s, failed: success", name, k, failing_name);
	}
	want(name, err, expected);
	assert_true(k > 30); /* what is done makes many */
	clock_run(KEYSET_OUT_S);
	want(name, work(f), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, version + 1);
}

static enum rjwt_err
do_rotate(struct fixture *f)
{
	struct rjwt_change change;

	return rjwt_rotate(f->h, 0, &change, &f->diag);
}

static void
test_rotate(void **state)
{
	every(*state, "rotate", do_rotate, RJWT_BUSY);
}

static enum rjwt_err
do_all(struct fixture *f)
{
	struct rjwt_change change;

	return rjwt_revoke(f->h, &(struct rjwt_revocation){ .all = true }, 0, &change, &f->diag);
}

static void
test_all(void **state)
{
	every(*state, "revoke --all", do_all, RJWT_BUSY);
}

/* Due long ago: by the clock of the keyset, not of the record. */
static void
due(struct fixture *f)
{
	struct keyset keyset = keyset_get(f);

	keyset.active.since_s -= 2 * 3600;
	keyset_put(f, &keyset);
}

static enum rjwt_err
do_maintain(struct fixture *f)
{
	struct rjwt_change change;

	return rjwt_maintain(f->h, 0, &change, &f->diag);
}

static void
test_maintain(void **state)
{
	due(*state);
	every(*state, "maintain", do_maintain, RJWT_OK);
}

static enum rjwt_err
do_mint(struct fixture *f)
{
	struct rjwt_token token;
	enum rjwt_err err =
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .reusable = true }, &token, &f->diag);

	rjwt_token_clear(&token);
	return err;
}

static void
test_mint(void **state)
{
	due(*state);
	every(*state, "mint", do_mint, RJWT_OK);
}

static enum rjwt_err
do_batch(struct fixture *f)
{
	const struct rjwt_request requests[2] = { { .user = "alice", .reusable = true },
		{ .user = "bob", .reusable = true } };
	struct rjwt_minted minted[2];
	enum rjwt_err err = rjwt_mint_batch(f->h, requests, 2, minted);

	for (size_t i = 0; i < 2; i++) {
		if (err == RJWT_OK)
			want("one of the batch", minted[i].err, RJWT_OK);
		rjwt_token_clear(&minted[i].token);
	}
	return err;
}

static void
test_batch(void **state)
{
	due(*state);
	every(*state, "a batch", do_batch, RJWT_OK);
}

/* --- what is damaged ---------------------------------------------------------------------------- */

/* Then it counts as followed; what need not wait, does not. */
static void
refused(struct fixture *f, const char *label)
{
	struct rjwt_change change;

	want("reopen", fixture_reopen(f), RJWT_OK);
	want(label, do_rotate(f), RJWT_BUSY);
	want(label, do_mint(f), RJWT_OK);
	want(label, rjwt_rotate(f->h, RJWT_DRY_RUN | RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
}

static void
test_damaged_roster(void **state)
{
	struct fixture *f = *state;

	file_put(f, "fleet.json", VIEW("{}"));
	refused(f, "fleet.json");
	clock_run(KEYSET_OUT_S);
	want("published two minutes ago", do_rotate(f), RJWT_OK);
}

static void
test_damaged_record(void **state)
{
	struct fixture *f = *state;
	struct buf text = file_get(f, "private/published.json");

	file_put(f, "private/published.json", VIEW("{}"));
	clock_run(KEYSET_OUT_S);
	refused(f, "published.json");
	file_put(f, "private/published.json", buf_view(&text));
	buf_clear(&text);
	want("published two minutes ago", do_rotate(f), RJWT_OK);
}

/* --- who is not followed ------------------------------------------------------------------------ */

/* Where the roster does not list this keyset, nobody waits for its keys. */
static void
test_unlisted(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	want("listed", do_rotate(f), RJWT_BUSY);
	rjwt_close(f->h);
	f->h = NULL;
	want("another base", fixture_try(f, "base_kid: C\nrotate_every: 1h\n", &f->h), RJWT_OK);
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_OK);
	want("reopen", fixture_reopen(f), RJWT_OK);
	assert_true(file_there(f, "private/bundle.key"));
	want("unlisted", do_rotate(f), RJWT_OK);
	want("unlisted", do_rotate(f), RJWT_OK);
}

static void
test_no_fleet(void **state)
{
	struct fixture *f = *state;

	want("a fleet", do_rotate(f), RJWT_BUSY);
	file_gone(f, "fleet.json");
	want("none", do_rotate(f), RJWT_OK);
}

/* --- where nobody can say whether it is an issuer ------------------------------------------------ */

static enum rjwt_err
do_compromised(struct fixture *f, struct rjwt_change *change)
{
	return rjwt_rotate(f->h, RJWT_COMPROMISED, change, &f->diag);
}

static enum rjwt_err
do_adopt(struct fixture *f, struct rjwt_change *change)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt *h = NULL;

	if (fixture_try(f, "base_kid: C\n", &h) == RJWT_OK)
		rjwt_close(h);
	return rjwt_init(&options, RJWT_ADOPT, change, &f->diag);
}

static enum rjwt_err
do_revoke(struct fixture *f, struct rjwt_change *change)
{
	static const char *const alice[] = { "alice", NULL };

	return rjwt_revoke(f->h, &(struct rjwt_revocation){ .users = alice }, 0, change, &f->diag);
}

static enum rjwt_err
do_tick(struct fixture *f, struct rjwt_change *change)
{
	return rjwt_maintain(f->h, 0, change, &f->diag);
}

static enum rjwt_err
do_publish(struct fixture *f, struct rjwt_change *change)
{
	struct rjwt_fleet fleet;

	memset(change, 0, sizeof(*change));
	return rjwt_publish(f->h, &fleet, &f->diag);
}

/* Then it is no success, or a warning says that others do not know: a host that was one is not taken for one that is none. */
static void
test_unknown(void **state)
{
	static const struct {
		const char *name;
		enum rjwt_err (*work)(struct fixture *f, struct rjwt_change *change);
		unsigned least; /* looks */
	} rows[] = { { "rotate --compromised", do_compromised, 2 }, { "adopt", do_adopt, 1 },
		{ "revoke --sub", do_revoke, 1 }, { "maintain", do_tick, 2 }, { "publish", do_publish, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned turn = 0;
		bool made = true;

		while (made) {
			struct fixture *f;
			struct rjwt_change change = { 0 };
			RJWT_CLEAN(buf_clear) struct buf before = { 0 };
			RJWT_CLEAN(buf_clear) struct buf after = { 0 };
			enum rjwt_err err;

			(void)fixture_teardown(state);
			(void)setup(state);
			f = *state;
			clock_run(KEYSET_OUT_S + 700); /* publishing is due */
			before = file_get(f, "private/published.json");
			unknown = ++turn;
			err = rows[i].work(f, &change);
			made = unknown == 0;
			unknown = 0;
			after = file_get(f, "private/published.json");
			if (rows[i].work == do_tick && strcmp(before.p, after.p) != 0)
				continue; /* it was due, and was done */
			if (!made)
				want(rows[i].name, err, RJWT_OK);
			else if (err == RJWT_OK &&
				 strstr(change.warning, "not published, so other hosts do not know of it") == NULL)
				fail_msg("%s, look %u: success, \"%s\"", rows[i].name, turn, change.warning);
			else if (err != RJWT_OK)
				want(rows[i].name, err, RJWT_IO);
		}
		if (turn <= rows[i].least)
			fail_msg("%s: %u looks", rows[i].name, turn - 1);
	}
}

#define F(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { F(test_rotate), F(test_all), F(test_maintain), F(test_mint), F(test_batch),
		F(test_damaged_roster), F(test_damaged_record), F(test_unlisted), F(test_no_fleet), F(test_unknown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

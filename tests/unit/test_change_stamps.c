/* SPDX-License-Identifier: MIT */
/* What a change writes into key files, and what of these it cannot read or write. */
#include "change_world.h"

static const struct change_request by_hand = { .why = WHY_MANUAL, .version = 1 }, due = { .why = WHY_DUE };

static void
rotate_to(int64_t version)
{
	want("rotate", change(&(struct change_request){ .why = WHY_MANUAL, .version = version - 1 }, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).active.version, version);
}

static enum rjwt_err
revoke_key(int64_t version)
{
	return change(&(struct change_request){ .why = WHY_REVOKE_KEY, .version = version }, 0);
}

/* The active key was promoted by a clock that was ahead: it cannot have retired before. */
static void
test_since(void **state)
{
	(void)state;
	clock_step(100);
	rotate_to(2);
	clock_step(-100);
	rotate_to(3);
	assert_int_equal(key_member(now.f, 2, "retired"), T0);
	assert_int_equal(key_member(now.f, 2, "nbf"), T0);
	assert_int_equal(key_member(now.f, 1, "retired"), T0); /* it was ahead, too */
	assert_int_equal(key_member(now.f, 1, "nbf"), T0);
	clock_run(100);
	rotate_to(4);
	assert_int_equal(key_member(now.f, 3, "retired"), T0 + 100);
	assert_int_equal(key_member(now.f, 3, "nbf"), T0);
}

/* Where the clock went back: what retired later is stamped anew, and nothing else. */
static void
test_restamp(void **state)
{
	RJWT_CLEAN(buf_clear) struct buf before = { 0 };
	RJWT_CLEAN(buf_clear) struct buf after = { 0 };

	(void)state;
	clock_run(10);
	rotate_to(2); /* 1 retires at T0 + 10 */
	clock_step(50);
	rotate_to(3); /* 2 retires at T0 + 60 */
	key_stamp(now.f, 1, T0 + 10, T0 + 5000, 0);
	key_stamp(now.f, 3, T0 + 70, T0 + 80, 0); /* left by a change that was not committed */
	before = file_get(now.f, "keys/3.jwk");
	open_store();
	clock_step(-50);
	want("maintain", change(&due, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).active.since_s, T0 + 10);
	assert_int_equal(key_member(now.f, 1, "retired"), T0 + 10);
	assert_int_equal(key_member(now.f, 1, "exp"), T0 + 5000); /* it retired just now, and is as it was */
	assert_int_equal(key_member(now.f, 2, "retired"), T0 + 10);
	assert_int_equal(key_member(now.f, 2, "nbf"), T0 + 10);
	assert_int_equal(key_member(now.f, 2, "exp"), T0 + 10 + now.policy.previous_key_ttl_s);
	after = file_get(now.f, "keys/3.jwk");
	assert_string_equal(before.p, after.p);
}

/* When it was promoted does not change by that. */
static void
test_restamp_since(void **state)
{
	(void)state;
	clock_run(10);
	rotate_to(2);
	clock_step(50);
	rotate_to(3);
	clock_step(-30);
	want("maintain", change(&due, 0), RJWT_OK);
	assert_int_equal(key_member(now.f, 2, "retired"), T0 + 30);
	assert_int_equal(key_member(now.f, 2, "nbf"), T0 + 10);
}

/* A retired key that is damaged or gone verifies nothing, and stops no other; one that cannot be read does. */
static void
test_restamp_damaged(void **state)
{
	static const struct {
		const char *text; /* NULL: gone */
		enum rjwt_err fails, wanted;
	} rows[] = { { "damaged", RJWT_OK, RJWT_OK }, { NULL, RJWT_OK, RJWT_OK }, { "", RJWT_IO, RJWT_IO } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		(void)teardown(state);
		(void)setup(state);
		clock_step(50);
		rotate_to(2);
		rotate_to(3);
		clock_step(-50);
		if (rows[i].fails != RJWT_OK) {
			planned.err = rows[i].fails;
			fails("store_read_key", 1, EIO);
		} else if (rows[i].text == NULL)
			file_gone(now.f, "keys/1.jwk");
		else
			file_put(now.f, "keys/1.jwk", view_of(rows[i].text));
		err = change(&due, 0);
		if (rows[i].fails != RJWT_OK)
			assert_true(failed());
		want("maintain", err, rows[i].wanted);
		assert_int_equal(key_member(now.f, 2, "retired"), rows[i].wanted == RJWT_OK ? T0 : T0 + 50);
		assert_int_equal(key_member(now.f, 2, "nbf"), rows[i].wanted == RJWT_OK ? T0 : T0 + 50);
	}
}

/* What is to be stamped and cannot be written, or read, stops the change; the keys stay as they are. */
static void
test_failing(void **state)
{
	static const struct {
		const char *call;
		unsigned turn;
		bool back; /* the clock went back: both retired keys are stamped anew, before the one that retires */
		int64_t revoke;
	} rows[] = { { "commit_key", 1, false, 0 }, { "store_read_key", 1, false, 0 }, { "commit_key", 1, true, 0 },
		{ "commit_key", 2, true, 0 }, { "commit_key", 3, true, 0 }, { "store_read_key", 3, true, 0 },
		{ "commit_key", 1, false, 1 }, { "store_read_key", 1, false, 1 }, { "store_read_key", 1, false, 4 },
		{ "commit_key", 1, false, 4 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[64];
		enum rjwt_err err;

		(void)teardown(state);
		(void)setup(state);
		clock_step(rows[i].back ? 50 : 0);
		rotate_to(2);
		rotate_to(3);
		clock_step(rows[i].back ? -50 : 0);
		planned.err = RJWT_IO;
		snprintf(label, sizeof(label), "row %zu: %s %u", i, rows[i].call, rows[i].turn);
		fails(rows[i].call, rows[i].turn, EIO);
		err = rows[i].revoke != 0 ? revoke_key(rows[i].revoke)
					  : change(&(struct change_request){ .why = WHY_MANUAL, .version = 3 }, 0);
		if (!failed())
			fail_msg("%s did not fail", label);
		want(label, err, RJWT_IO);
		assert_int_equal(keyset_get(now.f).active.version, 3);
		assert_int_equal(key_member(now.f, 1, "revoked"), -1);
	}
}

/* --- a key that is revoked -------------------------------------------------------------------- */

/* A damaged file must not become readable again: it goes, after the commit. */
static void
test_unreadable(void **state)
{
	enum rjwt_err err;

	(void)state;
	rotate_to(2);
	file_put(now.f, "keys/1.jwk", VIEW("damaged"));
	fails("file_remove", 1, EIO);
	planned.err = RJWT_IO;
	err = revoke_key(1);
	assert_true(failed());
	want("it stays", err, RJWT_IO);
	assert_true(file_there(now.f, "keys/1.jwk"));
	want("it goes", revoke_key(1), RJWT_OK);
	assert_false(file_there(now.f, "keys/1.jwk"));
	assert_int_equal(keyset_get(now.f).active.version, 2);
}

/* The active key's file became unreadable while it is to retire: it is not taken for one that is revoked. */
static void
test_unreadable_retires(void **state)
{
	enum rjwt_err err;

	(void)state;
	fails("store_read_key", 1, 0);
	err = change(&by_hand, 0);
	assert_true(failed());
	want("rotate", err, RJWT_KEYSET);
	assert_true(file_there(now.f, "keys/1.jwk"));
	assert_int_equal(keyset_get(now.f).active.version, 1);
}

/* Stamps that a change left which was never committed do not survive. */
static void
test_next_is_revoked(void **state)
{
	(void)state;
	key_stamp(now.f, 2, T0 + 5, T0 + 6, 0);
	open_store();
	want("next", revoke_key(2), RJWT_OK);
	assert_int_equal(key_member(now.f, 2, "retired"), -1);
	assert_int_equal(key_member(now.f, 2, "exp"), -1);
	assert_int_equal(key_member(now.f, 2, "revoked"), T0);
}

/* --- how many marks there are ----------------------------------------------------------------- */

static const char *const alice[] = { "alice", NULL };

static enum rjwt_err
revoke_alice(void)
{
	return change(&(struct change_request){ .why = WHY_REVOKE_USER, .users = alice }, 0);
}

/* A mark that nobody counted. */
static void
mark(const char *jti, int64_t version)
{
	int64_t made = 0;

	want("mark", mark_revoke_jti(store_dir(now.store), jti, version, &made, NULL), RJWT_OK);
	assert_int_equal(made, 1);
}

static void
vouch_for(int64_t n)
{
	struct keyset keyset = keyset_get(now.f);

	keyset.revoked = n;
	keyset_put(now.f, &keyset);
	open_store();
}

/* It is never more than was vouched for and made, nor below 0; what is not known is counted. */
static void
test_marks_counted(void **state)
{
	static const struct change_request all = { .why = WHY_REVOKE_ALL }, compromised = { .why = WHY_COMPROMISED };

	(void)state;
	mark("a1", 2);
	rotate_to(2);
	assert_int_equal(keyset_get(now.f).revoked, 0); /* nobody vouched for it */
	assert_false(now.rose);
	want("all", change(&all, 0), RJWT_OK); /* signed by 1, 2: its mark goes with them */
	assert_int_equal(keyset_get(now.f).revoked, 0);
	assert_true(now.rose);
	mark("a2", 3);
	vouch_for(-1);
	want("unknown", change(&(struct change_request){ .why = WHY_MANUAL, .version = 3 }, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 1);
	vouch_for(5); /* four were removed */
	want("vouched for", change(&(struct change_request){ .why = WHY_MANUAL, .version = 4 }, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 5);
	want("compromised", change(&compromised, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 0);
}

/* Less than 0 would say that the number is not known. */
static void
test_marks_not_below_zero(void **state)
{
	(void)state;
	rotate_to(2);
	mark("a1", 1);
	clock_run(now.policy.previous_key_ttl_s + 60); /* 1 is forgotten */
	rotate_to(3);
	want("maintain", change(&due, 0), RJWT_OK);
	assert_true(keyset_get(now.f).floor > 1);
	assert_int_equal(keyset_get(now.f).revoked, 0);
}

/* The marks of users are counted by a commit of their own, where there are new ones and the number is known. */
static void
test_marks_of_users(void **state)
{
	int64_t generation = keyset_get(now.f).generation;

	(void)state;
	want("new", revoke_alice(), RJWT_OK);
	assert_int_equal(keyset_get(now.f).generation, generation + 3); /* versions, the keys, the mark */
	assert_int_equal(keyset_get(now.f).revoked, 1);
	want("again", revoke_alice(), RJWT_OK);
	assert_int_equal(keyset_get(now.f).generation, generation + 5);
	assert_int_equal(keyset_get(now.f).revoked, 1);
}

static void
test_marks_unknown(void **state)
{
	enum rjwt_err err;

	(void)state;
	vouch_for(-1);
	fails("marks_count", 1, 0);
	err = revoke_alice();
	assert_true(failed());
	want("users", err, RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, -1);
	want("counted", change(&by_hand, 0), RJWT_OK);
	want("counted", change(&(struct change_request){ .why = WHY_MANUAL, .version = 2 }, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).revoked, 1);
}

/* --- a commit of nothing but the time --------------------------------------------------------- */

static void
test_time_is_recorded(void **state)
{
	struct keyset before, after;

	(void)state;
	now.policy.rotate_every_s = 0;
	rotate_to(2);
	clock_run(now.policy.previous_key_ttl_s + 31); /* 1 has expired, */
	clock_boot(60);				       /* and waits for a clock that has run long enough */
	want("after a boot", change(&due, 0), RJWT_OK);
	before = keyset_get(now.f);
	want("at once", change(&due, 0), RJWT_OK);
	assert_int_equal(keyset_get(now.f).generation, before.generation);
	clock_run(1800);
	want("half an hour later", change(&due, 0), RJWT_OK);
	after = keyset_get(now.f);
	assert_false(now.change.any);
	assert_int_equal(after.generation, before.generation + 1);
	assert_true(after.active.version == 2 && after.floor == 1 && after.trial.ran_s > before.trial.ran_s);
}

/* --- the keys that sign ----------------------------------------------------------------------- */

/* Both must be whole, but for the one that is revoked. */
static void
test_damaged(void **state)
{
	static const char *const names[] = { "keys/1.jwk", "keys/2.jwk" };

	for (int64_t v = 1; v <= 2; v++) {
		(void)teardown(state);
		(void)setup(state);
		file_put(now.f, names[v - 1], VIEW("damaged"));
		want("maintain", change(&due, 0), RJWT_KEYSET);
		want("dry", change(&due, RJWT_DRY_RUN), RJWT_KEYSET);
		want("rotate", change(&by_hand, 0), RJWT_KEYSET);
		assert_int_equal(keyset_get(now.f).active.version, 1);
		want("the other is revoked", revoke_key(3 - v), RJWT_KEYSET);
		want("it is revoked", revoke_key(v), RJWT_OK);
		assert_false(file_there(now.f, names[v - 1]));
		want("maintain", change(&due, 0), RJWT_OK);
	}
}

/* --- a slow disk ------------------------------------------------------------------------------ */

static int64_t slow_s;

static void
be_slow(void)
{
	clock_run(slow_s);
}

/* Up to the leeway between stamp and commit is fine; after more the stamps are written anew. */
static void
test_slow(void **state)
{
	static const struct {
		int64_t slow_s, retired_s;
	} rows[] = { { 29, T0 }, { 30, T0 }, { 31, T0 + 31 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)teardown(state);
		(void)setup(state);
		slow_s = rows[i].slow_s;
		fails("commit_stage", 2, 0);
		plan.instead = be_slow;
		want("rotate", change(&by_hand, 0), RJWT_OK);
		assert_true(failed());
		assert_int_equal(key_member(now.f, 1, "retired"), rows[i].retired_s);
	}
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_since), C(test_restamp), C(test_restamp_since),
		C(test_restamp_damaged), C(test_failing), C(test_unreadable), C(test_unreadable_retires),
		C(test_next_is_revoked), C(test_marks_counted), C(test_marks_not_below_zero), C(test_marks_of_users),
		C(test_marks_unknown), C(test_time_is_recorded), C(test_damaged), C(test_slow) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Tokens that were good: spent, revoked, of keys that retired or were revoked. */
#include "fixture.h"

#include <stdio.h>

static void
put_mark(struct fixture *f, const char *kind, const char *of, const char *text)
{
	char hex[DIGEST_HEX], name[128];
	struct view part = view_of(of);

	want("name", digest_name(&part, 1, hex), RJWT_OK);
	snprintf(name, sizeof(name), "revoked/%s/%s", kind, hex);
	file_put(f, name, view_of(text));
}

/* --- one-time tokens -------------------------------------------------------------------------- */

static void
test_one_time(void **state)
{
	struct fixture *f = *state;
	const struct edit once[] = { CLAIM("once", "true"), CLAIM("scope", "\"ssh sudo\""), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, once);
	RJWT_CLEAN(free_clean) char *again = token_with(f, once); /* other bytes, same claims */
	RJWT_CLEAN(free_clean) char *reusable = token_with(f, NULL);
	char before[DIGEST_HEX], after[DIGEST_HEX];
	struct rjwt_verdict v;

	state_digest(f, before);
	want("look", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_OK);
	want("look", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_OK);
	want("no scope", judge_as(f, token, "alice", NULL, RJWT_ANY_SERVICE, NULL), RJWT_USAGE);
	want("no scope", judge_as(f, token, "alice", NULL, RJWT_ANY_SERVICE | RJWT_DRY_RUN, NULL), RJWT_OK);
	want("other user", judge_as(f, token, "bob", "sshd", 0, NULL), RJWT_USER);
	state_digest(f, after);
	assert_string_equal(before, after);
	want("first", judge(f, token, 0, NULL), RJWT_OK);
	want("second", judge(f, token, 0, &v), RJWT_SPENT);
	assert_true(v.tell);
	rjwt_verdict_clear(&v);
	want("look", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_SPENT);
	want("keyed on claims", judge(f, again, 0, NULL), RJWT_SPENT);
	want("another scope", judge_as(f, token, "alice", "sudo", 0, NULL), RJWT_OK);
	want("its other service", judge_as(f, token, "alice", "sudo-i", 0, NULL), RJWT_SPENT);
	want("reusable", judge(f, reusable, 0, NULL), RJWT_OK);
	want("reusable", judge(f, reusable, 0, NULL), RJWT_OK);
	fixture_config(f, "one_time: always\n");
	want("always: spent by another token of this jti", judge(f, reusable, 0, NULL), RJWT_SPENT);
}

static void
test_one_time_always(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *reusable = token_with(f, NULL);

	fixture_config(f, "one_time: always\n");
	want("first", judge(f, reusable, 0, NULL), RJWT_OK);
	want("second", judge(f, reusable, 0, NULL), RJWT_SPENT);
}

/* --- between verdict and mark ----------------------------------------------------------------- */

static struct fixture *waiting;
static void (*meanwhile)(struct fixture *f);
static unsigned readings;

/* The clock is read at first, and again when the mark is written: what happens in between. */
static void
clock_between(void *context, struct rjwt_time *now)
{
	if (++readings == 2)
		meanwhile(waiting);
	clock_made_up(context, now);
}

static void
to_last_second(struct fixture *f)
{
	(void)f;
	clock_run(324); /* exp and leeway: T0 + 330 */
}

static void
past_last_second(struct fixture *f)
{
	(void)f;
	clock_run(325);
}

static void
revoke_other_key(struct fixture *f)
{
	key_stamp(f, 3, 0, 0, T0 + 5);
}

static void
revoke_key(struct fixture *f)
{
	key_stamp(f, 1, T0 + 5, T0 + 86405, T0 + 5);
}

static void
end_key(struct fixture *f)
{
	key_stamp(f, 1, T0 + 2, T0 + 4, 0);
}

static void
retire_key_earlier(struct fixture *f)
{
	key_stamp(f, 1, T0 - 31, T0 + 86405, 0); /* the token is of T0, the leeway is 30 s */
}

static void
forget_key(struct fixture *f)
{
	struct keyset k = keyset_get(f);

	k.floor = 2;
	keyset_put(f, &k);
}

static void
revoke_bob(struct fixture *f)
{
	put_mark(f, "sub", "bob", "1\n");
}

static void
revoke_alice(struct fixture *f)
{
	put_mark(f, "sub", "alice", "1\n");
}

static void
tear_keyset(struct fixture *f)
{
	file_put(f, "keyset.json", VIEW("torn"));
}

/* Whoever called su stops us before the mark, and lets us go on when the token is worth nothing any more. */
static void
test_stopped_before_the_mark(void **state)
{
	static const struct {
		const char *name;
		void (*meanwhile)(struct fixture *f);
		enum rjwt_err err;
	} rows[] = { { "last second", to_last_second, RJWT_OK }, { "a second more", past_last_second, RJWT_EXPIRED },
		{ "another key", revoke_other_key, RJWT_OK }, { "revoked", revoke_key, RJWT_KEY_REVOKED },
		{ "over", end_key, RJWT_KEY_RETIRED }, { "retired earlier", retire_key_earlier, RJWT_KEY_RETIRED },
		{ "forgotten", forget_key, RJWT_KEY_UNKNOWN }, { "bob", revoke_bob, RJWT_OK },
		{ "alice", revoke_alice, RJWT_REVOKED }, { "torn", tear_keyset, RJWT_KEYSET } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = fixture_new("");
		RJWT_CLEAN(free_clean) char *token = token_with(f, (const struct edit[]){ CLAIM("once", "true"), END });

		clock_run(5);
		rotate(f);
		f->now = clock_between;
		fixture_config(f, "");
		waiting = f;
		meanwhile = rows[i].meanwhile;
		readings = 0;
		want(rows[i].name, judge(f, token, 0, NULL), rows[i].err);
		assert_int_equal(readings, 2);
		fixture_free(f);
	}
}

/* --- the key's life --------------------------------------------------------------------------- */

/* A retired key that is stolen is worth max_lifetime + leeway, and nothing after. */
static void
test_issued_after_retirement(void **state)
{
	struct fixture *f = *state;
	const struct edit late[] = { edit_time('c', "iat", T0 + 31), END };
	const struct edit last[] = { edit_time('c', "iat", T0 + 30), END };
	RJWT_CLEAN(free_clean) char *bad = token_with(f, late);
	RJWT_CLEAN(free_clean) char *good = token_with(f, last);
	struct rjwt_verdict v;

	clock_run(0);
	rotate(f); /* retired: T0 */
	clock_run(60);
	want("iat = retired + leeway", judge(f, good, 0, NULL), RJWT_OK);
	want("a second more", judge(f, bad, 0, &v), RJWT_KEY_RETIRED);
	assert_true(v.tell);
	assert_string_equal(v.failed.name, "issued after retirement");
	rjwt_verdict_clear(&v);
}

/* In the reference retired keys verified for ever. */
static void
test_retired_keys_expire(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	struct rjwt_verdict v;

	clock_run(10);
	rotate(f);
	want("retired", judge(f, token, 0, NULL), RJWT_OK);
	key_stamp(f, 1, T0 + 10, T0 + 50, 0);
	clock_run(40);
	want("at its exp", judge(f, token, 0, NULL), RJWT_OK);
	clock_run(1);
	want("a second later", judge(f, token, 0, &v), RJWT_KEY_RETIRED);
	assert_true(!v.tell && v.claims == NULL);
	rjwt_verdict_clear(&v);
}

static void
test_key_revoked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	clock_run(5);
	rotate(f);
	want("retired", judge(f, token, 0, NULL), RJWT_OK);
	key_stamp(f, 1, T0 + 5, T0 + 86405, T0 + 6);
	want("revoked", judge(f, token, 0, NULL), RJWT_KEY_REVOKED);
	key_stamp(f, 1, T0 + 5, 0, 0);
	want("retired without exp", judge(f, token, 0, NULL), RJWT_KEYSET);
}

/* What stands on the active key was left by a change that did not come to its commit. */
static void
test_stamps_of_active_are_ignored(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);

	key_stamp(f, 1, T0, T0 + 1, T0);
	clock_run(5);
	want("active", judge(f, token, 0, NULL), RJWT_OK);
	rotate(f);
	want("retired, its stamps written whole", judge(f, token, 0, NULL), RJWT_OK);
}

/* next verifies like active: no verifier meets a kid that it could not know. */
static void
test_next_verifies(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = NULL;

	f->version = 2;
	token = token_with(f, NULL);
	want("next", judge(f, token, 0, NULL), RJWT_OK);
}

static void
test_revoked(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *newer = NULL;
	struct rjwt_verdict v;

	f->version = 2;
	newer = token_with(f, (const struct edit[]){ CLAIM("jti", "\"a2\""), END });
	put_mark(f, "jti", "a3", "2\n");
	put_mark(f, "sub", "bob", "2\n");
	want("others'", judge(f, token, 0, NULL), RJWT_OK);
	put_mark(f, "sub", "alice", "1\n");
	want("up to her version", judge(f, token, 0, &v), RJWT_REVOKED);
	assert_true(v.tell);
	rjwt_verdict_clear(&v);
	want("of a later one", judge(f, newer, 0, NULL), RJWT_OK);
	put_mark(f, "sub", "alice", "torn");
	want("a torn mark revokes", judge(f, newer, 0, NULL), RJWT_REVOKED);
	put_mark(f, "sub", "alice", "0\n");
	want("of none", judge(f, token, 0, NULL), RJWT_OK);
	put_mark(f, "jti", "a2", "2\n");
	want("its jti", judge(f, newer, 0, NULL), RJWT_REVOKED);
	want("another jti", judge(f, token, 0, NULL), RJWT_OK);
}

/* The login name is what is revoked, not the claim with its suffix. */
static void
test_revoked_login_name(void **state)
{
	struct fixture *f = *state;
	const struct edit edits[] = { CLAIM("sub", "\"alice@x\""), END };
	RJWT_CLEAN(free_clean) char *token = token_with(f, edits);

	fixture_config(f, "user_suffix: \"@x\"\n");
	put_mark(f, "sub", "alice@x", "1\n");
	want("the claim", judge(f, token, 0, NULL), RJWT_OK);
	put_mark(f, "sub", "alice", "1\n");
	want("the name", judge(f, token, 0, NULL), RJWT_REVOKED);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_one_time), T(test_one_time_always),
		cmocka_unit_test(test_stopped_before_the_mark), T(test_issued_after_retirement),
		T(test_retired_keys_expire), T(test_key_revoked), T(test_stamps_of_active_are_ignored),
		T(test_next_verifies), T(test_revoked), T(test_revoked_login_name) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Revoked is revoked from the moment that the call returns: for open handles, and through clocks and rotations. */
#include "revoke_world.h"

#include <stdio.h>

/* A second handle, which was open before; what it says must be what the first one says. */
static void
judged(struct fixture *f, struct rjwt *other, const char *token, const char *user, enum rjwt_err expected)
{
	struct rjwt *mine = f->h;

	want(user, judge_as(f, token, user, "sshd", RJWT_DRY_RUN, NULL), expected);
	f->h = other;
	want("a handle that was open", judge_as(f, token, user, "sshd", RJWT_DRY_RUN, NULL), expected);
	f->h = mine;
}

/* An open handle that has read its key, too. */
static struct rjwt *
open_other(struct fixture *f, const char *token, const char *user)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt *other;

	want("open", rjwt_open(&options, &other, &f->diag), RJWT_OK);
	judged(f, other, token, user, RJWT_OK);
	return other;
}

/* --- one token -------------------------------------------------------------------------------- */

static void
test_jti(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *twin = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *jti = jti_of(f, token);
	struct rjwt *other = open_other(f, token, "alice");
	int64_t generation = keyset_get(f).generation;
	struct rjwt_change change = revoked(f, (struct rjwt_revocation){ .jti = jti });

	assert_false(change.rotated);
	assert_non_null(strstr(change.text, jti));
	judged(f, other, token, "alice", RJWT_REVOKED);
	judged(f, other, twin, "alice", RJWT_OK);
	assert_true(keyset_get(f).generation == generation + 1);
	/* Repeating it commits again: the first one may have been killed before that. */
	revoked(f, (struct rjwt_revocation){ .jti = jti });
	assert_true(keyset_get(f).generation == generation + 2);
	rotate(f);
	judged(f, other, token, "alice", RJWT_REVOKED);
	judged(f, other, twin, "alice", RJWT_OK);
	rjwt_close(other);
}

/* --- a user ----------------------------------------------------------------------------------- */

static void
test_users(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *alice = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *bob = minted(f, "bob");
	RJWT_CLEAN(free_clean) char *carol = minted(f, "carol");
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct rjwt *other = open_other(f, alice, "alice");
	struct rjwt_change change = revoked(f, USERS("alice", "carol"));

	assert_true(change.rotated && change.retired_version == 1);
	assert_non_null(strstr(change.text, "all earlier tokens of alice and carol"));
	judged(f, other, alice, "alice", RJWT_REVOKED);
	judged(f, other, carol, "carol", RJWT_REVOKED);
	judged(f, other, bob, "bob", RJWT_OK);
	later = minted(f, "alice");
	judged(f, other, later, "alice", RJWT_OK);
	rotate(f);
	judged(f, other, alice, "alice", RJWT_REVOKED);
	judged(f, other, later, "alice", RJWT_OK);
	rjwt_close(other);
}

/* The login name counts, not what the claim says around it. */
static void
test_users_with_a_suffix(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = NULL;

	fixture_config(f, "user_suffix: \"@x\"\n");
	token = minted(f, "alice");
	want("before", judge(f, token, 0, NULL), RJWT_OK);
	revoked(f, USERS("alice@x"));
	want("another name", judge(f, token, 0, NULL), RJWT_OK);
	revoked(f, USERS("alice"));
	want("hers", judge(f, token, 0, NULL), RJWT_REVOKED);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void
test_key_active(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct rjwt *other = open_other(f, token, "alice");
	struct rjwt_change change = revoked(f, KEY("B.1"));

	assert_true(change.rotated && keyset_get(f).active.version == 2);
	judged(f, other, token, "alice", RJWT_KEY_REVOKED);
	later = minted(f, "alice");
	judged(f, other, later, "alice", RJWT_OK);
	assert_false(file_has(f, "jwks.json", "B.1\""));
	assert_false(file_there(f, "private/1.key"));
	revoked(f, KEY("B.1")); /* again: a commit, and no rotation */
	assert_true(keyset_get(f).active.version == 2);
	rotate(f);
	judged(f, other, token, "alice", RJWT_KEY_REVOKED);
	rjwt_close(other);
}

/* A revocation of the active key that was killed before its commit: every later mint works. */
static void
test_key_active_killed(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = NULL;

	key_stamp(f, 1, T0, T0 + 86400, T0);
	token = minted(f, "alice");
	want("not revoked", judge(f, token, 0, NULL), RJWT_OK);
	rotate(f);
	want("nor by the rotation", judge(f, token, 0, NULL), RJWT_OK);
}

static void
test_key_retired(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct rjwt *other;

	rotate(f);
	later = minted(f, "alice");
	other = open_other(f, token, "alice");
	assert_false(revoked(f, KEY("B.1")).rotated);
	judged(f, other, token, "alice", RJWT_KEY_REVOKED);
	judged(f, other, later, "alice", RJWT_OK);
	assert_true(file_has(f, "keys/1.jwk", "\"retired\":") && file_has(f, "keys/1.jwk", "\"revoked\":"));
	assert_false(file_has(f, "jwks.json", "B.1\""));
	rjwt_close(other);
}

/* The next key is replaced in the same commit: a rotation after it finds one that may sign. */
static void
test_key_next(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *stolen = NULL;
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct keyset k;

	f->version = 2;
	stolen = token_with(f, NULL);
	want("next verifies like active", judge(f, stolen, 0, NULL), RJWT_OK);
	assert_false(revoked(f, KEY("B.2")).rotated);
	want("revoked", judge(f, stolen, 0, NULL), RJWT_KEY_REVOKED);
	k = keyset_get(f);
	assert_true(k.active.version == 1 && k.next.version == 3 && k.next_version == 4);
	assert_false(file_there(f, "private/2.key"));
	assert_false(file_has(f, "jwks.json", "B.2\""));
	rotate(f);
	assert_true(keyset_get(f).active.version == 3);
	later = minted(f, "alice");
	want("minted", judge(f, later, 0, NULL), RJWT_OK);
}

/* A next key whose private half is gone is never promoted; revoking it brings another. */
static void
test_key_next_cannot_sign(void **state)
{
	static const char *const lost[] = { "private/2.key", "private/2.minted", "keys/2.jwk" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		struct fixture *f = fixture_new("");
		struct rjwt_change change;

		file_gone(f, lost[i]);
		want(lost[i], rjwt_rotate(f->h, 0, &change, &f->diag),
		    strcmp(lost[i], "private/2.key") == 0 ? RJWT_IO : RJWT_KEYSET);
		want(lost[i], rjwt_rotate(f->h, RJWT_DRY_RUN, &change, &f->diag),
		    strcmp(lost[i], "private/2.key") == 0 ? RJWT_IO : RJWT_KEYSET);
		assert_true(keyset_get(f).active.version == 1 && file_there(f, "private/1.key"));
		free(minted(f, "alice"));
		revoked(f, KEY("B.2"));
		assert_true(rotate(f).rotated);
		free(minted(f, "alice"));
		fixture_free(f);
	}
}

static void
test_key_hs256(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");

	rotate(f);
	assert_true(file_there(f, "private/1.key")); /* it is what verifies */
	want("retired", judge(f, token, 0, NULL), RJWT_OK);
	revoked(f, KEY("B.1"));
	assert_false(file_there(f, "private/1.key"));
	want("revoked", judge(f, token, 0, NULL), RJWT_KEY_REVOKED);
}

/* --- all -------------------------------------------------------------------------------------- */

static void
test_all(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *first = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *second = NULL;
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct rjwt *other;

	rotate(f);
	second = minted(f, "bob");
	other = open_other(f, first, "alice");
	revoked(f, ALL);
	judged(f, other, first, "alice", RJWT_KEY_UNKNOWN);
	judged(f, other, second, "bob", RJWT_KEY_UNKNOWN);
	later = minted(f, "alice");
	judged(f, other, later, "alice", RJWT_OK);
	assert_true(keyset_get(f).floor == 3 && keyset_get(f).active.version == 3);
	assert_false(file_there(f, "keys/1.jwk") || file_there(f, "keys/2.jwk") || file_there(f, "private/2.key") ||
		     file_has(f, "jwks.json", "B.2\""));
	rjwt_close(other);
}

/* Whoever has the private halves of both keys makes nothing that opens. */
static void
test_compromised(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *active = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *next = NULL;
	RJWT_CLEAN(free_clean) char *later = NULL;
	struct rjwt_change change;
	struct rjwt *other;
	struct keyset k;

	f->version = 2;
	next = token_with(f, NULL);
	other = open_other(f, active, "alice");
	want("compromised", rjwt_rotate(f->h, RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	k = keyset_get(f);
	assert_true(k.floor == 3 && k.active.version == 3 && k.next.version == 4 && k.next_version == 5);
	assert_string_equal(change.kid, "B.3");
	judged(f, other, active, "alice", RJWT_KEY_UNKNOWN);
	judged(f, other, next, "alice", RJWT_KEY_UNKNOWN);
	for (int v = 1; v < 3; v++) {
		char key[64], file[64];

		snprintf(key, sizeof(key), "private/%d.key", v);
		snprintf(file, sizeof(file), "keys/%d.jwk", v);
		assert_false(file_there(f, key) || file_there(f, file));
	}
	later = minted(f, "alice");
	judged(f, other, later, "alice", RJWT_OK);
	rotate(f);
	free(minted(f, "alice"));
	rjwt_close(other);
}

/* Torn keys are in nobody's way when all of them go. */
static void
test_compromised_torn(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;

	file_put(f, "keys/1.jwk", VIEW("torn"));
	file_put(f, "keys/2.jwk", VIEW("torn"));
	want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_KEYSET);
	want("compromised", rjwt_rotate(f->h, RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	free(minted(f, "alice"));
}

/* --- what cannot be read ---------------------------------------------------------------------- */

/* A key file that cannot be read takes no stamp: it goes, for it may come to be readable again. */
static void
test_key_unreadable(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");

	rotate(f);
	set_mode(f, "keys/1.jwk", 0664);
	want("unsafe", judge(f, token, 0, NULL), RJWT_KEYSET);
	revoked(f, KEY("B.1"));
	assert_false(file_there(f, "keys/1.jwk"));
	want("gone", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	assert_true(file_has(f, "jwks.json", "B.2\"") && file_has(f, "jwks.json", "B.3\""));
}

static void
test_next_torn(void **state)
{
	struct fixture *f = *state;

	file_put(f, "keys/2.jwk", VIEW("torn"));
	revoked(f, (struct rjwt_revocation){ .jti = "x" }); /* which needs no key */
	revoked(f, KEY("B.2"));
	assert_true(file_has(f, "jwks.json", "B.1\"") && file_has(f, "jwks.json", "B.3\""));
	assert_false(file_has(f, "jwks.json", "B.2\"") || file_there(f, "keys/2.jwk"));
	rotate(f);
}

/* Is it the secret that verifies? While nobody can tell, it stays; a private half of a pair never is. */
static void
test_secret_unreadable(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");

	rotate(f);
	set_mode(f, "keys/1.jwk", 0664);
	tick(f);
	set_mode(f, "keys/1.jwk", 0644);
	want("the secret is there", judge(f, token, 0, NULL), RJWT_OK);
}

static void
test_private_unreadable(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf private = file_get(f, "private/1.key");

	rotate(f);
	file_put(f, "private/1.key", buf_view(&private)); /* as if its erasure had been cut off */
	file_put(f, "keys/1.jwk", VIEW("torn"));
	tick(f);
	assert_false(file_there(f, "private/1.key"));
}

/* Another directory comes to stand at the path while the lock is held: never "done" for what still opens there. */
static struct {
	unsigned at, n;
	char state[200];
} swap;

static void
clock_swapping(void *context, struct rjwt_time *now)
{
	char command[1500];

	if (++swap.n == swap.at) {
		snprintf(command, sizeof(command), "cp -a %s %s.copy && mv %s %s.away && mv %s.copy %s", swap.state,
		    swap.state, swap.state, swap.state, swap.state, swap.state);
		assert_int_equal(system(command), 0);
	}
	clock_made_up(context, now);
}

static void
test_folder_swapped(void **state)
{
	(void)state;
	for (unsigned at = 2; at <= 12; at++) {
		struct fixture *f = fixture_new("");
		RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
		const struct rjwt_revocation all = ALL;
		struct rjwt_change change;
		enum rjwt_err err;

		swap = (typeof(swap)){ .at = at };
		snprintf(swap.state, sizeof(swap.state), "%s", f->state);
		f->now = clock_swapping;
		fixture_config(f, "");
		err = rjwt_revoke(f->h, &all, 0, &change, &f->diag);
		f->now = clock_made_up;
		fixture_config(f, "");
		if (err == RJWT_OK && judge(f, token, RJWT_DRY_RUN, NULL) == RJWT_OK && swap.n > at)
			fail_msg("reading %u: revoked, and it opens", at);
		want("again", rjwt_revoke(f->h, &all, 0, &change, &f->diag), RJWT_OK);
		want("again", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_KEY_UNKNOWN);
		fixture_free(f);
	}
}

/* --- refused ---------------------------------------------------------------------------------- */

static void
test_refused(void **state)
{
	static const char *const nobody[] = { NULL }, *const bad[] = { "alice", "", NULL },
				 *const good[] = { "a", NULL };
	static const struct {
		const char *name;
		struct rjwt_revocation what;
		enum rjwt_err err;
	} rows[] = {
		{ "nothing", { .all = false }, RJWT_USAGE },
		{ "two", { .kid = "B.1", .all = true }, RJWT_USAGE },
		{ "two", { .jti = "x", .users = good }, RJWT_USAGE },
		{ "no user", { .users = nobody }, RJWT_USAGE },
		{ "an empty user", { .users = bad }, RJWT_USAGE },
		{ "an empty id", { .jti = "" }, RJWT_USAGE },
		{ "an id with a newline", { .jti = "a\nb" }, RJWT_USAGE },
		{ "no kid", { .kid = "B" }, RJWT_KID },
		{ "no kid", { .kid = "B.01" }, RJWT_KID },
		{ "another base", { .kid = "C.1" }, RJWT_KEY_UNKNOWN },
		{ "above next", { .kid = "B.3" }, RJWT_KEY_UNKNOWN },
	};
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];
	struct rjwt_change change = { .text = "kept" };

	file_put(f, "private/lock", VIEW(""));
	rotate(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t generation = keyset_get(f).generation;
		bool above = rows[i].what.kid != NULL && strcmp(rows[i].what.kid, "B.3") == 0;
		struct rjwt_revocation what = rows[i].what;

		if (above)
			what.kid = "B.4"; /* next is 3 by now */
		want(rows[i].name, rjwt_revoke(f->h, &what, 0, &change, &f->diag), rows[i].err);
		assert_true(keyset_get(f).generation == generation);
		assert_true(f->diag.text[0] != '\0');
		assert_string_equal(change.text, "kept");
	}
	state_digest(f, before);
	for (size_t i = 0; i < 4; i++) {
		const struct rjwt_revocation dry[] = { KEY("B.1"), ALL, USERS("alice"), { .jti = "x" } };

		want("dry run", rjwt_revoke(f->h, &dry[i], RJWT_DRY_RUN, &change, &f->diag), RJWT_OK);
		assert_true(change.any);
	}
	want("dry run", rjwt_rotate(f->h, RJWT_DRY_RUN | RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	state_digest(f, after);
	assert_string_equal(before, after);
	revoked(f, KEY("B.3"));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define H(test) cmocka_unit_test_setup_teardown(test, fixture_setup_hs256, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_jti), T(test_users), T(test_users_with_a_suffix), T(test_key_active),
		T(test_key_active_killed), T(test_key_retired), T(test_key_next),
		cmocka_unit_test(test_key_next_cannot_sign), H(test_key_hs256), T(test_all), T(test_compromised),
		T(test_compromised_torn), T(test_key_unreadable), T(test_next_torn), H(test_secret_unreadable),
		T(test_private_unreadable), cmocka_unit_test(test_folder_swapped), T(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Revoked is revoked from the moment that the call returns: for open handles, and through clocks and rotations. */
#include "fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <dirent.h>
#include <unistd.h>

static struct rjwt_change
revoked(struct fixture *f, struct rjwt_revocation what)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, &what, 0, &change, &f->diag), RJWT_OK);
	assert_true(change.any);
	return change;
}

#define USERS(...) ((struct rjwt_revocation){ .users = (const char *const[]){ __VA_ARGS__, NULL } })
#define KEY(name) ((struct rjwt_revocation){ .kid = (name) })
#define ALL ((struct rjwt_revocation){ .all = true })

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

static char *
jti_of(struct fixture *f, const char *token)
{
	struct rjwt_verdict v;
	char *jti;

	want("judge", judge(f, token, RJWT_DRY_RUN, &v), RJWT_OK);
	jti = strdup(v.jti);
	assert_non_null(jti);
	rjwt_verdict_clear(&v);
	return jti;
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

static bool
folder_empty(const struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	if (rmdir(path) != 0)
		return false;
	assert_int_equal(mkdir(path, 0755), 0);
	return true;
}

/* A mark goes when floor has passed the version that was next then: no key is left that its token could name. */
static void
test_marks_go_with_the_floor(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *jti = jti_of(f, token);

	revoked(f, (struct rjwt_revocation){ .jti = jti });
	revoked(f, USERS("bob")); /* B.1 retires */
	rotate(f);		  /* and B.2, which was next when the token was revoked */
	clock_run(86402);
	tick(f); /* what retired has gone, and B.3 retires */
	assert_true(keyset_get(f).floor == 3);
	assert_true(folder_empty(f, "revoked/sub") && folder_empty(f, "revoked/jti"));
	want("gone", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
}

static void
test_marks_stay_below(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	RJWT_CLEAN(free_clean) char *jti = jti_of(f, token);

	revoked(f, (struct rjwt_revocation){ .jti = jti });
	rotate(f);
	clock_run(86402);
	tick(f);
	assert_true(keyset_get(f).floor == 2);
	assert_false(folder_empty(f, "revoked/jti"));
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

enum { MARK_NAME = sizeof("revoked/sub/") + DIGEST_HEX };

/* The name of the file that revokes alice's tokens, below the keyset's directory. */
static void
alices_mark(char name[static MARK_NAME])
{
	char hex[DIGEST_HEX];

	assert_int_equal(digest_name(&VIEW("alice"), 1, hex), RJWT_OK);
	snprintf(name, MARK_NAME, "revoked/sub/%s", hex);
}

/* A mark gets higher, never lower. */
static void
test_user_mark_never_lower(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *second = NULL;
	char name[MARK_NAME];

	alices_mark(name);
	revoked(f, USERS("alice"));
	assert_true(file_has(f, name, "1\n"));
	second = minted(f, "alice");
	revoked(f, USERS("alice"));
	assert_true(file_has(f, name, "2\n"));
	want("of the second key", judge(f, second, 0, NULL), RJWT_REVOKED);
	file_put(f, name, VIEW("77\n"));
	revoked(f, USERS("alice"));
	assert_true(file_has(f, name, "77\n"));
}

/* Minted by a clock that was ahead, corrected, revoked: no clock, and no waiting, opens it later. */
static void
test_user_clock_was_ahead(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = NULL;
	char name[MARK_NAME];

	alices_mark(name);
	clock_step(80000);
	token = minted(f, "alice");
	clock_step(-80000);
	want("not yet", judge(f, token, 0, NULL), RJWT_NOT_YET_VALID);
	clock_run(80010);
	want("its time has come", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_OK);
	clock_run(-80010);
	revoked(f, USERS("alice"));
	clock_run(80010);
	/* The revocation rotated, and the token's iat lies after that: this refuses it before its mark does. */
	want("revoked", judge(f, token, 0, NULL), RJWT_KEY_RETIRED);
	assert_true(file_has(f, name, "1\n"));
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

static void
set_mode(const struct fixture *f, const char *name, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->state, name);
	assert_int_equal(chmod(path, mode), 0);
}

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

/* Old marks that cannot be removed are a warning: what was asked for is done. */
static void
test_old_marks_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;

	revoked(f, ALL);
	file_put(f, "spent/1", VIEW("")); /* a directory should be here */
	change = revoked(f, (struct rjwt_revocation){ .jti = "x" });
	assert_non_null(strstr(change.warning, "cannot remove old marks"));
	file_gone(f, "spent/1");
	change = revoked(f, (struct rjwt_revocation){ .jti = "x" });
	assert_string_equal(change.warning, "");
	file_put(f, "revoked/jti/y", VIEW("1\n"));
	set_mode(f, "revoked/jti/y", 0664);
	want("compromised", rjwt_rotate(f->h, RJWT_COMPROMISED, &change, &f->diag), RJWT_OK);
	assert_false(file_has(f, "jwks.json", "B.2\"") || file_has(f, "jwks.json", "B.3\""));
	assert_true(file_there(f, "revoked/jti/y")); /* who looks it up is told why */
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

/* --- adopt ------------------------------------------------------------------------------------ */

static enum rjwt_err
adopt(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	return rjwt_init(&options, RJWT_ADOPT, &change, &f->diag);
}

static void
cloned(struct fixture *f)
{
	struct keyset k = keyset_get(f);

	memset(k.machine, 'a', sizeof(k.machine) - 1);
	keyset_put(f, &k);
}

static void
put_back(struct fixture *f)
{
	RJWT_CLEAN(buf_clear) struct buf old = file_get(f, "keyset.json");

	rotate(f);
	file_put(f, "keyset.json", buf_view(&old));
}

static void
torn(struct fixture *f)
{
	file_put(f, "keyset.json", VIEW("torn"));
}

static void
lost(struct fixture *f)
{
	file_gone(f, "keyset.json");
}

/* After it nothing from before verifies, and versions go on above all that stood there. */
static void
test_adopt(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(struct fixture *f);
		int64_t active;
	} rows[] = { { "cloned", cloned, 3 }, { "put back", put_back, 4 }, { "torn", torn, 3 }, { "lost", lost, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = fixture_new("issuer: iss.example\naudience: host.example\n");
		RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
		RJWT_CLEAN(free_clean) char *later = NULL;
		struct rjwt_token none;
		struct keyset k;

		rows[i].spoil(f);
		want(rows[i].name, rjwt_mint(f->h, &(struct rjwt_request){ .user = "a" }, &none, &f->diag),
		    RJWT_KEYSET);
		want(rows[i].name, adopt(f), RJWT_OK);
		k = keyset_get(f);
		if (k.active.version != rows[i].active || strcmp(k.base, "B") == 0 || k.floor != k.active.version)
			fail_msg("%s: %s.%lld", rows[i].name, k.base, (long long)k.active.version);
		/* The handle that was open all the time. */
		want(rows[i].name, judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
		later = minted(f, "alice");
		want(rows[i].name, judge(f, later, 0, NULL), RJWT_OK);
		assert_false(file_there(f, "keys/1.jwk") || file_there(f, "private/1.key"));
		fixture_free(f);
	}
}

/* What keyset.json recorded continues where the configuration names nobody. */
static void
test_adopt_keeps_names(void **state)
{
	struct fixture *f = *state;
	struct keyset before = keyset_get(f), after;

	want("adopt", adopt(f), RJWT_OK);
	after = keyset_get(f);
	assert_string_equal(after.issuer, "iss.example");
	assert_string_equal(after.audience, "host.example");
	assert_true(after.generation > before.generation);
}

static void
test_adopt_refused(void **state)
{
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	fixture_config(f, "base_kid: B\n");
	file_put(f, "private/lock", VIEW(""));
	want("the same base", adopt(f), RJWT_CONFIG);
	file_gone(f, "private/lock");
	state_digest(f, before);
	want("the same base", adopt(f), RJWT_CONFIG);
	file_gone(f, "private/lock");
	state_digest(f, after);
	assert_string_equal(before, after);
	rjwt_close(f->h);
	assert_int_equal(fixture_try(f, "base_kid: C\n", &f->h), RJWT_OK);
	want("another", adopt(f), RJWT_OK);
	assert_string_equal(keyset_get(f).base, "C");
}

/* What is missing does not come to be there again, and empty: a token that was revoked would open. */
static void
test_init_makes_nothing_again(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	struct rjwt_change change;
	struct rjwt_status status;
	char command[300];

	revoked(f, USERS("alice"));
	snprintf(command, sizeof(command), "rm -r %s/revoked", f->state);
	assert_int_equal(system(command), 0);
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_EXISTS);
	assert_false(file_there(f, "revoked"));
	want("refused", judge(f, token, 0, NULL), RJWT_IO);
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, RJWT_BROKEN);
	rjwt_status_clear(&status);
	want("adopt", adopt(f), RJWT_OK);
	want("gone", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	want("status", rjwt_status(&options, &status), RJWT_OK);
	assert_int_equal(status.level, RJWT_NOTE);
	rjwt_status_clear(&status);
}

static enum rjwt_note_level
level_of(struct fixture *f, const char *text)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_status status;
	enum rjwt_note_level level;
	bool said = false;

	want("status", rjwt_status(&options, &status), RJWT_OK);
	for (size_t i = 0; i < status.nnotes; i++)
		said = said || strstr(status.notes[i].diag.text, text) != NULL;
	assert_true(said == (status.level == RJWT_BROKEN));
	level = status.level;
	rjwt_status_clear(&status);
	return level;
}

/*
 * A cleaning job that empties revoked/ leaves no other trace: keyset.json counts the marks. What rjwt itself removes is
 * not missed; and once all earlier tokens are revoked, what was lost revokes nothing any more.
 */
static void
test_marks_removed_by_others(void **state)
{
	struct fixture *f = *state;
	char command[300];

	snprintf(command, sizeof(command), "rm %s/revoked/sub/*", f->state);
	assert_true(keyset_get(f).revoked == 0);
	revoked(f, (struct rjwt_revocation){ .jti = "a1" });
	revoked(f, (struct rjwt_revocation){ .jti = "a1" });
	assert_true(keyset_get(f).revoked == 1);
	revoked(f, USERS("alice", "bob"));
	assert_true(keyset_get(f).revoked == 3);
	revoked(f, USERS("bob")); /* the mark is raised */
	assert_true(keyset_get(f).revoked == 3);
	assert_int_equal(level_of(f, "marks of 3"), RJWT_NOTE);
	assert_int_equal(system(command), 0);
	assert_int_equal(level_of(f, "has 1 marks of 3"), RJWT_BROKEN);
	rotate(f);
	assert_int_equal(level_of(f, "has 1 marks of 3"), RJWT_BROKEN);
	revoked(f, ALL);
	assert_int_equal(level_of(f, "marks of"), RJWT_NOTE);
	/* What goes with the floor. */
	revoked(f, USERS("alice", "bob", "carol"));
	revoked(f, (struct rjwt_revocation){ .jti = "a2" });
	assert_true(keyset_get(f).revoked >= 4);
	clock_run(86400 + 86400 + 1);
	tick(f);
	clock_run(86400 + 1);
	tick(f);
	assert_true(keyset_get(f).floor > 5 && keyset_get(f).revoked <= 1);
	assert_int_equal(level_of(f, "marks of"), RJWT_NOTE);
}

/* A keyset whose marks nobody counted: the next writer does. */
static void
test_marks_counted_late(void **state)
{
	struct fixture *f = *state;
	struct keyset k;
	char command[300];

	revoked(f, USERS("alice", "bob"));
	k = keyset_get(f);
	k.revoked = -1;
	keyset_put(f, &k);
	assert_int_equal(level_of(f, "marks of"), RJWT_NOTE);
	rotate(f);
	assert_true(keyset_get(f).revoked == 2);
	snprintf(command, sizeof(command), "rm %s/revoked/sub/*", f->state);
	assert_int_equal(system(command), 0);
	assert_int_equal(level_of(f, "has 0 marks of 2"), RJWT_BROKEN);
}

/*
 * Others may look up a name, for any program may verify; they must not see who was revoked, or when. An older version
 * let them, and the next writer closes that.
 */
static void
test_marks_are_not_shown(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	char command[600];

	revoked(f, USERS("alice"));
	snprintf(command, sizeof(command),
	    "cd %s/revoked && test $(stat -c %%Y sub/*) = 0 && chmod 755 . jti sub && touch sub/*", f->state);
	assert_int_equal(system(command), 0);
	tick(f);
	snprintf(command, sizeof(command),
	    "cd %s/revoked && test $(stat -c %%Y sub/*) = 0 && test \"$(stat -c %%a . jti sub | tr '\n' ' ')\" = '711 "
	    "711 711 '",
	    f->state);
	assert_int_equal(system(command), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(f->top, 0755) | chmod(f->config, 0644), 0);
	assert_int_equal(seteuid(65534), 0);
	want("by anybody", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_REVOKED);
	snprintf(command, sizeof(command), "%s/revoked/sub", f->state);
	assert_null(opendir(command));
	assert_int_equal(seteuid(0), 0);
}

/* su runs with the group of its caller: what root makes there is root's all the same. */
static void
test_group_of_the_caller(void **state)
{
	struct fixture *f = *state;
	struct rjwt_token token;
	char command[300];

	if (geteuid() != 0)
		return; /* only root can; skip() of cmocka 1.1 is a failure to automake */
	want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, &f->diag), RJWT_OK);
	assert_int_equal(setegid(65534), 0);
	want("spend", judge(f, token.text, 0, NULL), RJWT_OK);
	revoked(f, USERS("alice"));
	assert_int_equal(setegid(0), 0);
	rjwt_token_clear(&token);
	snprintf(command, sizeof(command), "test -z \"$(find %s -group 65534)\"", f->state);
	assert_int_equal(system(command), 0);
	assert_true(file_there(f, "spent/1"));
}

/* A path as people write it. */
static void
test_trailing_slash(void **state)
{
	struct fixture *f = fixture_bare("base_kid: B\nissuer: i\naudience: a\n");
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s//", f->state);
	options.state_dir = path;
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	want("again", rjwt_init(&options, 0, &change, &f->diag), RJWT_EXISTS);
	want("open", fixture_try(f, "issuer: i\naudience: a\n", &f->h), RJWT_OK);
	want("adopt", rjwt_init(&options, RJWT_ADOPT, &change, &f->diag), RJWT_OK);
	fixture_free(f);
}

static void
test_adopt_nothing(void **state)
{
	struct fixture *f = fixture_bare("base_kid: B\nissuer: i\naudience: a\n");
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	(void)state;
	want("no folder", adopt(f), RJWT_KEYSET);
	assert_int_equal(access(f->state, F_OK), -1); /* and none is made */
	want("init", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	fixture_free(f);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define H(test) cmocka_unit_test_setup_teardown(test, fixture_setup_hs256, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_jti), T(test_marks_go_with_the_floor), T(test_marks_stay_below),
		T(test_users), T(test_users_with_a_suffix), T(test_user_mark_never_lower), T(test_user_clock_was_ahead),
		T(test_key_active), T(test_key_active_killed), T(test_key_retired), T(test_key_next),
		cmocka_unit_test(test_key_next_cannot_sign), H(test_key_hs256), T(test_all), T(test_compromised),
		T(test_compromised_torn), T(test_key_unreadable), T(test_next_torn), T(test_old_marks_in_the_way),
		H(test_secret_unreadable), T(test_private_unreadable), cmocka_unit_test(test_folder_swapped),
		T(test_refused), cmocka_unit_test(test_adopt), T(test_adopt_keeps_names), T(test_adopt_refused),
		T(test_init_makes_nothing_again), T(test_marks_removed_by_others), T(test_marks_counted_late),
		T(test_marks_are_not_shown), T(test_group_of_the_caller), cmocka_unit_test(test_trailing_slash),
		cmocka_unit_test(test_adopt_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Marks of revoked tokens and users: how high they are, when they are removed, who sees them, and that none is missing. */
#include "revoke_world.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_marks_go_with_the_floor), T(test_marks_stay_below),
		T(test_user_mark_never_lower), T(test_user_clock_was_ahead), T(test_old_marks_in_the_way),
		T(test_marks_removed_by_others), T(test_marks_counted_late), T(test_marks_are_not_shown),
		T(test_group_of_the_caller) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Facts that are files: spent, revoked, issued. */
#include "marks_world.h"
#include "syncs.h"
#include "jose/claims.h"
#include "base/file.h"
#include "keyset/marks.h"
#include "keyset/store.h"
#include "keyset/marks_write.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a one-time token. */
#define ONE ((struct mark_uses){ .most = 1 })

static void
test_spend(void **state)
{
	struct fixture *f = *state;
	struct claims a = claims_of("i", "alice", "1"), b = claims_of("i", "alice", "2");
	struct claims c = claims_of("i2", "alice", "1"), d = claims_of("i", "alice", "11");
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);

	want("look", mark_find_spent(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	assert_false(file_there(f, "spent/1"));
	want("first", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	want("again", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_SPENT);
	want("look", mark_find_spent(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_SPENT);
	want("another scope", mark_spend(&o.marks, 1, &a, "sudo", &ONE, NULL), RJWT_OK);
	want("another jti", mark_spend(&o.marks, 1, &b, "ssh", &ONE, NULL), RJWT_OK);
	want("another issuer", mark_spend(&o.marks, 1, &c, "ssh", &ONE, NULL), RJWT_OK);
	want("a longer jti", mark_spend(&o.marks, 1, &d, "ssh", &ONE, NULL), RJWT_OK);
	a = claims_of("i1", "alice", "");
	want("no two lists collide", mark_spend(&o.marks, 1, &a, "1ssh", &ONE, NULL), RJWT_OK);
	assert_int_equal(file_mode(f, "spent/1"), 0700);
	/* Each version has a directory, whichever one is held. */
	a = claims_of("i", "alice", "1");
	want("another version", mark_spend(&o.marks, 2, &a, "ssh", &ONE, NULL), RJWT_OK);
	want("again", mark_spend(&o.marks, 2, &a, "ssh", &ONE, NULL), RJWT_SPENT);
	want("the first version again", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_SPENT);
	assert_true(file_there(f, "spent/2"));
}

/* A directory that is held, and goes, is made anew. */
static void
test_spent_folder_goes(void **state)
{
	struct fixture *f = *state;
	struct claims a = claims_of("i", "alice", "1");
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	char path[200], mark[100], hex[DIGEST_HEX];

	want("first", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	snprintf(path, sizeof(path), "%s/spent/1", f->state);
	want("name", digest_name((struct view[]){ a.iss, a.jti, VIEW("ssh") }, 3, hex), RJWT_OK);
	snprintf(mark, sizeof(mark), "spent/1/%s", hex);
	file_gone(f, mark);
	assert_int_equal(rmdir(path), 0);
	want("anew", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	want("again", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_SPENT);
}

/* Each version has its directory; and with another keyset.json the one at the path counts, not the one that is held. */
static void
test_spent_folder_is_the_right_one(void **state)
{
	struct fixture *f = *state;
	struct claims a = claims_of("i", "alice", "1");
	struct keyset keyset = keyset_get(f);
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	char path[200], aside[200];

	want("version 1", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	want("version 2", mark_spend(&o.marks, 2, &a, "ssh", &ONE, NULL), RJWT_OK);
	assert_true(file_there(f, "spent/2"));
	want("again", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_SPENT);
	snprintf(path, sizeof(path), "%s/spent/1", f->state);
	snprintf(aside, sizeof(aside), "%s/spent/aside", f->state);
	assert_int_equal(rename(path, aside), 0);
	keyset_put(f, &keyset);
	want("load", store_load(o.store, NULL), RJWT_OK);
	want("another folder", mark_spend(&o.marks, 1, &a, "ssh", &ONE, NULL), RJWT_OK);
	assert_true(file_there(f, "spent/1"));
}

static int
spend_once(struct fixture *f, int i)
{
	struct claims claims = claims_of("i", "alice", "crowd");
	struct opened o = open_marks(f);
	enum rjwt_err err;

	(void)i;
	err = mark_spend(&o.marks, 1, &claims, "ssh", &ONE, NULL);
	return err == RJWT_OK ? 1 : err == RJWT_SPENT ? 0 : 2;
}

/* A number of uses: the first free one, as often as it says, for each scope. */
static void
test_uses(void **state)
{
	struct fixture *f = *state;
	struct claims three = claims_of("i", "alice", "1"), once = three;
	struct mark_uses uses = { .most = 3 };
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	char hex[DIGEST_HEX], mark[160];

	three.uses = 3;
	want("name", digest_name((struct view[]){ three.iss, three.jti, VIEW("ssh") }, 3, hex), RJWT_OK);
	for (int n = 1; n <= 3; n++) {
		want("look", mark_find_spent(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_OK);
		assert_int_equal(uses.used, n - 1);
		want("use", mark_spend(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_OK);
		assert_int_equal(uses.used, n);
		snprintf(mark, sizeof(mark), "spent/1/%s.%d", hex, n);
		assert_int_equal(file_mode(f, mark), 0600);
	}
	want("look", mark_find_spent(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_SPENT);
	want("the fourth", mark_spend(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_SPENT);
	assert_int_equal(uses.used, 3);
	want("when", mark_spent_at(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_SPENT);
	assert_true(uses.used == 3 && uses.at_s > 0);
	/* Where every token works once, one with uses left does not work any more, nor does one work that was used. */
	want("always", mark_find_spent(&o.marks, 1, &three, "ssh", &ONE, NULL), RJWT_SPENT);
	want("always", mark_spend(&o.marks, 1, &three, "ssh", &ONE, NULL), RJWT_SPENT);
	want("always, another scope", mark_spend(&o.marks, 1, &three, "su", &ONE, NULL), RJWT_OK);
	want("another scope", mark_spend(&o.marks, 1, &three, "su", &uses, NULL), RJWT_OK);
	assert_int_equal(uses.used, 2);
	want("a one-time token has a mark of its own", mark_spend(&o.marks, 1, &once, "ssh", &ONE, NULL), RJWT_OK);
	/* A use that a power cut undid is free again. */
	snprintf(mark, sizeof(mark), "spent/1/%s.2", hex);
	file_gone(f, mark);
	want("when", mark_spent_at(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_OK);
	assert_int_equal(uses.used, 2);
	want("the gap", mark_spend(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_OK);
	want("the gap is filled", mark_spend(&o.marks, 1, &three, "ssh", &uses, NULL), RJWT_SPENT);
}

static int
spend_five(struct fixture *f, int i)
{
	struct claims claims = claims_of("i", "alice", "crowd of five");
	struct mark_uses uses = { .most = 5 };
	struct opened o = open_marks(f);
	enum rjwt_err err;

	(void)i;
	claims.uses = 5;
	err = mark_spend(&o.marks, 1, &claims, "ssh", &uses, NULL);
	return err == RJWT_OK ? (int)uses.used : err == RJWT_SPENT ? 0 : 100;
}

/* Of many logins at once as many win as it has uses, and each is told another one. */
static void
test_crowd_spends_uses(void **state)
{
	for (int n = 1; n <= 5; n++) {
		struct fixture *f = fixture_new("");

		assert_int_equal(crowd(f, 64, spend_five, n), 1);
		fixture_free(f);
	}
	assert_int_equal(crowd(*state, 64, spend_five, 0), 59);
}

/* Of many logins at once one wins. */
static void
test_crowd_spends_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(crowd(f, 64, spend_once, 1), 1);
	assert_int_equal(crowd(f, 4, spend_once, 0), 4);
}

/* A mark that a crash may take away opens the door twice: all on its way is synced, also what was there. */
static void
test_mark_is_durable(void **state)
{
	static const char *const jtis[] = { "makes the folder", "finds it", "holds it", "has uses", "has uses" };
	struct fixture *f = *state;
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);

	for (size_t i = 0; i < ARRAY_LEN(jtis); i++) {
		struct claims claims = claims_of("i", "alice", jtis[i]);
		char hex[DIGEST_HEX], mark[160];
		const char *use = i < 3 ? "" : i == 3 ? ".1" : ".2";

		want("name", digest_name((struct view[]){ claims.iss, claims.jti, VIEW("ssh") }, 3, hex), RJWT_OK);
		snprintf(mark, sizeof(mark), "spent/1/%s%s", hex, use);
		claims.uses = i < 3 ? 0 : 2;
		if (i == 1)
			marks_close(&o.marks);
		syncs_begin(0);
		want(jtis[i],
		    mark_spend(&o.marks, 1, &claims, "ssh", &(struct mark_uses){ .most = i < 3 ? 1 : 2 }, NULL),
		    RJWT_OK);
		if (!synced(f, mark) || !synced(f, "spent/1") || synced(f, "spent") != (i < 2))
			fail_msg("%s: not all was synced", jtis[i]);
	}
}

/*
 * What cannot be made durable is rejected, whichever of the syncs fails. The last two are of the mark and of its
 * directory: the mark stays, and the token is spent.
 */
static void
test_sync_fails(void **state)
{
	const char *const rounds[] = { "makes the folder", "finds it" };

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		unsigned k = 0, most = 0;

		do {
			struct fixture *f = fixture_new("");
			RJWT_CLEAN(free_clean)
			char *token =
			    token_with(f, (const struct edit[]){ { 'c', "once", "true" }, { 0, NULL, NULL } });
			RJWT_CLEAN(free_clean)
			char *other = token_with(f, (const struct edit[]){ { 'c', "once", "true" },
							{ 'c', "jti", "\"other\"" }, { 0, NULL, NULL } });

			if (round == 1)
				want("the folder", judge(f, other, 0, NULL), RJWT_OK);
			fixture_config(f, ""); /* another handle, as another login has */
			syncs_begin(k);
			want(rounds[round], judge(f, token, 0, NULL), k == 0 ? RJWT_OK : RJWT_IO);
			most = k == 0 ? nsyncs : most;
			fixture_config(f, "");
			want("afterwards", judge(f, token, 0, NULL), k == 0 || k + 1 >= most ? RJWT_SPENT : RJWT_OK);
			fixture_free(f);
		} while (k++ < most);
		assert_true(most >= 3);
	}
	syncs_begin(0);
}

static int
login_once(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	static const struct edit once[] = { { 'c', "once", "true" }, { 0, NULL, NULL } };
	char *token;
	enum rjwt_err err;

	(void)i;
	token = token_with(f, once);
	if (rjwt_open(&options, &f->h, NULL) != RJWT_OK)
		return 3;
	err = judge(f, token, 0, NULL);
	return err == RJWT_OK ? 1 : err == RJWT_SPENT ? 0 : 2;
}

static int
login_thrice(struct fixture *f, int i)
{
	struct rjwt_options options = fixture_options(f);
	static const struct edit thrice[] = { { 'c', "uses", "3" }, { 0, NULL, NULL } };
	struct rjwt_verdict v;
	char *token;
	enum rjwt_err err;

	(void)i;
	token = token_with(f, thrice);
	if (rjwt_open(&options, &f->h, NULL) != RJWT_OK)
		return 3;
	err = judge(f, token, 0, &v);
	if (v.uses != 3 || v.once || v.used < 1 || v.used > 3)
		return 4;
	return err == RJWT_OK ? 1 : err == RJWT_SPENT && v.used == 3 ? 0 : 2;
}

static void
test_crowd_logs_in_thrice(void **state)
{
	assert_int_equal(crowd(*state, 64, login_thrice, 1), 3);
	assert_int_equal(crowd(*state, 4, login_thrice, 0), 4);
}

static void
test_crowd_logs_in_once(void **state)
{
	assert_int_equal(crowd(*state, 64, login_once, 1), 1);
}

static void
test_spent_unusable(void **state)
{
	struct fixture *f = *state;
	const struct edit once[] = { { 'c', "once", "true" }, { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *token = token_with(f, once);
	RJWT_CLEAN(free_clean) char *reusable = token_with(f, NULL);
	RJWT_CLEAN(opened_close) struct opened o = open_marks(f);
	const struct claims claims = claims_of("i", "alice", "j");
	char path[256];

	snprintf(path, sizeof(path), "%s/spent", f->state);
	assert_int_equal(chmod(path, 0777), 0);
	want("others could write", judge(f, token, 0, NULL), RJWT_IO);
	assert_int_equal(rmdir(path), 0);
	want("gone", judge(f, token, 0, NULL), RJWT_IO);
	want("gone", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_IO);
	want("when", mark_spent_at(&o.marks, 1, &claims, "ssh", &(struct mark_uses){ .most = 1 }, NULL), RJWT_IO);
	want("does not matter", judge(f, reusable, 0, NULL), RJWT_OK);
	assert_int_equal(mkdir(path, 0700), 0);
	want("there", judge(f, token, 0, NULL), RJWT_OK);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_spend), T(test_uses), T(test_crowd_spends_uses),
		T(test_crowd_logs_in_thrice), T(test_spent_folder_goes), T(test_crowd_spends_once),
		T(test_spent_folder_is_the_right_one), T(test_crowd_logs_in_once), T(test_mark_is_durable),
		cmocka_unit_test(test_sync_fails), T(test_spent_unusable) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

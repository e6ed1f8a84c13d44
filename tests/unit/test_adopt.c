/* SPDX-License-Identifier: MIT */
/* init --adopt: nothing from before verifies, and nothing comes to be there again. */
#include "revoke_world.h"

#include <stdio.h>
#include <unistd.h>

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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_adopt), T(test_adopt_keeps_names),
		T(test_adopt_refused), T(test_init_makes_nothing_again), cmocka_unit_test(test_trailing_slash),
		cmocka_unit_test(test_adopt_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

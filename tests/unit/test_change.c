/* SPDX-License-Identifier: MIT */
/* Changing a keyset on disk: init, rotation, time, dry runs. */
#include "fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
setup_bare(void **state)
{
	*state = fixture_bare("base_kid: B\nissuer: i\naudience: a\n");
	return 0;
}

static enum rjwt_err
init(struct fixture *f)
{
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	return rjwt_init(&options, 0, &change, &f->diag);
}

/* --- init ------------------------------------------------------------------------------------- */

static void
check_modes(const struct fixture *f)
{
	static const struct {
		const char *name;
		unsigned mode;
	} files[] = { { ".", 0755 }, { "keyset.json", 0644 }, { "keys", 0755 }, { "keys/2.jwk", 0644 },
		{ "jwks.json", 0644 }, { "revoked", 0711 }, { "revoked/jti", 0711 }, { "revoked/sub", 0711 },
		{ "spent", 0700 }, { "spent/1", 0700 }, { "issued", 0700 }, { "issued/500000", 0600 },
		{ "private", 0700 }, { "private/2.key", 0600 }, { "private/2.minted", 0600 }, { "keys/3.jwk", 0644 },
		{ "private/3.key", 0600 }, { "private/lock", 0600 } };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (file_mode(f, files[i].name) != files[i].mode)
			fail_msg("%s has mode %o", files[i].name, file_mode(f, files[i].name));
}

/* sudo hands on a stranger's umask; in the reference private keys were 0644. */
static void
test_modes(void **state)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		/* Under the last one nobody but root can open the directory that he has made. */
		mode_t mask = masks[i] == 0777 && geteuid() != 0 ? 077 : masks[i];
		struct fixture *f = fixture_bare("base_kid: B\nissuer: i\naudience: a\n");
		struct rjwt_options options = fixture_options(f);
		mode_t before = umask(mask);
		struct rjwt_token token;

		want("init", init(f), RJWT_OK);
		want("open", rjwt_open(&options, &f->h, &f->diag), RJWT_OK);
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &token, &f->diag), RJWT_OK);
		assert_string_equal(token.warning, "");
		want("spend", judge(f, token.text, 0, NULL), RJWT_OK);
		rotate(f);
		umask(before);
		check_modes(f);
		assert_false(file_there(f, "init"));
		rjwt_token_clear(&token);
		fixture_free(f);
	}
}

static void
test_init_twice(void **state)
{
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	want("first", init(f), RJWT_OK);
	assert_true(file_has(f, "keyset.json", "\"base\":\"B\",\"issuer\":\"i\",\"audience\":\"a\""));
	file_gone(f, "private/lock");
	state_digest(f, before);
	want("second", init(f), RJWT_EXISTS);
	state_digest(f, after); /* not even a lock */
	assert_string_equal(before, after);
}

static void
test_init_random_base(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	struct rjwt *h;
	struct keyset k;

	want("config", fixture_try(f, "issuer: i\naudience: a\n", &h), RJWT_KEYSET);
	want("init", rjwt_init(&options, 0, &(struct rjwt_change){ 0 }, &f->diag), RJWT_OK);
	k = keyset_get(f);
	assert_int_equal(strlen(k.base), 8);
	assert_true(keyset_base_check(view_of(k.base)) && k.base[0] != '-');
}

/* An init that crashed is finished by the next; keys without keyset.json are no such thing. */
static void
test_init_crashed(void **state)
{
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];

	want("init", init(f), RJWT_OK);
	file_gone(f, "keyset.json");
	want("keys are there", init(f), RJWT_KEYSET);
	file_gone(f, "keys/1.jwk");
	file_gone(f, "keys/2.jwk");
	file_put(f, "private/lock", VIEW(""));
	want("private halves are there", init(f), RJWT_KEYSET);
	state_digest(f, before);
	want("handle", fixture_try(f, "", &f->h), RJWT_KEYSET);
	state_digest(f, after);
	assert_string_equal(before, after);
	file_gone(f, "jwks.json"); /* which comes after keyset.json */
	file_put(f, "init", VIEW(""));
	file_put(f, "keys/.new.1.jwk", VIEW("torn"));
	want("crashed", init(f), RJWT_OK);
	assert_false(file_there(f, "init") || file_there(f, "keys/.new.1.jwk"));
	fixture_config(f, "");
	free(minted(f, NULL));
}

/* A directory of somebody else's, whatever it has in common with ours: nothing is made, no mode is changed. */
static void
test_init_elsewhere(void **state)
{
	static const char *const rows[] = { "touch s/passwd", "mkdir -m 710 s/private s/certs",
		"mkdir -m 710 s/private && touch s/private/server.key", "mkdir -m 755 s/keys", "touch s/lock",
		"mkdir s/private s/keys && touch s/keys/1.jwk", "touch s/jwks.json", "mkdir s/issued s/spent",
		"touch s/init s/other", "touch s/.new.other" };
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char before[DIGEST_HEX], after[DIGEST_HEX], command[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(command, sizeof(command), "cd %s && rm -rf state s && mkdir s && %s && mv s state", f->top,
		    rows[i]);
		assert_int_equal(system(command), 0);
		state_digest(f, before);
		want(rows[i], init(f), RJWT_KEYSET);
		want(rows[i], rjwt_init(&options, RJWT_ADOPT, &(struct rjwt_change){ 0 }, &f->diag),
		    strstr(rows[i], "1.jwk") == NULL ? RJWT_KEYSET : RJWT_OK);
		state_digest(f, after);
		if (strstr(rows[i], "1.jwk") == NULL)
			assert_string_equal(before, after);
	}
	/* What an interrupted init leaves, at its first steps; and a file system of its own. */
	for (unsigned i = 0; i < 4; i++) {
		static const char *const begun[] = { "mkdir -m 700 s/private", "mkdir -m 700 s/private s/lost+found",
			"mkdir -m 700 s/private && touch s/private/lock s/.new.init",
			"mkdir -m 700 s/private && touch s/private/lock s/init && mkdir s/keys s/revoked" };

		snprintf(command, sizeof(command), "cd %s && rm -rf state s && mkdir s && %s && mv s state", f->top,
		    begun[i]);
		assert_int_equal(system(command), 0);
		want(begun[i], init(f), RJWT_OK);
		want("again", init(f), RJWT_EXISTS);
	}
}

static void
test_init_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->state, 0777), 0);
	assert_int_equal(chmod(f->state, 0775), 0);
	want("a folder that others can write", init(f), RJWT_KEYSET);
	assert_int_equal(chmod(f->state, 0755), 0);
	want("one that they cannot", init(f), RJWT_OK);
	strcat(f->state, "/a/b");
	fixture_try(f, "issuer: i\naudience: a\n", &f->h);
	want("no parent", init(f), RJWT_IO);
}

/* --- rotation --------------------------------------------------------------------------------- */

static void
test_rotation(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf published = file_get(f, "keys/2.jwk");
	RJWT_CLEAN(buf_clear) struct buf signs = { 0 };
	RJWT_CLEAN(buf_clear) struct buf export = { 0 };
	struct rjwt_change change;
	char kid[RJWT_ID_SIZE], *jwks;
	const char *alg;
	size_t n;

	clock_run(100);
	change = rotate(f);
	assert_true(change.any && change.rotated && change.retired_version == 1 && change.made_version == 3);
	assert_string_equal(change.kid, "B.2");
	assert_true(change.next_event_s == T0 + 100 + 86400);
	want("current", rjwt_current_key(f->h, kid, &alg, &f->diag), RJWT_OK);
	assert_string_equal(kid, "B.2");
	assert_string_equal(alg, "ES256");
	/* The key that signs was published before: its file is the same. */
	signs = file_get(f, "keys/2.jwk");
	assert_string_equal(published.p, signs.p);
	assert_false(file_there(f, "private/1.key") || file_there(f, "private/1.minted"));
	assert_true(file_has(f, "keys/1.jwk",
	    "\"iat\":1800000000,\"nbf\":1800000000,\"retired\":1800000100,\"exp\":1800086500"));
	export = file_get(f, "jwks.json");
	want("jwks", rjwt_jwks(f->h, &jwks, &n, &f->diag), RJWT_OK);
	assert_string_equal(jwks, export.p);
	assert_int_equal(strlen(jwks), n);
	assert_true(strstr(jwks, "B.1\"") < strstr(jwks, "B.2\""));
	assert_non_null(strstr(jwks, "B.3\""));
	assert_non_null(strstr(jwks, "\"exp\":1800086500"));
	assert_null(strstr(strstr(jwks, "B.2\""), "\"exp\""));
	assert_null(strstr(jwks, "\"sum\""));
	assert_null(strstr(jwks, "\"d\""));
	rjwt_free(jwks);
}

/* An open handle tells any two commits apart, also of the same second. */
static void
test_open_handle_sees_commits(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	char kid[RJWT_ID_SIZE], wanted[RJWT_ID_SIZE];
	struct rjwt *reader;
	const char *alg;

	want("open", rjwt_open(&options, &reader, &f->diag), RJWT_OK);
	for (int i = 2; i < 8; i++) {
		rotate(f);
		snprintf(wanted, sizeof(wanted), "B.%d", i);
		want("current", rjwt_current_key(reader, kid, &alg, &f->diag), RJWT_OK);
		assert_string_equal(kid, wanted);
	}
	rjwt_close(reader);
}

/* --- time ------------------------------------------------------------------------------------- */

/* From retirement to removal: then the key verifies nothing, and its marks are gone too. */
static void
test_removal(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean)
	char *token = token_with(f, (const struct edit[]){ { 'c', "once", "true" }, { 0, NULL, NULL } });

	want("spend", judge(f, token, 0, NULL), RJWT_OK);
	clock_run(10);
	rotate(f);
	assert_true(file_there(f, "keys/1.jwk") && file_there(f, "spent/1"));
	clock_run(86400);
	tick(f); /* rotates; B.1 has its last second */
	assert_true(file_there(f, "keys/1.jwk"));
	clock_run(1);
	assert_true(tick(f).any);
	assert_int_equal(keyset_get(f).floor, 2);
	assert_false(file_there(f, "keys/1.jwk") || file_there(f, "spent/1"));
	assert_false(file_has(f, "jwks.json", "B.1\""));
	want("removed", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	assert_false(tick(f).any);
}

/* After a boot the clock must first be believed. */
static void
test_removal_waits_for_the_clock(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "rotate_every: 0\n");
	rotate(f);
	clock_boot(40 * 86400);
	assert_true(tick(f).any);
	assert_true(file_there(f, "keys/1.jwk"));
	clock_run(3629);
	assert_false(tick(f).any);
	clock_run(1);
	assert_true(tick(f).any);
	assert_false(file_there(f, "keys/1.jwk"));
}

static void
test_clock_back_restamps(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;

	rotate(f);
	clock_step(-30 * 86400);
	change = tick(f);
	assert_true(change.any && !change.rotated && change.warning[0] != '\0');
	assert_true(file_has(f, "keys/1.jwk", "\"retired\":1797408000,\"exp\":1797494400"));
	assert_true(keyset_get(f).active.since_s == T0 - 30 * 86400);
	assert_true(change.next_event_s == T0 - 29 * 86400);
	free(minted(f, NULL));
}

/* --- dry run ---------------------------------------------------------------------------------- */

static void
test_dry_run_writes_nothing(void **state)
{
	struct fixture *f = *state;
	char before[DIGEST_HEX], after[DIGEST_HEX];
	struct rjwt_change would, did;

	file_put(f, "keys/.new.x", VIEW("left by a crash"));
	state_digest(f, before);
	want("rotate", rjwt_rotate(f->h, RJWT_DRY_RUN, &would, &f->diag), RJWT_OK);
	assert_true(would.rotated && would.retired_version == 1);
	clock_run(86400);
	want("tick", rjwt_maintain(f->h, RJWT_DRY_RUN, &would, &f->diag), RJWT_OK);
	state_digest(f, after);
	assert_string_equal(before, after);
	did = tick(f);
	assert_memory_equal(&would, &did, offsetof(struct rjwt_change, next_event_s));
	assert_string_equal(would.text, did.text);
	state_digest(f, after);
	assert_string_not_equal(before, after);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define B(test) cmocka_unit_test_setup_teardown(test, setup_bare, fixture_teardown)
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_modes), B(test_init_twice), B(test_init_random_base),
		B(test_init_crashed), B(test_init_elsewhere), B(test_init_refused), T(test_rotation),
		T(test_open_handle_sees_commits), T(test_removal), T(test_removal_waits_for_the_clock),
		T(test_clock_back_restamps), T(test_dry_run_writes_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

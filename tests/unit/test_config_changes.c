/* SPDX-License-Identifier: MIT */
/* A configuration that changes while a keyset is in use: what was promised by the old one, and what is new. */
#include "fixture.h"
#include "base/file.h"

#include <stdio.h>

static enum rjwt_err
mint_for(struct fixture *f, int64_t lifetime_s, struct rjwt_token *token)
{
	const struct rjwt_request request = { .user = "alice", .lifetime_s = &lifetime_s, .reusable = true };

	return rjwt_mint(f->h, &request, token, &f->diag);
}

static char *
minted_for(struct fixture *f, int64_t lifetime_s)
{
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	char *text;

	want("mint", mint_for(f, lifetime_s, &token), RJWT_OK);
	text = strdup(token.text);
	assert_non_null(text);
	return text;
}

static void
take_back(struct fixture *f, const struct rjwt_revocation *revocation)
{
	struct rjwt_change change;

	want("revoke", rjwt_revoke(f->h, revocation, 0, &change, &f->diag), RJWT_OK);
}

/* The next token is signed by this key. */
static void
mints_by(struct fixture *f, const char *kid)
{
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

	want("mint", mint_for(f, 60, &token), RJWT_OK);
	assert_string_equal(token.kid, kid);
}

/* --- previous_key_ttl ------------------------------------------------------------------------- */

/* By what refuses a token that has expired long ago: the time itself, or before that its key. */
static void
key_until(struct fixture *f, const char *name, const char *token, int64_t until_s)
{
	struct rjwt_time now = clock_time;

	clock_time.wall_s = until_s;
	want(name, judge(f, token, 0, NULL), RJWT_EXPIRED);
	clock_time.wall_s++;
	want(name, judge(f, token, 0, NULL), RJWT_KEY_RETIRED);
	clock_time = now;
}

static void
test_previous_key_ttl(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *of_1 = minted(f, NULL);
	RJWT_CLEAN(free_clean) char *of_2 = NULL;
	RJWT_CLEAN(free_clean) char *of_3 = NULL;

	rotate(f);
	of_2 = minted(f, NULL);
	key_until(f, "as it was", of_1, T0 + 86400);
	fixture_config(f, "previous_key_ttl: 2h\n");
	key_until(f, "stamped before", of_1, T0 + 86400);
	clock_run(100);
	rotate(f);
	of_3 = minted(f, NULL);
	key_until(f, "shortened", of_2, T0 + 100 + 7200);
	key_until(f, "stamped before", of_1, T0 + 86400);
	fixture_config(f, "previous_key_ttl: 48h\n");
	clock_run(100);
	rotate(f);
	key_until(f, "lengthened", of_3, T0 + 200 + 172800);
	key_until(f, "shortened", of_2, T0 + 100 + 7200);
	key_until(f, "stamped before", of_1, T0 + 86400);
	want("within", judge(f, of_1, 0, NULL), RJWT_OK);
	want("within", judge(f, of_2, 0, NULL), RJWT_OK);
	want("within", judge(f, of_3, 0, NULL), RJWT_OK);
}

/* Keys go in the order of their versions, each after its own time. */
static void
test_previous_key_ttl_and_clean_up(void **state)
{
	struct fixture *f = *state;

	rotate(f);
	fixture_config(f, "previous_key_ttl: 2h\nrotate_every: 0\n");
	rotate(f);
	clock_run(86400);
	tick(f);
	assert_true(file_there(f, "keys/1.jwk") && file_there(f, "keys/2.jwk"));
	clock_run(1);
	tick(f);
	assert_false(file_there(f, "keys/1.jwk") || file_there(f, "keys/2.jwk"));
	assert_true(file_there(f, "keys/3.jwk"));
}

/* --- alg -------------------------------------------------------------------------------------- */

static void
signs(struct fixture *f, const char *kid, const char *alg)
{
	char current[RJWT_ID_SIZE];
	const char *label;

	want(kid, rjwt_current_key(f->h, current, &label, &f->diag), RJWT_OK);
	assert_string_equal(current, kid);
	assert_string_equal(label, alg);
}

static void
test_alg(void **state)
{
	static const struct {
		const char *yaml, *kid, *alg; /* what signs after a rotation with this configuration */
	} rows[] = { { "", "B.2", "ES256" }, { "alg: EdDSA\n", "B.3", "ES256" }, { "alg: EdDSA\n", "B.4", "EdDSA" },
		{ "alg: HS256\n", "B.5", "EdDSA" }, { "alg: ES256\n", "B.6", "HS256" },
		{ "alg: ES256\n", "B.7", "ES256" } };
	struct fixture *f = *state;
	char *tokens[7] = { minted(f, NULL) };

	signs(f, "B.1", "ES256");
	for (size_t i = 0; i < 6; i++) {
		fixture_config(f, rows[i].yaml);
		rotate(f);
		signs(f, rows[i].kid, rows[i].alg);
		tokens[i + 1] = minted(f, NULL);
	}
	/* Each by its own key's algorithm, whatever is configured now. */
	for (size_t i = 0; i < 7; i++) {
		want(i == 0 ? "B.1" : rows[i - 1].kid, judge(f, tokens[i], 0, NULL), RJWT_OK);
		forge(tokens[i]);
		want("forged", judge(f, tokens[i], 0, NULL), RJWT_SIGNATURE);
		free(tokens[i]);
	}
}

/* --- rotate_every ----------------------------------------------------------------------------- */

static void
test_rotate_every(void **state)
{
	struct fixture *f = *state;

	clock_run(3600);
	assert_false(tick(f).rotated);
	fixture_config(f, "rotate_every: 3601s\n");
	assert_false(tick(f).rotated);
	fixture_config(f, "rotate_every: 1h\n"); /* due by the new rule: once, and at once */
	assert_true(tick(f).rotated);
	assert_false(tick(f).rotated);
	fixture_config(f, "rotate_every: 48h\n");
	clock_run(172799);
	assert_false(tick(f).rotated);
	clock_run(1);
	assert_true(tick(f).rotated);
	fixture_config(f, "rotate_every: 0\n");
	clock_run(40 * 86400);
	assert_false(tick(f).rotated);
	mints_by(f, "B.3");
	fixture_config(f, "rotate_every: 1h\n"); /* however late: one */
	mints_by(f, "B.4");
	assert_false(tick(f).rotated);
}

/* --- max_tokens_per_key ----------------------------------------------------------------------- */

static void
test_max_tokens(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *before = minted(f, NULL);

	for (int i = 1; i < 5; i++)
		mints_by(f, "B.1");
	fixture_config(f, "max_tokens_per_key: 3\n"); /* below what was minted: not one more */
	for (int i = 0; i < 3; i++)
		mints_by(f, "B.2");
	want("of a key with too many", judge(f, before, 0, NULL), RJWT_OK);
	fixture_config(f, "max_tokens_per_key: 5\n");
	for (int i = 3; i < 5; i++)
		mints_by(f, "B.2");
	mints_by(f, "B.3");
	fixture_config(f, "max_tokens_per_key: 2\n"); /* not below: one is left */
	mints_by(f, "B.3");
	mints_by(f, "B.4");
	fixture_config(f, "max_tokens_per_key: 0\n");
	for (int i = 0; i < 10; i++)
		mints_by(f, "B.4");
	assert_false(tick(f).rotated);
	fixture_config(f, "max_tokens_per_key: 11\n"); /* what was minted without a limit has been counted */
	assert_true(tick(f).rotated);
}

/* --- max_lifetime ----------------------------------------------------------------------------- */

static void
test_max_lifetime(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *longer = minted_for(f, 601);
	RJWT_CLEAN(free_clean) char *shorter = minted_for(f, 600);
	RJWT_CLEAN(free_clean) char *longest = NULL;
	struct rjwt_token token;

	fixture_config(f, "max_lifetime: 10m\n");
	want("above", judge(f, longer, 0, NULL), RJWT_LIFETIME);
	want("at it", judge(f, shorter, 0, NULL), RJWT_OK);
	want("minting above", mint_for(f, 601, &token), RJWT_LIFETIME);
	fixture_config(f, "max_lifetime: 2h\n");
	want("raised", judge(f, longer, 0, NULL), RJWT_OK);
	longest = minted_for(f, 7200);
	clock_run(7000);
	want("of the new length", judge(f, longest, 0, NULL), RJWT_OK);
	want("of the old one", judge(f, longer, 0, NULL), RJWT_EXPIRED);
	fixture_config(f, "");
	want("above", judge(f, longest, 0, NULL), RJWT_LIFETIME);
}

/*
 * A short max_lifetime lets a key and its marks be forgotten soon. When it is long again, what was revoked or
 * spent must not open: the marks go with the key alone, and a key that retired before keeps its time.
 */
static void
test_marks_through_max_lifetime(void **state)
{
	static const char *const low =
	    "max_lifetime: 60s\ndefault_lifetime: 60s\nprevious_key_ttl: 2m\nrotate_every: 0\n";

	(void)state;
	for (int forgotten = 0; forgotten < 2; forgotten++) {
		struct fixture *f = fixture_new("");
		const struct rjwt_request once = { .user = "alice", .lifetime_s = &(int64_t){ 3600 } };
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token revoked = { 0 };
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token spent = { 0 };
		RJWT_CLEAN(free_clean) char *other = minted_for(f, 3600);

		want("mint", mint_for(f, 3600, &revoked), RJWT_OK);
		want("mint", rjwt_mint(f->h, &once, &spent, &f->diag), RJWT_OK);
		take_back(f, &(struct rjwt_revocation){ .jti = revoked.jti });
		want("its use", judge(f, spent.text, 0, NULL), RJWT_OK);
		if (!forgotten)
			rotate(f);
		fixture_config(f, low);
		if (forgotten)
			rotate(f);
		want("low", judge(f, other, 0, NULL), RJWT_LIFETIME);
		want("low", judge(f, revoked.text, 0, NULL), RJWT_LIFETIME);
		clock_run(200);
		tick(f);
		assert_true(file_there(f, "spent/1") == !forgotten);
		fixture_config(f, "");
		want("raised", judge(f, other, 0, NULL), forgotten ? RJWT_KEY_UNKNOWN : RJWT_OK);
		want("raised", judge(f, revoked.text, 0, NULL), forgotten ? RJWT_KEY_UNKNOWN : RJWT_REVOKED);
		want("raised", judge(f, spent.text, 0, NULL), forgotten ? RJWT_KEY_UNKNOWN : RJWT_SPENT);
		fixture_free(f);
	}
}

/* --- leeway ----------------------------------------------------------------------------------- */

static void
test_leeway(void **state)
{
	static const struct {
		const char *yaml;
		int64_t leeway_s;
	} rows[] = { { "", 30 }, { "leeway: 10s\n", 10 }, { "leeway: 5m\n", 300 }, { "leeway: 0s\n", 0 }, { "", 30 } };
	struct fixture *f = *state;
	struct edit of_late[] = { { 'c', "iat", "1800000020" }, { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *token = minted(f, NULL);
	RJWT_CLEAN(free_clean) char *late = token_with(f, of_late);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fixture_config(f, rows[i].yaml);
		clock_time.wall_s = T0 + 300 + rows[i].leeway_s - 1;
		want(rows[i].yaml, judge(f, token, 0, NULL), RJWT_OK);
		clock_time.wall_s++;
		want(rows[i].yaml, judge(f, token, 0, NULL), RJWT_EXPIRED);
		clock_time.wall_s = T0 - rows[i].leeway_s;
		want(rows[i].yaml, judge(f, token, 0, NULL), RJWT_OK);
		clock_time.wall_s--;
		want(rows[i].yaml, judge(f, token, 0, NULL), RJWT_NOT_YET_VALID);
		clock_time.wall_s = T0 + 20 - rows[i].leeway_s;
		want(rows[i].yaml, judge(f, late, 0, NULL), RJWT_OK);
		clock_time.wall_s--;
		want(rows[i].yaml, judge(f, late, 0, NULL), RJWT_ISSUED_IN_FUTURE);
	}
	/* Its key retired 20 s before it says that it was issued. */
	clock_reset();
	rotate(f);
	clock_run(25);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fixture_config(f, rows[i].yaml);
		want(rows[i].yaml, judge(f, token, 0, NULL), RJWT_OK);
		want(rows[i].yaml, judge(f, late, 0, NULL), rows[i].leeway_s < 20 ? RJWT_KEY_RETIRED : RJWT_OK);
	}
}

/* --- issuer and audience ---------------------------------------------------------------------- */

static void
test_issuer(void **state)
{
	static const struct {
		const char *yaml, *minted; /* the claim of what is minted */
		enum rjwt_err old, new;	   /* of iss.example, of new.example */
	} rows[] = {
		{ "", "iss.example", RJWT_OK, RJWT_ISSUER },
		{ "issuer: [new.example, iss.example]\n", "new.example", RJWT_OK, RJWT_OK },
		{ "issuer: new.example\n", "new.example", RJWT_ISSUER, RJWT_OK },
		{ "issuer: [third.example, new.example, iss.example]\n", "third.example", RJWT_OK, RJWT_OK },
		{ "", "iss.example", RJWT_OK, RJWT_ISSUER },
	};
	struct fixture *f = *state;
	const struct edit by_new[] = { { 'c', "iss", "\"new.example\"" }, { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *old = token_with(f, NULL);
	RJWT_CLEAN(free_clean) char *new = token_with(f, by_new);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
		char member[64];

		fixture_config(f, rows[i].yaml);
		want(rows[i].yaml, judge(f, old, 0, NULL), rows[i].old);
		want(rows[i].yaml, judge(f, new, 0, NULL), rows[i].new);
		want(rows[i].yaml, mint_for(f, 60, &token), RJWT_OK);
		want(rows[i].yaml, judge(f, token.text, 0, NULL), RJWT_OK);
		snprintf(member, sizeof(member), "\"iss\":\"%s\"", rows[i].minted);
		assert_non_null(strstr(token.claims, member));
	}
}

static void
test_audience(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *old = minted(f, NULL);
	RJWT_CLEAN(free_clean) char *new = NULL;

	fixture_config(f, "audience: [new.example, host.example]\n");
	new = minted(f, NULL);
	want("a former name", judge(f, old, 0, NULL), RJWT_OK);
	want("the new one", judge(f, new, 0, NULL), RJWT_OK);
	fixture_config(f, "audience: new.example\n");
	want("no more", judge(f, old, 0, NULL), RJWT_AUDIENCE);
	want("the new one", judge(f, new, 0, NULL), RJWT_OK);
	fixture_config(f, "");
	want("the recorded one", judge(f, old, 0, NULL), RJWT_OK);
	want("not it", judge(f, new, 0, NULL), RJWT_AUDIENCE);
}

/* --- user_claim and user_suffix --------------------------------------------------------------- */

static void
test_user(void **state)
{
	static const char suffix[] = "user_suffix: \"@example.org\"\n";
	static const char mail[] = "user_claim: email\nuser_suffix: \"@example.org\"\n";
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *plain = minted(f, NULL); /* sub: alice */
	RJWT_CLEAN(free_clean) char *suffixed = NULL;	      /* sub: alice@example.org */
	RJWT_CLEAN(free_clean) char *mailed = NULL;	      /* sub: alice, email: alice@example.org */

	fixture_config(f, suffix);
	suffixed = minted(f, NULL);
	want("no suffix", judge(f, plain, 0, NULL), RJWT_USER);
	want("with it", judge(f, suffixed, 0, NULL), RJWT_OK);
	fixture_config(f, mail);
	mailed = minted(f, NULL);
	want("no such claim", judge(f, plain, 0, NULL), RJWT_CLAIMS);
	want("no such claim", judge(f, suffixed, 0, NULL), RJWT_CLAIMS);
	want("with it", judge(f, mailed, 0, NULL), RJWT_OK);
	fixture_config(f, "");
	want("plain again", judge(f, plain, 0, NULL), RJWT_OK);
	want("another user", judge(f, suffixed, 0, NULL), RJWT_USER);
	want("whose name it is", judge_as(f, suffixed, "alice@example.org", "sshd", 0, NULL), RJWT_OK);
	want("sub is alice's", judge(f, mailed, 0, NULL), RJWT_OK);
}

/* A login name that is revoked is revoked, however a token spells it, and wherever it was revoked. */
static void
test_user_revoked(void **state)
{
	static const char *const yaml[] = { "", "user_suffix: \"@example.org\"\n",
		"user_claim: email\nuser_suffix: \"@example.org\"\n" };

	(void)state;
	for (size_t by = 0; by < 3; by++) {
		struct fixture *f = fixture_new("");
		char *alices[3], *bobs[3];

		for (size_t i = 0; i < 3; i++) {
			fixture_config(f, yaml[i]);
			alices[i] = minted(f, "alice");
			bobs[i] = minted(f, "bob");
		}
		fixture_config(f, yaml[by]);
		take_back(f, &(struct rjwt_revocation){ .users = (const char *const[]){ "alice", NULL } });
		for (size_t i = 0; i < 3; i++) {
			fixture_config(f, yaml[i]);
			want(yaml[i], judge(f, alices[i], 0, NULL), RJWT_REVOKED);
			want(yaml[i], judge_as(f, bobs[i], "bob", "sshd", 0, NULL), RJWT_OK);
			free(alices[i]);
			free(bobs[i]);
			alices[i] = minted(f, "alice");
			want("a new one", judge(f, alices[i], 0, NULL), RJWT_OK);
			free(alices[i]);
		}
		fixture_free(f);
	}
}

/* --- the least of each value -------------------------------------------------------------------- */

/* What the configuration accepts works: a token is minted, and verifies, also when its key has retired. */
static void
test_least_values(void **state)
{
	static const char *const rows[] = {
		"rotate_every: 1s\nprevious_key_ttl: 10000s\n",
		"rotate_every: 1s\nprevious_key_ttl: 2s\nmax_lifetime: 1s\ndefault_lifetime: 1s\nleeway: 0\n",
		"default_lifetime: 1s\n",
		"leeway: 0\n",
		"max_tokens_per_key: 1\n",
		"rotate_every: 0\nmax_tokens_per_key: 0\n",
		"base_kid: B\nmax_token_bytes: 300\nalg: HS256\n",
		"alg: RS256\nrsa_bits: 2048\n",
		"token_type: x\n",
		"user_claim: x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(buf_clear) struct buf yaml = { 0 };
		RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
		const struct rjwt_request request = { .user = "a" };
		struct rjwt_options options;
		struct rjwt_change change;
		struct fixture *f;

		buf_addf(&yaml, "issuer: i\naudience: a\n%s", rows[i]);
		f = fixture_bare(yaml.p);
		options = fixture_options(f);
		want(rows[i], rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
		fixture_config(f, yaml.p);
		for (int n = 0; n < 2; n++) {
			rjwt_token_clear(&token);
			want(rows[i], rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
			rotate(f);
			want(rows[i], judge_as(f, token.text, "a", "sshd", 0, NULL), RJWT_OK);
			clock_run(1);
		}
		fixture_free(f);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_previous_key_ttl), T(test_previous_key_ttl_and_clean_up),
		T(test_alg), T(test_rotate_every), T(test_max_tokens), T(test_max_lifetime),
		cmocka_unit_test(test_marks_through_max_lifetime), T(test_leeway), T(test_issuer), T(test_audience),
		T(test_user), cmocka_unit_test(test_user_revoked), cmocka_unit_test(test_least_values) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

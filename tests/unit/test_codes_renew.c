/* SPDX-License-Identifier: MIT */
/* When the token of a code is signed anew, by which key, and when a code goes: each with its twin a second away. */
#include "fixture.h"
#include "base/file.h"
#include "keyset/codes.h"

#include <stdio.h>

#define CODES "codes: [ssh]\n"
#define HOUR 3600 /* max_lifetime, unless a test says otherwise */

static struct rjwt_token
code_until(struct fixture *f, int64_t seconds)
{
	static const char *const ssh[] = { "ssh", NULL };
	const struct rjwt_request request = { .user = "alice",
		.scope = ssh,
		.code_until_s = clock_time.wall_s + seconds,
		.flags = RJWT_PARK };
	struct rjwt_token token;

	want("code", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	return token;
}

struct seen {
	int n, by[8], now; /* codes; tokens of each version; those of this moment */
	int64_t iat_s;	   /* of the last one */
};

static enum rjwt_err
see(void *context, const char *name, const struct code *code)
{
	struct seen *seen = context;

	(void)name;
	seen->n++;
	seen->by[code->kid.p[code->kid.n - 1] - '0']++;
	seen->now += code->iat_s == clock_time.wall_s;
	seen->iat_s = code->iat_s;
	return RJWT_OK;
}

/* After a pass of the keeper. */
static struct seen
pass(struct fixture *f)
{
	RJWT_CLEAN(dir_close) struct dir dir = DIR_NONE;
	struct seen seen = { 0 };

	(void)tick(f);
	want("state", dir_open(f->state, &dir, NULL), RJWT_OK);
	want("codes", codes_each(&dir, see, &seen, NULL), RJWT_OK);
	return seen;
}

static void
test_middle(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

	fixture_config(f, CODES);
	token = code_until(f, 100 * DAY);
	clock_run(HOUR / 2 - 1);
	assert_int_equal(pass(f).iat_s, T0);
	clock_run(1);
	assert_int_equal(pass(f).iat_s, T0 + HOUR / 2);
	clock_run(HOUR / 2 - 1);
	assert_int_equal(pass(f).iat_s, T0 + HOUR / 2);
	clock_run(1);
	assert_int_equal(pass(f).iat_s, T0 + HOUR);
}

/* The last token lives to the end, and the code with it. */
static void
test_last(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

	fixture_config(f, CODES);
	token = code_until(f, HOUR);
	clock_run(HOUR - 1);
	assert_int_equal(pass(f).iat_s, T0);
	clock_run(1);
	assert_int_equal(pass(f).n, 0);
	rjwt_token_clear(&token);
	token = code_until(f, HOUR + HOUR / 2);
	clock_run(HOUR / 2);
	assert_int_equal(pass(f).iat_s, T0 + HOUR + HOUR / 2);
	clock_run(HOUR - 1);
	assert_int_equal(pass(f).n, 1);
	clock_run(1);
	assert_int_equal(pass(f).n, 0);
}

/* A token that lives longer than one may is signed anew at once. */
static void
test_smaller(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

	fixture_config(f, CODES);
	token = code_until(f, 100 * DAY);
	clock_run(9);
	assert_int_equal(pass(f).iat_s, T0);
	fixture_config(f, CODES "max_lifetime: 1h\n");
	assert_int_equal(pass(f).iat_s, T0);
	fixture_config(f, CODES "max_lifetime: 59m\n");
	assert_int_equal(pass(f).iat_s, T0 + 9);
	clock_run(59 * 30 - 1);
	assert_int_equal(pass(f).iat_s, T0 + 9);
	clock_run(1);
	assert_int_equal(pass(f).iat_s, T0 + 9 + 59 * 30);
}

/* Where the count of a key is exact these tokens are among its tokens: of two codes a limit of three lets one be renewed. */
static void
test_limit(void **state)
{
	for (int limit = 3; limit <= 4; limit++) {
		struct fixture *f = fixture_new("");
		struct rjwt_token one, two;
		struct seen seen;
		char yaml[64];

		snprintf(yaml, sizeof(yaml), CODES "max_tokens_per_key: %d\n", limit);
		fixture_config(f, yaml);
		one = code_until(f, 100 * DAY);
		two = code_until(f, 100 * DAY);
		clock_run(HOUR / 2);
		seen = pass(f);
		assert_true(seen.n == 2 && seen.by[1] == 2 && seen.now == limit - 2);
		clock_run(60);
		seen = pass(f); /* by the key that came after it */
		assert_true(seen.n == 2 && seen.by[2] == 4 - limit && seen.now == 4 - limit);
		rjwt_token_clear(&one);
		rjwt_token_clear(&two);
		fixture_free(f);
	}
	(void)state;
}

/* A key that is gone vouches for nothing, and a scope that is not named any more is not renewed. */
static void
test_gone(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };

	fixture_config(f, CODES);
	token = code_until(f, 100 * DAY);
	fixture_config(f, "codes: [sudo]\n");
	clock_run(HOUR / 2);
	assert_int_equal(pass(f).iat_s, T0);
	fixture_config(f, "");
	assert_int_equal(pass(f).iat_s, T0);
	fixture_config(f, CODES);
	assert_int_equal(pass(f).iat_s, T0 + HOUR / 2);
	rotate(f);
	assert_int_equal(pass(f).n, 1);
	file_gone(f, "keys/1.jwk");
	want("reopen", fixture_reopen(f), RJWT_OK);
	assert_int_equal(pass(f).n, 0);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_middle), T(test_last), T(test_smaller), T(test_limit),
		T(test_gone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

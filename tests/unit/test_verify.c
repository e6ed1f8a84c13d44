/* SPDX-License-Identifier: MIT */
/* The token's text: its length, its ends, the length of its signature. The rest is a table: tests/rejection. */
#include "fixture.h"
#include "base/base64url.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_nul_in_token(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *good = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	struct rjwt_attempt attempt = { .user = "alice", .service = "sshd" };
	struct rjwt_verdict v;

	buf_add(&text, good, strlen(good) + 1);
	attempt.token = text.p;
	attempt.len = text.n;
	want("NUL at the end", rjwt_verify(f->h, &attempt, &v, NULL), RJWT_MALFORMED);
	attempt.len = text.n - 1;
	want("without it", rjwt_verify(f->h, &attempt, &v, NULL), RJWT_OK);
	rjwt_verdict_clear(&v);
	want("none", judge(f, NULL, 0, NULL), RJWT_EMPTY);
}

/* An ECDSA signature is R||S of exactly 64 bytes. */
static void
test_signature_length(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	RJWT_CLEAN(buf_clear) struct buf sig = { 0 };
	const char *last = strrchr(token, '.');

	want("decode", base64url_decode(view_of(last + 1), &sig), RJWT_OK);
	assert_int_equal(sig.n, 64);
	for (size_t n = 0; n <= 72; n++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };
		RJWT_CLEAN(buf_clear) struct buf bytes = { 0 };

		for (size_t i = 0; i < n; i++)
			buf_add(&bytes, i < 64 ? sig.p + i : "", 1);
		buf_add(&text, token, (size_t)(last + 1 - token));
		base64url_encode(&text, buf_view(&bytes));
		if (n < 64 && rjwt_prompt_cuts(text.n))
			continue; /* test_truncated */
		want("length", judge(f, text.p, 0, NULL), n == 64 ? RJWT_OK : n == 0 ? RJWT_MALFORMED : RJWT_SIGNATURE);
	}
}

/* A token of exactly this length, or with at_most: of one more than length up to that; NULL: none. */
static char *
token_of_length(struct fixture *f, size_t length, size_t at_most)
{
	for (int head = 0; head < 3; head++)
		for (size_t pad = length > 420 ? (length - 420) * 3 / 4 - 60 : 0; pad < length; pad++) {
			char h[8], text[4200];
			const struct edit edits[] = { { 'h', "x", h }, { 'c', "x", text }, { 0, NULL, NULL } };
			char *token;
			size_t n;

			snprintf(h, sizeof(h), "\"%.*s\"", head, "xx");
			snprintf(text, sizeof(text), "\"%0*d\"", (int)pad + 1, 0);
			token = token_with(f, edits);
			n = strlen(token);
			if (at_most == 0 ? n == length : n > length && n <= at_most)
				return token;
			free(token);
			if (n > length + 90)
				break;
		}
	return NULL;
}

/* At the limits of the prompts a reply is cut in silence, and about half of what is left still parses. */
static void
test_truncated(void **state)
{
	static const size_t limits[] = { 511, 1023, 4095 };
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		RJWT_CLEAN(free_clean) char *whole = token_of_length(f, limits[i], 0);
		RJWT_CLEAN(free_clean) char *cut = token_of_length(f, limits[i], limits[i] + 80);
		RJWT_CLEAN(free_clean) char *deep = token_of_length(f, limits[i] + 90, limits[i] + 96);
		enum rjwt_err err;

		assert_non_null(whole);
		assert_non_null(cut);
		assert_non_null(deep);
		want("whole", judge(f, whole, 0, NULL), RJWT_OK);
		want("longer", judge(f, cut, 0, NULL), RJWT_OK);
		cut[limits[i]] = deep[limits[i]] = '\0';
		want("cut in the signature", judge(f, cut, 0, NULL), RJWT_TRUNCATED);
		want("cut in the payload", judge(f, deep, 0, NULL), RJWT_TRUNCATED);
		/* Of full length, and wrong: not cut. */
		whole[limits[i] - 50] = whole[limits[i] - 50] == 'A' ? 'B' : 'A';
		want("a wrong signature", judge(f, whole, 0, NULL), RJWT_SIGNATURE);
		cut[limits[i] - 1] = '\0';
		err = judge(f, cut, 0, NULL);
		assert_true(err == RJWT_SIGNATURE || err == RJWT_MALFORMED);
	}
}

/* A JWS may sign nothing, a token may not. */
static void
test_no_payload(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf header = { 0 };
	RJWT_CLEAN(buf_clear) struct buf claims = { 0 };
	RJWT_CLEAN(free_clean) char *empty = NULL;
	struct rjwt_verdict v;

	token_parts(f, NULL, &header, &claims);
	empty = token_signed(f, buf_view(&header), VIEW(""));
	want("a JWS", judge(f, empty, RJWT_SIGNATURE_ONLY, &v), RJWT_OK);
	assert_string_equal(v.claims, "");
	assert_int_equal(v.claims_len, 0);
	rjwt_verdict_clear(&v);
	want("a token", judge(f, empty, 0, NULL), RJWT_MALFORMED);
}

static void
test_too_long(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, NULL);
	char yaml[64];

	snprintf(yaml, sizeof(yaml), "max_token_bytes: %zu\n", strlen(token));
	fixture_config(f, yaml);
	want("of that length", judge(f, token, 0, NULL), RJWT_OK);
	snprintf(yaml, sizeof(yaml), "max_token_bytes: %zu\n", strlen(token) - 1);
	fixture_config(f, yaml);
	want("one more", judge(f, token, 0, NULL), RJWT_TOO_LONG);
}

/* Without a service: spent is what is spent for all its scopes, and for which of them is told. */
static void
test_spent_without_service(void **state)
{
	static const struct edit edits[] = { { 'c', "once", "true" }, { 'c', "jti", "\"j\"" },
		{ 'c', "scope", "\"ssh sudo\"" }, { 0, NULL, NULL } };
	const int any = RJWT_DRY_RUN | RJWT_ANY_SERVICE | TRACED;
	struct fixture *f = *state;
	char *token = token_with(f, edits);
	RJWT_CLEAN(free_clean)
	char *other = token_with(f,
	    (const struct edit[]){ CLAIM("once", "true"), CLAIM("jti", "\"k\""), CLAIM("scope", "\"ssh sudo\""), END });
	struct rjwt_verdict v;
	const struct rjwt_check *last;

	want("new", judge(f, token, any, &v), RJWT_OK);
	last = &judge_trace[v.nchecks - 1];
	assert_string_equal(last->name, "spent");
	assert_string_equal(last->found, "its first use");
	rjwt_verdict_clear(&v);
	want("ssh", judge(f, token, 0, NULL), RJWT_OK);
	want("one left", judge(f, token, any, &v), RJWT_OK);
	assert_int_equal(last->outcome, RJWT_PASSED);
	assert_string_equal(last->found, "spent for ssh");
	rjwt_verdict_clear(&v);
	want("sudo", judge_as(f, token, "alice", "sudo", 0, NULL), RJWT_OK);
	want("none left", judge(f, token, any, &v), RJWT_SPENT);
	assert_string_equal(v.failed.found, "spent for ssh sudo");
	rjwt_verdict_clear(&v);
	free(token);
	want("sudo first", judge_as(f, other, "alice", "sudo", 0, NULL), RJWT_OK);
	want("ssh left", judge(f, other, any, &v), RJWT_OK);
	assert_string_equal(last->found, "spent for sudo");
	rjwt_verdict_clear(&v);
}

/* Where the marks cannot be looked at: who is not root is told so, and for anything else there is no verdict. */
static void
test_spent_unreadable(void **state)
{
	const int any = RJWT_DRY_RUN | RJWT_ANY_SERVICE | TRACED;
	struct fixture *f = *state;
	RJWT_CLEAN(free_clean) char *token = token_with(f, (const struct edit[]){ CLAIM("once", "true"), END });
	RJWT_CLEAN(free_clean)
	char *plain = token_with(f, (const struct edit[]){ CLAIM("once", "true"), CLAIM("scope", NULL), END });
	char spent[200], aside[200];
	struct rjwt_verdict v;
	uid_t me = geteuid();

	snprintf(spent, sizeof(spent), "%s/spent", f->state);
	snprintf(aside, sizeof(aside), "%s/aside", f->state);
	want("no scope to be spent for", judge(f, plain, any, &v), RJWT_OK);
	assert_int_equal(judge_trace[27].outcome, RJWT_NOT_CHECKED);
	assert_string_equal(judge_trace[27].expected, "no service was given");
	rjwt_verdict_clear(&v);
	want("no scope", judge_as(f, plain, "alice", NULL, RJWT_ANY_SERVICE, NULL), RJWT_USAGE);
	want("root's", judge(f, token, any, NULL), RJWT_OK);
	assert_int_equal(chmod(spent, 0), 0);
	assert_true(me != 0 || (chmod(f->top, 0711) == 0 && seteuid(65534) == 0));
	want("closed", judge(f, token, any, &v), RJWT_OK);
	assert_true(me != 0 || seteuid(me) == 0);
	assert_int_equal(judge_trace[27].outcome, RJWT_NOT_CHECKED);
	assert_string_equal(judge_trace[27].expected, "only root can see whether it is spent");
	rjwt_verdict_clear(&v);
	assert_int_equal(chmod(spent, 0700), 0);
	assert_int_equal(rename(spent, aside), 0);
	want("gone", judge(f, token, any, NULL), RJWT_IO);
	want("gone, for a service", judge(f, token, RJWT_DRY_RUN, NULL), RJWT_IO);
	assert_int_equal(symlink("aside", spent), 0);
	want("a link", judge(f, token, any, NULL), RJWT_IO);
	assert_int_equal(unlink(spent), 0);
	assert_int_equal(rename(aside, spent), 0);
	want("there again", judge(f, token, any, NULL), RJWT_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nul_in_token, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_signature_length, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_truncated, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_payload, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_too_long, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_spent_without_service, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_spent_unreadable, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

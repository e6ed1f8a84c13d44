/* SPDX-License-Identifier: MIT */
/* Tokens that are minted together: each is minted or refused as it would be alone. */
#include "fixture.h"

#include <stdio.h>

static void
clear_all(struct rjwt_minted *minted, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rjwt_token_clear(&minted[i].token);
}

/* Every other request is refused, by what is looked at before, and after, the key is known. */
static void
test_refused_hinder_none(void **state)
{
	struct fixture *f = *state;
	const int64_t long_s = 360000;
	const char *const bad_scope[] = { "a b", NULL };
	const struct rjwt_request good = { .user = "alice", .reusable = true }, bad[] = { { .user = NULL },
		{ .user = "" }, { .user = "a", .lifetime_s = &long_s }, { .user = "a", .scope = bad_scope },
		{ .user = "a", .claims = "{\"exp\":1}" }, { .user = "a", .header = "x" }, { .user = "a", .kid = "B.2" },
		{ .user = "a", .alg = "HS256" }, { .user = "a", .issuer = "" } };
	static const enum rjwt_err reasons[] = { RJWT_USER, RJWT_USER, RJWT_LIFETIME, RJWT_SCOPE, RJWT_CLAIMS,
		RJWT_HEADER, RJWT_KID, RJWT_ALG, RJWT_ISSUER };
	struct rjwt_request requests[2 * ARRAY_LEN(bad)];
	struct rjwt_minted minted[2 * ARRAY_LEN(bad)];
	const size_t n = ARRAY_LEN(requests);
	struct buf tickets;

	for (size_t i = 0; i < n; i++)
		requests[i] = i % 2 == 0 ? good : bad[i / 2];
	want("all", rjwt_mint_batch(f->h, requests, n, minted), RJWT_USER);
	for (size_t i = 0; i < n; i++) {
		struct rjwt_token alone;
		char row[32];

		snprintf(row, sizeof(row), "request %zu", i);
		want(row, minted[i].err, i % 2 == 0 ? RJWT_OK : reasons[i / 2]);
		want(row, rjwt_mint(f->h, &requests[i], &alone, &f->diag), minted[i].err);
		assert_string_equal(f->diag.text, minted[i].diag.text);
		if (minted[i].err != RJWT_OK) {
			assert_null(minted[i].token.text);
			assert_true(minted[i].diag.text[0] != '\0');
			continue;
		}
		assert_string_not_equal(minted[i].token.jti, alone.jti);
		want(row, judge(f, minted[i].token.text, 0, NULL), RJWT_OK);
		rjwt_token_clear(&alone);
	}
	tickets = file_get(f, "private/1.minted");
	assert_int_equal(tickets.n, 18); /* nine each way, and none for a refusal */
	buf_clear(&tickets);
	clear_all(minted, n);
}

/* More than a key may sign, in one block: it rotates as often as that takes, and no key signs more. */
static void
test_limit(void **state)
{
	struct rjwt_request requests[10];
	struct rjwt_minted minted[10];
	struct fixture *f = fixture_new("max_tokens_per_key: 4");

	(void)state;
	for (size_t i = 0; i < 10; i++)
		requests[i] = (struct rjwt_request){ .user = "alice", .reusable = true };
	want("all", rjwt_mint_batch(f->h, requests, 10, minted), RJWT_OK);
	for (size_t i = 0; i < 10; i++) {
		char kid[RJWT_ID_SIZE];

		snprintf(kid, sizeof(kid), "B.%zu", i / 4 + 1);
		assert_string_equal(minted[i].token.kid, kid);
		assert_int_equal(minted[i].token.change.rotated, i == 4 || i == 8);
		want("verify", judge(f, minted[i].token.text, 0, NULL), RJWT_OK);
	}
	clear_all(minted, 10);
	fixture_free(f);
}

/* --- another rotates meanwhile ---------------------------------------------------------------- */

static struct fixture *minting;
static unsigned readings, rotate_at;

/* Readings: 1 whether it is due, then iat of each request, then each once more before it is signed. */
static void
clock_at_reading(void *context, struct rjwt_time *now)
{
	if (++readings == rotate_at) {
		const struct rjwt_options options = { .config = minting->config, .now = clock_made_up };
		struct rjwt_change change;
		struct rjwt *h;

		want("open", rjwt_open(&options, &h, NULL), RJWT_OK);
		want("rotate", rjwt_rotate(h, 0, &change, NULL), RJWT_OK);
		rjwt_close(h);
	}
	clock_made_up(context, now);
}

/* Whenever that happens, what comes out is signed by the new key, the refused stay refused. */
static void
test_rotation_meanwhile(void **state)
{
	const struct rjwt_request requests[] = { { .user = "alice" }, { .user = "bob", .kid = "B.1" },
		{ .user = "carol", .kid = "B.2" }, { .user = "dave" } };

	(void)state;
	for (unsigned at = 1; at <= 7; at++) {
		struct rjwt_minted minted[4];
		struct fixture *f = fixture_new("");
		bool before = at == 1;

		f->now = clock_at_reading;
		fixture_config(f, "");
		minting = f;
		readings = 0;
		rotate_at = at;
		want("all", rjwt_mint_batch(f->h, requests, 4, minted), RJWT_KID);
		assert_int_equal(keyset_get(f).active.version, 2);
		for (size_t i = 0; i < 4; i++) {
			if (i == 1) {
				want("kid B.1", minted[i].err, RJWT_KID);
				continue;
			}
			want(requests[i].user, minted[i].err, RJWT_OK);
			assert_string_equal(minted[i].token.kid, "B.2");
			want(requests[i].user, judge_as(f, minted[i].token.text, requests[i].user, "sshd", 0, NULL),
			    RJWT_OK);
		}
		assert_true(before || readings > 7); /* it was done again */
		clear_all(minted, 4);
		fixture_free(f);
	}
}

/* Nothing can be minted: each says why. A set of keys has none that signs. */
static void
test_nothing(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request requests[] = { { .user = "alice" }, { .user = NULL }, { .user = "bob" } };
	struct rjwt_minted minted[3];

	want("none", rjwt_mint_batch(f->h, requests, 0, minted), RJWT_OK);
	file_gone(f, "private/1.key");
	want("all", rjwt_mint_batch(f->h, requests, 3, minted), RJWT_IO);
	want("alice", minted[0].err, RJWT_IO);
	want("no name", minted[1].err, RJWT_USER);
	want("bob", minted[2].err, RJWT_IO);
	assert_non_null(strstr(minted[2].diag.path, "private"));
	file_gone(f, "keyset.json");
	want("all", rjwt_mint_batch(f->h, requests, 3, minted), RJWT_KEYSET);
	for (size_t i = 0; i < 3; i++) {
		want("no keyset", minted[i].err, RJWT_KEYSET);
		assert_non_null(strstr(minted[i].diag.path, "keyset.json"));
		assert_null(minted[i].token.text);
	}
}

static void
test_hours(void **state)
{
	struct fixture *f = *state;
	const int64_t hour_s = 3600, minute_s = 60;
	struct rjwt_request requests[5];
	struct rjwt_minted minted[5];
	struct buf here, later;

	for (size_t i = 0; i < 5; i++)
		requests[i] =
		    (struct rjwt_request){ .user = i == 3 ? "" : "alice", .lifetime_s = i == 2 ? &hour_s : &minute_s };
	want("all", rjwt_mint_batch(f->h, requests, 5, minted), RJWT_USER);
	here = file_get(f, "issued/500000"); /* T0 is a full hour */
	later = file_get(f, "issued/500001");
	assert_true(here.p != NULL && later.p != NULL);
	for (size_t i = 0; i < 5; i++)
		if (i != 3)
			assert_non_null(strstr(i == 2 ? later.p : here.p, minted[i].token.jti));
	buf_clear(&here);
	buf_clear(&later);
	clear_all(minted, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_hinder_none, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_rotation_meanwhile),
		cmocka_unit_test_setup_teardown(test_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_hours, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

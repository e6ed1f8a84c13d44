/* SPDX-License-Identifier: MIT */
/* Minting and the keyset: tickets, records, rotations that come first or meanwhile, clocks that cannot be used. */
#include "fixture.h"
#include "syncs.h"

#include <stdio.h>
#include <unistd.h>

/* --- tickets, lists, rotation ----------------------------------------------------------------- */

static int
remove_issued(const struct fixture *f)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/issued", f->state);
	return rmdir(path);
}

static void
test_counted(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf list = { 0 };
	RJWT_CLEAN(buf_clear) struct buf count = { 0 };
	struct rjwt_token t;

	for (int i = 0; i < 3; i++) {
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "al\"ice" }, &t, &f->diag), RJWT_OK);
		if (i < 2)
			rjwt_token_clear(&t);
	}
	count = file_get(f, "private/1.minted");
	assert_int_equal(count.n, 3);
	list = file_get(f, "issued/500000"); /* (T0 + 300) / 3600 */
	assert_int_equal(file_mode(f, "issued/500000"), 0600);
	assert_non_null(strstr(list.p, t.jti));
	assert_non_null(strstr(list.p, "\"sub\":\"al\\\"ice\""));
	assert_null(strstr(list.p, t.text));
	assert_ptr_equal(strchr(strchr(strchr(list.p, '\n') + 1, '\n') + 1, '\n'), list.p + list.n - 1);
	rjwt_token_clear(&t);
}

/* A count or a list that cannot be written does not hinder minting, and is told; with a limit the count does. */
static void
test_warnings(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice" };
	struct rjwt_token t;

	file_gone(f, "private/1.minted");
	want("no count", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_non_null(strstr(t.warning, "was not counted"));
	assert_false(file_there(f, "private/1.minted")); /* never begun again */
	rjwt_token_clear(&t);
	fixture_config(f, "max_tokens_per_key: 9\n");
	want("with a limit", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_string_equal(t.kid, "B.2"); /* a count that was lost is used up */
	rjwt_token_clear(&t);
	fixture_config(f, "");
	want("counted", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_string_equal(t.warning, "");
	rjwt_token_clear(&t);
	file_gone(f, "issued/500000");
	assert_int_equal(remove_issued(f), 0);
	want("no list", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	assert_string_equal(t.warning, "");
	assert_true(file_there(f, "issued/500000")); /* made again */
	rjwt_token_clear(&t);
	file_gone(f, "issued/500000");
	assert_int_equal(remove_issued(f), 0);
	file_put(f, "issued", VIEW(""));
	file_gone(f, "private/2.minted");
	want("nor can it be", rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
	/* One warning does not hide another. */
	assert_non_null(strstr(t.warning, "was not counted"));
	assert_non_null(strstr(t.warning, "not recorded"));
	rjwt_token_clear(&t);
}

/* Whoever mints rotates when that is due: a dead daemon delays nothing. */
static void
test_rotation_comes_first(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request request = { .user = "alice", .reusable = true };
	struct rjwt_token a, b;

	clock_run(86399);
	want("before", rjwt_mint(f->h, &request, &a, &f->diag), RJWT_OK);
	assert_string_equal(a.kid, "B.1");
	clock_run(1);
	want("due", rjwt_mint(f->h, &request, &b, &f->diag), RJWT_OK);
	assert_string_equal(b.kid, "B.2");
	assert_true(b.change.rotated && b.change.retired_version == 1 && b.change.made_version == 3);
	want("the old one", judge(f, a.text, 0, NULL), RJWT_OK);
	want("the new one", judge(f, b.text, 0, NULL), RJWT_OK);
	want("an asserted kid",
	    rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice", .kid = "B.1" }, &(struct rjwt_token){ 0 },
		&f->diag),
	    RJWT_KID);
	rjwt_token_clear(&a);
	rjwt_token_clear(&b);
}

/* --- while a token is minted ------------------------------------------------------------------ */

static struct fixture *minting;
static void (*meanwhile)(struct fixture *f);
static unsigned readings;

/* The second reading is for iat: the keyset has been read by then, and nothing is signed yet. */
static void
clock_at_iat(void *context, struct rjwt_time *now)
{
	if (++readings == 2)
		meanwhile(minting);
	clock_made_up(context, now);
}

static void
nothing(struct fixture *f)
{
	(void)f;
}

/* Another program, with a handle of its own. */
static void
rotate_beside(struct fixture *f)
{
	const struct rjwt_options options = { .config = f->config, .now = clock_made_up };
	struct rjwt_change change;
	struct rjwt *h;

	want("open", rjwt_open(&options, &h, NULL), RJWT_OK);
	want("rotate", rjwt_rotate(h, 0, &change, NULL), RJWT_OK);
	rjwt_close(h);
}

/* The same version signs, of another keyset. */
static void
begin_anew(struct fixture *f)
{
	static const char *const audience[] = { "host.example", NULL };
	const struct rjwt_options options = { .config = f->config,
		.now = clock_made_up,
		.issuer = "iss.example",
		.audience = audience };
	struct rjwt_change change;
	char moved[256];

	snprintf(moved, sizeof(moved), "%s.old", f->state);
	assert_int_equal(rename(f->state, moved), 0);
	want("init", rjwt_init(&options, 0, &change, NULL), RJWT_OK);
	assert_int_equal(keyset_get(f).active.version, 1);
}

/* A token whose key retires while it is minted would be dated after the retirement: it is thrown away. */
static void
test_retired_while_minting(void **state)
{
	static const struct {
		const char *name;
		void (*meanwhile)(struct fixture *f);
		bool again;
	} cases[] = { { "nothing", nothing, false }, { "rotated", rotate_beside, true },
		{ "another base", begin_anew, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture *f = fixture_new("");
		struct rjwt_token t;
		char kid[RJWT_ID_SIZE];
		const char *alg;

		f->now = clock_at_iat;
		fixture_config(f, "");
		minting = f;
		meanwhile = cases[i].meanwhile;
		readings = 0;
		want(cases[i].name, rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &t, &f->diag), RJWT_OK);
		want(cases[i].name, rjwt_current_key(f->h, kid, &alg, &f->diag), RJWT_OK);
		assert_string_equal(t.kid, kid);
		if ((strcmp(kid, "B.1") != 0) != cases[i].again)
			fail_msg("%s: %s signs now", cases[i].name, kid);
		want(cases[i].name, judge(f, t.text, 0, NULL), RJWT_OK);
		rjwt_token_clear(&t);
		fixture_free(f);
	}
}

static unsigned syncs_when_signed;

enum rjwt_err __real_jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token);
enum rjwt_err __wrap_jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token);

enum rjwt_err
__wrap_jws_sign(struct signer *signer, struct view header, struct view payload, struct buf *token)
{
	syncs_when_signed = nsyncs;
	return __real_jws_sign(signer, header, payload, token);
}

/* A ticket that a crash gives back would be used twice; a token hangs on the commit that made its key active. */
static void
test_minting_is_durable(void **state)
{
	static const struct {
		const char *yaml;
		unsigned before; /* syncs before it is signed */
	} cases[] = { { "", 0 }, { "max_tokens_per_key: 9\n", 1 } };
	const struct rjwt_request request = { .user = "alice" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rjwt_token t = { 0 };
		unsigned all;

		fixture_config(f, cases[i].yaml);
		syncs_begin(0);
		want(cases[i].yaml, rjwt_mint(f->h, &request, &t, &f->diag), RJWT_OK);
		all = nsyncs;
		assert_int_equal(syncs_when_signed, cases[i].before);
		assert_true(synced(f, "private/1.minted") == (cases[i].before == 1));
		assert_true(synced(f, "."));
		rjwt_token_clear(&t);
		for (unsigned k = 1; k <= all; k++) {
			syncs_begin(k);
			want(cases[i].yaml, rjwt_mint(f->h, &request, &t, &f->diag), RJWT_IO);
			assert_null(t.text);
		}
	}
	syncs_begin(0);
}

static void
lose_the_clock(struct fixture *f)
{
	(void)f;
	clock_time.wall_s = -1;
}

/* A clock that shows nothing usable dates no token. */
static void
test_unusable_clock(void **state)
{
	static const struct {
		void (*meanwhile)(struct fixture *f);
		enum rjwt_err err;
	} cases[] = { { nothing, RJWT_OK }, { lose_the_clock, RJWT_INTERNAL }, { nothing, RJWT_OK } };
	struct fixture *f = *state;

	f->now = clock_at_iat;
	fixture_config(f, "");
	minting = f;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rjwt_token t = { 0 };

		clock_reset();
		meanwhile = cases[i].meanwhile;
		readings = 0;
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &t, &f->diag), cases[i].err);
		assert_true((t.text != NULL) == (cases[i].err == RJWT_OK));
		rjwt_token_clear(&t);
	}
}

/* Nor does it rotate: a keyset dated by it would not be read again. */
static void
test_clock_unusable_from_the_start(void **state)
{
	static const int64_t clocks[] = { -1, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		struct fixture *f = fixture_new("");
		struct rjwt_token t = { 0 };
		char before[DIGEST_HEX], after[DIGEST_HEX];

		state_digest(f, before);
		clock_time.wall_s = clocks[i];
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &t, &f->diag), RJWT_INTERNAL);
		state_digest(f, after);
		assert_string_equal(before, after);
		clock_reset();
		want("mint", rjwt_mint(f->h, &(struct rjwt_request){ .user = "alice" }, &t, &f->diag), RJWT_OK);
		assert_string_equal(t.kid, "B.1");
		rjwt_token_clear(&t);
		fixture_free(f);
	}
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { T(test_counted), T(test_warnings), T(test_rotation_comes_first),
		cmocka_unit_test(test_retired_while_minting), T(test_minting_is_durable), T(test_unusable_clock),
		cmocka_unit_test(test_clock_unusable_from_the_start) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* mint.c where a part that it calls fails: what is warned of, what is refused, and what of others is minted all the same. */
#include "fixture.h"
#include "base/datetime.h"
#include "fleet/fleet.h"
#include "jose/provider_write.h"
#include "keyset/change.h"
#include "keyset/inspect.h"
#include "keyset/issued.h"
#include "keyset/tickets.h"
#include "token/mint_request.h"

#include "planned.h"

#include <stdio.h>

static int64_t denied_until_s; /* 0: nobody is denied */
static unsigned syncs, mints_alike, loads;
static bool never_alike;
static unsigned no_load; /* from this call of store_load() on it fails; 0: none */

PLANNED(store_check_writable, (struct store * store, const struct rotation_policy *policy, struct rjwt_diag *diag),
    store, policy, diag);
PLANNED(store_signer, (struct store * store, int64_t version, struct signer **signer, struct rjwt_diag *diag), store,
    version, signer, diag);
PLANNED(tickets_take,
    (struct store * store, int64_t version, size_t n, bool durable, int64_t *number, struct rjwt_diag *diag), store,
    version, n, durable, number, diag);
PLANNED(issued_add, (const struct dir *state, int64_t exp_s, const struct buf *lines, struct rjwt_diag *diag), state,
    exp_s, lines, diag);
PLANNED(keyset_clock_check, (const struct rjwt_time *now, struct rjwt_diag *diag), now, diag);

WRAP(enum rjwt_err, store_load, (struct store * store, struct rjwt_diag *diag))
{
	loads++;
	if (no_load > 0 && loads >= no_load)
		return diag_fail(diag, RJWT_BUSY, planned.path, "another");
	return fault_due(FAULT_ANY, "store_load") ? planned_error(diag) : __real_store_load(store, diag);
}

WRAP(enum rjwt_err, dir_sync, (const struct dir *dir, struct rjwt_diag *diag))
{
	syncs++;
	return fault_due(FAULT_ANY, "dir_sync") ? planned_error(diag) : __real_dir_sync(dir, diag);
}

WRAP(enum rjwt_err, keyset_change,
    (struct store * store, const struct keyset_env *env, const struct change_request *request, int flags,
	struct rjwt_change *change))
{
	return fault_due(FAULT_ANY, "keyset_change") ? planned_error(env->diag)
						     : __real_keyset_change(store, env, request, flags, change);
}

static bool unwraps; /* what mints may ask a TPM */

WRAP(void, provider_make_writable, (struct provider * provider))
{
	unwraps = true;
	__real_provider_make_writable(provider);
}

WRAP(bool, keyset_mints_alike, (const struct keyset *a, const struct keyset *b))
{
	mints_alike++;
	return !never_alike && __real_keyset_mints_alike(a, b);
}

WRAP(enum rjwt_err, fleet_denied_until,
    (const struct fleet_reader *reader, const struct dir *state, struct view user, int64_t *until_s,
	struct rjwt_diag *diag))
{
	if (fault_due(FAULT_ANY, "fleet_denied_until"))
		return planned_error(diag);
	*until_s = denied_until_s;
	return denied_until_s != 0 ? RJWT_DENIED : __real_fleet_denied_until(reader, state, user, until_s, diag);
}

static struct rjwt_minted minted_all[3];

static void
clear(void)
{
	for (size_t i = 0; i < 3; i++) {
		rjwt_token_clear(&minted_all[i].token);
		minted_all[i] = (struct rjwt_minted){ .err = RJWT_OK };
	}
}

static int
setup(void **state)
{
	planned_begin();
	denied_until_s = 0;
	never_alike = false;
	no_load = 0;
	*state = fixture_new("");
	return 0;
}

static int
teardown(void **state)
{
	clear();
	return fixture_teardown(state);
}

/* Three tokens; the second one expires hours later. */
static enum rjwt_err
mint(struct fixture *f)
{
	static const int64_t long_s = 3600, longer_s = 7200;
	const struct rjwt_request requests[3] = { { .user = "alice", .reusable = true, .lifetime_s = &long_s },
		{ .user = "bob", .reusable = true, .lifetime_s = &longer_s },
		{ .user = "carol", .reusable = true, .lifetime_s = &long_s } };

	clear();
	loads = syncs = 0;
	return rjwt_mint_batch(f->h, requests, 3, minted_all);
}

/* All three are refused for one reason, and none is given. */
static void
none(const char *label, enum rjwt_err err, const char *text)
{
	for (size_t i = 0; i < 3; i++) {
		want(label, minted_all[i].err, err);
		if (strcmp(minted_all[i].diag.text, text) != 0)
			fail_msg("%s: \"%s\"", label, minted_all[i].diag.text);
		assert_null(minted_all[i].token.text);
	}
}

static void
all(struct fixture *f, const char *label, const char *warning)
{
	for (size_t i = 0; i < 3; i++) {
		want(label, minted_all[i].err, RJWT_OK);
		want(label,
		    judge_as(f, minted_all[i].token.text,
			i == 0	 ? "alice"
			: i == 1 ? "bob"
				 : "carol",
			"sshd", 0, NULL),
		    RJWT_OK);
		if (strcmp(minted_all[i].token.warning, i == 0 ? warning : "") != 0)
			fail_msg("%s: token %zu warns \"%s\"", label, i, minted_all[i].token.warning);
		assert_string_equal(minted_all[i].diag.text, "");
	}
}

/* --- a rotation on the way -------------------------------------------------------------------- */

/* If it fails, the active key still signs; the first token says so. */
static void
test_rotation_fails(void **state)
{
	static const struct {
		const char *where, *says;
	} rows[] = { { "/a/path", "the rotation that is due failed: /a/path: planned" },
		{ "", "the rotation that is due failed: planned" } };
	struct fixture *f = *state;

	fixture_config(f, "max_lifetime: 6h\n");
	unwraps = false;
	want("twin", mint(f), RJWT_OK);
	assert_true(unwraps);
	all(f, "twin", "");
	clock_run(DAY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		planned.path = rows[i].where;
		fails("keyset_change", 1, 0);
		err = mint(f);
		assert_true(failed());
		want("mint", err, RJWT_OK);
		all(f, rows[i].says, rows[i].says);
		assert_int_equal(keyset_get(f).active.version, 1);
	}
	want("rotates", mint(f), RJWT_OK);
	all(f, "rotates", "");
	assert_true(minted_all[0].token.change.rotated && !minted_all[1].token.change.rotated);
	assert_int_equal(keyset_get(f).active.version, 2);
}

/* --- tickets ---------------------------------------------------------------------------------- */

/* Without a limit nobody needs the count; with one nothing is minted without it, and a count that is lost is used up. */
static void
test_tickets(void **state)
{
	struct fixture *f = *state;
	enum rjwt_err err;

	fixture_config(f, "max_lifetime: 6h\n");
	fails("tickets_take", 1, 0);
	err = mint(f);
	assert_true(failed());
	want("no limit", err, RJWT_OK);
	all(f, "no limit", "the token was not counted: /a/path: planned");
	fixture_config(f, "max_lifetime: 6h\nmax_tokens_per_key: 100\n");
	fails("tickets_take", 1, 0);
	err = mint(f);
	assert_true(failed());
	want("a limit", err, RJWT_KEYSET);
	none("a limit", RJWT_KEYSET, "planned");
	assert_int_equal(keyset_get(f).active.version, 1);
	file_gone(f, "private/1.minted");
	want("lost", mint(f), RJWT_OK);
	all(f, "lost", "");
	assert_int_equal(keyset_get(f).active.version, 2);
	assert_string_equal(minted_all[0].token.kid, "B.2");
}

/* The key's tokens are used up, and the next key cannot be made to sign: what has a token keeps it. */
static void
test_used_up(void **state)
{
	struct fixture *f = *state;
	enum rjwt_err err;

	fixture_config(f, "max_lifetime: 6h\nmax_tokens_per_key: 2\n");
	fails("keyset_change", 1, 0);
	err = mint(f);
	assert_true(failed());
	want("the third", err, RJWT_KEYSET);
	want("the first", minted_all[0].err, RJWT_OK);
	want("the second", minted_all[1].err, RJWT_OK);
	want("the third", minted_all[2].err, RJWT_KEYSET);
	assert_string_equal(minted_all[2].diag.text, "planned");
	assert_null(minted_all[2].token.text);
}

/* --- parts that fail -------------------------------------------------------------------------- */

static void
test_parts(void **state)
{
	static const struct {
		const char *call;
		unsigned turn;
	} rows[] = { { "store_load", 1 }, { "store_load", 2 }, { "store_load", 3 }, { "store_check_writable", 1 },
		{ "store_signer", 1 }, { "keyset_clock_check", 1 }, { "dir_sync", 1 }, { "fleet_denied_until", 1 } };
	struct fixture *f = *state;

	fixture_config(f, "max_lifetime: 6h\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum rjwt_err err;

		fails(rows[i].call, rows[i].turn, 0);
		err = mint(f);
		if (!failed())
			fail_msg("%s %u: not called", rows[i].call, rows[i].turn);
		want(rows[i].call, err, RJWT_KEYSET);
		if (strcmp(rows[i].call, "fleet_denied_until") != 0)
			none(rows[i].call, RJWT_KEYSET, "planned");
		else
			want("the second", minted_all[1].err, RJWT_OK);
	}
	want("twin", mint(f), RJWT_OK);
	all(f, "twin", "");
	assert_true(syncs > 0);
}

/* Why the key cannot sign matters only if it is still the one; where memory is short, nobody asks. */
static void
test_signer_fails(void **state)
{
	struct fixture *f = *state;
	enum rjwt_err err;
	unsigned before;

	fixture_config(f, "max_lifetime: 6h\n");
	fails("store_signer", 1, 0);
	err = mint(f);
	want("signer", err, RJWT_KEYSET);
	before = loads;
	planned.err = RJWT_MEMORY;
	fails("store_signer", 1, 0);
	err = mint(f);
	want("memory", err, RJWT_MEMORY);
	assert_int_equal(loads, before - 1);
	planned.err = RJWT_KEYSET;
	no_load = before;
	fails("store_signer", 1, 0);
	want("both", mint(f), RJWT_KEYSET);
	none("the first error is told", RJWT_KEYSET, "planned");
}

/* Others rotate again and again. */
static void
test_never_alike(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "max_lifetime: 6h\n");
	never_alike = true;
	mints_alike = 0;
	want("busy", mint(f), RJWT_BUSY);
	none("busy", RJWT_BUSY, "the keyset keeps being rotated");
	assert_int_equal(mints_alike, 1001);
	never_alike = false;
	want("twin", mint(f), RJWT_OK);
}

/* --- some of a block -------------------------------------------------------------------------- */

static struct fixture *others;

static void
another_rotates(void)
{
	struct rjwt_options options = fixture_options(others);
	struct rjwt_change change;
	const unsigned saved[] = { loads, no_load };
	struct rjwt *h;

	no_load = 0;
	want("open", rjwt_open(&options, &h, NULL), RJWT_OK);
	want("rotate", rjwt_rotate(h, 0, &change, NULL), RJWT_OK);
	rjwt_close(h);
	loads = saved[0];
	no_load = saved[1];
}

/* What has its token keeps it, though another rotates while the rest is signed. */
static void
test_done_is_kept(void **state)
{
	struct fixture *f = others = *state;

	fixture_config(f, "max_lifetime: 6h\nmax_tokens_per_key: 2\n");
	fails("store_signer", 2, 0);
	plan.instead = another_rotates;
	want("mint", mint(f), RJWT_OK);
	assert_true(failed());
	all(f, "mint", "");
	assert_string_equal(minted_all[0].token.kid, "B.1");
	assert_string_equal(minted_all[1].token.kid, "B.1");
	assert_string_equal(minted_all[2].token.kid, "B.3");
	assert_true(file_has(f, "issued/500001", minted_all[0].token.jti));
}

/* The second one is refused for what it is; the others get the change, or the error of the block. */
static enum rjwt_err
mint_with_refused(struct fixture *f, const char *kid)
{
	const struct rjwt_request requests[3] = { { .user = "alice", .kid = kid }, { .user = "bob" },
		{ .user = "carol" } };

	clear();
	return rjwt_mint_batch(f->h, requests, 3, minted_all);
}

static void
test_refused_keep_their_reason(void **state)
{
	struct fixture *f = others = *state;

	fails("dir_sync", 1, 0);
	want("refused", mint_with_refused(f, "B.7"), RJWT_KID);
	assert_true(failed());
	want("bob", minted_all[1].err, RJWT_KEYSET);
	assert_string_equal(minted_all[1].diag.text, "planned");
	/* the reason may be another after a rotation; it is not known when the block fails then */
	fails("store_signer", 1, 0);
	plan.instead = another_rotates;
	no_load = loads = 0;
	want("twin", mint_with_refused(f, "B.7"), RJWT_KID);
	assert_true(failed());
	want("bob", minted_all[1].err, RJWT_OK);
	assert_string_equal(minted_all[1].token.kid, "B.2");
	loads = 0;
	fails("store_signer", 1, 0);
	plan.instead = another_rotates;
	no_load = 4; /* after it was seen that another key signs */
	want("block", mint_with_refused(f, "B.7"), RJWT_BUSY);
	none("block", RJWT_BUSY, "another");
}

static void
test_change_is_told_by_who_is_minted(void **state)
{
	struct fixture *f = *state;

	clock_run(DAY);
	want("refused", mint_with_refused(f, "B.7"), RJWT_KID);
	assert_false(minted_all[0].token.change.rotated);
	assert_true(minted_all[1].token.change.rotated);
	assert_false(minted_all[2].token.change.rotated);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Who cannot be recorded is told so: one line of an hour, or all of it. */
static void
test_records(void **state)
{
	static const struct {
		unsigned turn;
		bool first, second, third;
	} rows[] = { { 1, true, false, false }, { 2, false, true, false }, { 3, false, false, true } };
	const char *says = "the token was minted but not recorded: /a/path: planned";
	struct fixture *f = *state;

	fixture_config(f, "max_lifetime: 6h\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const bool hit[] = { rows[i].first, rows[i].second, rows[i].third };
		enum rjwt_err err;

		fails("issued_add", rows[i].turn, 0);
		err = mint(f);
		assert_true(failed());
		want("mint", err, RJWT_OK);
		for (size_t k = 0; k < 3; k++)
			if (strcmp(minted_all[k].token.warning, hit[k] ? says : "") != 0)
				fail_msg("call %u, token %zu: \"%s\"", rows[i].turn, k, minted_all[k].token.warning);
	}
}

/* What is refused has no record, and takes no other's. */
static void
test_records_of_some(void **state)
{
	struct fixture *f = *state;
	const struct rjwt_request requests[3] = { { .user = "" }, { .user = "bob", .reusable = true }, { .user = "" } };

	clear();
	want("some", rjwt_mint_batch(f->h, requests, 3, minted_all), RJWT_USER);
	want("bob", minted_all[1].err, RJWT_OK);
	assert_true(file_has(f, "issued/500000", "\"bob\""));
	file_gone(f, "issued/500000");
	clear();
	want("none", rjwt_mint_batch(f->h, requests, 1, minted_all), RJWT_USER);
	assert_false(file_there(f, "issued/500000") || file_there(f, "issued/0"));
}

/* --- denials ---------------------------------------------------------------------------------- */

static void
test_denied(void **state)
{
	struct fixture *f = *state;
	char until[32], text[128];

	fixture_config(f, "max_lifetime: 6h\n");
	denied_until_s = clock_time.wall_s;
	want("until now", mint(f), RJWT_DENIED);
	time_format(until, denied_until_s);
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "tokens for %s are denied until %s: issue one after that",
		    i == 0   ? "alice"
		    : i == 1 ? "bob"
			     : "carol",
		    until);
		want("denied", minted_all[i].err, RJWT_DENIED);
		assert_string_equal(minted_all[i].diag.text, text);
	}
	clock_run(1);
	want("after that", mint(f), RJWT_OK);
	all(f, "after that", "");
}

#define C(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { C(test_rotation_fails), C(test_tickets), C(test_used_up), C(test_parts),
		C(test_signer_fails), C(test_never_alike), C(test_done_is_kept), C(test_refused_keep_their_reason),
		C(test_change_is_told_by_who_is_minted), C(test_records), C(test_records_of_some), C(test_denied) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

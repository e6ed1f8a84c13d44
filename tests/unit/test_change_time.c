/* SPDX-License-Identifier: MIT */
/* Changing a keyset while the clock moves under it, and what a change leaves behind. */
#include "fixture.h"
#include "base/json.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a clock that moves between two readings -------------------------------------------------- */

static struct {
	struct fixture *f;
	unsigned at, n;		/* moves at the at-th reading */
	int64_t run_s, step_s;	/* by so much */
	int64_t active, last_s; /* the last reading while this version was active */
} moving;

static void
clock_moving(void *context, struct rjwt_time *now)
{
	if (++moving.n == moving.at) {
		clock_run(moving.run_s);
		clock_step(moving.step_s);
	}
	clock_made_up(context, now);
	if (keyset_get(moving.f).active.version == moving.active)
		moving.last_s = now->wall_s;
}

static void
move(struct fixture *f, unsigned at, int64_t run_s, int64_t step_s)
{
	moving = (typeof(moving)){ .f = f,
		.at = at,
		.run_s = run_s,
		.step_s = step_s,
		.active = keyset_get(f).active.version };
	f->now = clock_moving;
	fixture_config(f, "");
}

#define READINGS 16 /* more than a rotation takes */

/*
 * Between the stamp and the commit a token may be minted with the key that retires. However slow a disk is
 * in between, the stamp is no older than the leeway when the commit comes.
 */
static void
test_slow_commit(void **state)
{
	unsigned most = 0;

	(void)state;
	for (unsigned at = 1; at <= READINGS; at++) {
		struct fixture *f = fixture_new("");

		move(f, at, 40, 0);
		rotate(f);
		if (moving.last_s - key_member(f, 1, "retired") > 30)
			fail_msg("reading %u: committed %lld s after the stamp", at,
			    (long long)(moving.last_s - key_member(f, 1, "retired")));
		assert_true(key_member(f, 1, "exp") - key_member(f, 1, "retired") == 86400);
		most = moving.n > most ? moving.n : most;
		fixture_free(f);
	}
	assert_true(most < READINGS);
}

/* A disk that is slow for good: nothing is committed, and the key that signs continues. */
static void
clock_crawling(void *context, struct rjwt_time *now)
{
	clock_run(31);
	clock_made_up(context, now);
}

static void
test_slow_for_good(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;

	f->now = clock_crawling;
	fixture_config(f, "");
	want("rotate", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_BUSY);
	assert_true(keyset_get(f).active.version == 1);
	f->now = clock_made_up;
	fixture_config(f, "");
	free(minted(f, "alice"));
	rotate(f);
}

/* The clock was ahead at a rotation, and is put right while the next one is under way: no stamp stays ahead. */
static void
test_back_during_a_rotation(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= READINGS; at++) {
		struct fixture *f = fixture_new("");

		clock_step(30 * 86400);
		rotate(f);
		move(f, at, 0, -30 * 86400);
		rotate(f);
		if (moving.n < at)
			clock_step(-30 * 86400);
		f->now = clock_made_up;
		fixture_config(f, "");
		tick(f);
		for (int64_t v = keyset_get(f).floor; v < keyset_get(f).active.version; v++)
			if (key_member(f, v, "retired") > clock_time.wall_s)
				fail_msg("reading %u: B.%lld is stamped ahead", at, (long long)v);
		assert_true(keyset_get(f).active.since_s <= clock_time.wall_s);
		fixture_free(f);
	}
}

/* Nobody but who mints is at work, the clock goes back: rotation is at most rotate_every late. */
static void
test_back_and_only_minting(void **state)
{
	struct fixture *f = *state;

	clock_step(30 * 86400);
	rotate(f);
	clock_step(-30 * 86400);
	free(minted(f, "alice"));
	assert_true(keyset_get(f).active.version == 2 && keyset_get(f).active.since_s == T0);
	assert_true(key_member(f, 1, "retired") == T0);
	clock_run(86400);
	free(minted(f, "alice"));
	assert_true(keyset_get(f).active.version == 3);
}

/* Without leeway a rotation that crosses a second still loses nothing. */
static void
test_no_leeway(void **state)
{
	struct fixture *f = *state;
	struct edit edits[] = { { 'c', "iat", "1800000001" }, { 0, NULL, NULL } };
	RJWT_CLEAN(free_clean) char *crossing = token_with(f, edits);
	RJWT_CLEAN(free_clean) char *late = NULL;

	edits[0].value = "1800000002";
	late = token_with(f, edits);
	fixture_config(f, "leeway: 0s\n");
	rotate(f);
	clock_run(2);
	want("a second after the stamp", judge(f, crossing, 0, NULL), RJWT_OK);
	want("two", judge(f, late, 0, NULL), RJWT_KEY_RETIRED);
}

/* That the clock was set is told until it can be believed again. */
static void
test_suspect_until_settled(void **state)
{
	struct fixture *f = *state;
	struct rotation_policy p = { .rotate_every_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };
	struct keyset k;
	int64_t by;

	clock_step(-7200);
	assert_non_null(strstr(tick(f).warning, "it went back by 2h"));
	assert_string_equal(tick(f).warning, ""); /* once */
	k = keyset_get(f);
	assert_true(keyset_clock_suspect(&k, &p, &clock_time, &by) && by == -7200);
	clock_run(3629);
	assert_true(keyset_clock_suspect(&k, &p, &clock_time, NULL));
	clock_run(1);
	assert_false(keyset_clock_suspect(&k, &p, &clock_time, &by) || by != 0);
	/* A boot alone is no reason. */
	clock_boot(100);
	tick(f);
	k = keyset_get(f);
	assert_false(keyset_clock_suspect(&k, &p, &clock_time, NULL));
}

/* Without /proc no boot has a name, and no two are the same: nothing is ever forgotten. */
static void
test_boot_without_a_name(void **state)
{
	struct fixture *f = *state;
	struct rotation_policy p = { .rotate_every_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };
	struct keyset k = keyset_get(f);

	clock_run(4000);
	assert_true(keyset_clock_settled(&k, &p, &clock_time));
	k.clock.boot_id[0] = clock_time.boot_id[0] = '\0';
	assert_false(keyset_clock_settled(&k, &p, &clock_time));
}

/* --- what is left behind ---------------------------------------------------------------------- */

static void
make_mark(const struct fixture *f, const char *version)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/spent/%s", f->state, version);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "spent/%s/x", version);
	file_put(f, path, VIEW(""));
}

/* Marks of what is forgotten go with whatever change raised the floor. */
static void
test_marks_go_when_minting_rotates(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "rotate_every: 0\nmax_tokens_per_key: 1\n");
	free(minted(f, "alice"));
	free(minted(f, "alice")); /* B.1 retires */
	make_mark(f, "1");
	make_mark(f, "2");
	clock_run(86401);
	free(minted(f, "alice")); /* B.2 does, by count; and B.1 is forgotten */
	assert_true(keyset_get(f).floor == 2);
	assert_false(file_there(f, "spent/1"));
	assert_true(file_there(f, "spent/2"));
}

/* A clean-up that was killed is made up for by the next, although nothing is due; closed directories are opened. */
static void
test_marks_that_a_crash_left(void **state)
{
	struct fixture *f = *state;
	struct rjwt_change change;
	char path[256];

	want("all", rjwt_revoke(f->h, &(struct rjwt_revocation){ .all = true }, 0, &change, &f->diag), RJWT_OK);
	make_mark(f, "1");
	snprintf(path, sizeof(path), "%s/spent/1", f->state);
	assert_int_equal(chmod(path, 0), 0); /* a login that was killed under umask 0777 */
	file_put(f, "revoked/jti/a", VIEW("1\n"));
	assert_false(tick(f).rotated);
	assert_false(file_there(f, "spent/1") || file_there(f, "revoked/jti/a"));
}

/* What was removed is said. */
static void
test_removal_is_told(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(tick(f).text, "nothing was due"));
	file_put(f, "private/9.key", VIEW("left"));
	assert_non_null(strstr(tick(f).text, "removed what a crash had left, B.1 still signs"));
	assert_false(file_there(f, "private/9.key"));
	assert_non_null(strstr(tick(f).text, "nothing was due"));
}

/* A file that says "init is under way", from one that was killed after its commit, must not outlive it. */
static void
test_stale_init(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	struct rjwt_change change;

	file_put(f, "init", VIEW(""));
	tick(f);
	assert_false(file_there(f, "init"));
	file_gone(f, "keyset.json");
	want("keys are there", rjwt_init(&options, 0, &change, &f->diag), RJWT_KEYSET);
	assert_true(file_there(f, "keys/1.jwk") && file_there(f, "private/1.key"));
}

/* Records are for people. They go by the wall clock alone, or they would pile up where it is never settled. */
static void
test_issued_by_the_wall_clock(void **state)
{
	struct fixture *f = *state;

	fixture_config(f, "rotate_every: 0\n");
	free(minted(f, "alice"));
	tick(f);
	assert_true(file_there(f, "issued/500000"));
	clock_run(3600);
	tick(f);
	assert_true(file_there(f, "issued/500000"));
	clock_boot(3600);
	tick(f);
	assert_false(file_there(f, "issued/500000"));
}

/* A writer of version 0.1.0 drops the count: it begins anew, and nothing else changes. */
static void
test_count_dropped(void **state)
{
	struct fixture *f = *state;
	RJWT_CLEAN(buf_clear) struct buf text = file_get(f, "keyset.json");
	RJWT_CLEAN(buf_clear) struct buf older = { 0 };
	const char *from = strstr(text.p, ",\"trial\":{"), *to = strstr(from, "},") + 1;
	struct keyset k = { 0 };

	buf_add(&older, text.p, (size_t)(from - text.p));
	buf_add(&older, to, (size_t)(strstr(to, ",\"sum\"") - to));
	want("sum", seal_add(&older), RJWT_OK);
	want("parse", keyset_parse(buf_view(&older), &k, NULL), RJWT_OK);
	assert_true(k.trial.wall_s == T0 && k.trial.ran_s == 0 && k.trial.boot_s == k.clock.boot_s);
}

static void
test_issued_missing(void **state)
{
	struct fixture *f = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/issued", f->state);
	assert_int_equal(rmdir(path), 0);
	clock_run(4000);
	tick(f);
	free(minted(f, "alice"));
	assert_true(file_there(f, "issued/500001"));
}

/* --- another directory at the path --------------------------------------------------------------- */

static void
test_folder_replaced(void **state)
{
	struct fixture *f = *state;
	struct rjwt_options options = fixture_options(f);
	RJWT_CLEAN(free_clean) char *token = minted(f, "alice");
	struct rjwt_change change;
	char away[256];

	snprintf(away, sizeof(away), "%s.away", f->state);
	want("before", judge(f, token, 0, NULL), RJWT_OK);
	assert_int_equal(rename(f->state, away), 0);
	want("moved away", judge(f, token, 0, NULL), RJWT_KEYSET);
	want("moved away", rjwt_maintain(f->h, 0, &change, &f->diag), RJWT_KEYSET);
	assert_int_equal(rename(away, f->state), 0);
	want("back again", judge(f, token, 0, NULL), RJWT_OK);
	assert_int_equal(rename(f->state, away), 0);
	options.issuer = "iss.example";
	options.audience = (const char *const[]){ "host.example", NULL };
	want("a new one", rjwt_init(&options, 0, &change, &f->diag), RJWT_OK);
	want("a new one", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	want("a new one", rjwt_rotate(f->h, 0, &change, &f->diag), RJWT_OK);
	assert_true(keyset_get(f).active.version == 2);
	assert_int_not_equal(strncmp(change.kid, "B.", 2), 0);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_slow_commit), T(test_slow_for_good),
		cmocka_unit_test(test_back_during_a_rotation), T(test_back_and_only_minting), T(test_no_leeway),
		T(test_suspect_until_settled), T(test_boot_without_a_name), T(test_marks_go_when_minting_rotates),
		T(test_marks_that_a_crash_left), T(test_removal_is_told), T(test_stale_init),
		T(test_issued_by_the_wall_clock), T(test_count_dropped), T(test_issued_missing),
		T(test_folder_replaced) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A machine that is rebooted often: what has expired is removed all the same, and a wrong clock removes nothing. */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

#define DAY_S 86400
#define UP_S 3000 /* 50 minutes */
#define DOWN_S 60
#define PATCH_S (3 * 3600)

static int64_t member_until[128]; /* exp of each version, as it was last seen */
/* For how long after its exp a key stays at least and at most, by a clock that nobody sets; 0: not looked at. */
static int64_t stays_least_s, stays_most_s;

/* What has expired is removed in time. */
static void
check_removed(const struct keyset *before, const struct keyset *after)
{
	for (int64_t v = before->floor; v < after->floor; v++) {
		int64_t late_s = clock_time.wall_s - member_until[v % 128];

		assert_true(member_until[v % 128] != 0 && late_s > 0);
		assert_true(stays_most_s == 0 || (late_s >= stays_least_s && late_s <= stays_most_s));
	}
}

/* A boot, with the daemon: it wakes when it said that it would. */
static void
one_boot(struct fixture *f)
{
	int64_t down_at = clock_time.boot_s, wake;

	clock_boot(DOWN_S);
	down_at = clock_time.boot_s + UP_S;
	for (;;) {
		struct keyset before = keyset_get(f), after;

		wake = tick(f).next_event_s;
		after = keyset_get(f);
		check_removed(&before, &after);
		for (int64_t v = after.floor; v < after.active.version; v++)
			member_until[v % 128] = key_member(f, v, "exp");
		if (wake == 0 || wake - clock_time.wall_s >= down_at - clock_time.boot_s)
			break;
		assert_true(wake > clock_time.wall_s);
		clock_run(wake - clock_time.wall_s);
	}
	clock_run(down_at - clock_time.boot_s);
}

/* Ten thousand commits, each of which is synced. */
static void
in_memory(void)
{
	if (access("/dev/shm", W_OK) == 0)
		assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
}

static void
boots(struct fixture *f, int64_t seconds)
{
	int64_t until_s = clock_time.wall_s + seconds;

	while (clock_time.wall_s < until_s)
		one_boot(f);
}

/* A token of each day, and what must be said of it. */
struct daily {
	char *text;
	int64_t exp_s, version;
	enum rjwt_err code; /* until it expires */
};

static void
mint_daily(struct fixture *f, bool reusable, enum rjwt_err code, struct daily *daily)
{
	const int64_t lifetime_s = 7 * DAY_S;
	const struct rjwt_request request = { .user = "alice", .lifetime_s = &lifetime_s, .reusable = reusable };
	RJWT_CLEAN(rjwt_token_clear) struct rjwt_token token = { 0 };
	struct rjwt_change change;

	want("mint", rjwt_mint(f->h, &request, &token, &f->diag), RJWT_OK);
	*daily = (struct daily){ strdup(token.text), token.exp_s, strtoll(token.kid + 2, NULL, 10), code };
	if (code == RJWT_SPENT)
		want("spend", judge(f, daily->text, 0, NULL), RJWT_OK);
	if (code == RJWT_REVOKED)
		want("revoke", rjwt_revoke(f->h, &(struct rjwt_revocation){ .jti = token.jti }, 0, &change, &f->diag),
		    RJWT_OK);
}

/* Promised is promised until exp, and after it nothing is, whatever was removed. */
static void
check_daily(struct fixture *f, const struct daily *daily, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum rjwt_err got = judge(f, daily[i].text, 0, NULL);

		if (clock_time.wall_s < daily[i].exp_s)
			want("before its exp", got, daily[i].code);
		else if (clock_time.wall_s >= daily[i].exp_s + 30)
			assert_true(got != RJWT_OK && rjwt_is_verdict(got));
	}
}

/* A mark lasts as long as the key of its token, and no longer; that of a revoked id bears the version that was next. */
static void
check_daily_marks(const struct fixture *f, const struct daily *daily, size_t n, const struct keyset *k)
{
	int64_t revoked = 0;
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "spent/%lld", (long long)daily[i].version);
		if (daily[i].code == RJWT_SPENT)
			assert_true(file_there(f, name) == (daily[i].version >= k->floor));
		if (daily[i].code == RJWT_REVOKED && daily[i].version + 1 >= k->floor)
			revoked++;
	}
	assert_int_equal(k->revoked, revoked);
}

/*
 * No boot is as long as max_lifetime, or as an hour, and each month the machine is away for three. For 60 days a key a
 * day retires, and verifies for 8 more. What has expired goes all the same, with its marks: when the machine has run
 * for max_lifetime after a count that began later, of which two ninths are not counted. A count that began earlier
 * may have to end first.
 */
static void
test_reboots(void **state)
{
	struct fixture *f;
	struct daily daily[180];
	size_t n = 0;
	struct keyset k;

	(void)state;
	in_memory();
	stays_least_s = 7 * DAY_S + 30;
	stays_most_s = 20 * DAY_S;
	f = fixture_new("max_lifetime: 7d\nprevious_key_ttl: 8d\n");
	for (int day = 0; day < 60; day++) {
		mint_daily(f, true, RJWT_OK, &daily[n++]);
		mint_daily(f, false, RJWT_SPENT, &daily[n++]);
		mint_daily(f, false, RJWT_REVOKED, &daily[n++]);
		if (day % 30 == 29)
			clock_boot(PATCH_S);
		boots(f, DAY_S);
		check_daily(f, daily, n);
		k = keyset_get(f);
		assert_true(day > 8 || k.floor == 1);
		check_daily_marks(f, daily, n, &k);
	}
	assert_true(k.active.version >= 60 && k.floor >= 60 - 8 - 20);
	for (size_t i = 0; i < n; i++)
		free(daily[i].text);
	fixture_free(f);
}

/* The same, and from one boot on the clock is ten years ahead, for less than max_lifetime: nothing is removed by it. */
static void
test_reboots_and_a_wrong_clock(void **state)
{
	struct fixture *f = fixture_new("max_lifetime: 1d\nprevious_key_ttl: 26h\n");
	RJWT_CLEAN(free_clean) char *token = NULL;
	int64_t floor;

	(void)state;
	stays_most_s = 0;
	boots(f, 36 * 3600);
	token = minted(f, "alice");
	floor = keyset_get(f).floor;
	clock_step(3650 * DAY_S);
	for (int i = 0; i < 26; i++) {
		clock_boot(DOWN_S);
		for (int k = 0; k < 5; k++) {
			tick(f);
			clock_run(600);
		}
	}
	assert_true(keyset_get(f).floor == floor);
	clock_step(-3650 * DAY_S);
	clock_boot(0);
	tick(f);
	assert_true(keyset_get(f).floor == floor && file_there(f, "keys/1.jwk"));
	/* The count begins anew. */
	boots(f, 20 * 3600);
	assert_true(keyset_get(f).floor == floor);
	boots(f, 72 * 3600);
	assert_true(keyset_get(f).floor > floor);
	want("a token of a key that is gone", judge(f, token, 0, NULL), RJWT_KEY_UNKNOWN);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_reboots),
		cmocka_unit_test(test_reboots_and_a_wrong_clock) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

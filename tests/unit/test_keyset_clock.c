/* SPDX-License-Identifier: MIT */
/* The keyset as a value: what it believes of the clock, what a base is, and whose configuration it needs. */
#include "fixture.h"
#include "base/json.h"
#include "jose/alg.h"

#include <ctype.h>
#include <stdio.h>

#define NEEDED 3630 /* max_lifetime + leeway */

static const struct rotation_policy policy = { .previous_key_ttl_s = 86400, .max_lifetime_s = 3600, .leeway_s = 30 };

static struct keyset
keyset_read_now(void)
{
	struct keyset k = { .base = "B", .active = { 3, T0 }, .next = { 4, T0 }, .next_version = 5 };

	clock_reset();
	k.clock = clock_time;
	k.trial.wall_s = T0;
	k.trial.boot_s = clock_time.boot_s;
	return k;
}

static void
test_base(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[2] = { (char)c, '\0' };
		bool good = c < 0x80 && (isalnum(c) != 0 || c == '_' || c == '-');

		if (keyset_base_check(view_of(text)) != good)
			fail_msg("byte %d", c);
	}
	assert_false(keyset_base_check((struct view){ "B\0B", 3 }));
}

static void
test_file_that_was_used(void **state)
{
	struct keyset k = keyset_read_now();
	struct rotation_policy named = policy;
	struct rjwt_diag diag = { .text = "" };

	(void)state;
	named.path = "/somewhere/else.yaml";
	want("never used", keyset_check_config(&k, &policy, &diag), RJWT_OK);
	want("never used", keyset_check_config(&k, &named, &diag), RJWT_OK);
	k.configured = true;
	want("named", keyset_check_config(&k, &named, &diag), RJWT_OK);
	assert_string_equal(diag.text, "");
	want("gone", keyset_check_config(&k, &policy, &diag), RJWT_CONFIG);
	assert_string_equal(diag.path, RJWT_CONFIG_FILE);
	assert_non_null(strstr(diag.text, "put it back"));
}

/* After a boot the clock is compared with the latest time in the keyset. */
static void
test_behind_after_a_boot(void **state)
{
	static const struct {
		int64_t since_s, read_s, now_s, moved_s; /* beside T0 */
	} rows[] = { { 1000, 0, 500, -500 }, { -1000, 0, -500, -500 }, { 1000, 0, 1000, 0 }, { 1000, 0, 970, 0 },
		{ 1000, 0, 969, -31 }, { -1000, 0, 0, 0 }, { 0, 0, -31, -31 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keyset k = keyset_read_now();

		k.active.since_s = T0 + rows[i].since_s;
		k.clock.wall_s = T0 + rows[i].read_s;
		clock_boot(rows[i].now_s);
		if (keyset_moved_s(&k, &policy, &clock_time) != rows[i].moved_s)
			fail_msg("row %zu: %d", i, (int)keyset_moved_s(&k, &policy, &clock_time));
	}
}

/* A clock that was set is suspect until it has run in step for long enough, in the same boot. */
static void
test_suspect_until_settled(void **state)
{
	struct keyset k = keyset_read_now();
	int64_t by_s;

	(void)state;
	k.moved_s = -77;
	clock_run(NEEDED - 1);
	assert_false(keyset_clock_settled(&k, &policy, &clock_time));
	assert_true(keyset_clock_suspect(&k, &policy, &clock_time, &by_s) && by_s == -77);
	clock_run(1);
	assert_true(keyset_clock_settled(&k, &policy, &clock_time));
	assert_false(keyset_clock_suspect(&k, &policy, &clock_time, &by_s));
	assert_int_equal(by_s, 0);
	clock_boot(0); /* as long up as the boot before, and more */
	clock_run(200000);
	assert_false(keyset_clock_settled(&k, &policy, &clock_time));
	/* Two boots without a name are not one. */
	k = keyset_read_now();
	k.clock.boot_id[0] = clock_time.boot_id[0] = '\0';
	clock_run(NEEDED);
	assert_false(keyset_clock_settled(&k, &policy, &clock_time));
}

/* What status tells: since the reading, in one boot, while the clock is not set; otherwise nothing is known. */
static void
test_in_step(void **state)
{
	struct keyset k = keyset_read_now();

	(void)state;
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 0);
	clock_run(90000);
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 90000);
	clock_time.wall_s += keyset_slack_s(&policy);
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 90000);
	clock_time.wall_s++;
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 0);
	k = keyset_read_now();
	clock_run(-5); /* no machine does that; no time below 0 is told */
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 0);
	k = keyset_read_now();
	clock_boot(0);
	clock_run(90000);
	assert_int_equal(keyset_in_step_s(&k, &policy, &clock_time), 0);
}

static void
test_ran(void **state)
{
	struct keyset k = keyset_read_now(), after = k;

	(void)state;
	k.trial.ran_s = 100;
	assert_int_equal(keyset_ran_s(&k, &policy, &clock_time), 100);
	clock_run(7);
	assert_int_equal(keyset_ran_s(&k, &policy, &clock_time), 107);
	k.trial.boot_s = clock_time.boot_s + 50; /* no time that passed, and none that is taken off */
	assert_int_equal(keyset_ran_s(&k, &policy, &clock_time), 100);
	clock_boot(5);
	clock_run(20);
	assert_int_equal(keyset_ran_s(&k, &policy, &clock_time), 130);
	clock_time.boot_id[0] = '\0'; /* it would be counted at each reading */
	assert_int_equal(keyset_ran_s(&k, &policy, &clock_time), 0);
	keyset_trial_at(&k, &policy, &clock_time, &after);
	assert_true(after.trial.wall_s == clock_time.wall_s && after.trial.ran_s == 0);
}

/* Up to when the clock is believed, and for how long it must still run. */
static void
test_believed(void **state)
{
	static const struct {
		int64_t ran_s, run_s, step_s, trial_s; /* trial_s: beside T0 */
		int64_t believed_s, left_s;	       /* beside T0; -1: not */
	} rows[] = {
		{ 0, 0, 0, 0, -1, NEEDED },
		{ 0, 100, 0, 0, -1, NEEDED - 100 },
		{ 3000, 100, 0, 0, -1, NEEDED - 3100 },
		{ 3530, 100, 0, 0, 0, 0 }, /* by what is counted: when the count began */
		{ 3600, 100, 0, -9000, -9000, 0 },
		{ 3600, 100, 0, 9000, 100, 0 },	    /* never later than now */
		{ 0, NEEDED, 0, -9000, NEEDED, 0 }, /* settled: now */
		{ 3600, NEEDED, 0, -9000, NEEDED, 0 },
		{ 3600, 100, 31, 0, -1, NEEDED }, /* set: all anew */
		{ 0, NEEDED, 31, 0, -1, NEEDED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keyset k = keyset_read_now();
		int64_t wanted = rows[i].believed_s == -1 ? 0 : T0 + rows[i].believed_s;

		k.trial.ran_s = rows[i].ran_s;
		k.trial.wall_s = T0 + rows[i].trial_s;
		clock_run(rows[i].run_s);
		clock_step(rows[i].step_s);
		if (keyset_believed_s(&k, &policy, &clock_time) != wanted ||
		    keyset_unsettled_s(&k, &policy, &clock_time) != rows[i].left_s)
			fail_msg("row %zu: %lld, %lld left", i,
			    (long long)(keyset_believed_s(&k, &policy, &clock_time) - T0),
			    (long long)keyset_unsettled_s(&k, &policy, &clock_time));
	}
	/* What ran in this boot before the count began counts as well. */
	{
		struct keyset k = keyset_read_now();

		clock_run(500);
		k.trial.boot_s = clock_time.boot_s;
		assert_int_equal(keyset_unsettled_s(&k, &policy, &clock_time), NEEDED - 500);
	}
}

static void
test_times_that_can_be_stored(void **state)
{
	static const int64_t most = JSON_INTEGER_MAX / 2;
	const struct {
		int64_t wall_s, boot_s;
		enum rjwt_err err;
	} rows[] = { { 0, 0, RJWT_OK }, { most, most, RJWT_OK }, { most + 1, 0, RJWT_INTERNAL },
		{ 0, most + 1, RJWT_INTERNAL }, { -1, 0, RJWT_INTERNAL }, { 0, -1, RJWT_INTERNAL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct rjwt_time now = { .wall_s = rows[i].wall_s, .boot_s = rows[i].boot_s };
		struct rjwt_diag diag;

		want("time", keyset_clock_check(&now, &diag), rows[i].err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_base), cmocka_unit_test(test_file_that_was_used),
		cmocka_unit_test(test_behind_after_a_boot), cmocka_unit_test(test_suspect_until_settled),
		cmocka_unit_test(test_in_step), cmocka_unit_test(test_ran), cmocka_unit_test(test_believed),
		cmocka_unit_test(test_times_that_can_be_stored) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

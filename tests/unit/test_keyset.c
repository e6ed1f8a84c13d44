/* SPDX-License-Identifier: MIT */
/* clang-format off: its tables are laid out to be read */
/* The keyset as a value: kids, what is due, plans by a made-up clock, keyset.json. */
#include "fixture.h"
#include "keyset/plan.h"

static struct plan
plan_of(const struct keyset *k, const struct rotation_policy *p, enum keyset_why why, int64_t expected,
    const struct keyset_seen *seen)
{
	const struct keyset_seen nothing = { .first_alive = k->floor };
	struct rjwt_diag diag;
	struct plan plan;
	const struct plan_facts facts = { k, p, seen == NULL ? &nothing : seen, &clock_time };

	want("plan", keyset_plan(&facts, why, expected, &plan, &diag), RJWT_OK);
	assert_true(plan.any == plan.change.any);
	assert_true((plan.retire != 0) == plan.change.rotated && (plan.make == 1) == (plan.retire != 0));
	return plan;
}

/* Which keys there are, which of them have a private half, and whether another one mints by now. */
static void
test_versions(void **state)
{
	const struct keyset k = keyset_of_three();
	struct keyset other = k;

	(void)state;
	for (int64_t v = 0; v <= 5; v++) {
		assert_int_equal(keyset_has(&k, v), v >= 1 && v <= 4);
		assert_int_equal(keyset_active_or_next(&k, v), v == 3 || v == 4);
	}
	other.generation++;
	other.next.version = other.next_version++;
	assert_true(keyset_mints_alike(&k, &other));
	other.active.version = 4;
	assert_false(keyset_mints_alike(&k, &other));
	other = k;
	strcpy(other.base, "C");
	assert_false(keyset_mints_alike(&k, &other));
}

/* --- what is due ------------------------------------------------------------------------------ */

static void
test_due(void **state)
{
	static const struct {
		int64_t after_s, every_s, minted, most;
		bool due, overdue;
	} rows[] = {
		{ DAY - 1, DAY, 0, 0, false, false }, { DAY, DAY, 0, 0, true, false },
		{ DAY + DAY / 4 + 60, DAY, 0, 0, true, false }, { DAY + DAY / 4 + 61, DAY, 0, 0, true, true },
		{ 1000 * DAY, 0, 0, 0, false, false }, { 1000 * DAY, 0, 1000000, 0, false, false },
		{ 0, DAY, 4, 5, false, false }, { 0, DAY, 5, 5, true, false }, { 0, 0, 5, 5, true, false },
		{ 0, 0, INT64_MAX, 5, true, false }, { -5, DAY, 0, 0, true, false },
		{ -100 * DAY, DAY, 0, 0, true, false }, /* the clock went back: what was dated so is dated again */
	};
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p.rotate_every_s = rows[i].every_s;
		p.max_tokens = rows[i].most;
		if (keyset_due(&k, &p, rows[i].minted, T0 + rows[i].after_s) != rows[i].due ||
		    keyset_overdue(&k, &p, T0 + rows[i].after_s) != rows[i].overdue)
			fail_msg("row %zu", i);
	}
}

static void
test_plan_rotates(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct plan plan;

	(void)state;
	clock_run(DAY - 1);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(!plan.any && plan.retire == 0 && plan.make == 0 && !plan.raced);
	plan.after.trial = k.trial; /* which goes with a commit, and is no reason for one */
	assert_memory_equal(&plan.after, &k, sizeof(k));
	clock_run(1);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(plan.any && plan.retire == 3 && plan.make == 1 && !plan.restamp);
	assert_true(plan.after.active.version == 4 && plan.after.active.since_s == T0 + DAY);
	assert_true(plan.after.next.version == 5 && plan.after.next.published_s == T0 + DAY);
	assert_true(plan.after.next_version == 6 && plan.after.floor == 1);
	assert_true(plan.stamp.retired_s == T0 + DAY && plan.stamp.until_s == T0 + 2 * DAY);
	assert_true(plan.change.retired_version == 3 && plan.change.made_version == 5);
	assert_string_equal(plan.change.kid, "B.4");
	assert_non_null(strstr(plan.change.text, "B.4 signs now, B.3 verifies until"));
	/* The commit took its time: dated anew. */
	clock_run(40);
	keyset_plan_at(&plan, &k, &p, &clock_time);
	assert_true(plan.stamp.retired_s == T0 + DAY + 40 && plan.after.active.since_s == T0 + DAY + 40);
	assert_true(plan.stamp.until_s == T0 + 2 * DAY + 40);
}

/* force_rotate when rotation was due rotated twice, and 20 at once 20 times, in the reference. */
static void
test_compare_and_swap(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct plan plan;

	(void)state;
	for (enum keyset_why why = WHY_MANUAL; why <= WHY_TOKEN_LIMIT; why++) {
		clock_reset();
		plan = plan_of(&k, &p, why, 3, NULL);
		assert_true(plan.retire == 3 && !plan.raced);
		assert_non_null(strstr(plan.change.text, "B.4 signs now"));
		plan = plan_of(&plan.after, &p, why, 3, NULL);
		assert_true(plan.retire == 0 && plan.raced && !plan.any);
		assert_string_equal(plan.change.kid, "B.4");
		clock_run(2 * DAY); /* also when time would demand it */
		plan = plan_of(&k, &p, why, 3, NULL);
		assert_true(plan.retire == 3);
		plan = plan_of(&plan.after, &p, why, 3, NULL);
		assert_true(plan.retire == 0 && plan.raced);
		plan = plan_of(&plan.after, &p, WHY_DUE, 0, NULL);
		assert_true(plan.retire == 0 && !plan.any);
	}
}

static void
test_by_count(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct keyset_seen seen = { .minted = 4, .first_alive = 1 };

	(void)state;
	p.max_tokens = 5;
	assert_true(plan_of(&k, &p, WHY_DUE, 0, &seen).retire == 0);
	seen.minted = 5;
	assert_true(plan_of(&k, &p, WHY_DUE, 0, &seen).retire == 3);
}

static void
test_versions_end(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct keyset_seen seen = { .first_alive = 1 };
	struct rjwt_diag diag;
	struct plan plan;

	(void)state;
	k.next_version = KEYSET_VERSION_MAX;
	plan = plan_of(&k, &p, WHY_MANUAL, 3, NULL);
	assert_true(plan.after.next.version == KEYSET_VERSION_MAX);
	k.next_version = KEYSET_VERSION_MAX + 1;
	want("used up", keyset_plan(&(struct plan_facts){ &k, &p, &seen, &clock_time }, WHY_MANUAL, 3, &plan, &diag),
	    RJWT_KEYSET);
}

/* --- clocks ----------------------------------------------------------------------------------- */

/* A step of 30 days back stopped rotation for 30 days in the reference. */
static void
test_clock_back(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct plan plan;

	(void)state;
	clock_step(-30 * DAY);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(plan.any && plan.retire == 0 && plan.restamp);
	assert_true(plan.after.active.since_s == T0 - 30 * DAY);
	assert_true(plan.after.clock.wall_s == T0 - 30 * DAY);
	assert_non_null(strstr(plan.change.warning, "clock suspect"));
	assert_non_null(strstr(plan.change.warning, "back by 30d"));
	k = plan.after;
	clock_run(DAY - 1);
	assert_true(plan_of(&k, &p, WHY_DUE, 0, NULL).retire == 0);
	clock_run(1);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(plan.retire == 3 && !plan.restamp && plan.change.warning[0] == '\0');
	/* Manually at that moment: rotates, and stamps too. */
	k = keyset_of_three();
	clock_step(-100);
	plan = plan_of(&k, &p, WHY_MANUAL, 3, NULL);
	assert_true(plan.retire == 3 && plan.restamp && plan.after.active.since_s == T0 - 100);
	assert_true(plan.stamp.retired_s == T0 - 100);
}

static void
test_clock_forward(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct plan plan;

	(void)state;
	clock_step(365 * DAY);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(plan.retire == 3 && !plan.restamp);
	assert_non_null(strstr(plan.change.warning, "forward"));
	k = plan.after;
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL); /* one rotation, not 365 */
	assert_true(!plan.any);
	clock_run(DAY);
	assert_true(plan_of(&k, &p, WHY_DUE, 0, NULL).retire == 4);
}

/* floor rises after the clocks ran in step, in one boot, for max_lifetime + leeway. */
static void
test_floor(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const struct keyset_seen gone = { .first_alive = 3 }, alive = { .first_alive = 1 };
	static const struct {
		int64_t run, step;
		bool boot;
		int64_t floor;
	} rows[] = { { SETTLE, 0, false, 3 }, { SETTLE - 1, 0, false, 1 }, { SETTLE, 30, false, 3 },
		{ SETTLE, -30, false, 3 }, { SETTLE, 31, false, 1 }, { SETTLE, -31, false, 1 }, { SETTLE, 0, true, 1 },
		{ 10 * DAY, 0, true, 1 } };

	(void)state;
	p.rotate_every_s = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan plan;

		clock_reset();
		clock_run(rows[i].run);
		clock_step(rows[i].step);
		if (rows[i].boot)
			clock_boot(0);
		plan = plan_of(&k, &p, WHY_DUE, 0, &gone);
		if (plan.after.floor != rows[i].floor)
			fail_msg("row %zu: floor %d", i, (int)plan.after.floor);
		assert_int_equal(plan_of(&k, &p, WHY_DUE, 0, &alive).after.floor, 1);
	}
}

/* A reading is kept as long as the clocks run in step, and taken anew when they do not. */
static void
test_anchor(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct plan plan;

	(void)state;
	clock_run(DAY);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_memory_equal(&plan.after.clock, &k.clock, sizeof(k.clock));
	clock_step(30);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_memory_equal(&plan.after.clock, &k.clock, sizeof(k.clock));
	clock_step(1);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_memory_equal(&plan.after.clock, &clock_time, sizeof(clock_time));
	clock_reset();
	clock_boot(60);
	plan = plan_of(&k, &p, WHY_DUE, 0, NULL);
	assert_true(plan.any && plan.retire == 0);
	assert_memory_equal(&plan.after.clock, &clock_time, sizeof(clock_time));
	assert_string_equal(plan.change.warning, "");
}

static void
test_suspect(void **state)
{
	static const struct {
		int64_t run, step;
		bool boot, suspect;
		int64_t by;
	} rows[] = { { 500, 0, false, false, 0 }, { 500, 30, false, false, 0 }, { 500, 31, false, true, 31 },
		{ 500, -31, false, true, -31 }, { 500, 0, true, false, 0 }, { 500, 9999, true, false, 0 },
		{ 0, -30, true, false, 0 }, { 0, -31, true, true, -31 } };
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	int64_t by;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		clock_reset();
		clock_run(rows[i].run);
		clock_step(rows[i].step);
		if (rows[i].boot)
			clock_boot(0);
		if (keyset_clock_suspect(&k, &p, &clock_time, &by) != rows[i].suspect || by != rows[i].by)
			fail_msg("row %zu: by %d", i, (int)by);
	}
	p.leeway_s = 0; /* seconds are rounded: 1 s is no step */
	clock_reset();
	clock_step(1);
	assert_false(keyset_clock_suspect(&k, &p, &clock_time, NULL));
	clock_step(1);
	assert_true(keyset_clock_suspect(&k, &p, &clock_time, NULL));
}

/* Time that the machine ran adds up over boots, and what was wrong at any reading of the clock makes it begin anew. */
static void
test_trial(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const struct keyset_seen waits = { .first_alive = 2 };
	struct plan plan;

	(void)state;
	for (int boot = 0; boot < 5; boot++) { /* of ten minutes and ten seconds */
		clock_boot(5);
		plan = plan_of(&k, &p, WHY_DUE, 0, &waits);
		assert_true(plan.any && plan.after.floor == 1);
		k = plan.after;
		clock_run(599);
		assert_true(keyset_wake_s(&k, &p, &waits, &clock_time, 0) == clock_time.wall_s + 600);
		plan = plan_of(&k, &p, WHY_DUE, 0, &waits);
		assert_true(!plan.any && !plan.counts);
		clock_run(1);
		plan = plan_of(&k, &p, WHY_DUE, 0, &waits);
		assert_true(!plan.any && plan.counts && plan.after.floor == 1);
		k = plan.after;
		assert_true(k.trial.ran_s == (boot + 1) * 610 && k.trial.wall_s == T0);
	}
	clock_boot(5); /* after 3050 s, and 3630 are needed */
	k = plan_of(&k, &p, WHY_DUE, 0, &waits).after;
	clock_run(569);
	assert_true(keyset_believed_s(&k, &p, &clock_time) == 0);
	clock_run(1);
	assert_true(keyset_believed_s(&k, &p, &clock_time) == T0);
	plan = plan_of(&k, &p, WHY_DUE, 0, &waits);
	assert_true(plan.any && plan.after.floor == 2);
	assert_true(plan.after.trial.wall_s == clock_time.wall_s && plan.after.trial.ran_s == 0);
	/* What retired since T0 and is expired by now waits for the next count. */
	clock_step(-100);
	assert_true(keyset_ran_s(&k, &p, &clock_time) == 0 && keyset_believed_s(&k, &p, &clock_time) == 0);
	k = plan_of(&k, &p, WHY_DUE, 0, &waits).after;
	assert_true(k.trial.ran_s == 0 && k.trial.wall_s == clock_time.wall_s && k.floor == 1);
	/* A boot with a clock that is behind is no boot that counts. */
	clock_boot(-5000);
	k = plan_of(&k, &p, WHY_DUE, 0, &waits).after;
	assert_true(k.trial.ran_s == 0 && k.trial.boot_s == clock_time.boot_s);
}

static void
test_next_event(void **state)
{
	static const struct {
		int64_t every, run, first_alive, until, event;
		const char *what;
	} rows[] = {
		{ DAY, 10, 1, 0, T0 + DAY, "rotation" },
		{ 0, 10, 1, 0, 0, "nothing" },
		{ DAY, 2 * DAY, 1, 0, T0 + DAY, "rotation" }, /* since a day, and not now */
		{ DAY, 10, 1, T0 + 9000, T0 + 9001, "clean-up" },
		{ DAY, 10, 1, T0 + 20, T0 + SETTLE, "clean-up" },
		{ DAY, 10, 1, T0 + 2 * DAY, T0 + DAY, "rotation" },
		{ DAY, 10, 1, T0 + DAY - 1, T0 + DAY, "rotation" }, /* both: what is more */
		{ 0, 10, 1, T0 + 2 * DAY, T0 + 2 * DAY + 1, "clean-up" },
		{ DAY, 10, 2, 0, T0 + SETTLE, "clean-up" },
		{ DAY, 5000, 2, 0, T0 + 5000, "clean-up" },
	};
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const char *what;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keyset_seen seen = { .first_alive = rows[i].first_alive, .first_until_s = rows[i].until };
		int64_t event;

		p.rotate_every_s = rows[i].every;
		clock_reset();
		clock_run(rows[i].run);
		event = keyset_next_event(&k, &p, &seen, &clock_time, &what);
		if (event != rows[i].event || strcmp(what, rows[i].what) != 0)
			fail_msg("row %zu: %s in %lld s", i, what, (long long)(event - T0));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_versions), cmocka_unit_test(test_due),
		cmocka_unit_test(test_plan_rotates), cmocka_unit_test(test_compare_and_swap),
		cmocka_unit_test(test_by_count), cmocka_unit_test(test_versions_end), cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_clock_forward), cmocka_unit_test(test_floor), cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_suspect), cmocka_unit_test(test_trial), cmocka_unit_test(test_next_event) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

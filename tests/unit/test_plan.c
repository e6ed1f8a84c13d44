/* SPDX-License-Identifier: MIT */
/* Each plan as a whole: what is made, retired, revoked and removed, when to look again, and the sentence that says so. */
#include "fixture.h"
#include "keyset/plan.h"

#include <stdio.h>

#define T0_NEXT_DAY "2027-01-16T08:00:00Z"

/* --- what is done ------------------------------------------------------------------------------ */

/* A row: what is asked for, and all that comes of it. */
struct wanted {
	enum keyset_why why;
	int64_t version;
	bool any;
	unsigned make;
	int64_t retire, revoke, floor, active, next;
	const char *text;
};

static enum rjwt_err
plan_at(const struct keyset *k, const struct rotation_policy *p, enum keyset_why why, int64_t version,
    const struct keyset_seen *seen, struct plan *plan, struct rjwt_diag *diag)
{
	return keyset_plan(&(struct plan_facts){ k, p, seen, &clock_time }, why, version, plan, diag);
}

static void
check_plan(const struct wanted *w, const struct keyset *k, const struct rotation_policy *p,
    const struct keyset_seen *seen)
{
	struct rjwt_diag diag;
	struct plan plan;

	want(w->text, plan_at(k, p, w->why, w->version, seen, &plan, &diag), RJWT_OK);
	assert_string_equal(plan.change.text, w->text);
	if (plan.any != w->any || plan.make != w->make || plan.retire != w->retire || plan.revoke != w->revoke ||
	    plan.after.floor != w->floor || plan.after.active.version != w->active ||
	    plan.after.next.version != w->next)
		fail_msg("%s: any %d make %u retire %d revoke %d floor %d active %d next %d", w->text, plan.any,
		    plan.make, (int)plan.retire, (int)plan.revoke, (int)plan.after.floor,
		    (int)plan.after.active.version, (int)plan.after.next.version);
	assert_int_equal(plan.after.next_version, k->next_version + w->make);
	assert_true(plan.change.any == w->any && plan.change.retired_version == w->retire);
	assert_true(plan.change.rotated == (w->active != k->active.version));
	assert_int_equal(plan.change.made_version, w->make > 0 ? w->next : 0);
	assert_int_equal(plan.after.active.since_s, w->active == k->active.version ? T0 : clock_time.wall_s);
	assert_int_equal(plan.after.next.published_s, w->make > 0 ? clock_time.wall_s : T0 - 5);
	assert_int_equal(plan.stamp.retired_s, w->retire == 0 ? 0 : clock_time.wall_s);
	assert_int_equal(plan.stamp.until_s, w->retire == 0 ? 0 : clock_time.wall_s + DAY);
	assert_int_equal(plan.revoked_s, clock_time.wall_s);
	assert_string_equal(plan.change.warning, "");
	assert_false(plan.restamp || plan.counts);
}

static void
test_each_reason(void **state)
{
	static const struct wanted rows[] = {
		{ WHY_DUE, 0, false, 0, 0, 0, 1, 3, 4, "nothing was due, B.3 still signs" },
		{ WHY_MANUAL, 3, true, 1, 3, 0, 1, 4, 5,
		    "B.4 signs now, B.3 verifies until " T0_NEXT_DAY ", B.5 (ES256) is next" },
		{ WHY_MANUAL, 2, false, 0, 0, 0, 1, 3, 4, "another rotation came first, B.3 signs" },
		{ WHY_TOKEN_LIMIT, 3, true, 1, 3, 0, 1, 4, 5,
		    "B.4 signs now, B.3 verifies until " T0_NEXT_DAY ", B.5 (ES256) is next" },
		{ WHY_TOKEN_LIMIT, 4, false, 0, 0, 0, 1, 3, 4, "another rotation came first, B.3 signs" },
		{ WHY_REVOKE_KEY, 1, true, 0, 0, 1, 1, 3, 4, "B.1 is revoked, B.3 still signs" },
		{ WHY_REVOKE_KEY, 3, true, 1, 3, 3, 1, 4, 5, "B.3 is revoked, B.4 signs now, B.5 (ES256) is next" },
		{ WHY_REVOKE_KEY, 4, true, 1, 0, 4, 1, 3, 5, "B.4 is revoked, B.3 still signs, B.5 (ES256) is next" },
		{ WHY_REVOKE_USER, 0, true, 1, 3, 0, 1, 4, 5,
		    "B.4 signs now, B.3 verifies until " T0_NEXT_DAY ", B.5 (ES256) is next" },
		{ WHY_REVOKE_ALL, 0, true, 1, 3, 0, 4, 4, 5,
		    "earlier tokens no longer verify, B.4 signs now, B.5 (ES256) is next" },
		{ WHY_COMPROMISED, 0, true, 2, 0, 0, 5, 5, 6,
		    "all keys are replaced, earlier tokens no longer verify, B.5 signs now, B.6 (ES256) is next" },
		{ WHY_BUMP, 0, true, 0, 0, 0, 1, 3, 4, "B.3 still signs" },
	};
	struct rotation_policy p = policy_of_a_day();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keyset k = keyset_of_three();
		const struct keyset_seen seen = { .first_alive = k.floor, .machine = "m" };

		check_plan(&rows[i], &k, &p, &seen);
	}
}

/* When it is due; the key that retires may be the first there is. */
static void
test_due_rotation(void **state)
{
	struct wanted rotation = { WHY_DUE, 0, true, 1, 3, 0, 1, 4, 5,
		"B.4 signs now, B.3 verifies until 2027-01-17T08:00:00Z, B.5 (ES256) is next" };
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct keyset_seen seen = { .first_alive = 1, .machine = "m" };

	(void)state;
	clock_run(DAY);
	check_plan(&rotation, &k, &p, &seen);
	k.floor = rotation.floor = seen.first_alive = 3;
	check_plan(&rotation, &k, &p, &seen);
}

/* What hosts that follow may not know yet does not sign, but for a count; and the twin, two minutes after it is out. */
static void
test_published(void **state)
{
	static const struct {
		const char *what;
		bool published;
		int64_t out, age_s;
		int64_t wait_s; /* 0: the next key signs at once */
	} rows[] = {
		{ "nobody follows", false, 0, 0, 0 },
		{ "never out", true, 0, 0, KEYSET_OUT_S },
		{ "another one is out", true, 3, 500, KEYSET_OUT_S },
		{ "out for a second less", true, 4, KEYSET_OUT_S - 1, 1 },
		{ "out for two minutes", true, 4, KEYSET_OUT_S, 0 },
		{ "out since tomorrow", true, 4, -DAY, KEYSET_OUT_S },
	};
	static const struct {
		enum keyset_why why;
		int64_t version;
		enum rjwt_err early;
	} whys[] = { { WHY_MANUAL, 3, RJWT_BUSY }, { WHY_REVOKE_ALL, 0, RJWT_BUSY }, { WHY_REVOKE_KEY, 3, RJWT_BUSY },
		{ WHY_REVOKE_KEY, 4, RJWT_OK }, { WHY_REVOKE_KEY, 1, RJWT_OK }, { WHY_MANUAL, 2, RJWT_OK },
		{ WHY_COMPROMISED, 0, RJWT_OK }, { WHY_BUMP, 0, RJWT_OK }, { WHY_DUE, 0, RJWT_OK },
		{ WHY_TOKEN_LIMIT, 3, RJWT_OK } };
	struct keyset k = keyset_of_three();
	struct rotation_policy p = policy_of_a_day();
	struct keyset_seen seen = { .first_alive = k.floor, .machine = "m" };
	const int64_t since_s = k.active.since_s;
	struct rjwt_diag diag;
	struct plan plan;
	const char *what;

	(void)state;
	clock_run(DAY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool promotes = rows[i].wait_s == 0;
		int64_t event_s;

		p.published = rows[i].published;
		p.out = rows[i].out;
		p.out_s = clock_time.wall_s - rows[i].age_s;
		for (size_t j = 0; j < ARRAY_LEN(whys); j++)
			want(rows[i].what, plan_at(&k, &p, whys[j].why, whys[j].version, &seen, &plan, &diag),
			    promotes ? RJWT_OK : whys[j].early);
		want("due", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, &diag), RJWT_OK);
		assert_int_equal(plan.after.active.version, promotes ? 4 : 3);
		want("count", plan_at(&k, &p, WHY_TOKEN_LIMIT, 3, &seen, &plan, &diag), RJWT_OK);
		assert_int_equal(plan.after.active.version, 4);
		assert_true((strstr(plan.change.warning, "faster than hosts follow") == NULL) == promotes);
		p.max_tokens = seen.minted = 7;
		want("count when due", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, &diag), RJWT_OK);
		assert_int_equal(plan.after.active.version, 4);
		p.max_tokens = seen.minted = 0;
		/* A daemon sleeps until then, and does not spin. */
		event_s = keyset_next_event(&k, &p, &seen, &clock_time, &what);
		assert_true(promotes ? event_s <= clock_time.wall_s : event_s == clock_time.wall_s + rows[i].wait_s);
		/* What is due later than that is not due earlier. */
		k.active.since_s = clock_time.wall_s - 10;
		assert_int_equal(keyset_next_event(&k, &p, &seen, &clock_time, &what), clock_time.wall_s - 10 + DAY);
		assert_string_equal(what, "rotation");
		k.active.since_s = since_s;
	}
}

/* A key that is below floor, or was never made, is not revoked. */
static void
test_no_such_key(void **state)
{
	static const struct {
		int64_t version;
		enum rjwt_err err;
	} rows[] = { { 0, RJWT_KEY_UNKNOWN }, { 1, RJWT_KEY_UNKNOWN }, { 2, RJWT_OK }, { 4, RJWT_OK },
		{ 5, RJWT_KEY_UNKNOWN } };
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const struct keyset_seen seen = { .first_alive = 2 };

	(void)state;
	k.floor = 2;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rjwt_diag diag = { 0 };
		struct plan plan;
		char text[80];

		want("revoke", plan_at(&k, &p, WHY_REVOKE_KEY, rows[i].version, &seen, &plan, &diag), rows[i].err);
		snprintf(text, sizeof(text), "version %d is not a key of this keyset that still verifies",
		    (int)rows[i].version);
		assert_string_equal(diag.text, rows[i].err == RJWT_OK ? "" : text);
	}
}

/* What is recorded by the way is said when nothing else is, and is done in any case. */
static void
test_by_the_way(void **state)
{
	static const struct wanted removed = { WHY_DUE, 0, true, 0, 0, 0, 2, 3, 4,
		"keys below version 2 are removed, B.3 still signs" },
				   machine = { WHY_DUE, 0, true, 0, 0, 0, 1, 3, 4,
					   "recorded the machine id, B.3 still signs" },
				   file = { WHY_DUE, 0, true, 0, 0, 0, 1, 3, 4,
					   "recorded that a configuration file is used, B.3 still signs" },
				   rotation = { WHY_MANUAL, 3, true, 1, 3, 0, 1, 4, 5,
					   "B.4 signs now, B.3 verifies until " T0_NEXT_DAY ", B.5 (ES256) is next" };
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	struct keyset_seen seen = { .first_alive = 2, .machine = "m" };
	struct plan plan;

	(void)state;
	clock_run(SETTLE);
	check_plan(&removed, &k, &p, &seen);
	/* Also with a rotation, which says more. */
	want("plan", plan_at(&k, &p, WHY_MANUAL, 3, &seen, &plan, NULL), RJWT_OK);
	assert_true(plan.after.floor == 2 && strncmp(plan.change.text, "B.4 signs now", 13) == 0);
	clock_reset();
	seen.first_alive = 1;
	k.machine[0] = '\0';
	check_plan(&machine, &k, &p, &seen);
	check_plan(&rotation, &k, &p, &seen);
	want("plan", plan_at(&k, &p, WHY_MANUAL, 3, &seen, &plan, NULL), RJWT_OK);
	assert_string_equal(plan.after.machine, "m");
	k = keyset_of_three(); /* another machine is none of the plan's business */
	memcpy(seen.machine, "n", 2);
	want("plan", plan_at(&k, &p, WHY_MANUAL, 3, &seen, &plan, NULL), RJWT_OK);
	assert_string_equal(plan.after.machine, "m");
	p.configured = true;
	check_plan(&file, &k, &p, &seen);
	check_plan(&rotation, &k, &p, &seen);
	want("plan", plan_at(&k, &p, WHY_MANUAL, 3, &seen, &plan, NULL), RJWT_OK);
	assert_true(plan.after.configured);
	p.configured = false; /* and stays */
	k = plan.after;
	want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
	assert_true(plan.after.configured && !plan.any);
}

/* A clock that was set, and a boot, are recorded; only the first is a warning. */
static void
test_clock_recorded(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const struct keyset_seen seen = { .first_alive = 1, .machine = "m" };
	static const struct {
		int64_t step_s, moved_s;
		bool boot;
		const char *warning;
	} rows[] = { { 31, 31, false, "clock suspect: it went forward by 31s" },
		{ -31, -31, false, "clock suspect: it went back by 31s" }, { 0, 0, true, "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan plan;

		clock_reset();
		clock_step(rows[i].step_s);
		if (rows[i].boot)
			clock_boot(60);
		want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
		assert_string_equal(plan.change.text, "recorded the clock change, B.3 still signs");
		assert_string_equal(plan.change.warning, rows[i].warning);
		assert_true(plan.any && plan.after.moved_s == rows[i].moved_s && plan.restamp == (rows[i].step_s < 0));
		assert_memory_equal(&plan.after.clock, &clock_time, sizeof(clock_time));
		assert_int_equal(plan.after.active.since_s, T0 + (rows[i].step_s < 0 ? rows[i].step_s : 0));
	}
	/* By less than the leeway: no clock change, and yet nothing may be dated after now. */
	for (int64_t back_s = 0; back_s <= 10; back_s += 10) {
		struct plan plan;

		clock_reset();
		clock_step(-back_s);
		want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
		assert_true(plan.any == (back_s > 0) && plan.restamp == (back_s > 0) && plan.retire == 0);
		assert_int_equal(plan.after.active.since_s, T0 - back_s);
		assert_string_equal(plan.change.warning, "");
		clock_step(20); /* while a key was made */
		keyset_plan_at(&plan, &k, &p, &clock_time);
		assert_true(plan.restamp == (back_s > 0));
	}
	/* What was noticed earlier stays noticed while the clocks run in step. */
	clock_reset();
	k.moved_s = 17;
	for (int i = 0; i < 2; i++) {
		struct plan plan;

		want("plan", plan_at(&k, &p, WHY_BUMP, 0, &seen, &plan, NULL), RJWT_OK);
		assert_int_equal(plan.after.moved_s, 17);
		clock_run(30);
	}
}

/* A time that cannot be stored makes no plan; the first second is a time, and 0 is no time of a revocation. */
static void
test_no_time(void **state)
{
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();
	const struct keyset_seen seen = { .first_alive = 1 };
	struct rjwt_diag diag;
	struct plan plan;

	(void)state;
	clock_time.wall_s = -1;
	want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, &diag), RJWT_INTERNAL);
	clock_time.wall_s = 0;
	want("plan", plan_at(&k, &p, WHY_REVOKE_KEY, 2, &seen, &plan, &diag), RJWT_OK);
	assert_int_equal(plan.revoked_s, 1);
	clock_time.wall_s = 2;
	keyset_plan_at(&plan, &k, &p, &clock_time);
	assert_int_equal(plan.revoked_s, 2);
}

/* --- when to look again ------------------------------------------------------------------------- */

/*
 * A key that has expired waits for the clock: how long the machine has run is recorded every ten minutes, and when it
 * has run for long enough.
 */
static void
test_counts(void **state)
{
	static const struct {
		int64_t run, first_alive, until; /* seconds since T0, and what is seen */
		bool counts, wakes;
	} rows[] = {
		{ 600, 2, 0, true, true }, { 599, 2, 0, false, true }, { 600, 1, T0 + 599, true, true },
		{ 600, 1, T0 + 600, false, false },					    /* it verifies still */
		{ 600, 1, 0, false, false },						    /* nothing retired */
		{ SETTLE - 1, 1, T0 + 5, true, true }, { SETTLE, 1, T0 + 5, false, false }, /* the clock is believed */
	};
	struct rotation_policy p = policy_of_a_day();
	struct keyset k = keyset_of_three();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct keyset_seen seen = { .first_alive = rows[i].first_alive, .first_until_s = rows[i].until };
		int64_t count_s = T0 + rows[i].run + 600;
		struct plan plan;

		clock_reset();
		clock_run(rows[i].run);
		want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
		if (plan.counts != rows[i].counts || plan.any)
			fail_msg("row %zu: counts %d any %d", i, plan.counts, plan.any);
		assert_int_equal(keyset_wake_s(&k, &p, &seen, &clock_time, 0), rows[i].wakes ? count_s : 0);
		assert_int_equal(keyset_wake_s(&k, &p, &seen, &clock_time, count_s + 1),
		    rows[i].wakes ? count_s : count_s + 1);
		assert_int_equal(keyset_wake_s(&k, &p, &seen, &clock_time, count_s - 1), count_s - 1);
	}
	/* Less than ten minutes after the last count, but it is the last one that is needed. */
	k.trial.ran_s = SETTLE - 30;
	for (int64_t run_s = 29; run_s <= 30; run_s++) {
		const struct keyset_seen seen = { .first_alive = 1, .first_until_s = T0 + 5 };
		struct plan plan;

		clock_reset();
		clock_run(run_s);
		want("plan", plan_at(&k, &p, WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
		assert_true(!plan.any && plan.counts == (run_s == 30));
	}
	k.trial.ran_s = 0;
	/* Nothing is counted beside a commit that is made anyway, nor while the clock is not that of the keyset. */
	clock_reset();
	clock_run(600);
	for (int i = 0; i < 2; i++) {
		const struct keyset_seen seen = { .first_alive = 2 };
		struct plan plan;

		want("plan", plan_at(&k, &p, i == 0 ? WHY_BUMP : WHY_DUE, 0, &seen, &plan, NULL), RJWT_OK);
		assert_true(plan.any && !plan.counts);
		clock_step(31);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_reason), cmocka_unit_test(test_due_rotation),
		cmocka_unit_test(test_published), cmocka_unit_test(test_no_such_key), cmocka_unit_test(test_by_the_way),
		cmocka_unit_test(test_clock_recorded), cmocka_unit_test(test_no_time), cmocka_unit_test(test_counts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

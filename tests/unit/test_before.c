/* SPDX-License-Identifier: MIT */
/* Denials that a host is given, when they go, and `before`, which stays in their place. */
#include "fleet_host.h"

#include <stdio.h>

#define LEEWAY 30
#define SPAN (3600 + 2 * LEEWAY) /* a denial is needed for so long after its date */

/* The denials of alice, bob and the token a7, in this order; -1: none. */
struct dates {
	int64_t alice, bob, a7;
};

static void
deny(struct bundle *b, const struct dates *dates)
{
	if (dates->alice >= 0)
		line_deny(b, "alice", NULL, T0 + dates->alice);
	if (dates->bob >= 0)
		line_deny(b, "bob", NULL, T0 + dates->bob);
	if (dates->a7 >= 0)
		line_deny(b, NULL, "a7", T0 + dates->a7);
}

static void
host_denies(struct host *h, unsigned i, int64_t serial, const struct dates *dates)
{
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(i, T0 + serial, 1);

	deny(&b, dates);
	host_bundle(h, LINE_BUNDLE_KEY(i), &b);
}

static void
holds(struct host *h, const char *label, int i, const struct dates *dates)
{
	const int64_t wanted[3] = { dates->alice, dates->bob, dates->a7 }, got[3] = { host_denial(h, i, "alice", NULL),
		host_denial(h, i, "bob", NULL), host_denial(h, i, NULL, "a7") };

	for (size_t k = 0; k < 3; k++)
		if (got[k] != (wanted[k] < 0 ? -1 : T0 + wanted[k]))
			fail_msg("%s: denial %zu of %d is %lld", label, k, i, (long long)got[k]);
}

/* --- what a new directory begins with ----------------------------------------------------------- */

/*
 * min(before of the fleet, iat of the roster + leeway): what was denied before it was there stays so; but a date that a wrong
 * clock left ahead of the time does not close a new base. Where the date is not ahead, it counts as it is.
 */
static void
test_new_directory(void **state)
{
	static const struct {
		int64_t before, now, begins;
	} rows[] = { { -100, 0, -100 }, { 0, 0, 0 }, { LEEWAY - 1, 0, LEEWAY - 1 }, { LEEWAY, 0, LEEWAY },
		{ LEEWAY + 1, 0, LEEWAY }, { 99999, 0, LEEWAY }, { 150, 200, 150 }, { 200, 200, 200 },
		{ 201, 200, LEEWAY }, { LEEWAY - 1, 200, LEEWAY - 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *made;
		struct host *h;
		struct fleet fleet;
		char label[40];

		assert_int_equal(host_setup(&made), 0);
		h = made;
		snprintf(label, sizeof(label), "row %zu", i);
		fleet = host_fleet(h);
		fleet.before_s = T0 + rows[i].before;
		host_fleet_put(h, &fleet);
		fleet = host_fleet(h);
		fleet.born_s = T0 - 1000; /* that is not what decides here */
		host_fleet_put(h, &fleet);
		clock_run(rows[i].now);
		host_roster(h, 0, 0, 1, 1);
		host_serial(h, 0, 0);
		host_follows(h, label, "done: took roster #0, with 1 issuer\ndone: i0: installed serial #0\n");
		if (host_keyset(h, 0).followed.before_s != T0 + rows[i].begins)
			fail_msg("%s: begins with T0%+lld", label,
			    (long long)(host_keyset(h, 0).followed.before_s - T0));
		clock_run(60);
		want(label, host_judges(h, 0, 1, T0 + rows[i].begins), RJWT_DENIED);
		want(label, host_judges(h, 0, 1, T0 + rows[i].begins + 1), RJWT_OK);
		assert_int_equal(host_fleet(h).before_s, T0 + rows[i].before);
		host_teardown(&made);
	}
}

/* One that is there keeps its own, whatever the fleet's is. */
static void
test_old_directory(void **state)
{
	struct host *h = *state;
	struct fleet fleet;

	host_roster(h, 0, 0, 1, 1);
	host_serial(h, 0, 0);
	host_follows(h, "new", "done: took roster #0, with 1 issuer\ndone: i0: installed serial #0\n");
	fleet = host_fleet(h);
	fleet.before_s = T0 - 5;
	host_fleet_put(h, &fleet);
	host_serial(h, 0, 1);
	host_follows(h, "the next", "done: i0: installed serial #1\n");
	assert_int_equal(host_keyset(h, 0).followed.before_s, 0);
}

/* --- denials that come --------------------------------------------------------------------------- */

/* They are added, never replaced, and of two dates the later stays; both count for tokens of every issuer. */
static void
test_added(void **state)
{
	struct host *h = *state;

	host_roster(h, 0, 0, 1, 3);
	host_serial(h, 1, 0);
	host_denies(h, 0, 0, &(struct dates){ 10, -1, 30 });
	host_follows(h, "first",
	    "done: took roster #0, with 2 issuers\ndone: i0: installed serial #0\ndone: i1: installed serial #0\n");
	holds(h, "first", 0, &(struct dates){ 10, -1, 30 });
	holds(h, "the other", 1, &(struct dates){ -1, -1, -1 });
	clock_run(20);
	want("its own", host_judges(h, 0, 1, T0 + 10), RJWT_DENIED);
	want("the other issuer's", host_judges(h, 1, 1, T0 + 10), RJWT_DENIED);
	want("after it", host_judges(h, 1, 1, T0 + 11), RJWT_OK);
	host_denies(h, 0, 1, &(struct dates){ 5, 10, -1 });
	host_follows(h, "earlier", "done: i0: installed serial #1\n");
	holds(h, "earlier", 0, &(struct dates){ 10, 10, 30 });
	host_denies(h, 0, 2, &(struct dates){ 11, -1, 31 });
	host_follows(h, "later", "done: i0: installed serial #2\n");
	holds(h, "later", 0, &(struct dates){ 11, 10, 31 });
	want("later", host_judges(h, 1, 1, T0 + 11), RJWT_DENIED);
	want("after it", host_judges(h, 1, 1, T0 + 12), RJWT_OK);
}

/* Any number up to 2,000; a line with one more does not count, and what it brings beside. */
static void
test_numbers(void **state)
{
	static const unsigned numbers[] = { 0, 1, 7, 8, 9, 64, 65, 1999, 2000, 2001 };
	struct host *h = *state;

	host_roster(h, 0, 0, 1, 1);
	host_follows(h, "roster", "done: took roster #0, with 1 issuer\n");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(0, T0 + (int64_t)i, 1);
		char user[32], said[60];

		for (unsigned k = 0; k < numbers[i]; k++) {
			snprintf(user, sizeof(user), "u%u-%u", numbers[i], k);
			line_deny(&b, k % 3 == 0 ? NULL : user, k % 3 == 0 ? user : NULL, T0 + 9);
		}
		host_bundle(h, LINE_BUNDLE_KEY(0), &b);
		snprintf(said, sizeof(said), "done: i0: installed serial #%zu\n", i);
		host_follows(h, "a number", numbers[i] <= 2000 ? said : "done: 1 line skipped\n");
		for (unsigned k = 0; k < numbers[i]; k += 1 + numbers[i] / 50) {
			snprintf(user, sizeof(user), "u%u-%u", numbers[i], k);
			assert_int_equal(host_denial(h, 0, k % 3 == 0 ? NULL : user, k % 3 == 0 ? user : NULL),
			    numbers[i] <= 2000 ? T0 + 9 : -1);
		}
	}
}

/* --- denials that go ------------------------------------------------------------------------------ */

static void
befores(struct host *h, const char *label, int64_t before)
{
	const int64_t got[3] = { host_fleet(h).before_s, host_keyset(h, 0).followed.before_s,
		host_keyset(h, 1).followed.before_s };

	for (size_t i = 0; i < 3; i++)
		if (got[i] != before)
			fail_msg("%s: before %zu is T0%+lld", label, i, (long long)(got[i] - T0));
}

/* Once the clock of the host and what is installed of each issuer have passed; its date is written first, everywhere. */
static void
test_pruned(void **state)
{
	struct host *h = *state;
	const struct dates dates = { 10, SPAN + 999, 20 };

	host_roster(h, 0, 0, 1, 3);
	host_serial(h, 1, 0);
	host_denies(h, 0, 0, &dates);
	host_follows(h, "first",
	    "done: took roster #0, with 2 issuers\ndone: i0: installed serial #0\ndone: i1: installed serial #0\n");
	clock_run(SPAN + 19);
	host_denies(h, 0, SPAN + 99, &dates);
	host_follows(h, "one issuer was not heard from", "done: i0: installed serial #3759\n");
	holds(h, "not heard from", 0, &dates);
	befores(h, "nothing went", 0);
	host_serial(h, 1, SPAN + 9);
	host_follows(h, "a second short", "done: i1: installed serial #3669\n");
	holds(h, "a second short", 0, &dates);
	host_serial(h, 1, SPAN + 10);
	host_follows(h, "heard from", "done: i1: installed serial #3670\ndone: 1 denial of expired tokens removed\n");
	holds(h, "one went", 0, &(struct dates){ -1, SPAN + 999, 20 });
	befores(h, "one went", T0 + 10);
	host_serial(h, 1, SPAN + 99);
	host_follows(h, "by the host's clock", "done: i1: installed serial #3759\n");
	clock_run(1);
	host_denies(h, 0, SPAN + 100, &dates); /* it is offered once more, and not put again */
	host_follows(h, "the host's clock, too",
	    "done: i0: installed serial #3760\ndone: 1 denial of expired tokens removed\n");
	holds(h, "two went", 0, &(struct dates){ -1, SPAN + 999, -1 });
	befores(h, "two went", T0 + 20);
	want("what they denied", host_judges(h, 0, 1, T0 + SPAN + 20), RJWT_OK);
	host_denies(h, 0, SPAN + 101, &(struct dates){ 21, -1, -1 });
	host_follows(h, "a later date is new", "done: i0: installed serial #3761\n");
	holds(h, "a later date", 0, &(struct dates){ 21, SPAN + 999, -1 });
}

/* The host's own go too, and a directory whose base was dropped gets the date: it may come back. */
static void
test_pruned_beside(void **state)
{
	struct host *h = *state;
	struct fleet fleet;

	host_roster(h, 0, 0, 1, 3);
	host_serial(h, 0, 0);
	host_serial(h, 1, 0);
	host_follows(h, "first",
	    "done: took roster #0, with 2 issuers\ndone: i0: installed serial #0\ndone: i1: installed serial #0\n");
	host_deny(h, "alice", LEEWAY);
	host_roster(h, 0, 1, 1, 1);
	host_follows(h, "dropped", "done: took roster #1, with 1 issuer\n");
	clock_run(SPAN + LEEWAY);
	host_serial(h, 0, SPAN + LEEWAY);
	host_follows(h, "its date has passed",
	    "done: i0: installed serial #3690\ndone: 1 denial of expired tokens removed\n");
	holds(h, "its own went", -1, &(struct dates){ -1, -1, -1 });
	befores(h, "all, also the dropped one", T0 + LEEWAY);
	/* fleet.json is lost: who joins again begins with the latest date that is not ahead. */
	file_gone(h->f, FLEET_FILE);
	{
		struct keyset ahead = host_keyset(h, 1);
		struct rjwt_options o = fixture_options(h->f);
		struct rjwt_fleet joined;

		ahead.followed.before_s = T0 + SPAN + LEEWAY + 1;
		host_keyset_put(h, 1, &ahead);
		file_put(h->f, "fleet/keyset.json", VIEW("not a base"));
		want("join", rjwt_join(&o, "http://i0.example/f", line_name(0)->text, &joined, &h->f->diag), RJWT_OK);
		fleet = host_fleet(h);
		assert_int_equal(fleet.before_s, T0 + LEEWAY);
		ahead.followed.before_s = T0 + SPAN + LEEWAY;
		host_keyset_put(h, 1, &ahead);
		file_gone(h->f, FLEET_FILE);
		want("join", rjwt_join(&o, "http://i0.example/f", line_name(0)->text, &joined, &h->f->diag), RJWT_OK);
		fleet = host_fleet(h);
		assert_int_equal(fleet.before_s, T0 + SPAN + LEEWAY);
	}
}

/* Maintenance prunes, too; without a roster, or where an issuer has another key, nothing goes. */
static void
test_pruned_by_maintenance(void **state)
{
	struct host *h = *state;
	struct roster roster = line_roster(T0 + 1, 1, 1);
	struct rjwt_change change;
	const struct dates dates = { 10, -1, 9 };

	host_roster(h, 0, 0, 1, 1);
	host_denies(h, 0, 0, &dates);
	host_follows(h, "first", "done: took roster #0, with 1 issuer\ndone: i0: installed serial #0\n");
	host_denies(h, 0, SPAN + 10, &dates);
	host_follows(h, "the host's clock is behind", "done: i0: installed serial #3670\n");
	clock_run(SPAN + 10);
	want("open", fixture_reopen(h->f), RJWT_OK);
	roster.issuers[0].key = *line_name(LINE_BUNDLE_KEY(3));
	line_put_roster(&h->file, 0, &roster);
	host_follows(h, "another key", "done: took roster #1, with 1 issuer\n");
	holds(h, "another key", 0, &dates);
	host_roster(h, 0, 2, 1, 1);
	host_follows(h, "the first key",
	    "done: took roster #2, with 1 issuer\ndone: 2 denials of expired tokens removed\n");
	holds(h, "the first key", 0, &(struct dates){ -1, -1, -1 });
	host_denies(h, 0, SPAN + 11, &(struct dates){ 11, -1, -1 });
	host_follows(h, "one more", "done: i0: installed serial #3671\n");
	want("open", fixture_reopen(h->f), RJWT_OK);
	want("nothing due", rjwt_maintain(h->f->h, 0, &change, &h->f->diag), RJWT_OK);
	assert_false(change.any);
	clock_run(1);
	want("due", rjwt_maintain(h->f->h, 0, &change, &h->f->diag), RJWT_OK);
	assert_true(change.any);
	assert_non_null(strstr(change.text, "1 denial of expired tokens removed"));
	holds(h, "by maintenance", 0, &(struct dates){ -1, -1, -1 });
}

#define T(test) cmocka_unit_test_setup_teardown(test, host_setup, host_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_new_directory), T(test_old_directory), T(test_added),
		T(test_numbers), T(test_pruned), T(test_pruned_beside), T(test_pruned_by_maintenance) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

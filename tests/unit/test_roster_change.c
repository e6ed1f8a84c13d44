/* SPDX-License-Identifier: MIT */
/* The next roster: who is added, replaced, renamed, dropped; the keys that are rolled; and what is refused. */
#include "fleet_host.h"
#include "jose/alg.h"

#include <stdio.h>

#define URL "http://i0.example/fleet.jws"

struct made {
	struct rjwt_fleet fleet;
	char *lines;
};

/* A file of two fleet keys below top. */
static const char *
key_file(struct host *h, const char *name, unsigned first)
{
	static char paths[4][200];
	static unsigned n;
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };
	char where[64];
	char *path = paths[n++ % 4];

	for (unsigned i = first; i < first + 2; i++)
		want("key", key_private_format(line_key(i), &text), RJWT_OK);
	snprintf(where, sizeof(where), "../%s", name);
	file_put(h->f, where, buf_view(&text));
	snprintf(path, sizeof(paths[0]), "%s/%s", h->f->top, name);
	return path;
}

static void
say(void *context, bool wrong, const char *text)
{
	(void)context;
	if (wrong)
		fail_msg("said to be wrong: %s", text);
}

static enum rjwt_err
change(struct host *h, const struct rjwt_roster *roster, struct made *made)
{
	struct rjwt_options o = fixture_options(h->f);
	struct made unused = { .lines = NULL };
	struct made *to = made == NULL ? &unused : made;
	enum rjwt_err err = rjwt_fleet_roster(&o, roster, &to->lines, &to->fleet, say, h, &h->f->diag);

	if (made == NULL && err == RJWT_OK)
		rjwt_free(to->lines);
	return err;
}

static const char *
entry_of(const struct fleet_issuer *issuer)
{
	static struct buf text;

	buf_clear(&text);
	want("entry", roster_entry_format(&text, issuer), RJWT_OK);
	return text.p;
}

static void
refused(struct host *h, const struct rjwt_roster *roster, enum rjwt_err err, const char *why)
{
	struct fleet before = host_fleet(h), after;

	want(why, change(h, roster, NULL), err);
	if (strcmp(h->f->diag.text, why) != 0)
		fail_msg("said \"%s\", not \"%s\"", h->f->diag.text, why);
	after = host_fleet(h);
	assert_true(before.generation == after.generation && before.used_n == after.used_n);
}

/* Of the roster that is believed: its issuers by name and base. */
static void
lists(struct host *h, const char *label, const char *wanted)
{
	struct fleet fleet = host_fleet(h);
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };

	buf_adds(&got, "");
	for (size_t i = 0; i < fleet.roster.nissuers; i++)
		buf_addf(&got, "%s=%s ", fleet.roster.issuers[i].name, fleet.roster.issuers[i].base);
	if (strcmp(got.n == 0 ? "" : got.p, wanted) != 0)
		fail_msg("%s: lists \"%s\", not \"%s\"", label, got.p, wanted);
}

/* --- who is in it --------------------------------------------------------------------------------- */

static void
test_issuers(void **state)
{
	struct host *h = *state;
	struct rjwt_roster add = { .key_file = key_file(h, "k", 0) }, drop = add;
	struct fleet_issuer issuer = line_issuer(1);
	struct made made;

	host_roster(h, 0, 0, 3, 1);
	host_follows(h, "first", "done: took roster #0, with 1 issuer\n");
	add.add = entry_of(&issuer);
	want("another", change(h, &add, &made), RJWT_OK);
	assert_true(made.fleet.roster == T0 + 1 && made.fleet.issuers == 2 && !made.fleet.made_keys);
	assert_string_equal(made.fleet.key, line_name(0)->text);
	rjwt_free(made.lines);
	lists(h, "added", "i0=I0 i1=I1 ");
	clock_run(10);
	memcpy(issuer.base, "J1", 3); /* replaced under its name, by another key */
	issuer.key = *line_name(LINE_BUNDLE_KEY(5));
	add.add = entry_of(&issuer);
	want("replaced", change(h, &add, &made), RJWT_OK);
	assert_int_equal(made.fleet.roster, T0 + 10);
	rjwt_free(made.lines);
	lists(h, "replaced", "i0=I0 i1=J1 ");
	snprintf(issuer.name, sizeof(issuer.name), "renamed");
	add.add = entry_of(&issuer);
	want("renamed", change(h, &add, NULL), RJWT_OK);
	lists(h, "renamed", "i0=I0 renamed=J1 ");
	snprintf(issuer.name, sizeof(issuer.name), "i0");
	add.add = entry_of(&issuer);
	refused(h, &add, RJWT_KEYSET, "another issuer is called i0 (drop it first)");
	issuer = line_issuer(0);
	issuer.key = *line_name(LINE_BUNDLE_KEY(6));
	add.add = entry_of(&issuer);
	refused(h, &add, RJWT_KEYSET,
	    "base I0 is listed with another bundle key, and cannot have a second one: hosts would reject this entry");
	issuer = line_issuer(3); /* a key that another issuer has: hosts would refuse it */
	issuer.key = *line_name(LINE_BUNDLE_KEY(0));
	add.add = entry_of(&issuer);
	refused(h, &add, RJWT_KEYSET, "a name, a base or a key is listed twice");
	add.add = "{\"name\":\"x\"}";
	refused(h, &add, RJWT_USAGE, "not an entry (expected what rjwt-keyd fleet request printed, in quotes)");
	drop.drop = "i1";
	refused(h, &drop, RJWT_KEYSET, "the roster has no issuer \"i1\"");
	drop.drop = "i0";
	want("dropped", change(h, &drop, NULL), RJWT_OK);
	lists(h, "dropped", "renamed=J1 ");
	assert_int_equal(host_fleet(h).used_n, host_fleet(h).roster.n);
}

static void
test_most(void **state)
{
	struct host *h = *state;
	struct rjwt_roster add = { .key_file = key_file(h, "k", 0) };
	struct fleet_issuer issuer = line_issuer(7);

	host_roster(h, 0, 0, 1, 0x7f);
	host_follows(h, "seven", "done: took roster #0, with 7 issuers\n");
	add.add = entry_of(&issuer);
	want("the eighth", change(h, &add, NULL), RJWT_OK);
	snprintf(issuer.name, sizeof(issuer.name), "i8");
	snprintf(issuer.base, sizeof(issuer.base), "I8");
	issuer.key = *line_name(20);
	add.add = entry_of(&issuer);
	refused(h, &add, RJWT_KEYSET, "more than 8 issuers");
	snprintf(issuer.name, sizeof(issuer.name), "i7"); /* in the place of one */
	add.add = entry_of(&issuer);
	want("in its place", change(h, &add, NULL), RJWT_OK);
	assert_int_equal(host_fleet(h).roster.nissuers, 8);
}

/* --- numbers and keys ------------------------------------------------------------------------------ */

/* No number is used twice, also where the line that had it is not there, or two had it. */
static void
test_numbers(void **state)
{
	struct host *h = *state;
	const char *path = key_file(h, "k", 0);
	char lines[200];
	const char *const files[] = { lines, NULL };
	struct rjwt_roster drop = { .key_file = path, .drop = "i1", .files = files }, early = drop;
	struct made made;
	struct fleet fleet;

	early.files = NULL;
	refused(h, &early, RJWT_KEYSET, "no roster is known here (add a FILE: the fleet.jws of an issuer)");
	snprintf(lines, sizeof(lines), "%s/fork.jws", h->f->top);
	host_roster(h, 0, 0, 1, 3);
	host_roster(h, 0, 5, 1, 3);
	host_roster(h, 0, 5, 1, 7);
	file_put(h->f, "../fork.jws", buf_view(&h->file));
	want("after a fork", change(h, &drop, &made), RJWT_OK);
	assert_int_equal(made.fleet.roster, T0 + 6);
	rjwt_free(made.lines);
	fleet = host_fleet(h);
	fleet.used_n = T0 + 50;
	host_fleet_put(h, &fleet);
	drop.drop = "i0";
	want("after one that was used", change(h, &drop, &made), RJWT_OK);
	assert_int_equal(made.fleet.roster, T0 + 51);
	rjwt_free(made.lines);
	assert_int_equal(host_fleet(h).used_n, T0 + 51);
}

static void
test_roll(void **state)
{
	struct host *h = *state;
	struct rjwt_roster roll = { .key_file = key_file(h, "k", 0), .roll = key_file(h, "new", 4) };
	struct rjwt_roster drop = { .drop = "i0" };
	struct fleet fleet;
	struct made made;
	char text[200];

	host_roster(h, 0, 0, 3, 3);
	host_follows(h, "first", "done: took roster #0, with 2 issuers\n");
	roll.roll = key_file(h, "same", 1);
	refused(h, &roll, RJWT_KEYSET, "has a fleet key that is listed already (name a new file)");
	roll.roll = key_file(h, "new", 4);
	roll.key_file = key_file(h, "other", 2);
	snprintf(text, sizeof(text), "no key in it may sign: the newest roster, number %lld, lists other fleet keys",
	    (long long)T0);
	refused(h, &roll, RJWT_KEYSET, text);
	roll.key_file = key_file(h, "second", 1); /* the first one is lost: 1 is listed, 2 is not */
	want("roll", change(h, &roll, &made), RJWT_OK);
	assert_true(made.fleet.roster == T0 + 2 && !made.fleet.made_keys);
	assert_string_equal(made.fleet.key, line_name(4)->text);
	rjwt_free(made.lines);
	fleet = host_fleet(h);
	assert_true(fleet.roster.n == T0 + 2 && roster_has_key(&fleet.roster, line_name(5)) &&
		    !roster_has_key(&fleet.roster, line_name(1)));
	drop.key_file = roll.key_file;
	snprintf(text, sizeof(text), "no key in it may sign: the newest roster, number %lld, lists other fleet keys",
	    (long long)T0 + 2);
	refused(h, &drop, RJWT_KEYSET, text);
	drop.key_file = roll.roll;
	want("the new keys", change(h, &drop, NULL), RJWT_OK);
	lists(h, "dropped", "i1=I1 ");
	snprintf(text, sizeof(text), "%s/made", h->f->top);
	roll.key_file = drop.key_file;
	roll.roll = text;
	want("they are made", change(h, &roll, &made), RJWT_OK);
	assert_true(made.fleet.made_keys && host_fleet(h).roster.nkeys == 2);
	rjwt_free(made.lines);
}

#define T(test) cmocka_unit_test_setup_teardown(test, host_setup, host_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_issuers), T(test_most), T(test_numbers), T(test_roll) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

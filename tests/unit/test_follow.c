/* SPDX-License-Identifier: MIT */
/*
 * What a host does with lines that anybody brings: each attack beside what differs from it in one thing and is taken. What it
 * says is compared whole: it names issuer and number, and shows no byte of a file that nobody signed.
 */
#include "fleet_host.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define R2 "done: took roster #0, with 2 issuers\n"

/* --- installing -------------------------------------------------------------------------------- */

static void
test_install(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(free_clean) char *token = line_token(0, 1, "i0.example", "a1", T0);
	RJWT_CLEAN(free_clean) char *other = line_token(0, 1, "i1.example", "a1", T0);
	struct keyset k;

	want("nothing yet", host_judges(h, 0, 1, T0), RJWT_KEYSET);
	host_serial(h, 0, 0);
	host_unchanged(h, "no roster", SKIPPED("1 line"));
	clock_run(1); /* what was used before a host is there is not known to it */
	host_begin(h, 3);
	k = host_keyset(h, 0);
	assert_true(k.followed.serial == T0 && k.followed.issued_s == T0 && k.followed.born_s == T0 + 1 &&
		    k.followed.before_s == 0);
	assert_true(k.floor == 1 && k.active.version == 1 && k.active.since_s == T0 && k.next.version == 2 &&
		    k.next.published_s == T0 && k.next_version == 3);
	assert_string_equal(k.issuer, "i0.example");
	assert_string_equal(k.audience, "host.example");
	assert_string_equal(k.followed.key, line_name(LINE_BUNDLE_KEY(0))->text);
	assert_true(k.clock.wall_s == T0 + 1 && k.trial.wall_s == T0 + 1 && k.trial.boot_s == k.clock.boot_s &&
		    k.trial.ran_s == 0 && !k.configured);
	want("a token", host_judges_token(h, token), RJWT_OK);
	want("another iss", host_judges_token(h, other), RJWT_ISSUER);
	want("its next key", host_judges(h, 0, 2, T0), RJWT_OK);
	want("the other issuer", host_judges(h, 1, 1, T0), RJWT_OK);
	want("nobody's", host_judges(h, 2, 1, T0), RJWT_KEY_UNKNOWN);
	assert_int_equal(file_mode(h->f, "fleet/I0/spent"), 0700);
	assert_int_equal(file_mode(h->f, "fleet/I0/keys"), 0755);
	assert_true(host_has(h, "fleet/I0/denied/sub") && host_has(h, "fleet/I0/denied/jti"));
}

/* With nothing new nothing is written; what is older is said to be so. */
static void
test_serials(void **state)
{
	struct host *h = *state;

	host_begin(h, 1);
	host_unchanged(h, "an empty file", "");
	host_serial(h, 0, 0);
	host_unchanged(h, "the same", "");
	host_serial(h, 0, -1);
	host_unchanged(h, "a mirror that serves yesterday",
	    "wrong: i0: serial #0 is installed, serial #-1 was offered: a rollback\n");
	host_serial(h, 0, -1);
	host_serial(h, 0, 0);
	host_unchanged(h, "both", "");
	host_serial(h, 0, 1);
	host_serial(h, 0, 3);
	host_serial(h, 0, 2);
	host_follows(h, "the highest", I0("3"));
	clock_run(5);
	host_serial(h, 0, 4);
	host_follows(h, "the clock goes on", I0("4"));
	assert_int_equal(host_keyset(h, 0).clock.wall_s, T0 + 5);
	assert_int_equal(host_keyset(h, 0).followed.born_s, T0);
}

struct versions {
	int64_t floor, active, next, next_version;
};

static struct bundle
versions(int64_t serial, const struct versions *v)
{
	struct bundle b = line_bundle(0, T0 + serial, v->active);

	for (int64_t i = v->floor; i < v->active; i++)
		line_bundle_add(&b, i, T0 + 9999);
	if (v->next != v->active + 1) {
		b.next.version = v->next;
		b.nkeys--;
		jwk_clear(&b.keys[1].jwk); /* of active + 1 */
		if (b.nkeys > 1)
			memmove(&b.keys[1], &b.keys[2], (b.nkeys - 1) * sizeof(b.keys[0]));
		line_bundle_add(&b, v->next, T0 + 9999);
	}
	b.floor = v->floor;
	b.next_version = v->next_version;
	return b;
}

/* What an issuer counts does not go back, whatever its serial: each of the four alone, and its twin that stays. */
static void
test_versions(void **state)
{
	static const struct versions first = { 3, 4, 6, 8 };
	static const struct {
		struct versions bad, good;
	} rows[] = { { { 2, 4, 6, 8 }, { 3, 4, 6, 8 } }, { { 3, 3, 6, 8 }, { 3, 4, 6, 8 } },
		{ { 3, 4, 5, 8 }, { 3, 4, 6, 8 } }, { { 3, 4, 6, 7 }, { 3, 4, 6, 8 } },
		{ { 1, 1, 2, 3 }, { 4, 5, 7, 9 } } };
	struct host *h = *state;
	int64_t serial = 1;

	host_roster(h, 0, 0, 1, 1);
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		RJWT_CLEAN(bundle_clear) struct bundle good = { .serial = 0 };
		RJWT_CLEAN(bundle_clear) struct bundle bad = { .serial = 0 };
		char said[200];

		if (i == 0) {
			good = versions(serial, &first);
			host_bundle(h, LINE_BUNDLE_KEY(0), &good);
			host_follows(h, "first", R1 I0("1"));
			continue;
		}
		bad = versions(serial + 2, &rows[i - 1].bad);
		host_bundle(h, LINE_BUNDLE_KEY(0), &bad);
		snprintf(said, sizeof(said),
		    "wrong: i0: serial #%d is not installed: its key versions are lower than those that are "
		    "installed\n",
		    (int)serial + 2);
		host_unchanged(h, "back", said);
		good = versions(serial + 1, &rows[i - 1].good);
		snprintf(said, sizeof(said),
		    I0("%d") "wrong: i0: serial #%d is not installed: its key versions are lower than those that are "
			     "installed\n",
		    (int)serial + 1, (int)serial + 2);
		host_bundle(h, LINE_BUNDLE_KEY(0), &bad);
		host_bundle(h, LINE_BUNDLE_KEY(0), &good);
		host_follows(h, "the one below it", said);
		serial += 2;
	}
	assert_int_equal(host_keyset(h, 0).active.version, 5);
}

/* A version has one public key for life, whoever holds the bundle key by now. */
static void
test_other_key(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(bundle_clear) struct bundle bad = line_bundle(0, T0 + 1, 1);
	RJWT_CLEAN(bundle_clear) struct bundle good = line_bundle(0, T0 + 1, 2);

	host_begin(h, 1);
	line_bundle_key(&bad, 1, LINE_TOKEN_KEY(0, 3));
	host_bundle(h, LINE_BUNDLE_KEY(0), &bad);
	host_unchanged(h, "another key",
	    "wrong: i0: serial #1 is not installed: a key id came back with another public key\n");
	line_bundle_key(&good, 3, LINE_TOKEN_KEY(0, 1)); /* one that was not there before */
	host_bundle(h, LINE_BUNDLE_KEY(0), &good);
	host_follows(h, "the next version", I0("1"));
	want("the old one", host_judges(h, 0, 1, T0), RJWT_KEY_UNKNOWN);
	/* What fell below the floor is not compared any more, and cannot come back. */
	line_bundle_key(&good, 2, LINE_TOKEN_KEY(0, 3));
	good.serial++;
	host_bundle(h, LINE_BUNDLE_KEY(0), &good);
	host_unchanged(h, "another key again",
	    "wrong: i0: serial #2 is not installed: a key id came back with another public key\n");
	file_put(h->f, "fleet/I0/keys/2.jwk", VIEW("torn")); /* a damaged one has none */
	host_bundle(h, LINE_BUNDLE_KEY(0), &good);
	host_follows(h, "damaged", I0("2"));
}

/* What the bundle has no more goes, with what a crash left; nothing else does. */
static void
test_sweep(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(0, T0 + 1, 2);
	struct stat before, after;
	char path[300];

	host_begin(h, 1);
	file_put(h->f, "fleet/I0/keys/.new.7.jwk", VIEW("torn"));
	file_put(h->f, "fleet/I0/keys/README", VIEW("mine"));
	snprintf(path, sizeof(path), "%s/fleet/I0/keys/2.jwk", h->f->state);
	assert_int_equal(stat(path, &before), 0);
	host_serial(h, 0, 1);
	host_follows(h, "the same keys, of a later time", I0("1")); /* iat of the keys differs */
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	before = after;
	b.serial = T0 + 2;
	host_bundle(h, LINE_BUNDLE_KEY(0), &b);
	host_follows(h, "one less", I0("2"));
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino); /* what has not changed is not written */
	assert_true(!host_has(h, "fleet/I0/keys/1.jwk") && host_has(h, "fleet/I0/keys/3.jwk") &&
		    !host_has(h, "fleet/I0/keys/.new.7.jwk") && host_has(h, "fleet/I0/keys/README"));
	want("the old key", host_judges(h, 0, 1, T0), RJWT_KEY_UNKNOWN);
	want("the new one", host_judges(h, 0, 3, T0), RJWT_OK);
}

/* --- who may ------------------------------------------------------------------------------------ */

/* Of another fleet, by another issuer, by a key that is not listed any more: nothing of it is said or done. */
static void
test_strangers(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(bundle_clear) struct bundle mine = line_bundle(0, T0 + 1, 1);

	host_begin(h, 1);
	host_roster(h, 1, 9, 2, 2); /* another fleet's roster, and its bundle */
	host_serial(h, 1, 9);
	host_unchanged(h, "another fleet", SKIPPED("2 lines"));
	host_bundle(h, LINE_BUNDLE_KEY(1), &mine);
	host_unchanged(h, "base squatting", SKIPPED("1 line"));
	host_bundle(h, 0, &mine);
	host_unchanged(h, "a fleet key signs no bundle", SKIPPED("1 line"));
	host_roster(h, LINE_BUNDLE_KEY(0), 9, 2, 2);
	host_unchanged(h, "a bundle key signs no roster", SKIPPED("1 line"));
	host_bundle(h, LINE_BUNDLE_KEY(0), &mine);
	host_follows(h, "its own key", I0("1"));
}

/* The fleet keys are rolled: whoever stole the old one is too late, and was the fleet before. */
static void
test_stolen_fleet_key(void **state)
{
	struct host *h = *state;

	host_begin(h, 1);
	host_roster(h, 0, 1, 2, 1); /* now key 1 signs */
	host_follows(h, "rolled", "done: took roster #1, with 1 issuer\n");
	host_roster(h, 0, 2, 1, 2);
	host_roster(h, 0, 1, 1, 2); /* a fork of what is taken, by a key that was listed before it */
	host_serial(h, 1, 2);
	host_unchanged(h, "the old key", SKIPPED("3 lines"));
	host_roster(h, 1, 2, 2, 3);
	host_serial(h, 1, 2);
	host_follows(h, "the new key", "done: took roster #2, with 2 issuers\n" I1("2"));
	assert_true(host_fleet(h).chain == 1 && host_fleet(h).generation == 4);
	/* It was stolen all the same: join with another one begins a chain, in which n counts anew. */
	{
		struct rjwt_options o = fixture_options(h->f);
		struct rjwt_fleet fleet;

		want("join", rjwt_join(&o, "http://i0.example/other", line_name(5)->text, &fleet, &h->f->diag),
		    RJWT_OK);
	}
	want("a new chain", host_judges(h, 0, 1, T0), RJWT_KEYSET);
	host_roster(h, 1, 9, 2, 3);
	host_unchanged(h, "the stolen key", SKIPPED("1 line"));
	host_roster(h, 5, -5, 32, 1);
	host_follows(h, "a lower number", "done: took roster #-5, with 1 issuer\n");
	want("its directory was kept", host_judges(h, 0, 1, T0), RJWT_OK);
	want("not listed", host_judges(h, 1, 1, T0), RJWT_KEY_UNKNOWN);
	assert_true(host_fleet(h).chain == 2 && host_fleet(h).born_s == T0);
}

/* A base has one bundle key for life: a stolen one is answered by a roster with another base. */
static void
test_stolen_bundle_key(void **state)
{
	struct host *h = *state;
	struct roster roster = line_roster(T0 + 1, 1, 1);
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(0, T0 + 5, 1);

	host_begin(h, 1);
	roster.issuers[0].key = *line_name(LINE_BUNDLE_KEY(7));
	line_put_roster(&h->file, 0, &roster);
	host_bundle(h, LINE_BUNDLE_KEY(7), &b);
	host_follows(h, "another key",
	    "done: took roster #1, with 1 issuer\n"
	    "wrong: i0: serial #5 is not installed: it is signed by another bundle key than before, and a base "
	    "cannot have a second one\n");
	want("the installed one is another key's", host_judges(h, 0, 1, T0), RJWT_KEYSET);
	host_roster(h, 0, 2, 1, 2);
	host_serial(h, 1, 2);
	host_serial(h, 0, 9);
	host_follows(h, "another base", "done: took roster #2, with 1 issuer\n" I1("2") SKIPPED("1 line"));
	want("the new base", host_judges(h, 1, 1, T0), RJWT_OK);
	want("the old one", host_judges(h, 0, 1, T0), RJWT_KEY_UNKNOWN);
	assert_false(host_has(h, "fleet/I0/keys/1.jwk"));
}

/* Two rosters with one number: it is said, what is believed stays, and the next number heals it. */
static void
test_fork(void **state)
{
	struct host *h = *state;
	static const char *const said =
	    "wrong: two rosters have the number 1800000001 and differ, one of 2027-01-15T08:00:01Z and one of "
	    "2027-01-15T08:00:01Z: neither is taken (publish another one)\n";

	host_begin(h, 1);
	host_roster(h, 0, 1, 1, 3);
	host_roster(h, 0, 1, 1, 2);
	host_unchanged(h, "a fork", said);
	want("still", host_judges(h, 0, 1, T0), RJWT_OK);
	host_roster(h, 0, 1, 1, 3);
	host_roster(h, 0, 1, 1, 2);
	host_roster(h, 0, 2, 1, 1);
	host_follows(h, "healed", "done: took roster #2, with 1 issuer\n");
}

/* --- who is dropped ------------------------------------------------------------------------------ */

static void
test_drop(void **state)
{
	struct host *h = *state;
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(1, T0, 1);

	line_deny(&b, "alice", NULL, T0 - 500);
	line_deny(&b, "bob", NULL, T0 + 99999);
	line_deny(&b, NULL, "a7", T0 + 41);
	host_roster(h, 0, 0, 1, 3);
	host_serial(h, 0, 0);
	host_bundle(h, LINE_BUNDLE_KEY(1), &b);
	host_follows(h, "both", R2 I0("0") I1("0"));
	file_put(h->f, "fleet/I1/keys/.new.2.jwk", VIEW("torn"));
	file_put(h->f, "fleet/I1/keys/README", VIEW("mine"));
	host_roster(h, 0, 10, 1, 1);
	host_follows(h, "dropped", "done: took roster #10, with 1 issuer\n");
	want("dropped", host_judges(h, 1, 1, T0), RJWT_KEY_UNKNOWN);
	want("not dropped", host_judges(h, 0, 1, T0), RJWT_OK);
	assert_true(!host_has(h, "fleet/I1/keys/1.jwk") && !host_has(h, "fleet/I1/keys/2.jwk") &&
		    !host_has(h, "fleet/I1/keys/.new.2.jwk") && host_has(h, "fleet/I1/keys/README"));
	/* Denials stay, for no longer than who denies was listed, and as they were in its own directory. */
	assert_true(host_denial(h, -1, "alice", NULL) == T0 - 500 && host_denial(h, -1, "bob", NULL) == T0 + 40 &&
		    host_denial(h, -1, NULL, "a7") == T0 + 40);
	assert_true(host_denial(h, 1, "bob", NULL) == T0 + 99999 && host_denial(h, 1, NULL, "a7") == T0 + 41);
	host_bundle(h, LINE_BUNDLE_KEY(1), &b);
	host_unchanged(h, "its old line", SKIPPED("1 line"));
	host_roster(h, 0, 11, 1, 3);
	host_follows(h, "listed again, without its line", "done: took roster #11, with 2 issuers\n");
	want("no keys", host_judges(h, 1, 1, T0), RJWT_KEY_UNKNOWN);
	b.serial--;
	host_bundle(h, LINE_BUNDLE_KEY(1), &b);
	host_unchanged(h, "older", "wrong: i1: serial #0 is installed, serial #-1 was offered: a rollback\n");
	b.serial++;
	host_bundle(h, LINE_BUNDLE_KEY(1), &b);
	host_follows(h, "with the line it had", I1("0"));
	want("denied until later than this", host_judges(h, 1, 1, T0 + 1), RJWT_OK);
}

/* Dropped and listed again by rosters of one file, or listed on the way: what is not in the last one has no keys. */
static void
test_drop_on_the_way(void **state)
{
	struct host *h = *state;

	host_begin(h, 3);
	host_roster(h, 0, 1, 1, 1);
	host_roster(h, 0, 2, 1, 3);
	host_follows(h, "there and back",
	    "done: took roster #1, with 1 issuer\ndone: took roster #2, with 2 issuers\n");
	want("it has not changed", host_judges(h, 1, 1, T0), RJWT_OK);
	host_roster(h, 0, 3, 1, 7);
	host_roster(h, 0, 4, 1, 5);
	host_serial(h, 2, 4);
	host_follows(h, "one comes, one goes",
	    "done: took roster #3, with 3 issuers\ndone: took roster #4, with 2 issuers\ndone: i2: installed serial "
	    "#4\n");
	assert_false(host_has(h, "fleet/I1/keys/1.jwk"));
	want("it is dropped", host_judges(h, 1, 1, T0), RJWT_KEY_UNKNOWN);
	want("it is not", host_judges(h, 2, 1, T0), RJWT_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, host_setup, host_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_install), T(test_serials), T(test_versions), T(test_other_key),
		T(test_sweep), T(test_strangers), T(test_stolen_fleet_key), T(test_stolen_bundle_key), T(test_fork),
		T(test_drop), T(test_drop_on_the_way) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

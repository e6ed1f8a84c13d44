/* SPDX-License-Identifier: MIT */
/* An issuer: what it publishes, what it remembers of that, and lines that its bundle key signed although it did not. */
#include "fleet_issuer.h"

#include <stdio.h>
#include <sys/stat.h>

/* --- publishing ---------------------------------------------------------------------------------- */

/* A serial is the time, or one more than the last; it is remembered before the line is out, with the line's digest. */
static void
test_serials(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	RJWT_CLEAN(bundle_clear) struct bundle b = issuer_published(i, &line);
	struct record record = issuer_record(i);
	char digest[DIGEST_HEX];
	int64_t serial;
	struct stat before, after;
	char path[200];

	want("digest", digest_hex(buf_view(&line), digest), RJWT_OK);
	assert_true(record.serial == T0 && record.iat_s == T0 && strcmp(record.digest, digest) == 0 &&
		    strcmp(record.base, "B") == 0 && record.stopped[0] == '\0' && record.nleft == 0);
	assert_true(record.next == 2 && record.next_s == T0);
	assert_true(b.serial == T0 && b.iat_s == T0 && b.roster == T0 && b.max_lifetime_s == 3600 && b.floor == 1 &&
		    b.active.version == 1 && b.active.since_s == T0 && b.next.version == 2 &&
		    b.next.published_s == T0 && b.next_version == 3 && b.nkeys == 2 && b.sub.n == 0 && b.jti.n == 0);
	snprintf(path, sizeof(path), "%s/www/fleet.jws", i->f->state);
	assert_int_equal(stat(path, &before), 0);
	want("again", issuer_publish(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 1);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_mtime > before.st_mtime); /* whatever a web server makes of it */
	clock_run(100);
	want("later", issuer_publish(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 100);
	bundle_clear(&b);
	b = issuer_published(i, NULL);
	assert_true(b.iat_s == T0 + 100 && b.next.published_s == T0); /* out since then */
	clock_step(-50);
	want("the clock goes back", issuer_publish(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 101);
	assert_int_equal(issuer_record(i).iat_s, T0 + 50);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_mtime > T0 + 100);
	record = issuer_record(i);
	record.serial = JSON_INTEGER_MAX - 1;
	issuer_record_put(i, &record);
	want("the last one", issuer_publish(i, &serial), RJWT_OK);
	assert_int_equal(serial, JSON_INTEGER_MAX);
	want("none is left", issuer_publish(i, &serial), RJWT_KEYSET);
	assert_string_equal(i->f->diag.text, "all serials are used up (rjwt-keyd init --adopt)");
}

/* A next key counts as out from the publication that first has it; a date ahead of the clock is none. */
static void
test_next(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(bundle_clear) struct bundle b = { .serial = 0 };
	struct record record;
	int64_t serial;

	clock_run(200);
	want("reopen", fixture_reopen(i->f), RJWT_OK);
	(void)rotate(i->f);
	b = issuer_published(i, NULL);
	record = issuer_record(i);
	assert_true(b.active.version == 2 && b.next.version == 3 && b.next.published_s == T0 + 200 && b.nkeys == 3 &&
		    record.next == 3 && record.next_s == T0 + 200);
	record.next_s = T0 + 201;
	issuer_record_put(i, &record);
	want("by a wrong clock", issuer_publish(i, &serial), RJWT_OK);
	bundle_clear(&b);
	b = issuer_published(i, NULL);
	assert_true(b.next.published_s == T0 + 200 && issuer_record(i).next_s == T0 + 200);
	clock_run(50);
	want("and stays", issuer_publish(i, &serial), RJWT_OK);
	assert_int_equal(issuer_record(i).next_s, T0 + 200);
}

/* What still counts: an earlier date has expired everywhere. */
static void
test_denials(void **state)
{
	struct issuer *i = *state;
	const int64_t span = 86400 + 3600;
	const char *const users[] = { "alice", NULL };
	struct rjwt_change change;
	int64_t serial;

	want("reopen", fixture_reopen(i->f), RJWT_OK);
	want("deny", rjwt_revoke(i->f->h, &(struct rjwt_revocation){ .users = users }, 0, &change, &i->f->diag),
	    RJWT_OK);
	for (int k = 0; k < 3; k++) { /* its date is T0 + 30 */
		RJWT_CLEAN(bundle_clear) struct bundle b = issuer_published(i, NULL);

		assert_int_equal(b.sub.n, k < 2 ? 1 : 0);
		if (k < 2)
			assert_int_equal(b.sub.list[0].until_s, T0 + 30);
		clock_run(k == 0 ? span + 30 : 1);
		want("later", issuer_publish(i, &serial), RJWT_OK);
	}
}

/* --- lines in its name ----------------------------------------------------------------------------- */

/* The published bundle with changes, signed by its own key as a thief, or a clone, does. */
static void
forge_line(struct issuer *i, struct bundle *b, struct buf *out)
{
	RJWT_CLEAN(key_clean) struct key *key = issuer_key(i);
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

	want("payload", bundle_format(&payload, b), RJWT_OK);
	want("line", document_make(key, DOCUMENT_BUNDLE, buf_view(&payload), out), RJWT_OK);
}

/* Who finds a line that it did not write stops publishing; its own, also earlier ones, stop nobody. */
static void
test_clone(void **state)
{
	static const struct {
		int64_t serial, floor, active, next, next_version;
		bool key, stops;
	} rows[] = { { 5, 1, 1, 2, 3, false, false }, /* an earlier one has what it has */
		{ 5, 1, 1, 2, 99, false, false }, { 5, 2, 2, 3, 4, false, true }, { 5, 1, 2, 3, 4, false, true },
		{ 5, 1, 1, 3, 4, false, true }, { 5, 1, 1, 2, 3, true, true },
		{ T0, 1, 1, 2, 99, false, true }, /* its last one, and other bytes */
		{ T0 + 1, 1, 1, 2, 3, false, true } };
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf own = { 0 };
	struct record before = issuer_record(i);
	char said[300];

	{
		struct bundle b = issuer_published(i, &own);

		bundle_clear(&b);
	}
	issuer_follows(i, "its own line", buf_view(&own), "");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		RJWT_CLEAN(bundle_clear) struct bundle b = issuer_published(i, NULL);
		RJWT_CLEAN(buf_clear) struct buf line = { 0 };
		const unsigned numbers[2] = { LINE_TOKEN_KEY(0, 1), LINE_TOKEN_KEY(0, 2) };
		int64_t serial;

		b.serial = rows[k].serial;
		b.floor = rows[k].floor;
		b.active.version = rows[k].active;
		b.next.version = rows[k].next;
		b.next_version = rows[k].next_version;
		if (rows[k].key)
			line_bundle_key(&b, 1, numbers[0]);
		while (bundle_key(&b, b.next.version) == NULL)
			line_bundle_add(&b, b.keys[b.nkeys - 1].version + 1, 0);
		b.floor = rows[k].floor;
		if (b.floor > 1) {
			jwk_clear(&b.keys[0].jwk);
			memmove(&b.keys[0], &b.keys[1], --b.nkeys * sizeof(b.keys[0]));
		} else if (b.active.version > 1) {
			b.keys[0].jwk.until_s = T0 + 99;
		} else if (b.nkeys > 2) {
			b.keys[1].jwk.until_s = T0 + 99;
		}
		forge_line(i, &b, &line);
		snprintf(said, sizeof(said),
		    "wrong: me: serial %lld is not of this host: another host publishes as me, or this host was "
		    "restored from a backup: "
		    "stopped (find "
		    "the other host, then here: rjwt-keyd init --adopt)\n",
		    (long long)rows[k].serial);
		issuer_follows(i, "a line in its name", buf_view(&line), rows[k].stops ? said : "");
		want("publish", issuer_publish(i, &serial), rows[k].stops ? RJWT_KEYSET : RJWT_OK);
		if (rows[k].stops) {
			assert_non_null(strstr(i->f->diag.text, "stopped: serial "));
			issuer_follows(i, "it was said once", buf_view(&line), "");
		}
		issuer_record_put(i, &before);
		file_put(i->f, "www/fleet.jws", buf_view(&own));
		issuer_follows(i, "its own line", buf_view(&own), "");
	}
}

/* A new base, a new key; the old one is known as left, the entry has name and url of before, and is published once listed. */
static void
test_adopt(void **state)
{
	struct issuer *i = *state;
	struct rjwt_options o = fixture_options(i->f);
	RJWT_CLEAN(key_clean) struct key *old = issuer_key(i);
	RJWT_CLEAN(key_clean) struct key *new = NULL;
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	struct rjwt_change change;
	struct rjwt_fleet fleet;
	struct record record;
	char *entry = NULL, *lines = NULL;
	struct fleet_key names[2];
	int64_t serial;

	{
		struct bundle b = issuer_published(i, &line);

		bundle_clear(&b);
	}
	want("adopt", rjwt_init(&o, RJWT_ADOPT, &change, &i->f->diag), RJWT_OK);
	record = issuer_record(i);
	assert_true(record.nleft == 1 && strcmp(record.left[0], "B") == 0 && strcmp(record.base, "B") != 0 &&
		    record.serial == 0 && record_has_left(&record, "B") && !record_has_left(&record, record.base));
	new = issuer_key(i);
	want("name", fleet_key_of(old, &names[0]), RJWT_OK);
	want("name", fleet_key_of(new, &names[1]), RJWT_OK);
	assert_false(fleet_key_eq(&names[0], &names[1]));
	issuer_follows(i, "what it was is not followed", buf_view(&line), "");
	assert_false(file_there(i->f, "fleet/B"));
	want("not listed", issuer_publish(i, &serial), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "the roster does not list base "));
	want("request", rjwt_fleet_request(&o, NULL, NULL, &entry, &i->f->diag), RJWT_OK);
	assert_non_null(strstr(entry, "\"name\":\"me\""));
	assert_non_null(strstr(entry, "\"url\":\"" URL "\""));
	assert_non_null(strstr(entry, names[1].text));
	want("add",
	    rjwt_fleet_roster(&o, &(struct rjwt_roster){ .add = entry, .key_file = i->keys }, &lines, &fleet,
		issuer_say, i, &i->f->diag),
	    RJWT_OK);
	assert_int_equal(fleet.issuers, 1);
	rjwt_free(lines);
	rjwt_free(entry);
	want("listed", issuer_publish(i, &serial), RJWT_OK);
}

/* --- others' lines ----------------------------------------------------------------------------------- */

/* This issuer and i1, by the fleet key that both know. */
static void
put_roster(struct issuer *i, int64_t n, bool with, struct buf *out)
{
	struct roster roster = line_roster(T0 + n, 3, with ? 2 : 0);
	RJWT_CLEAN(buf_clear) struct buf text = file_get(i->f, FLEET_FILE);
	struct fleet fleet;

	want(FLEET_FILE, fleet_parse(buf_view(&text), &fleet, NULL), RJWT_OK);
	roster.issuers[roster.nissuers++] = *roster_find(&fleet.roster, VIEW("B"));
	line_put_roster(out, 0, &roster);
}

static bool
www_has(struct issuer *i, const struct buf *line)
{
	RJWT_CLEAN(buf_clear) struct buf www = file_get(i->f, "www/fleet.jws");

	return memmem(www.p, www.n, line->p, line->n) != NULL;
}

static void
put_line(unsigned issuer, int64_t serial, const char *denied, struct buf *out)
{
	RJWT_CLEAN(bundle_clear) struct bundle b = line_bundle(issuer, T0 + serial, 1);

	if (denied != NULL)
		line_deny(&b, denied, NULL, T0 + 10);
	line_put_bundle(out, LINE_BUNDLE_KEY(issuer), &b);
}

/* What is installed is passed on, and no other line; what cannot be read is not, and does not stop its own. */
static void
test_passed_on(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf own = { 0 };
	RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
	RJWT_CLEAN(buf_clear) struct buf one = { 0 };
	RJWT_CLEAN(buf_clear) struct buf two = { 0 };
	int64_t serial;

	{
		struct bundle b = issuer_published(i, &own);

		bundle_clear(&b);
	}
	put_line(1, 1, NULL, &one);
	put_line(1, 2, NULL, &two);
	put_roster(i, 1, true, &lines);
	buf_add_view(&lines, buf_view(&one));
	issuer_follows(i, "another", buf_view(&lines),
	    "done: took roster 1800000001, with 2 issuers\ndone: i1: installed serial 1800000001\n");
	assert_true(www_has(i, &one) && www_has(i, &own));
	put_line(2, 9, NULL, &lines); /* nobody who counts */
	buf_add_view(&lines, buf_view(&two));
	issuer_follows(i, "the next", buf_view(&lines),
	    "done: i1: installed serial 1800000002\ndone: 1 line skipped\n");
	assert_true(www_has(i, &two) && !www_has(i, &one) && www_has(i, &own));
	issuer_follows(i, "a rollback is not passed on", buf_view(&one),
	    "wrong: i1: serial 1800000002 is installed, serial 1800000001 was offered: a rollback\n");
	assert_true(www_has(i, &two) && !www_has(i, &one));
	file_put(i->f, "fleet/I1/keyset.json", VIEW("torn"));
	want("damaged", issuer_publish(i, &serial), RJWT_OK);
	assert_false(www_has(i, &two));
	file_gone(i->f, "www/fleet.jws");
	want("www is empty", issuer_publish(i, &serial), RJWT_OK);
	{
		RJWT_CLEAN(bundle_clear) struct bundle b = issuer_published(i, NULL);
		assert_int_equal(b.serial, serial);
	}
}

/* An issuer keeps a denial for longer: other hosts may take longer tokens. */
static void
test_pruned(void **state)
{
	struct issuer *i = *state;
	const int64_t span = 3600 + 2 * 30, longer = span + 86400;
	RJWT_CLEAN(buf_clear) struct buf lines = { 0 };
	const char *const users[] = { "alice", NULL };
	struct rjwt_change change;

	put_roster(i, 1, true, &lines);
	put_line(1, 1, "bob", &lines);
	issuer_follows(i, "another", buf_view(&lines),
	    "done: took roster 1800000001, with 2 issuers\ndone: i1: installed serial 1800000001\n");
	want("reopen", fixture_reopen(i->f), RJWT_OK);
	want("deny", rjwt_revoke(i->f->h, &(struct rjwt_revocation){ .users = users }, 0, &change, &i->f->diag),
	    RJWT_OK);
	clock_run(longer + 9);
	buf_clear(&lines);
	put_line(1, longer + 99, NULL, &lines);
	issuer_follows(i, "a second short", buf_view(&lines), "done: i1: installed serial 1800090159\n");
	clock_run(1);
	buf_clear(&lines);
	put_line(1, longer + 100, NULL, &lines);
	issuer_follows(i, "bob's", buf_view(&lines),
	    "done: i1: installed serial 1800090160\ndone: 1 denial of expired tokens removed\n");
	clock_run(20);
	buf_clear(&lines);
	put_line(1, longer + 101, NULL, &lines);
	issuer_follows(i, "alice's", buf_view(&lines),
	    "done: i1: installed serial 1800090161\ndone: 1 denial of expired tokens removed\n");
}

#define T(test) cmocka_unit_test_setup_teardown(test, issuer_setup, issuer_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_serials), T(test_next), T(test_denials), T(test_clone),
		T(test_adopt), T(test_passed_on), T(test_pruned) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

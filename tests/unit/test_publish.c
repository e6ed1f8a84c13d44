/* SPDX-License-Identifier: MIT */
/* An issuer: what it publishes, what it remembers of that, and lines that its bundle key signed although it did not. */
#include "fixture.h"
#include "fleet/bundle.h"
#include "fleet/follow.h"
#include "fleet/own.h"
#include "fleet/publish_private.h"
#include "fleet_lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define URL "http://b.example/fleet.jws"

struct issuer {
	struct fixture *f;
	char keys[200]; /* fleet keys 0 and 1 */
	struct buf said;
};

static void
say(void *context, bool wrong, const char *text)
{
	struct issuer *i = context;

	buf_addf(&i->said, "%s: %s\n", wrong ? "wrong" : "done", text);
}

static void
put_keys(const struct fixture *f, const char *name, unsigned first, unsigned n)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (unsigned i = first; i < first + n; i++)
		want("key", key_private_format(line_key(i), &text), RJWT_OK);
	buf_adds(&text, "");
	file_put(f, name, buf_view(&text));
}

static int
setup(void **state)
{
	struct issuer *i = calloc(1, sizeof(*i));
	struct rjwt_options o;
	struct rjwt_fleet fleet;

	assert_non_null(i);
	i->f = fixture_new("fleet_issuer: me\n");
	snprintf(i->keys, sizeof(i->keys), "%s/fleet.key", i->f->top);
	put_keys(i->f, "../fleet.key", 0, 2);
	o = fixture_options(i->f);
	want("init", rjwt_fleet_init(&o, URL, i->keys, &fleet, &i->f->diag), RJWT_OK);
	assert_true(fleet.serial == T0 && !fleet.made_keys);
	assert_string_equal(fleet.name, "me");
	assert_string_equal(fleet.key, line_name(0)->text);
	*state = i;
	return 0;
}

static int
teardown(void **state)
{
	struct issuer *i = *state;

	buf_clear(&i->said);
	fixture_free(i->f);
	free(i);
	return 0;
}

/* --- what it has -------------------------------------------------------------------------------- */

static struct record
record_of(struct issuer *i)
{
	struct record record;

	want("record", publish_last(i->f->state, &record, NULL), RJWT_OK);
	return record;
}

static void
record_put(struct issuer *i, const struct record *record)
{
	struct dir dir = DIR_NONE;
	char path[200];

	snprintf(path, sizeof(path), "%s/private", i->f->state);
	want("record", dir_open(path, &dir, NULL), RJWT_OK);
	want("record", record_write(&dir, record, NULL), RJWT_OK);
	dir_close(&dir);
}

static struct key *
key_of(struct issuer *i)
{
	struct dir dir = DIR_NONE;
	struct key *key = NULL;

	want("key", dir_open(i->f->state, &dir, NULL), RJWT_OK);
	want("key", bundle_key_read(&dir, &key, NULL), RJWT_OK);
	dir_close(&dir);
	return key;
}

/* The bundle in www, whose line is given too. */
static struct bundle
published_of(struct issuer *i, struct buf *line)
{
	RJWT_CLEAN(buf_clear) struct buf www = file_get(i->f, "www/fleet.jws");
	RJWT_CLEAN(key_clean) struct key *key = key_of(i);
	struct bundle bundle = { .serial = 0 };
	struct view rest = buf_view(&www), one;
	struct fleet_key name;

	want("name", fleet_key_of(key, &name), RJWT_OK);
	while (document_next(&rest, &one)) {
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

		if (document_open(one, DOCUMENT_BUNDLE, &name, &payload) != RJWT_OK)
			continue;
		bundle_clear(&bundle);
		want("payload", bundle_parse(buf_view(&payload), &bundle, NULL), RJWT_OK);
		if (line != NULL) {
			buf_clear(line);
			buf_add_view(line, one);
		}
	}
	assert_true(bundle.serial > 0);
	return bundle;
}

static enum rjwt_err
publish_now(struct issuer *i, int64_t *serial)
{
	struct rjwt_fleet fleet = { .serial = 0 };
	enum rjwt_err err = fixture_reopen(i->f);

	if (err == RJWT_OK)
		err = rjwt_publish(i->f->h, &fleet, &i->f->diag);
	*serial = fleet.serial;
	return err;
}

static void
follows(struct issuer *i, const char *label, struct view text, const char *said)
{
	struct rjwt_options o = fixture_options(i->f);
	char path[200];
	const char *const files[] = { path, NULL };

	snprintf(path, sizeof(path), "%s/lines.jws", i->f->top);
	file_put(i->f, "../lines.jws", text);
	buf_clear(&i->said);
	want(label, rjwt_follow(&o, files, say, i, &i->f->diag), RJWT_OK);
	buf_adds(&i->said, "");
	if (strcmp(i->said.p == NULL ? "" : i->said.p, said) != 0)
		fail_msg("%s: said \"%s\", not \"%s\"", label, i->said.p, said);
}

/* --- publishing ---------------------------------------------------------------------------------- */

/* A serial is the time, or one more than the last; it is remembered before the line is out, with the line's digest. */
static void
test_serials(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf line = { 0 };
	RJWT_CLEAN(bundle_clear) struct bundle b = published_of(i, &line);
	struct record record = record_of(i);
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
	want("again", publish_now(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 1);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_mtime > before.st_mtime); /* whatever a web server makes of it */
	clock_run(100);
	want("later", publish_now(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 100);
	bundle_clear(&b);
	b = published_of(i, NULL);
	assert_true(b.iat_s == T0 + 100 && b.next.published_s == T0); /* out since then */
	clock_step(-50);
	want("the clock goes back", publish_now(i, &serial), RJWT_OK);
	assert_int_equal(serial, T0 + 101);
	assert_int_equal(record_of(i).iat_s, T0 + 50);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_mtime > T0 + 100);
	record = record_of(i);
	record.serial = JSON_INTEGER_MAX - 1;
	record_put(i, &record);
	want("the last one", publish_now(i, &serial), RJWT_OK);
	assert_int_equal(serial, JSON_INTEGER_MAX);
	want("none is left", publish_now(i, &serial), RJWT_KEYSET);
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
	b = published_of(i, NULL);
	record = record_of(i);
	assert_true(b.active.version == 2 && b.next.version == 3 && b.next.published_s == T0 + 200 && b.nkeys == 3 &&
		    record.next == 3 && record.next_s == T0 + 200);
	record.next_s = T0 + 201;
	record_put(i, &record);
	want("by a wrong clock", publish_now(i, &serial), RJWT_OK);
	bundle_clear(&b);
	b = published_of(i, NULL);
	assert_true(b.next.published_s == T0 + 200 && record_of(i).next_s == T0 + 200);
	clock_run(50);
	want("and stays", publish_now(i, &serial), RJWT_OK);
	assert_int_equal(record_of(i).next_s, T0 + 200);
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
		RJWT_CLEAN(bundle_clear) struct bundle b = published_of(i, NULL);

		assert_int_equal(b.sub.n, k < 2 ? 1 : 0);
		if (k < 2)
			assert_int_equal(b.sub.list[0].until_s, T0 + 30);
		clock_run(k == 0 ? span + 30 : 1);
		want("later", publish_now(i, &serial), RJWT_OK);
	}
}

/* --- lines in its name ----------------------------------------------------------------------------- */

/* The published bundle with changes, signed by its own key as a thief, or a clone, does. */
static void
forge_line(struct issuer *i, struct bundle *b, struct buf *out)
{
	RJWT_CLEAN(key_clean) struct key *key = key_of(i);
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
	struct record before = record_of(i);
	char said[300];

	{
		RJWT_CLEAN(bundle_clear) struct bundle b = published_of(i, &own);
	}
	follows(i, "its own line", buf_view(&own), "");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		RJWT_CLEAN(bundle_clear) struct bundle b = published_of(i, NULL);
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
		    "wrong: me: serial %lld is not ours, another host publishes as me, or this one was restored: "
		    "stopped (find "
		    "the other host, then here: rjwt-keyd init --adopt)\n",
		    (long long)rows[k].serial);
		follows(i, "a line in its name", buf_view(&line), rows[k].stops ? said : "");
		want("publish", publish_now(i, &serial), rows[k].stops ? RJWT_KEYSET : RJWT_OK);
		if (rows[k].stops) {
			assert_non_null(strstr(i->f->diag.text, "stopped: serial "));
			follows(i, "it was said once", buf_view(&line), "");
		}
		record_put(i, &before);
		file_put(i->f, "www/fleet.jws", buf_view(&own));
		follows(i, "its own line", buf_view(&own), "");
	}
}

/* A new base, a new key; the old one is known as left, the entry has name and url of before, and is published once listed. */
static void
test_adopt(void **state)
{
	struct issuer *i = *state;
	struct rjwt_options o = fixture_options(i->f);
	RJWT_CLEAN(key_clean) struct key *old = key_of(i);
	RJWT_CLEAN(key_clean) struct key *new = NULL;
	struct rjwt_change change;
	struct rjwt_fleet fleet;
	struct record record;
	char *entry = NULL, *lines = NULL;
	struct fleet_key names[2];
	int64_t serial;

	want("adopt", rjwt_init(&o, RJWT_ADOPT, &change, &i->f->diag), RJWT_OK);
	record = record_of(i);
	assert_true(record.nleft == 1 && strcmp(record.left[0], "B") == 0 && strcmp(record.base, "B") != 0 &&
		    record.serial == 0 && record_has_left(&record, "B") && !record_has_left(&record, record.base));
	new = key_of(i);
	want("name", fleet_key_of(old, &names[0]), RJWT_OK);
	want("name", fleet_key_of(new, &names[1]), RJWT_OK);
	assert_false(fleet_key_eq(&names[0], &names[1]));
	want("not listed", publish_now(i, &serial), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "the roster does not list base "));
	want("request", rjwt_fleet_request(&o, NULL, NULL, &entry, &i->f->diag), RJWT_OK);
	assert_non_null(strstr(entry, "\"name\":\"me\""));
	assert_non_null(strstr(entry, "\"url\":\"" URL "\""));
	assert_non_null(strstr(entry, names[1].text));
	want("add",
	    rjwt_fleet_roster(&o, &(struct rjwt_roster){ .add = entry, .key_file = i->keys }, &lines, &fleet, say, i,
		&i->f->diag),
	    RJWT_OK);
	assert_int_equal(fleet.issuers, 1);
	rjwt_free(lines);
	rjwt_free(entry);
	want("listed", publish_now(i, &serial), RJWT_OK);
}

/* --- keys ------------------------------------------------------------------------------------------- */

/* A base has one bundle key for life. */
static void
test_lost_key(void **state)
{
	struct issuer *i = *state;
	RJWT_CLEAN(buf_clear) struct buf key = file_get(i->f, "private/bundle.key");
	struct rjwt_options o = fixture_options(i->f);
	struct record record = record_of(i);
	char *entry = NULL;
	int64_t serial;

	file_gone(i->f, "private/bundle.key");
	want("lost", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "is lost, and a base has one for life"));
	assert_false(file_there(i->f, "private/bundle.key"));
	want("lost", publish_now(i, &serial), RJWT_IO);
	file_put(i->f, "private/bundle.key", VIEW("rubbish"));
	want("rubbish", publish_now(i, &serial), RJWT_KEYSET);
	want("rubbish", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_KEYSET);
	file_put(i->f, "private/bundle.key", buf_view(&key));
	want("it is back", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	assert_string_equal(record_of(i).base, "B");
	file_gone(i->f, "private/published.json"); /* a key without a record has signed nothing: one begins */
	want("no record", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	assert_true(strcmp(record_of(i).base, "B") == 0 && record_of(i).serial == 0);
	snprintf(record.base, sizeof(record.base), "Other"); /* a key of another base is replaced */
	record_put(i, &record);
	want("another base", publish_now(i, &serial), RJWT_KEYSET);
	assert_non_null(strstr(i->f->diag.text, "the bundle key is of another base"));
	want("another base", rjwt_fleet_request(&o, URL, NULL, &entry, &i->f->diag), RJWT_OK);
	rjwt_free(entry);
	record = record_of(i);
	assert_true(strcmp(record.base, "B") == 0 && record_has_left(&record, "Other"));
	assert_int_equal(file_mode(i->f, "private/bundle.key"), 0600);
}

/* Two private Ed25519 keys, PEM after PEM; one file that is missing is made, none is overwritten. */
static void
test_fleet_keys(void **state)
{
	static const struct {
		unsigned n;
		const char *after;
		enum rjwt_err err;
	} rows[] = { { 0, "", RJWT_KEYSET }, { 1, "", RJWT_KEYSET }, { 1, "-----END PRIVATE KEY-----\n", RJWT_KEYSET },
		{ 2, "", RJWT_OK }, { 2, "rubbish", RJWT_OK } };
	struct issuer *i = *state;
	struct fleet_keys keys = { { NULL } };
	struct fleet_key name;
	struct rjwt_diag diag;
	char path[200];
	bool made = false;

	snprintf(path, sizeof(path), "%s/k.key", i->f->top);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		RJWT_CLEAN(buf_clear) struct buf text = { 0 };

		put_keys(i->f, "../k.key", 3, rows[k].n);
		text = file_get(i->f, "../k.key");
		buf_adds(&text, rows[k].after);
		file_put(i->f, "../k.key", buf_view(&text));
		want("read", fleet_keys_read(path, &keys, &diag), rows[k].err);
		if (rows[k].err != RJWT_OK)
			assert_string_equal(diag.text, "does not have two private Ed25519 keys");
		fleet_keys_clear(&keys);
		keys = (struct fleet_keys){ { NULL } };
	}
	want("there", fleet_keys_make(path, &keys, &made, &diag), RJWT_OK);
	want("name", fleet_key_of(keys.keys[1], &name), RJWT_OK);
	assert_true(!made && fleet_key_eq(&name, line_name(4)));
	fleet_keys_clear(&keys);
	keys = (struct fleet_keys){ { NULL } };
	assert_int_equal(unlink(path), 0);
	want("made", fleet_keys_make(path, &keys, &made, &diag), RJWT_OK);
	assert_true(made);
	assert_int_equal(file_mode(i->f, "../k.key"), 0600);
	fleet_keys_clear(&keys);
	keys = (struct fleet_keys){ { NULL } };
	want("they are there", fleet_keys_read(path, &keys, &diag), RJWT_OK);
	fleet_keys_clear(&keys);
	file_put(i->f, "../k.key", VIEW(""));
	keys = (struct fleet_keys){ { NULL } };
	made = false;
	want("not overwritten", fleet_keys_make(path, &keys, &made, &diag), RJWT_KEYSET);
	assert_false(made);
	fleet_keys_clear(&keys);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_serials), T(test_next), T(test_denials), T(test_clone),
		T(test_adopt), T(test_lost_key), T(test_fleet_keys) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

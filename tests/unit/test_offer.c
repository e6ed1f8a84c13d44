/* SPDX-License-Identifier: MIT */
/* What files of lines offer, and which of these an issuer passes on: offer.h and merge.h. Nothing is on disk. */
#include "unit.h"
#include "fleet_lines.h"
#include "fleet/merge.h"
#include "fleet/offer.h"

/* A host that joined with fleet key 0, files, and what they offer. */
struct scene {
	struct fleet fleet;
	struct buf files[3];
	struct offer offer;
};

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->fleet.pin = s->fleet.roster.keys[0] = *line_name(0);
	s->fleet.roster.nkeys = 1;
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	offer_clear(&s->offer);
	for (size_t i = 0; i < ARRAY_LEN(s->files); i++)
		buf_clear(&s->files[i]);
	free(s);
	return 0;
}

static void
put_roster(struct scene *s, size_t file, unsigned by, int64_t n, unsigned keys, unsigned issuers)
{
	struct roster roster = line_roster(n, keys, issuers);

	line_put_roster(&s->files[file], by, &roster);
}

static void
put_bundle(struct scene *s, size_t file, unsigned by, unsigned i, int64_t serial)
{
	RJWT_CLEAN(bundle_clear) struct bundle bundle = line_bundle(i, serial, 1);

	line_put_bundle(&s->files[file], by, &bundle);
}

static void
forget(struct scene *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->files); i++)
		buf_clear(&s->files[i]);
}

/* Read all files; the numbers of the rosters and the serials of the bundles, in order. */
static void
offers(struct scene *s, const char *label, const char *wanted, size_t skipped, int64_t forked)
{
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };

	offer_clear(&s->offer);
	EXPECT(label, offer_read(&s->fleet, s->files, ARRAY_LEN(s->files), &s->offer), RJWT_OK);
	buf_adds(&got, "");
	for (size_t i = 0; i < s->offer.nrosters; i++)
		buf_addf(&got, "r%lld ", (long long)s->offer.rosters[i].roster.n);
	for (size_t i = 0; i < s->offer.nbundles; i++)
		buf_addf(&got, "%s.%lld ", s->offer.bundles[i].base, (long long)s->offer.bundles[i].serial);
	if (strcmp(got.n == 0 ? "" : got.p, wanted) != 0)
		fail_msg("%s: offers \"%s\", not \"%s\"", label, got.p, wanted);
	if (s->offer.skipped != skipped || s->offer.forked_n != forked)
		fail_msg("%s: %zu skipped, not %zu; forked %lld, not %lld", label, s->offer.skipped, skipped,
		    (long long)s->offer.forked_n, (long long)forked);
}

/* The host believes the last roster that was offered. */
static void
take(struct scene *s)
{
	const struct offered_roster *last = &s->offer.rosters[s->offer.nrosters - 1];

	assert_true(s->offer.nrosters > 0);
	s->fleet.roster = last->roster;
	memcpy(s->fleet.digest, last->digest, sizeof(s->fleet.digest));
}

/* --- rosters ---------------------------------------------------------------------------------- */

/* A key of the roster before signs the next, and the pin the first. */
static void
test_walk(void **state)
{
	struct scene *s = *state;

	EXPECT("no files", offer_read(&s->fleet, NULL, 0, &s->offer), RJWT_OK);
	assert_int_equal(s->offer.nrosters, 0);
	offers(s, "nothing", "", 0, 0);
	assert_ptr_equal(offer_roster(&s->offer, &s->fleet), &s->fleet.roster);
	put_roster(s, 0, 1, 5, 1, 0);
	offers(s, "another fleet key", "", 1, 0);
	put_roster(s, 0, 0, 5, 3, 0);
	offers(s, "the pin", "r5 ", 0, 0); /* and its second key the first line, too: of a number that is there */
	put_roster(s, 0, 1, 7, 3, 0);
	offers(s, "the second key of 5", "r5 r7 ", 0, 0);
	assert_int_equal(offer_roster(&s->offer, &s->fleet)->n, 7);
	take(s);
	offers(s, "they are known", "", 0, 0);
	assert_int_equal(offer_roster(&s->offer, &s->fleet)->n, 7);
	put_roster(s, 1, 2, 8, 3, 0);
	offers(s, "a third", "", 1, 0);
	put_roster(s, 2, 0, 8, 3, 0);
	offers(s, "the first", "r8 ", 1, 0);
}

/* Order, files and duplicates mean nothing: a host that slept through two rolls of the keys catches up. */
static void
test_order(void **state)
{
	static const unsigned rows[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 },
		{ 0, 3, 2, 1 } };
	static const struct {
		unsigned by;
		int64_t n;
		unsigned keys;
	} lines[] = { { 0, 5, 1 }, { 0, 6, 6 }, { 1, 7, 6 }, { 2, 8, 8 } };
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		forget(s);
		for (size_t k = 0; k < 8; k++) { /* each twice, over all files */
			unsigned line = rows[i][k % 4];

			put_roster(s, (k + i) % 3, lines[line].by, lines[line].n, lines[line].keys, 0);
		}
		offers(s, "in any order", "r5 r6 r7 r8 ", 0, 0);
	}
	put_roster(s, 0, 0, 9, 1, 0); /* the old keys sign no more */
	put_roster(s, 0, 1, 10, 1, 0);
	offers(s, "old keys", "r5 r6 r7 r8 ", 0, 0);
	put_roster(s, 0, 3, 9, 8, 0);
	offers(s, "the key of 8", "r5 r6 r7 r8 r9 ", 0, 0);
}

/* Without the link that changes keys nothing after it counts, and with it all does. */
static void
test_link(void **state)
{
	struct scene *s = *state;

	put_roster(s, 0, 0, 5, 1, 0);
	put_roster(s, 0, 1, 7, 2, 0);
	offers(s, "without", "r5 ", 1, 0);
	put_roster(s, 1, 0, 6, 2, 0);
	offers(s, "with", "r5 r6 r7 ", 0, 0);
	take(s);
	put_roster(s, 2, 1, 6, 2, 1);
	put_roster(s, 2, 1, 7, 2, 0);
	offers(s, "not higher", "", 2, 0);
}

/* Of two with one number neither is taken, unless one is taken already; the next number heals it. */
static void
test_forks(void **state)
{
	struct scene *s = *state;

	put_roster(s, 0, 0, 5, 1, 0);
	put_roster(s, 1, 0, 6, 1, 1);
	put_roster(s, 2, 0, 6, 1, 2);
	offers(s, "neither", "r5 ", 0, 6);
	put_roster(s, 2, 0, 6, 1, 2);
	offers(s, "one of them twice", "r5 ", 0, 6);
	put_roster(s, 0, 0, 7, 1, 2);
	offers(s, "healed", "r5 r7 ", 0, 0);
	put_roster(s, 0, 0, 8, 1, 0);
	put_roster(s, 0, 0, 8, 1, 1);
	offers(s, "again", "r5 r7 ", 0, 8);
	forget(s);
	put_roster(s, 0, 0, 6, 1, 1);
	offers(s, "one", "r6 ", 0, 0);
	take(s);
	put_roster(s, 0, 0, 6, 1, 2);
	offers(s, "it is taken", "", 0, 6);
	put_roster(s, 0, 0, 5, 1, 0);
	offers(s, "an older one is no fork", "", 0, 6);
	put_roster(s, 0, 0, 7, 1, 2);
	offers(s, "healed", "r7 ", 0, 0);
	forget(s);
	put_roster(s, 0, 1, 6, 1, 2);
	offers(s, "another key's is no fork", "", 1, 0);
}

/* When the two were made is told, the earlier one first, whichever comes first. */
static void
test_fork_times(void **state)
{
	struct scene *s = *state;
	struct roster one = line_roster(6, 1, 1), other = line_roster(6, 1, 2);

	one.iat_s = 100;
	other.iat_s = 200;
	for (int turn = 0; turn < 3; turn++) {
		forget(s);
		line_put_roster(&s->files[0], 0, turn == 0 ? &one : &other);
		if (turn == 2) {
			offers(s, "the one that is taken", "r6 ", 0, 0);
			take(s);
		}
		line_put_roster(&s->files[1], 0, turn == 0 ? &other : &one);
		offers(s, "a fork", "", 0, 6);
		assert_int_equal(s->offer.forked_iat_s[0], 100);
		assert_int_equal(s->offer.forked_iat_s[1], 200);
	}
}

/* A taken roster stays the one that a host walks by, also from the pin, as an issuer does that publishes. */
static void
test_taken_tooth(void **state)
{
	struct scene *s = *state;

	for (int swap = 0; swap < 2; swap++) {
		forget(s);
		s->fleet.digest[0] = '\0';
		s->fleet.roster = (struct roster){ .keys = { s->fleet.pin }, .nkeys = 1 };
		put_roster(s, 0, 0, 5, 1, swap == 0 ? 1 : 2);
		offers(s, "the first", "r5 ", 0, 0);
		take(s);
		s->fleet.roster =
		    (struct roster){ .keys = { s->fleet.pin }, .nkeys = 1 }; /* from the pin, and the digest */
		put_roster(s, 0, 0, 5, 1, swap == 0 ? 2 : 1);
		put_roster(s, 1, 0, 5, 1, 4);
		offers(s, "the taken one", "r5 ", 0, 0);
		assert_int_equal(s->offer.rosters[0].roster.nissuers, 1);
		assert_string_equal(s->offer.rosters[0].roster.issuers[0].base, swap == 0 ? "I0" : "I1");
	}
}

/* --- bundles ---------------------------------------------------------------------------------- */

/* The key of the entry, for the base of the entry, by the roster that is believed in the end. */
static void
test_bundles(void **state)
{
	struct scene *s = *state;

	put_bundle(s, 0, LINE_BUNDLE_KEY(0), 0, 3);
	offers(s, "no roster", "", 1, 0);
	put_roster(s, 1, 0, 5, 1, 3);
	offers(s, "listed", "r5 I0.3 ", 0, 0);
	put_bundle(s, 2, LINE_BUNDLE_KEY(1), 1, 9);
	put_bundle(s, 2, LINE_BUNDLE_KEY(0), 0, 4);
	put_bundle(s, 2, LINE_BUNDLE_KEY(0), 0, 2);
	offers(s, "the highest first", "r5 I1.9 I0.4 I0.3 I0.2 ", 0, 0);
	assert_true(s->offer.bundles[0].line.n > 0 && memcmp(s->offer.bundles[0].line.p, s->files[2].p, 40) == 0);
	put_bundle(s, 2, LINE_BUNDLE_KEY(1), 0, 10);   /* another's base */
	put_bundle(s, 2, LINE_BUNDLE_KEY(2), 2, 10);   /* not listed */
	put_bundle(s, 2, 0, 0, 10);		       /* a fleet key */
	put_roster(s, 2, LINE_BUNDLE_KEY(0), 6, 1, 7); /* a bundle key */
	offers(s, "not theirs", "r5 I1.9 I0.4 I0.3 I0.2 ", 4, 0);
	put_roster(s, 2, 0, 6, 1, 2);
	offers(s, "dropped", "r5 r6 I1.9 ", 7, 0);
}

/* A line that breaks a rule does not count, whoever signed it, and those beside it do. */
static void
test_broken(void **state)
{
	struct scene *s = *state;

	put_roster(s, 0, 0, 5, 1, 1);
	line_put(&s->files[0], 0, DOCUMENT_ROSTER, VIEW("{\"n\":6}"));
	line_put(&s->files[0], 0, DOCUMENT_ROSTER, VIEW("\x1b[2J"));
	line_put(&s->files[0], LINE_BUNDLE_KEY(0), DOCUMENT_BUNDLE, VIEW("{}"));
	buf_adds(&s->files[0], "rubbish\n\n\n{}\r\n");
	put_bundle(s, 0, LINE_BUNDLE_KEY(0), 0, 3);
	s->files[0].n--; /* the last line needs no end */
	offers(s, "broken", "r5 I0.3 ", 5, 0);
}

/* Of a file 256 lines are read, and what is too long is skipped alone; each file has its own. */
static void
test_limits(void **state)
{
	struct scene *s = *state;
	char *room;

	put_roster(s, 0, 0, 5, 1, 1);
	for (int i = 0; i < DOCUMENT_LINES_MAX - 2; i++)
		put_bundle(s, 0, LINE_BUNDLE_KEY(1), 1, 3 + i);
	put_bundle(s, 0, LINE_BUNDLE_KEY(0), 0, 3);
	offers(s, "256", "r5 I0.3 ", DOCUMENT_LINES_MAX - 2, 0);
	put_bundle(s, 0, LINE_BUNDLE_KEY(0), 0, 4);
	offers(s, "257", "r5 I0.3 ", DOCUMENT_LINES_MAX - 1, 0);
	put_bundle(s, 1, LINE_BUNDLE_KEY(0), 0, 5);
	offers(s, "the next file", "r5 I0.5 I0.3 ", DOCUMENT_LINES_MAX - 1, 0);
	buf_clear(&s->files[0]);
	buf_adds(&s->files[0], "eyJhbGciOiJFZERTQSIsInR5cCI6InJqd3QtYnVuZGxlK2p3cyJ9.");
	room = buf_room(&s->files[0], 257 * 1024);
	assert_non_null(room);
	memset(room, 'A', 257 * 1024);
	buf_adds(&s->files[0], "\n");
	put_roster(s, 0, 0, 5, 1, 1);
	offers(s, "257 KiB", "r5 I0.5 ", 1, 0);
}

/* --- merging ---------------------------------------------------------------------------------- */

static int64_t serials_of[FLEET_ISSUERS_MAX];
static enum rjwt_err serials_err;

static enum rjwt_err
serials(void *context, const struct roster *roster, int64_t found[static FLEET_ISSUERS_MAX])
{
	(void)context;
	for (size_t i = 0; i < roster->nissuers; i++)
		found[i] = serials_of[roster->issuers[i].base[1] - '0'];
	return serials_err;
}

/* What is passed on: the numbers and serials in it, in the order of its lines. */
static void
merges(struct scene *s, const char *label, const char *wanted)
{
	RJWT_CLEAN(buf_clear) struct buf merged = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	RJWT_CLEAN(buf_clear) struct buf got = { 0 };
	struct view rest, line;

	EXPECT(label, merge_lines(&s->fleet, s->files, ARRAY_LEN(s->files), serials, NULL, &merged), RJWT_OK);
	EXPECT(label, merge_lines(&s->fleet, &merged, 1, serials, NULL, &again), RJWT_OK);
	CHECK(label, view_eq(buf_view(&merged), buf_view(&again)));
	buf_adds(&got, "");
	for (rest = buf_view(&merged); document_next(&rest, &line);) {
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
		struct bundle bundle = { .serial = 0 };
		struct roster roster;

		for (unsigned by = 0; by < 8 && payload.n == 0; by++)
			if (document_open(line, DOCUMENT_ROSTER, line_name(by), &payload) == RJWT_OK) {
				EXPECT(label, roster_parse(buf_view(&payload), &roster, NULL), RJWT_OK);
				buf_addf(&got, "r%lld ", (long long)roster.n);
			}
		for (unsigned i = 0; i < 8 && payload.n == 0; i++)
			if (document_open(line, DOCUMENT_BUNDLE, line_name(LINE_BUNDLE_KEY(i)), &payload) == RJWT_OK) {
				EXPECT(label, bundle_parse(buf_view(&payload), &bundle, NULL), RJWT_OK);
				buf_addf(&got, "%s.%lld ", bundle.base, (long long)bundle.serial);
				bundle_clear(&bundle);
			}
		CHECK(label, payload.n > 0);
	}
	if (strcmp(got.n == 0 ? "" : got.p, wanted) != 0)
		fail_msg("%s: passes on \"%s\", not \"%s\"", label, got.p, wanted);
}

/* The rosters that lead from the pin to the newest, and of each issuer in it what is installed, and nothing else. */
static void
test_merge(void **state)
{
	struct scene *s = *state;

	memset(serials_of, 0, sizeof(serials_of));
	merges(s, "nothing", "");
	put_roster(s, 0, 0, 4, 1, 0); /* changes no key, and is not the last */
	put_roster(s, 0, 0, 5, 3, 1);
	put_roster(s, 1, 1, 6, 3, 3); /* nor this */
	put_roster(s, 2, 0, 7, 3, 3);
	for (int64_t serial = 1; serial < 4; serial++)
		for (unsigned i = 0; i < 3; i++)
			put_bundle(s, (size_t)serial % 3, LINE_BUNDLE_KEY(i), i, serial);
	merges(s, "nothing installed", "r5 r7 ");
	serials_of[0] = 2;
	merges(s, "one installed", "r5 r7 I0.2 ");
	serials_of[1] = 3;
	serials_of[2] = 3;
	merges(s, "an issuer that is not listed", "r5 r7 I0.2 I1.3 ");
	serials_of[0] = 4;
	merges(s, "its line is not there", "r5 r7 I1.3 ");
	put_bundle(s, 0, LINE_BUNDLE_KEY(1), 1, 3);
	merges(s, "a line twice", "r5 r7 I1.3 ");
	serials_err = RJWT_MEMORY;
	EXPECT("serials", merge_lines(&s->fleet, s->files, 3, serials, NULL, &(struct buf){ 0 }), RJWT_MEMORY);
	serials_err = RJWT_OK;
}

/* A link between the pin and the roster that is taken is lost: what comes after that one is passed on all the same. */
static void
test_merge_without_link(void **state)
{
	struct scene *s = *state;

	memset(serials_of, 0, sizeof(serials_of));
	serials_of[0] = 3;
	put_roster(s, 0, 0, 5, 2, 0);
	put_roster(s, 0, 1, 6, 4, 1);
	offers(s, "both", "r5 r6 ", 0, 0);
	take(s);
	forget(s);
	put_roster(s, 0, 0, 4, 1, 0); /* from the pin to here */
	put_roster(s, 0, 2, 7, 8, 1);
	put_roster(s, 0, 3, 8, 8, 1);
	put_bundle(s, 0, LINE_BUNDLE_KEY(0), 0, 3);
	merges(s, "without 5 and 6", "r4 r7 r8 I0.3 ");
	put_roster(s, 1, 0, 5, 2, 0);
	put_roster(s, 1, 1, 6, 4, 1);
	merges(s, "with them", "r5 r6 r7 r8 I0.3 ");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_walk), T(test_order), T(test_link), T(test_forks),
		T(test_fork_times), T(test_taken_tooth), T(test_bundles), T(test_broken), T(test_limits), T(test_merge),
		T(test_merge_without_link) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Files of many lines, signed by keys of the fleet, of others, or by nobody: what is believed of them, and what of it is
 * passed on.
 *
 * By the signatures alone: each roster is signed by a key of the one before, with a higher number; each bundle by the key of
 * its own entry in the last one. Order, files and duplicates mean nothing; lines that do not count change nothing; what is
 * passed on is of these lines, offers the same again, and passing that on changes nothing.
 */
#include "faults.h"
#include "fleet_input.h"
#include "fleet/merge.h"
#include "fleet/offer.h"

#include <stdlib.h>
#include <string.h>

const char fuzz_name[] = "offer";
enum { ROSTER, CHAIN, FORKED, BUNDLE, SKIPPED, PASSED_ON };
const char *const fuzz_sights[] = { "a roster", "keys that are rolled", "a fork", "a bundle", "a line skipped",
	"a line passed on", NULL };

#define FILES 3
#define LINES 60

static struct buf files[FILES];

/* --- what must be so ---------------------------------------------------------------------------- */

static bool
signed_by(struct view line, enum document_type type, const struct fleet_key *key, struct buf *payload)
{
	buf_clear(payload);
	return document_open(line, type, key, payload) == RJWT_OK;
}

static void
check_rosters(const struct fleet *fleet, const struct offer *offer)
{
	const struct roster *before = &fleet->roster;

	for (size_t i = 0; i < offer->nrosters; i++) {
		const struct offered_roster *one = &offer->rosters[i];
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
		char digest[DIGEST_HEX];
		bool found = false;

		for (size_t k = 0; k < before->nkeys && !found; k++)
			found = signed_by(one->line, DOCUMENT_ROSTER, &before->keys[k], &payload);
		FUZZ_CHECK(found && one->roster.n > before->n);
		FUZZ_CHECK(digest_hex(buf_view(&payload), digest) == RJWT_OK && strcmp(digest, one->digest) == 0);
		FUZZ_CHECK(offer->forked_n != one->roster.n || strcmp(one->digest, fleet->digest) == 0);
		FUZZ_SAW(ROSTER);
		if (!roster_same_keys(before, &one->roster))
			FUZZ_SAW(CHAIN);
		before = &one->roster;
	}
	FUZZ_CHECK(before->n == offer_roster(offer, fleet)->n);
	FUZZ_CHECK(offer->forked_n == 0 || offer->forked_n >= before->n);
	if (offer->forked_n != 0)
		FUZZ_SAW(FORKED);
}

static void
check_bundles(const struct fleet *fleet, const struct offer *offer)
{
	const struct roster *roster = offer_roster(offer, fleet);

	for (size_t i = 0; i < offer->nbundles; i++) {
		const struct bundle *one = &offer->bundles[i];
		const struct fleet_issuer *issuer = roster_find(roster, view_of(one->base));
		RJWT_CLEAN(buf_clear) struct buf payload = { 0 };

		FUZZ_SAW(BUNDLE);
		FUZZ_CHECK(issuer != NULL && signed_by(one->line, DOCUMENT_BUNDLE, &issuer->key, &payload));
		FUZZ_CHECK(i == 0 || offer->bundles[i - 1].serial >= one->serial);
	}
}

/* Both believe the same, in the same order; of two bundles with one serial either may come first. */
static void
check_same(const struct offer *a, const struct offer *b)
{
	FUZZ_CHECK(a->nrosters == b->nrosters && a->nbundles == b->nbundles && a->forked_n == b->forked_n);
	for (size_t i = 0; i < a->nrosters; i++)
		FUZZ_CHECK(strcmp(a->rosters[i].digest, b->rosters[i].digest) == 0);
	for (size_t i = 0; i < a->nbundles; i++) {
		size_t same[2] = { 0, 0 };

		FUZZ_CHECK(a->bundles[i].serial == b->bundles[i].serial);
		for (size_t k = 0; k < a->nbundles; k++) {
			same[0] += view_eq(a->bundles[k].line, a->bundles[i].line);
			same[1] += view_eq(b->bundles[k].line, a->bundles[i].line);
		}
		FUZZ_CHECK(same[0] == same[1]);
	}
}

/*
 * All lines in one file, the last first; of those that are read those that count, if they are wanted alone. Too many for one:
 * no.
 */
static bool
turn(const struct offer *counting, struct buf *out)
{
	struct view lines[FILES * 2 * DOCUMENT_LINES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < FILES; i++) {
		struct view rest = buf_view(&files[i]), line;
		enum document_type type;
		size_t taken = 0;

		while (document_next(&rest, &line)) {
			bool counts = counting == NULL;

			taken += document_type(line, &type);
			if (counting != NULL && taken > DOCUMENT_LINES_MAX)
				break;
			for (size_t k = 0; counting != NULL && k < counting->nrosters; k++)
				counts = counts || view_eq(counting->rosters[k].line, line);
			for (size_t k = 0; counting != NULL && k < counting->nbundles; k++)
				counts = counts || view_eq(counting->bundles[k].line, line);
			if (counts && n == DOCUMENT_LINES_MAX)
				return false;
			if (counts)
				lines[n++] = line;
		}
	}
	while (n > 0) {
		buf_add_view(out, lines[--n]);
		buf_adds(out, "\n");
	}
	return true;
}

static enum rjwt_err
installed(void *context, const struct roster *roster, int64_t serials[static FLEET_ISSUERS_MAX])
{
	const struct offer *offer = context;

	for (size_t i = 0; i < roster->nissuers; i++) /* the highest of each but the second issuer */
		for (size_t k = offer->nbundles; i != 1 && k > 0; k--)
			if (strcmp(offer->bundles[k - 1].base, roster->issuers[i].base) == 0)
				serials[i] = offer->bundles[k - 1].serial;
	return RJWT_OK;
}

/* Who believes this gets as far by what is passed on as by all lines. true: there was no fork in them. */
static bool
check_passed_on(const struct fleet *by, const struct buf *merged)
{
	RJWT_CLEAN(offer_clear) struct offer all = { 0 };
	RJWT_CLEAN(offer_clear) struct offer after = { 0 };

	FUZZ_CHECK(offer_read(by, files, FILES, &all) == RJWT_OK && offer_read(by, merged, 1, &after) == RJWT_OK);
	if (all.forked_n == 0 && after.forked_n == 0)
		FUZZ_CHECK(offer_roster(&after, by)->n == offer_roster(&all, by)->n);
	return all.forked_n == 0;
}

static void
check_merge(const struct fleet *fleet, const struct offer *offer)
{
	RJWT_CLEAN(buf_clear) struct buf merged = { 0 };
	RJWT_CLEAN(buf_clear) struct buf again = { 0 };
	struct fleet pin = *fleet;
	struct view rest, line;
	bool whole;

	pin.roster = line_roster(0, 1, 0);
	FUZZ_CHECK(merge_lines(fleet, files, FILES, installed, (void *)(uintptr_t)offer, &merged) == RJWT_OK);
	for (rest = buf_view(&merged); document_next(&rest, &line);) {
		bool found = false;

		FUZZ_SAW(PASSED_ON);
		for (size_t i = 0; i < FILES && !found; i++)
			found = files[i].n > 0 && memmem(files[i].p, files[i].n, line.p, line.n) != NULL;
		FUZZ_CHECK(found);
	}
	whole = check_passed_on(fleet, &merged) && check_passed_on(&pin, &merged);
	FUZZ_CHECK(merge_lines(fleet, &merged, 1, installed, (void *)(uintptr_t)offer, &again) == RJWT_OK);
	if (whole)
		FUZZ_CHECK(view_eq(buf_view(&merged), buf_view(&again)));
}

static void
check(const struct fleet *fleet)
{
	RJWT_CLEAN(offer_clear) struct offer offer = { 0 };
	RJWT_CLEAN(offer_clear) struct offer turned = { 0 };
	RJWT_CLEAN(offer_clear) struct offer alone = { 0 };
	RJWT_CLEAN(buf_clear) struct buf other = { 0 };
	RJWT_CLEAN(buf_clear) struct buf counting = { 0 };

	FUZZ_CHECK(offer_read(fleet, files, FILES, &offer) == RJWT_OK);
	check_rosters(fleet, &offer);
	check_bundles(fleet, &offer);
	if (offer.skipped > 0)
		FUZZ_SAW(SKIPPED);
	if (turn(NULL, &other)) {
		FUZZ_CHECK(offer_read(fleet, &other, 1, &turned) == RJWT_OK && turned.skipped == offer.skipped);
		check_same(&offer, &turned);
	}
	if (offer.forked_n == 0 && turn(&offer, &counting)) {
		FUZZ_CHECK(offer_read(fleet, &counting, 1, &alone) == RJWT_OK && alone.skipped == 0);
		check_same(&offer, &alone);
	}
	check_merge(fleet, &offer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	struct fleet fleet = { .chain = 1, .pin = *line_name(0) };
	unsigned taken = take_byte(&rest);

	for (int i = 0; i < LINES && rest.n > 0; i++)
		fleet_input_line(&(struct fleet_input){ .files = files, .nfiles = FILES }, &rest);
	fleet.roster = line_roster(0, 1, 0);
	for (unsigned i = 0; i < taken % 4; i++) { /* it has followed before */
		RJWT_CLEAN(offer_clear) struct offer before = { 0 };

		FUZZ_CHECK(offer_read(&fleet, &files[i], 1, &before) == RJWT_OK);
		if (before.nrosters > 0) {
			fleet.roster = before.rosters[before.nrosters - 1].roster;
			memcpy(fleet.digest, before.rosters[before.nrosters - 1].digest, sizeof(fleet.digest));
		}
	}
	check(&fleet);
	for (size_t i = 0; i < FILES; i++)
		buf_clear(&files[i]);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "fleet/offer.h"

#include <stdlib.h>
#include <string.h>

/* A line, and what became of it. */
struct line {
	struct view text;
	enum document_type type;
	struct offered_roster *roster; /* opened by signer */
	struct fleet_key signer;
	bool counts;
};

struct reading {
	struct line *lines;
	size_t n;
	struct offer *offer;
};

/* Without lines r->lines is NULL, to which nothing may be added. */
static struct line *
first(const struct reading *r)
{
	return r->n == 0 ? NULL : r->lines;
}

static struct line *
next(const struct reading *r, const struct line *line)
{
	size_t i = (size_t)(line - r->lines) + 1;

	return i == r->n ? NULL : &r->lines[i];
}

static void
reading_clear(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->lines[i].roster);
	free(r->lines);
}

void
offer_clear(struct offer *offer)
{
	for (size_t i = 0; i < offer->nbundles; i++)
		bundle_clear(&offer->bundles[i]);
	free(offer->bundles);
	free(offer->rosters);
	*offer = (struct offer){ 0 };
}

const struct roster *
offer_roster(const struct offer *offer, const struct fleet *fleet)
{
	return offer->nrosters == 0 ? &fleet->roster : &offer->rosters[offer->nrosters - 1].roster;
}

/* What is too long, or no document, is skipped alone; of a file with too many lines the rest is. */
static enum rjwt_err
take_lines(struct reading *r, struct view file)
{
	struct line *grown = reallocarray(r->lines, r->n + DOCUMENT_LINES_MAX, sizeof(*grown));
	struct view text;
	enum document_type type;
	size_t taken = 0;

	if (grown == NULL)
		return RJWT_MEMORY;
	r->lines = grown;
	while (document_next(&file, &text)) {
		if (taken == DOCUMENT_LINES_MAX || !document_type(text, &type)) {
			r->offer->skipped++;
			continue;
		}
		r->lines[r->n++] = (struct line){ .text = text, .type = type };
		taken++;
	}
	return RJWT_OK;
}

/* --- rosters ---------------------------------------------------------------------------------- */

static enum rjwt_err
open_roster(struct line *line, const struct fleet_key *key)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	RJWT_CLEAN(free_clean) struct offered_roster *opened = calloc(1, sizeof(*opened));

	if (opened == NULL)
		return RJWT_MEMORY;
	RJWT_TRY(document_open(line->text, DOCUMENT_ROSTER, key, &payload));
	RJWT_TRY(roster_parse(buf_view(&payload), &opened->roster, NULL));
	RJWT_TRY(digest_hex(buf_view(&payload), opened->digest));
	opened->line = line->text;
	line->signer = *key;
	line->roster = RJWT_STEAL(opened);
	return RJWT_OK;
}

/* Open what these keys signed; what others signed may be theirs who come later. */
static enum rjwt_err
open_rosters(struct reading *r, const struct roster *by)
{
	for (struct line *line = first(r); line != NULL; line = next(r, line))
		for (size_t k = 0; line->type == DOCUMENT_ROSTER && line->roster == NULL && k < by->nkeys; k++) {
			enum rjwt_err err = open_roster(line, &by->keys[k]);

			if (err_is_shortage(err))
				return err;
		}
	return RJWT_OK;
}

static bool
is_believed(const struct line *line, const struct roster *by)
{
	return line->type == DOCUMENT_ROSTER && line->roster != NULL && roster_has_key(by, &line->signer);
}

/* The roster that this host has taken: of two with its number it stays the one. */
static bool
is_taken(const struct fleet *fleet, const struct line *line)
{
	return strcmp(line->roster->digest, fleet->digest) == 0;
}

/* Whether there is a line of that n, believed too, which says something else; it is noted in the offer. */
static bool
note_fork(struct reading *r, const struct roster *by, const struct roster *one, const char *digest)
{
	for (const struct line *line = first(r); line != NULL; line = next(r, line))
		if (is_believed(line, by) && line->roster->roster.n == one->n &&
		    strcmp(line->roster->digest, digest) != 0) {
			int64_t iat_s = line->roster->roster.iat_s;

			r->offer->forked_n = one->n;
			r->offer->forked_iat_s[0] = iat_s < one->iat_s ? iat_s : one->iat_s;
			r->offer->forked_iat_s[1] = iat_s < one->iat_s ? one->iat_s : iat_s;
			return true;
		}
	return false;
}

static bool
comes_before(const struct line *a, const struct line *b, const struct fleet *fleet)
{
	int64_t a_n = a->roster->roster.n, b_n = b->roster->roster.n;

	return a_n < b_n || (a_n == b_n && is_taken(fleet, a));
}

/* The believed roster with the lowest n above one. NULL: none. */
static struct line *
next_roster(struct reading *r, const struct roster *by, int64_t above_n, const struct fleet *fleet)
{
	struct line *lowest = NULL;

	for (struct line *line = first(r); line != NULL; line = next(r, line))
		if (is_believed(line, by) && line->roster->roster.n > above_n &&
		    (lowest == NULL || comes_before(line, lowest, fleet)))
			lowest = line;
	return lowest;
}

static enum rjwt_err
add_roster(struct offer *offer, const struct offered_roster *roster)
{
	struct offered_roster *grown = reallocarray(offer->rosters, offer->nrosters + 1, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	offer->rosters = grown;
	grown[offer->nrosters++] = *roster;
	return RJWT_OK;
}

/* Walk from roster to roster, lowest n first: a host that slept through key rolls catches up. */
static enum rjwt_err
walk(struct reading *r, const struct fleet *fleet)
{
	struct roster now = fleet->roster;
	struct line *line;
	int64_t n = now.n;

	RJWT_TRY(open_rosters(r, &now));
	(void)note_fork(r, &now, &now, fleet->digest); /* the other tooth of what is believed already */
	while ((line = next_roster(r, &now, n, fleet)) != NULL) {
		n = line->roster->roster.n;
		if (!is_taken(fleet, line) && note_fork(r, &now, &line->roster->roster, line->roster->digest))
			continue;
		RJWT_TRY(add_roster(r->offer, line->roster));
		if (!roster_same_keys(&now, &line->roster->roster))
			RJWT_TRY(open_rosters(r, &line->roster->roster));
		now = line->roster->roster;
		if (r->offer->forked_n < n)
			r->offer->forked_n = 0; /* the next n heals a fork */
	}
	return RJWT_OK;
}

/* --- bundles ---------------------------------------------------------------------------------- */

static enum rjwt_err
open_bundle(struct line *line, const struct fleet_issuer *issuer, struct bundle *bundle)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	RJWT_CLEAN(bundle_clear) struct bundle found = { 0 };

	RJWT_TRY(document_open(line->text, DOCUMENT_BUNDLE, &issuer->key, &payload));
	RJWT_TRY(bundle_parse(buf_view(&payload), &found, NULL));
	if (strcmp(found.base, issuer->base) != 0)
		return RJWT_MALFORMED; /* a key is for the base of its own entry alone */
	line->counts = true;
	found.line = line->text;
	*bundle = RJWT_STEAL(found);
	return RJWT_OK;
}

static enum rjwt_err
add_bundles(struct reading *r, struct line *line, const struct roster *roster)
{
	for (size_t i = 0; i < roster->nissuers; i++) {
		RJWT_CLEAN(bundle_clear) struct bundle bundle = { 0 };
		enum rjwt_err err = open_bundle(line, &roster->issuers[i], &bundle);
		struct bundle *grown;

		if (err_is_shortage(err))
			return err;
		if (err != RJWT_OK)
			continue;
		grown = reallocarray(r->offer->bundles, r->offer->nbundles + 1, sizeof(*grown));
		if (grown == NULL)
			return RJWT_MEMORY;
		r->offer->bundles = grown;
		grown[r->offer->nbundles++] = RJWT_STEAL(bundle);
	}
	return RJWT_OK;
}

static int
compare_serials(const void *a, const void *b)
{
	const struct bundle *x = a, *y = b;

	return (x->serial < y->serial) - (x->serial > y->serial);
}

static void
count_skipped(struct reading *r)
{
	for (const struct line *line = first(r); line != NULL; line = next(r, line))
		r->offer->skipped += line->roster == NULL && !line->counts;
}

enum rjwt_err
offer_read(const struct fleet *fleet, const struct buf *files, size_t nfiles, struct offer *offer)
{
	RJWT_CLEAN(offer_clear) struct offer found = { 0 };
	RJWT_CLEAN(reading_clear) struct reading r = { .offer = &found };

	for (size_t i = 0; i < nfiles; i++)
		RJWT_TRY(take_lines(&r, buf_view(&files[i])));
	RJWT_TRY(walk(&r, fleet));
	for (struct line *line = first(&r); line != NULL; line = next(&r, line))
		if (line->type == DOCUMENT_BUNDLE)
			RJWT_TRY(add_bundles(&r, line, offer_roster(&found, fleet)));
	if (found.nbundles > 0)
		qsort(found.bundles, found.nbundles, sizeof(*found.bundles), compare_serials);
	count_skipped(&r);
	*offer = RJWT_STEAL(found);
	return RJWT_OK;
}

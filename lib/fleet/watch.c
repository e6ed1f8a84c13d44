/* SPDX-License-Identifier: MIT */
#include "fleet/watch.h"
#include "fleet/offer.h"
#include "fleet/publish.h"
#include "fleet/spool.h"

#include <stdio.h>
#include <string.h>

_Static_assert(RJWT_ISSUERS_MAX == FLEET_ISSUERS_MAX, "the face has as many issuers as a roster");

/* --- what is installed ------------------------------------------------------------------------- */

static enum rjwt_err
watch_issuer(struct fleet_reader *reader, const struct fleet_issuer *entry, int64_t max_age_s, struct rjwt_followed *f,
    struct rjwt_diag *why)
{
	const struct fleet_issuer *issuer;
	const struct keyset *keyset;
	struct followed *followed;
	enum rjwt_err err;

	snprintf(f->name, sizeof(f->name), "%s", entry->name);
	snprintf(f->base, sizeof(f->base), "%s", entry->base);
	snprintf(f->url, sizeof(f->url), "%s", entry->url);
	err = fleet_find(reader, view_of(entry->base), &followed, &issuer, why);
	if (err != RJWT_OK)
		return err == RJWT_KEY_UNKNOWN ? RJWT_OK : err;
	keyset = store_keyset(followed->store);
	keyset_kid_format(keyset, keyset->active.version, f->kid);
	f->serial = keyset->followed.serial;
	f->issued_s = keyset->followed.issued_s;
	f->stale_s = f->issued_s + max_age_s;
	return RJWT_OK;
}

enum rjwt_err
watch_installed(struct fleet_reader *reader, int64_t max_age_s, struct rjwt_following *following,
    struct rjwt_diag *diag)
{
	const struct fleet *fleet;

	RJWT_TRY(fleet_refresh(reader));
	fleet = fleet_value(reader);
	if (fleet == NULL)
		return fleet_can_judge(reader, diag); /* which says why */
	snprintf(following->audience, sizeof(following->audience), "%s", fleet->audience);
	snprintf(following->url, sizeof(following->url), "%s", fleet->url);
	following->roster = fleet->roster.n;
	for (size_t i = 0; i < fleet->roster.nissuers; i++) {
		struct rjwt_followed *f = &following->issuers[following->n++];
		enum rjwt_err err = watch_issuer(reader, &fleet->roster.issuers[i], max_age_s, f, &f->why);

		if (err == RJWT_MEMORY)
			return err;
		if (err != RJWT_OK && f->why.text[0] == '\0')
			(void)diag_fail(&f->why, err, f->why.path, "%s", rjwt_strerror(err));
	}
	return RJWT_OK;
}

enum rjwt_err
watch_own(const char *state, int64_t max_age_s, struct rjwt_following *following)
{
	RJWT_CLEAN(store_clean) struct store *store = NULL;
	struct record record = { 0 };
	enum rjwt_err err = store_open(state, NULL, &store, NULL);

	if (err == RJWT_OK)
		err = publish_last(state, &record, NULL);
	for (size_t i = 0; i < following->n && store != NULL; i++) {
		struct rjwt_followed *f = &following->issuers[i];

		f->own = strcmp(f->base, store_keyset(store)->base) == 0;
		if (!f->own || err != RJWT_OK || strcmp(record.base, f->base) != 0)
			continue;
		f->serial = record.serial;
		f->issued_s = record.iat_s;
		f->stale_s = f->issued_s + max_age_s;
	}
	return err == RJWT_MEMORY ? err : RJWT_OK;
}

/* --- what the mirrors gave ---------------------------------------------------------------------- */

struct mirrors {
	const struct fleet *fleet;
	struct buf files[FLEET_ISSUERS_MAX]; /* by issuer; empty: none that can be read */
};

static void
mirrors_clear(struct mirrors *m)
{
	for (size_t i = 0; i < FLEET_ISSUERS_MAX; i++)
		buf_clear(&m->files[i]);
}

static enum rjwt_err
read_mirror(const char *url, struct buf *text)
{
	char path[sizeof(RJWT_SPOOL_DIR) + 1 + SPOOL_NAME_SIZE], name[SPOOL_NAME_SIZE];
	enum rjwt_err err;

	RJWT_TRY(spool_name(url, ".jws", name));
	snprintf(path, sizeof(path), RJWT_SPOOL_DIR "/%s", name);
	err = file_read_foreign(path, DOCUMENT_FILE_MAX, text, NULL);
	return err == RJWT_MEMORY ? err : RJWT_OK;
}

/* A roster that the issuers have and this host does not. */
static void
note_roster(const struct offer *offer, const struct roster *roster, struct rjwt_following *following)
{
	for (size_t i = 0; i < offer->nbundles; i++) {
		const struct fleet_issuer *by = roster_find(roster, view_of(offer->bundles[i].base));

		if (by == NULL || offer->bundles[i].roster <= roster->n || offer->bundles[i].roster <= following->newer)
			continue;
		following->newer = offer->bundles[i].roster;
		snprintf(following->newer_by, sizeof(following->newer_by), "%s", by->name);
	}
}

/* What the file of one mirror has of its own issuer: bundles are in order, the highest serial first. */
static enum rjwt_err
judge_mirror(const struct mirrors *m, size_t i, struct rjwt_following *following)
{
	RJWT_CLEAN(offer_clear) struct offer offer = { 0 };
	struct rjwt_followed *f = &following->issuers[i];

	f->answered_s = spool_answered(f->url);
	if (m->files[i].n == 0)
		return RJWT_OK;
	RJWT_TRY(offer_read(m->fleet, &m->files[i], 1, &offer));
	for (size_t k = 0; k < offer.nbundles && f->offered == 0; k++)
		if (strcmp(offer.bundles[k].base, f->base) == 0)
			f->offered = offer.bundles[k].serial;
	f->fetched = true;
	note_roster(&offer, offer_roster(&offer, m->fleet), following);
	return RJWT_OK;
}

enum rjwt_err
watch_spool(const struct fleet *fleet, struct rjwt_following *following)
{
	RJWT_CLEAN(mirrors_clear) struct mirrors m = { .fleet = fleet };
	RJWT_CLEAN(offer_clear) struct offer all = { 0 };

	for (size_t i = 0; i < following->n; i++)
		RJWT_TRY(read_mirror(following->issuers[i].url, &m.files[i]));
	for (size_t i = 0; i < following->n; i++)
		RJWT_TRY(judge_mirror(&m, i, following));
	RJWT_TRY(offer_read(fleet, m.files, following->n, &all));
	following->forked = all.forked_n;
	memcpy(following->forked_s, all.forked_iat_s, sizeof(following->forked_s));
	return RJWT_OK;
}

/* SPDX-License-Identifier: MIT */
#include "fleet/merge.h"
#include "fleet/offer.h"

#include <string.h>

static void
add_line(struct buf *out, struct view line)
{
	buf_add_view(out, line);
	buf_adds(out, "\n");
}

/* As a host that begins with the pin is offered them. */
static enum rjwt_err
read_from_pin(const struct fleet *fleet, const struct buf *files, size_t nfiles, struct offer *offer)
{
	struct fleet start = *fleet;

	start.roster = (struct roster){ .nkeys = 1 };
	start.roster.keys[0] = fleet->pin;
	return offer_read(&start, files, nfiles, offer);
}

static bool
has_roster(const struct offer *offer, const char *digest)
{
	for (size_t i = 0; i < offer->nrosters; i++)
		if (strcmp(offer->rosters[i].digest, digest) == 0)
			return true;
	return false;
}

/* One that changes no key is not needed once a later one is there. but: those are there already. */
static void
add_rosters(const struct offer *offer, const struct roster *before, const struct offer *but, struct buf *out)
{
	for (size_t i = 0; i < offer->nrosters; i++) {
		const struct offered_roster *one = &offer->rosters[i];
		bool needed = i + 1 == offer->nrosters || !roster_same_keys(before, &one->roster);

		if (needed && (but == NULL || !has_roster(but, one->digest)))
			add_line(out, one->line);
		before = &one->roster;
	}
}

static void
add_bundle(const struct offer *offer, const char *base, int64_t serial, struct buf *out)
{
	for (size_t i = 0; i < offer->nbundles; i++)
		if (strcmp(offer->bundles[i].base, base) == 0 && offer->bundles[i].serial == serial) {
			add_line(out, offer->bundles[i].line);
			return;
		}
}

enum rjwt_err
merge_lines(const struct fleet *fleet, const struct buf *files, size_t nfiles, merge_serials *serials, void *context,
    struct buf *out)
{
	RJWT_CLEAN(offer_clear) struct offer all = { 0 };
	RJWT_CLEAN(offer_clear) struct offer later = { 0 };
	const struct roster pin = { .keys = { fleet->pin }, .nkeys = 1 }, *newest;
	int64_t installed[FLEET_ISSUERS_MAX] = { 0 };

	/* What comes after the roster that is taken may be there while a link between the pin and it is lost. */
	RJWT_TRY(read_from_pin(fleet, files, nfiles, &all));
	RJWT_TRY(offer_read(fleet, files, nfiles, &later));
	newest = offer_roster(&later, fleet);
	RJWT_TRY(serials(context, newest, installed));
	add_rosters(&all, &pin, NULL, out);
	add_rosters(&later, &fleet->roster, &all, out);
	for (size_t i = 0; i < newest->nissuers; i++)
		add_bundle(&later, newest->issuers[i].base, installed[i], out);
	return buf_done(out);
}

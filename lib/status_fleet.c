/* SPDX-License-Identifier: MIT */
/* What rjwt_status() says of a fleet: levels are those of rjwt-fleet(7). */
#include "base/datetime.h"
#include "fleet/watch.h"
#include "status_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OLD_S 1800   /* an issuer publishes every 10 minutes */
#define AHEAD_S 300  /* of this host's clock */
#define SILENT_S 600 /* ten polls */

static const char *
ago(char text[static 32], int64_t from_s, int64_t until_s)
{
	duration_format(text, until_s - from_s);
	return text;
}

/* --- one issuer ------------------------------------------------------------------------------- */

static enum rjwt_err
judge_news(struct rjwt_status *s, const struct rjwt_followed *f)
{
	char since[32], left[32];

	if (f->why.text[0] != '\0')
		return status_note(s, RJWT_BROKEN, "fleet.keyset", f->why.path, "%s: %s", f->name, f->why.text);
	if (f->serial == 0)
		return status_note(s, RJWT_BROKEN, "fleet.missing", "",
		    "%s: nothing has come yet: its tokens are rejected", f->name);
	if (s->now_s > f->stale_s)
		return status_note(s, RJWT_BROKEN, "fleet.stale", "", "%s: no news for %s: its tokens get no verdict",
		    f->name, ago(since, f->issued_s, s->now_s));
	if (s->now_s > f->issued_s + OLD_S)
		return status_note(s, RJWT_ATTENTION, "fleet.old", "", "%s: no news for %s; its tokens stop in %s",
		    f->name, ago(since, f->issued_s, s->now_s), ago(left, s->now_s, f->stale_s));
	if (f->issued_s > s->now_s + AHEAD_S)
		return status_note(s, RJWT_ATTENTION, "fleet.ahead", "",
		    "%s: what is installed is dated %s ahead of this host's clock", f->name,
		    ago(since, s->now_s, f->issued_s));
	return RJWT_OK;
}

/*
 * Only where the carrier that comes with rjwt is used is it known what a mirror gave: polled_s, when one answered last, is
 * not 0 there. One that fleet.json names only since then, named_s, was not asked yet.
 */
static enum rjwt_err
judge_mirror(struct rjwt_status *s, const struct rjwt_followed *f, int64_t polled_s, int64_t named_s)
{
	char since[32];

	if (f->answered_s == 0 && polled_s > named_s)
		return status_note(s, RJWT_ATTENTION, "fleet.mirror", "", "%s: mirror %s has never answered", f->name,
		    f->url);
	/* A time that whoever owns the spool may choose: ahead, it would hide that nothing comes. */
	if (f->answered_s > s->now_s + AHEAD_S)
		return status_note(s, RJWT_ATTENTION, "fleet.mirror", "",
		    "%s: mirror %s has answered in the future, by this host's clock", f->name, f->url);
	if (f->answered_s != 0 && s->now_s > f->answered_s + SILENT_S)
		return status_note(s, RJWT_ATTENTION, "fleet.mirror", "", "%s: mirror %s has not answered for %s",
		    f->name, f->url, ago(since, f->answered_s, s->now_s));
	if (f->fetched && f->offered == 0)
		return status_note(s, RJWT_ATTENTION, "fleet.mirror", "", "%s: mirror %s gives nothing that %s signed",
		    f->name, f->url, f->name);
	if (f->fetched && f->offered < f->serial)
		return status_note(s, RJWT_ATTENTION, "fleet.rollback", "",
		    "%s: mirror %s offers serial %" PRId64 ", and this host has %" PRId64, f->name, f->url, f->offered,
		    f->serial);
	return RJWT_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */

static enum rjwt_err
judge_roster(struct rjwt_status *s)
{
	const struct rjwt_following *fleet = &s->fleet;
	char one[32], other[32];

	if (fleet->forked != 0) {
		time_format(one, fleet->forked_s[0]);
		time_format(other, fleet->forked_s[1]);
		RJWT_TRY(status_note(s, RJWT_BROKEN, "fleet.fork", "",
		    "two rosters have the number %" PRId64 " and differ: one of %s and one of %s", fleet->forked, one,
		    other));
	}
	if (fleet->roster == 0)
		return status_note(s, RJWT_BROKEN, "fleet.roster", "", "no roster has come yet from %s", fleet->url);
	if (fleet->newer > fleet->roster)
		return status_note(s, RJWT_ATTENTION, "fleet.behind", "",
		    "%s has roster %" PRId64 ", and this host has %" PRId64, fleet->newer_by, fleet->newer,
		    fleet->roster);
	return RJWT_OK;
}

/* An issuer does not follow itself. */
static void
leave_out(struct rjwt_following *fleet, const char *base)
{
	size_t kept = 0;

	for (size_t i = 0; i < fleet->n; i++)
		if (base == NULL || strcmp(fleet->issuers[i].base, base) != 0)
			fleet->issuers[kept++] = fleet->issuers[i];
	fleet->n = kept;
}

static enum rjwt_err
judge(struct rjwt_status *s, int64_t named_s)
{
	int64_t polled_s = 0;

	RJWT_TRY(judge_roster(s));
	for (size_t i = 0; i < s->fleet.n; i++)
		if (s->fleet.issuers[i].answered_s > polled_s)
			polled_s = s->fleet.issuers[i].answered_s;
	for (size_t i = 0; i < s->fleet.n; i++) {
		RJWT_TRY(judge_news(s, &s->fleet.issuers[i]));
		RJWT_TRY(judge_mirror(s, &s->fleet.issuers[i], polled_s, named_s));
	}
	return RJWT_OK;
}

static enum rjwt_err
read_fleet(struct rjwt_status *s, struct fleet_reader *reader, int64_t max_age_s)
{
	struct rjwt_diag why = { 0 };
	enum rjwt_err err = watch_installed(reader, max_age_s, &s->fleet, &why);

	s->joined = fleet_is_joined(reader);
	if (!s->joined || err == RJWT_MEMORY)
		return s->joined ? err : RJWT_OK;
	if (err != RJWT_OK)
		return status_note(s, RJWT_BROKEN, "fleet.unusable", why.path, "%s",
		    why.text[0] == '\0' ? rjwt_strerror(err) : why.text);
	return watch_spool(fleet_value(reader), &s->fleet);
}

enum rjwt_err
status_fleet(struct rjwt_status *s, const char *state_dir, const struct config *config, const char *own_base)
{
	struct fleet_reader *reader;
	int64_t named_s;
	enum rjwt_err err;

	RJWT_TRY(fleet_open(state_dir, &reader));
	err = read_fleet(s, reader, config->fleet_max_age_s);
	if (err == RJWT_OK && s->joined)
		err = status_denials(s, reader, state_dir);
	named_s = fleet_written_s(reader);
	fleet_close(reader);
	RJWT_TRY(err);
	if (!s->joined || s->fleet.audience[0] == '\0')
		return RJWT_OK;
	leave_out(&s->fleet, own_base);
	RJWT_TRY(status_writing_fleet(s, state_dir));
	if (s->audience[0] == '\0')
		snprintf(s->audience, sizeof(s->audience), "%s", config_audience(config, s->fleet.audience));
	return own_base != NULL && s->fleet.n == 0 ? RJWT_OK : judge(s, named_s);
}

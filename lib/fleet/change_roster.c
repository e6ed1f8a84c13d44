/* SPDX-License-Identifier: MIT */
/* fleet_change_roster(): an issuer is added or dropped, or the fleet keys are replaced. */
#include "fleet/install.h"
#include "fleet/publish_private.h"
#include "keyset/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Borrows all. */
struct change {
	const struct follow_env *env;
	const struct roster_request *request;
	const struct dir *state;
	const struct fleet_keys *keys;
	struct fleet fleet;
	struct roster_made *made;
};

static struct rjwt_diag *
diag_of(const struct change *c)
{
	return c->env->keyset.diag;
}

/* --- the newest roster -------------------------------------------------------------------------- */

/* What this host publishes is the last of these texts. The lock is held, so that nobody else uses the next number. */
static enum rjwt_err
read_newest(struct change *c, struct texts *texts, int64_t *least_n)
{
	RJWT_CLEAN(offer_clear) struct offer offer = { 0 };
	struct buf there = { 0 };
	int64_t n;

	if (texts->n == FOLLOW_FILES_MAX)
		return diag_fail(diag_of(c), RJWT_USAGE, "", "too many files");
	RJWT_TRY(www_read(c->state, &there, diag_of(c)));
	texts->files[texts->n++] = there;
	RJWT_TRY(offer_read(&c->fleet, texts->files, texts->n, &offer));
	c->made->roster = *offer_roster(&offer, &c->fleet);
	n = c->made->roster.n;
	if (n == 0)
		return diag_fail(diag_of(c), RJWT_KEYSET, c->state->path,
		    "no roster is known here (add a FILE: the fleet.jws of an issuer)");
	n = offer.forked_n > n ? offer.forked_n : n;
	*least_n = (c->fleet.used_n > n ? c->fleet.used_n : n) + 1;
	return RJWT_OK;
}

/* --- what changes ------------------------------------------------------------------------------- */

static void
remove_at(struct roster *roster, size_t i)
{
	memmove(&roster->issuers[i], &roster->issuers[i + 1], (--roster->nissuers - i) * sizeof(roster->issuers[0]));
}

static enum rjwt_err
drop(const struct change *c, struct roster *roster)
{
	const struct fleet_issuer *there = roster_named(roster, view_of(c->request->subject));

	if (there == NULL)
		return diag_fail(diag_of(c), RJWT_KEYSET, c->state->path, "the roster has no issuer \"%s\"",
		    c->request->subject);
	remove_at(roster, (size_t)(there - roster->issuers));
	return RJWT_OK;
}

/* An issuer is replaced under its name, and renamed under its base. */
static enum rjwt_err
make_room(const struct change *c, struct roster *roster, const struct fleet_issuer *entry)
{
	const struct fleet_issuer *base = roster_find(roster, view_of(entry->base));
	const struct fleet_issuer *name = roster_named(roster, view_of(entry->name));

	if (base != NULL && !fleet_key_eq(&base->key, &entry->key))
		return diag_fail(diag_of(c), RJWT_KEYSET, c->state->path,
		    "base %s is listed with another bundle key, and cannot have a second one: hosts would reject this "
		    "entry",
		    entry->base);
	if (base != NULL && name != NULL && base != name)
		return diag_fail(diag_of(c), RJWT_KEYSET, c->state->path, "another issuer is called %s (drop it first)",
		    entry->name);
	if (base != NULL || name != NULL)
		remove_at(roster, (size_t)((base != NULL ? base : name) - roster->issuers));
	if (roster->nissuers == FLEET_ISSUERS_MAX)
		return diag_fail(diag_of(c), RJWT_KEYSET, c->state->path, "more than %d issuers", FLEET_ISSUERS_MAX);
	return RJWT_OK;
}

static enum rjwt_err
add(const struct change *c, struct roster *roster)
{
	struct fleet_issuer entry;
	enum rjwt_err err = roster_entry_parse(view_of(c->request->subject), &entry, diag_of(c));

	if (err == RJWT_MALFORMED)
		return diag_fail(diag_of(c), RJWT_USAGE, "",
		    "not an entry (expected what rjwt-keyd fleet request printed, in quotes)");
	RJWT_TRY(err);
	RJWT_TRY(make_room(c, roster, &entry));
	roster->issuers[roster->nissuers++] = entry;
	return RJWT_OK;
}

/* --- signing ------------------------------------------------------------------------------------ */

/* A key of ours that the roster before lists. */
static enum rjwt_err
find_key(const struct change *c, const struct roster *before, struct key **key)
{
	for (size_t i = 0; i < FLEET_KEYS; i++) {
		struct fleet_key name;

		RJWT_TRY(fleet_key_of(c->keys->keys[i], &name));
		*key = c->keys->keys[i];
		if (roster_has_key(before, &name))
			return RJWT_OK;
	}
	return diag_fail(diag_of(c), RJWT_KEYSET, c->request->key_file,
	    "no key in it may sign: the newest roster, number %" PRId64 ", lists other fleet keys", before->n);
}

/* What hosts would refuse is not signed. */
static enum rjwt_err
add_line(const struct change *c, const struct roster *roster, struct key *key)
{
	RJWT_CLEAN(buf_clear) struct buf payload = { 0 };
	char digest[DIGEST_HEX];
	struct roster again;
	enum rjwt_err err;

	RJWT_TRY(roster_format(&payload, roster));
	err = roster_parse(buf_view(&payload), &again, diag_of(c));
	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_KEYSET : err;
	return roster_sign(roster, key, &c->made->lines, digest);
}

/*
 * Two rosters: the old key signs that the new ones may sign, and a new one signs the same again, for hosts that join with
 * the new key.
 */
static enum rjwt_err
roll(const struct change *c, struct roster *roster, struct key *old)
{
	RJWT_CLEAN(fleet_keys_clear) struct fleet_keys new = { { NULL } };
	const struct roster before = *roster;

	RJWT_TRY(fleet_keys_make(c->request->subject, &new, &c->made->made_keys, diag_of(c)));
	roster->nkeys = FLEET_KEYS;
	for (size_t i = 0; i < FLEET_KEYS; i++) {
		struct fleet_key name;

		RJWT_TRY(fleet_key_of(new.keys[i], &name));
		if (roster_has_key(&before, &name))
			return diag_fail(diag_of(c), RJWT_KEYSET, c->request->subject,
			    "has a fleet key that is listed already (name a new file)");
		roster->keys[i] = name;
	}
	RJWT_TRY(add_line(c, roster, old));
	roster->n++;
	return add_line(c, roster, new.keys[0]);
}

static enum rjwt_err
make_lines(struct change *c, int64_t least_n)
{
	struct roster *roster = &c->made->roster;
	struct rjwt_time now;
	struct key *key = NULL;

	clock_now(c->env->keyset.clock, &now);
	RJWT_TRY(keyset_clock_check(&now, diag_of(c)));
	RJWT_TRY(find_key(c, roster, &key));
	roster->n = least_n > now.wall_s ? least_n : now.wall_s;
	roster->iat_s = now.wall_s;
	if (c->request->what == ROSTER_ROLL)
		RJWT_TRY(roll(c, roster, key));
	else
		RJWT_TRY(c->request->what == ROSTER_ADD ? add(c, roster) : drop(c, roster));
	if (c->request->what != ROSTER_ROLL)
		RJWT_TRY(add_line(c, roster, key));
	c->made->pin = roster->keys[0];
	return RJWT_OK;
}

/* --- the whole ---------------------------------------------------------------------------------- */

/* The number is used up before the line is out. */
static enum rjwt_err
write_out(struct change *c, struct texts *texts)
{
	const struct buf *lines = &c->made->lines;
	struct buf all[FOLLOW_FILES_MAX + 1];

	c->fleet.used_n = c->made->roster.n;
	RJWT_TRY(fleet_commit(c->state, &c->env->keyset, &c->fleet));
	memcpy(all, texts->files, texts->n * sizeof(all[0])); /* borrows */
	all[texts->n] = *lines;
	RJWT_TRY(www_merge(c->state, &c->env->keyset, &c->fleet, all, texts->n + 1, lines));
	snprintf(c->made->path, sizeof(c->made->path), "%.200s/" PUBLISH_DIR "/" PUBLISH_FILE, c->state->path);
	return RJWT_OK;
}

enum rjwt_err
fleet_change_roster(const struct follow_env *env, const struct roster_request *request, struct roster_made *made,
    struct follow_report *report)
{
	static const char *const none[] = { NULL };
	RJWT_CLEAN(dir_close) struct dir state = DIR_NONE;
	RJWT_CLEAN(lock_release) struct lock lock = LOCK_NONE;
	RJWT_CLEAN(fleet_keys_clear) struct fleet_keys keys = { { NULL } };
	RJWT_CLEAN(texts_clear) struct texts texts = { 0 };
	struct change c = { .env = env, .request = request, .state = &state, .keys = &keys, .made = made };
	struct rjwt_diag *diag = env->keyset.diag;
	int64_t least_n = 0;
	enum rjwt_err err;

	*made = (struct roster_made){ 0 };
	RJWT_TRY(fleet_keys_read(request->key_file, &keys, diag));
	RJWT_TRY(texts_read(request->files == NULL ? none : request->files, &texts, report));
	err = dir_open(env->state, &state, diag);
	if (err == RJWT_OK)
		err = lock_take(&lock, &state, 0, diag);
	if (err == RJWT_OK)
		err = fleet_read(&state, &c.fleet, NULL, diag);
	if (err_is_missing(err))
		return diag_fail(diag, RJWT_KEYSET, env->state,
		    "this host has joined no fleet (rjwt-keyd join URL KEY)");
	RJWT_TRY(err);
	RJWT_TRY(read_newest(&c, &texts, &least_n));
	RJWT_TRY(make_lines(&c, least_n));
	return write_out(&c, &texts);
}

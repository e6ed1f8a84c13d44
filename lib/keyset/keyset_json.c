/* SPDX-License-Identifier: MIT */
/* keyset.json: keyset_format() and keyset_parse(). */
#include "keyset/keyset.h"
#include "base/json.h"
#include "base/json_write.h"
#include "jose/claims.h"

#include <string.h>

#define FORMAT 1
#define FORMAT_FOLLOWED 2

static void
put_followed(struct buf *out, const struct keyset *keyset)
{
	json_open(out, "followed");
	json_put_integer(out, "serial", keyset->followed.serial);
	json_put_integer(out, "issued", keyset->followed.issued_s);
	json_put_integer(out, "born", keyset->followed.born_s);
	json_put_integer(out, "before", keyset->followed.before_s);
	json_put_string(out, "key", view_of(keyset->followed.key));
	json_close(out);
}

enum rjwt_err
keyset_format(struct buf *out, const struct keyset *keyset)
{
	json_open(out, NULL);
	json_put_integer(out, "format", keyset_is_followed(keyset) ? FORMAT_FOLLOWED : FORMAT);
	json_put_integer(out, "generation", keyset->generation);
	json_put_string(out, "base", view_of(keyset->base));
	json_put_string(out, "issuer", view_of(keyset->issuer));
	json_put_string(out, "audience", view_of(keyset->audience));
	json_put_string(out, "machine", view_of(keyset->machine));
	json_put_integer(out, "floor", keyset->floor);
	json_open(out, "active");
	json_put_integer(out, "version", keyset->active.version);
	json_put_integer(out, "since", keyset->active.since_s);
	json_close(out);
	json_open(out, "next");
	json_put_integer(out, "version", keyset->next.version);
	json_put_integer(out, "published", keyset->next.published_s);
	json_close(out);
	json_put_integer(out, "next_version", keyset->next_version);
	json_open(out, "clock");
	json_put_integer(out, "wall", keyset->clock.wall_s);
	json_put_integer(out, "boottime", keyset->clock.boot_s);
	json_put_string(out, "boot_id", view_of(keyset->clock.boot_id));
	json_put_integer(out, "back", keyset->moved_s < 0 ? -keyset->moved_s : 0);
	json_put_integer(out, "forward", keyset->moved_s > 0 ? keyset->moved_s : 0);
	json_close(out);
	json_open(out, "trial");
	json_put_integer(out, "wall", keyset->trial.wall_s);
	json_put_integer(out, "ran", keyset->trial.ran_s);
	json_put_integer(out, "boottime", keyset->trial.boot_s);
	json_close(out);
	if (keyset->revoked >= 0)
		json_put_integer(out, "revoked", keyset->revoked);
	json_put_bool(out, "configured", keyset->configured);
	if (keyset_is_followed(keyset))
		put_followed(out, keyset);
	return seal_add(out);
}

/* Version 0.1.0 has no such member, and drops it: the count begins with the reading of the clock. */
static bool
read_trial(struct json json, struct keyset *keyset)
{
	struct json trial;
	enum json_has has = json_member(json, "trial", &trial);

	keyset->trial.wall_s = keyset->clock.wall_s;
	keyset->trial.boot_s = keyset->clock.boot_s;
	return has == JSON_ABSENT ||
	       (has == JSON_GOOD && json_integer(trial, "wall", &keyset->trial.wall_s) == JSON_GOOD &&
		   json_integer(trial, "ran", &keyset->trial.ran_s) == JSON_GOOD &&
		   json_integer(trial, "boottime", &keyset->trial.boot_s) == JSON_GOOD);
}

/* Likewise: the marks are counted by the next writer. */
static bool
read_revoked(struct json json, struct keyset *keyset)
{
	keyset->revoked = -1;
	return json_integer(json, "revoked", &keyset->revoked) != JSON_WRONG;
}

/* What format 2 has, and nothing else. */
static bool
read_followed(struct json json, struct keyset *keyset)
{
	struct json followed;

	return json_member(json, "followed", &followed) == JSON_GOOD &&
	       json_integer(followed, "serial", &keyset->followed.serial) == JSON_GOOD &&
	       json_integer(followed, "issued", &keyset->followed.issued_s) == JSON_GOOD &&
	       json_integer(followed, "born", &keyset->followed.born_s) == JSON_GOOD &&
	       json_integer(followed, "before", &keyset->followed.before_s) == JSON_GOOD &&
	       json_copy(followed, "key", keyset->followed.key, sizeof(keyset->followed.key)) &&
	       keyset->followed.serial > 0;
}

/* NULL: complete. */
static const char *
read_members(struct json json, struct keyset *keyset)
{
	struct json active, next, clock;
	int64_t format, back, forward;

	if (json_integer(json, "format", &format) != JSON_GOOD || (format != FORMAT && format != FORMAT_FOLLOWED))
		return "has an unknown format";
	if (format == FORMAT_FOLLOWED && !read_followed(json, keyset))
		return "has an unknown format"; /* of a keyset that is followed, without what that needs */
	if (json_member(json, "active", &active) != JSON_GOOD || json_member(json, "next", &next) != JSON_GOOD ||
	    json_member(json, "clock", &clock) != JSON_GOOD ||
	    json_integer(json, "generation", &keyset->generation) != JSON_GOOD ||
	    !json_copy(json, "base", keyset->base, sizeof(keyset->base)) ||
	    !json_copy(json, "issuer", keyset->issuer, sizeof(keyset->issuer)) ||
	    !json_copy(json, "audience", keyset->audience, sizeof(keyset->audience)) ||
	    !json_copy(json, "machine", keyset->machine, sizeof(keyset->machine)) ||
	    json_integer(json, "floor", &keyset->floor) != JSON_GOOD ||
	    json_integer(active, "version", &keyset->active.version) != JSON_GOOD ||
	    json_integer(active, "since", &keyset->active.since_s) != JSON_GOOD ||
	    json_integer(next, "version", &keyset->next.version) != JSON_GOOD ||
	    json_integer(next, "published", &keyset->next.published_s) != JSON_GOOD ||
	    json_integer(json, "next_version", &keyset->next_version) != JSON_GOOD ||
	    json_integer(clock, "wall", &keyset->clock.wall_s) != JSON_GOOD ||
	    json_integer(clock, "boottime", &keyset->clock.boot_s) != JSON_GOOD ||
	    !json_copy(clock, "boot_id", keyset->clock.boot_id, sizeof(keyset->clock.boot_id)) ||
	    json_integer(clock, "back", &back) != JSON_GOOD || json_integer(clock, "forward", &forward) != JSON_GOOD ||
	    !read_trial(json, keyset) || !read_revoked(json, keyset) ||
	    json_boolean(json, "configured", &keyset->configured) == JSON_WRONG)
		return "a member is missing or has the wrong type";
	keyset->moved_s = forward - back;
	return NULL;
}

static bool
consistent(const struct keyset *k)
{
	return keyset_base_check(view_of(k->base)) && claims_name_check(view_of(k->issuer)) &&
	       claims_name_check(view_of(k->audience)) && k->floor >= 1 && k->floor <= k->active.version &&
	       k->active.version < k->next.version && k->next.version < k->next_version &&
	       k->next_version <= KEYSET_VERSION_MAX + 1;
}

enum rjwt_err
keyset_parse(struct view text, struct keyset *keyset, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct keyset found = { 0 };
	enum rjwt_err err;
	const char *why;

	err = seal_check(text);
	if (err != RJWT_OK)
		return diag_fail(diag, err, "", KEYSET_DAMAGED);
	err = json_parse(text, &json, diag);
	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_KEYSET : err;
	why = read_members(json, &found);
	if (why == NULL && !consistent(&found))
		why = "contradicts itself";
	if (why != NULL)
		return diag_fail(diag, RJWT_KEYSET, "", "%s", why);
	*keyset = found;
	return RJWT_OK;
}

/* SPDX-License-Identifier: MIT */
/* fleet.json: fleet_format() and fleet_parse(). */
#include "base/hash.h"
#include "base/json.h"
#include "base/json_write.h"
#include "fleet/fleet.h"
#include "jose/claims.h"

#include <string.h>

#define FORMAT 1

enum rjwt_err
fleet_format(struct buf *out, const struct fleet *fleet)
{
	json_open(out, NULL);
	json_put_integer(out, "format", FORMAT);
	json_put_integer(out, "generation", fleet->generation);
	json_put_integer(out, "chain", fleet->chain);
	json_put_string(out, "pin", view_of(fleet->pin.text));
	json_put_string(out, "url", view_of(fleet->url));
	json_put_string(out, "audience", view_of(fleet->audience));
	json_put_string(out, "machine", view_of(fleet->machine));
	json_put_integer(out, "before", fleet->before_s);
	json_put_integer(out, "born", fleet->born_s);
	if (fleet->used_n > 0)
		json_put_integer(out, "used", fleet->used_n);
	if (fleet->roster.n > 0) {
		json_open(out, "roster");
		roster_put(out, &fleet->roster);
		json_close(out);
		json_put_string(out, "digest", view_of(fleet->digest));
	}
	return seal_add(out);
}

/* Before the first roster, the pin may sign. */
static const char *
read_roster(struct json json, struct fleet *fleet)
{
	struct json roster;
	enum json_has has = json_member(json, "roster", &roster);
	const char *why = NULL;

	if (has == JSON_ABSENT) {
		fleet->roster.keys[0] = fleet->pin;
		fleet->roster.nkeys = 1;
		return NULL;
	}
	if (has != JSON_GOOD || !json_copy(json, "digest", fleet->digest, sizeof(fleet->digest)))
		return "roster or digest has the wrong type";
	return roster_read(roster, true, &fleet->roster, &why) == RJWT_OK ? NULL
									  : why; /* computes nothing that can fail */
}

static const char *
read_members(struct json json, struct fleet *fleet)
{
	struct view pin;
	int64_t format;

	if (json_integer(json, "format", &format) != JSON_GOOD || format != FORMAT)
		return "has an unknown format";
	if (json_integer(json, "generation", &fleet->generation) != JSON_GOOD ||
	    json_integer(json, "chain", &fleet->chain) != JSON_GOOD || json_string(json, "pin", &pin) != JSON_GOOD ||
	    !fleet_key_read(pin, &fleet->pin) || !json_copy(json, "url", fleet->url, sizeof(fleet->url)) ||
	    !fleet_url_check(view_of(fleet->url)) ||
	    !json_copy(json, "audience", fleet->audience, sizeof(fleet->audience)) ||
	    !claims_name_check(view_of(fleet->audience)) ||
	    !json_copy(json, "machine", fleet->machine, sizeof(fleet->machine)) ||
	    json_integer(json, "before", &fleet->before_s) != JSON_GOOD ||
	    json_integer(json, "born", &fleet->born_s) != JSON_GOOD ||
	    json_integer(json, "used", &fleet->used_n) == JSON_WRONG)
		return "a member is missing or malformed";
	return read_roster(json, fleet);
}

enum rjwt_err
fleet_parse(struct view text, struct fleet *fleet, struct rjwt_diag *diag)
{
	RJWT_CLEAN(json_clear) struct json json = { 0 };
	struct fleet found = { 0 };
	enum rjwt_err err = seal_check(text);
	const char *why;

	if (err != RJWT_OK)
		return diag_fail(diag, err, "",
		    "is damaged or was altered: its sum does not match (restore a good copy, or: rjwt-keyd join)");
	err = json_parse(text, &json, diag);
	if (err != RJWT_OK)
		return err == RJWT_MALFORMED ? RJWT_KEYSET : err;
	why = read_members(json, &found);
	if (why != NULL)
		return diag_fail(diag, RJWT_KEYSET, "", "%s", why);
	*fleet = found;
	return RJWT_OK;
}

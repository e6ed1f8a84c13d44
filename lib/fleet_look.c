/* SPDX-License-Identifier: MIT */
/*
 * What a change of an issuer's keyset has to know: whether others follow it, and what they know of it. pam_rjwt.so does
 * not contain this file.
 */
#include "fleet/own.h"
#include "fleet/publish.h"
#include "handle.h"

/* A roster that cannot be read may list this keyset. */
static bool
may_be_listed(const struct rjwt *h)
{
	const struct fleet *fleet = fleet_value(h->fleet);

	if (fleet == NULL)
		return fleet_is_joined(h->fleet);
	return roster_find(&fleet->roster, view_of(store_keyset(h->store)->base)) != NULL;
}

/* With a record that is damaged, nothing counts as published. */
static enum rjwt_err
look_at_record(const char *state, struct rotation_policy *policy)
{
	struct record record;
	enum rjwt_err err = publish_last(state, &record, NULL);

	if (err == RJWT_OK) {
		policy->out = record.next;
		policy->out_s = record.next_s;
	}
	return err == RJWT_MEMORY ? err : RJWT_OK;
}

enum rjwt_err
handle_look_at_fleet(struct rjwt *h, struct rjwt_diag *diag)
{
	struct rotation_policy *policy = &h->config.rotation;

	policy->published = false;
	policy->out = policy->out_s = 0;
	if (h->store == NULL || h->fleet == NULL)
		return RJWT_OK;
	RJWT_TRY(fleet_refresh(h->fleet));
	if (may_be_listed(h))
		RJWT_TRY(own_look(store_dir(h->store), &policy->published, diag));
	if (policy->published)
		RJWT_TRY(look_at_record(h->config.state_dir, policy));
	policy->rotate_every_s = config_rotate_every_s(&h->config, policy->published);
	return RJWT_OK;
}

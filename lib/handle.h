/* SPDX-License-Identifier: MIT */
/*
 * handle.h - inside the face: what a handle holds.
 */
#ifndef RJWT_HANDLE_H
#define RJWT_HANDLE_H

#include "base/err.h"
#include "base/host.h"
#include "config/config.h"
#include "fleet/fleet.h"
#include "jose/jwk.h"
#include "keyset/marks.h"
#include "keyset/store.h"
#include "rjwt.h"

struct rjwt {
	struct config config;
	struct store *store; /* NULL: set is in its place, or this host only follows others */
	struct marks marks;
	struct fleet_reader *fleet; /* NULL: as for store */
	struct jwk_set set;
	struct clock clock;
	void (*event)(void *context, const struct rjwt_event *event); /* see struct rjwt_options */
	void *event_context;
};

/*
 * Whether other hosts follow this keyset, and since when they can know the next key: into the policy, before a change.
 * What is damaged counts as followed, and as not published. RJWT_MEMORY, RJWT_IO: nothing may be changed.
 */
RJWT_MUST enum rjwt_err handle_look_at_fleet(struct rjwt *handle, struct rjwt_diag *diag);

/* For lib/fleet.c, which publishes what a change made, if this host is an issuer; what fails is a warning, and an event. */
struct event_list;
void handle_publish(struct rjwt *handle, struct event_list *events, char *warning, size_t size);

/* The same, if the last time was PUBLISH_EVERY_S ago. *next_s: when to do it again, at the latest, if that is earlier. */
void handle_publish_due(struct rjwt *handle, struct event_list *events, char *warning, size_t size, int64_t *next_s);

/* On an issuer, after a new base: see fleet_renew(). On any other host it does nothing. */
RJWT_MUST enum rjwt_err handle_renew(const struct config *config, struct clock *clock, struct rjwt_diag *diag);
/* Whether this host is an issuer; an error: that is not known, and nothing may be told as done. */
RJWT_MUST enum rjwt_err handle_issues(const struct rjwt *handle, bool *issues, struct rjwt_diag *diag);

/* In a fleet: remove denials that are not needed any more, and add to the text of a change how many; what fails is a warning. */
void handle_prune(struct rjwt *handle, struct rjwt_change *done);

/*
 * In a fleet, tokens of a name or an id are denied, on an issuer for all hosts, elsewhere on this host alone; *in is false:
 * this host is in none. The denial is durable when it returns. *until_s: no token of these names with iat up to this
 * verifies, or is minted.
 */
RJWT_MUST enum rjwt_err handle_is_in_fleet(const struct rjwt *handle, bool *in);
RJWT_MUST enum rjwt_err
handle_deny(struct rjwt *handle, const struct rjwt_revocation *revocation, int64_t *until_s, struct rjwt_diag *diag);

/* RJWT_USAGE for a handle on a JWK Set: what is asked needs the keyset itself. Clears diag. */
RJWT_MUST enum rjwt_err handle_need_store(const struct rjwt *handle, struct rjwt_diag *diag);

/* The overrides that options have, put into a configuration. RJWT_USAGE, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
handle_override(struct config *config, const struct rjwt_options *options, struct rjwt_diag *diag);

#endif

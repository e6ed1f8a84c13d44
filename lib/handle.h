/* SPDX-License-Identifier: MIT */
/*
 * handle.h - inside the face: what a handle holds.
 */
#ifndef RJWT_HANDLE_H
#define RJWT_HANDLE_H

#include "base/err.h"
#include "base/host.h"
#include "config/config.h"
#include "jose/jwk.h"
#include "keyset/marks.h"
#include "keyset/store.h"
#include "rjwt.h"

struct rjwt {
	struct config config;
	struct store *store; /* NULL: set is in its place */
	struct marks marks;
	struct jwk_set set;
	struct clock clock;
	void (*event)(void *context, const struct rjwt_event *event); /* see struct rjwt_options */
	void *event_context;
};

/* RJWT_USAGE for a handle on a JWK Set: what is asked needs the keyset itself. Clears diag. */
RJWT_MUST enum rjwt_err handle_need_store(const struct rjwt *handle, struct rjwt_diag *diag);

/* The overrides that options have, put into a configuration. RJWT_USAGE, RJWT_MEMORY. */
RJWT_MUST enum rjwt_err
handle_override(struct config *config, const struct rjwt_options *options, struct rjwt_diag *diag);

#endif

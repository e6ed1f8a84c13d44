/* SPDX-License-Identifier: MIT */
/*
 * env.h - what whoever changes a keyset brings along: the rules, the clocks, and where a failure and what happens are reported.
 */
#ifndef RJWT_ENV_H
#define RJWT_ENV_H

#include "base/err.h"
#include "base/host.h"
#include "keyset/events.h"
#include "keyset/keyset.h"

/* Borrows all. */
struct keyset_env {
	const struct rotation_policy *policy;
	struct clock *clock;
	struct rjwt_diag *diag;	   /* NULL: nobody reads it */
	struct event_list *events; /* NULL: nobody asks */
};

#endif

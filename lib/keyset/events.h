/* SPDX-License-Identifier: MIT */
/*
 * events.h - what happened to a keyset, kept until the lock is given back: whoever is told may write to a log, and wait.
 */
#ifndef RJWT_EVENTS_H
#define RJWT_EVENTS_H

#include "base/err.h"
#include "keyset/keyset.h"
#include "keyset/plan.h"
#include "rjwt.h"

struct event_list {
	void (*tell)(void *context, const struct rjwt_event *event); /* NULL: nothing is kept */
	void *context;
	struct rjwt_event *list;
	size_t n, room;
};

/* A key, an event with no other members. A list of NULL takes nothing, as in all of these. */
void events_add_key(struct event_list *events, enum rjwt_event_kind kind, const struct keyset *keyset, int64_t version);

/* The first commit of a keyset, or of a new base. */
void events_add_first(struct event_list *events, const struct keyset *keyset, const char *alg, const char *cause);

/* A plan that was committed. */
void events_add_plan(struct event_list *events, const struct plan *plan, const struct keyset *before, const char *alg);

/* Codes whose tokens were signed anew, and codes that were removed; nothing if there are none. */
void events_add_codes(struct event_list *events, size_t renewed, size_t removed);

/* A problem that did not prevent the change; "": none, and nothing is added. */
void events_add_warning(struct event_list *events, const char *text);

/* Tell all, and forget them. For RJWT_CLEAN. */
void events_give(struct event_list *events);

#endif

/* SPDX-License-Identifier: MIT */
#include "keyset/events.h"

#include <stdio.h>
#include <stdlib.h>

/* The place of a new one; without memory none, and what is told lacks it. */
static struct rjwt_event *
add(struct event_list *events, enum rjwt_event_kind kind)
{
	struct rjwt_event *more;

	if (events == NULL || events->tell == NULL)
		return NULL;
	if (events->n == events->room) {
		more = reallocarray(events->list, events->room * 2 + 8, sizeof(*more));
		if (more == NULL)
			return NULL;
		events->list = more;
		events->room = events->room * 2 + 8;
	}
	more = &events->list[events->n++];
	*more = (struct rjwt_event){ .kind = kind };
	return more;
}

static struct rjwt_event *
add_key(struct event_list *events, enum rjwt_event_kind kind, const struct keyset *keyset, int64_t version)
{
	struct rjwt_event *event = add(events, kind);

	if (event != NULL)
		keyset_kid_format(keyset, version, event->kid);
	return event;
}

void
events_add_key(struct event_list *events, enum rjwt_event_kind kind, const struct keyset *keyset, int64_t version)
{
	(void)add_key(events, kind, keyset, version);
}

/* The keys below next_version, as many as were made, and which of them signs. */
static void
add_made(struct event_list *events, const struct keyset *keyset, unsigned made, const char *alg)
{
	for (int64_t v = keyset->next_version - made; v < keyset->next_version; v++) {
		struct rjwt_event *event = add_key(events, RJWT_EVENT_PUBLISHED, keyset, v);

		if (event != NULL)
			event->alg = alg;
	}
}

static void
add_promoted(struct event_list *events, const struct keyset *keyset, const char *cause)
{
	struct rjwt_event *event = add_key(events, RJWT_EVENT_PROMOTED, keyset, keyset->active.version);

	if (event != NULL)
		event->cause = cause;
}

void
events_add_first(struct event_list *events, const struct keyset *keyset, const char *alg, const char *cause)
{
	add_made(events, keyset, 2, alg);
	add_promoted(events, keyset, cause);
}

static const char *
cause_of(const struct plan *plan)
{
	switch (plan->why) {
	case WHY_DUE:
		return plan->by_count ? "count" : "time";
	case WHY_TOKEN_LIMIT:
		return "count";
	case WHY_MANUAL:
		return "manual";
	case WHY_REVOKE_KEY:
	case WHY_REVOKE_USER:
	case WHY_REVOKE_ALL:
	case WHY_COMPROMISED:
	case WHY_BUMP:
		break;
	}
	return "revoke";
}

void
events_add_plan(struct event_list *events, const struct plan *plan, const struct keyset *before, const char *alg)
{
	struct rjwt_event *event;

	add_made(events, &plan->after, plan->make, alg);
	if (plan->after.active.version != before->active.version)
		add_promoted(events, &plan->after, cause_of(plan));
	if (plan->retire >= plan->after.floor && plan->retire != plan->revoke) {
		event = add_key(events, RJWT_EVENT_RETIRED, before, plan->retire);
		if (event != NULL)
			event->until_s = plan->stamp.until_s;
	}
	if (plan->clock_by_s == 0)
		return;
	event = add(events, RJWT_EVENT_CLOCK);
	if (event != NULL) {
		event->cause = plan->clock_by_s < 0 ? "back" : "forward";
		event->by_s = plan->clock_by_s;
	}
}

void
events_add_codes(struct event_list *events, size_t renewed, size_t removed)
{
	struct rjwt_event *event = renewed + removed == 0 ? NULL : add(events, RJWT_EVENT_CODES);

	if (event == NULL)
		return;
	event->renewed = renewed;
	event->removed = removed;
}

void
events_add_warning(struct event_list *events, const char *text)
{
	struct rjwt_event *event = text[0] == '\0' ? NULL : add(events, RJWT_EVENT_WARNING);

	if (event != NULL)
		snprintf(event->text, sizeof(event->text), "%s", text);
}

void
events_give(struct event_list *events)
{
	for (size_t i = 0; i < events->n; i++)
		events->tell(events->context, &events->list[i]);
	free(events->list);
	events->list = NULL;
	events->n = events->room = 0;
}

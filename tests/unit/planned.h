/* SPDX-License-Identifier: MIT */
/*
 * planned.h - one call, of a name, fails, is interrupted, or something happens just before it. A plan for
 * tests/fault/wrapped.h.
 */
#ifndef RJWT_TEST_PLANNED_H
#define RJWT_TEST_PLANNED_H

#include "../fault/wrapped.h"

#include <errno.h>
#include <string.h>

/* The turn-th call of that name fails with error. */
static struct {
	const char *name;
	unsigned turn;
	int error;
	void (*instead)(void); /* happens before the call, which then does not fail */
} plan;

static inline bool
is_it(enum fault_kind kind, const char *name)
{
	(void)kind;
	if (plan.name == NULL || strcmp(plan.name, name) != 0 || plan.turn == 0 || --plan.turn > 0)
		return false;
	if (plan.instead != NULL) {
		wrapped_plan = NULL;
		plan.instead();
		wrapped_plan = is_it;
		return false;
	}
	errno = plan.error;
	return true;
}

static inline void
fails(const char *name, unsigned turn, int error)
{
	plan = (typeof(plan)){ .name = name, .turn = turn, .error = error };
	wrapped_plan = is_it;
}

/* No call fails any more. Whether one did. */
static inline bool
failed(void)
{
	wrapped_plan = NULL;
	return plan.turn == 0;
}

#endif

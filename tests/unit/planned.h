/* SPDX-License-Identifier: MIT */
/*
 * planned.h - one call, of a name, fails, is interrupted, or something happens just before it. A plan for
 * tests/fault/wrapped.h.
 */
#ifndef RJWT_TEST_PLANNED_H
#define RJWT_TEST_PLANNED_H

#include "base/err.h"
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

/* How a function of ours fails as planned. */
static struct {
	enum rjwt_err err;
	const char *path, *text;
} planned = { RJWT_KEYSET, "/a/path", "planned" };

static inline void
planned_begin(void)
{
	wrapped_plan = NULL;
	planned = (typeof(planned)){ RJWT_KEYSET, "/a/path", "planned" };
}

static inline enum rjwt_err
planned_error(struct rjwt_diag *diag)
{
	return diag_fail(diag, planned.err, planned.path, "%s", planned.text);
}

/* A function of ours, with these parameters and arguments, which tells a failure there. */
#define PLANNED_AT(name, there, parameters, ...)                                                        \
	WRAP(enum rjwt_err, name, parameters)                                                           \
	{                                                                                               \
		return fault_due(FAULT_ANY, #name) ? planned_error(there) : __real_##name(__VA_ARGS__); \
	}                                                                                               \
	struct name##_needs_a_semicolon
#define PLANNED(name, parameters, ...) PLANNED_AT(name, diag, parameters, __VA_ARGS__)

#endif

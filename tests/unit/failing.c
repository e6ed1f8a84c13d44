/* SPDX-License-Identifier: MIT */
#include "failing.h"
#include "unit.h"

#include "../fault/wrapped.h"

#include <errno.h>

const char *failing_name = "none";
unsigned failing_calls;
static unsigned failing_at;
static bool failed;

static bool
is_it(enum fault_kind kind, const char *name)
{
	(void)kind;
	if (++failing_calls != failing_at)
		return false;
	failed = true;
	failing_name = name;
	errno = ENOMEM;
	return true;
}

void
failing_begin(unsigned k)
{
	wrapped_plan = is_it;
	failing_at = k;
	failing_calls = 0;
	failed = false;
}

bool
failing_end(void)
{
	failing_at = 0;
	return failed;
}

bool
failing_here(const char *name)
{
	return fault_due(FAULT_ANY, name);
}

void
failing_every(const char *name, enum rjwt_err (*work)(void), bool (*excused)(unsigned k, enum rjwt_err err))
{
	enum rjwt_err err;

	for (unsigned k = 1;; k++) {
		bool may;

		failing_begin(k);
		err = work();
		if (!failing_end())
			break;
		may = excused != NULL && excused(k, err);
		if (err == RJWT_OK && !may)
			fail_msg("%s: call %u, %s, failed, and nobody minded", name, k, failing_name);
	}
	EXPECT(name, err, RJWT_OK);
}

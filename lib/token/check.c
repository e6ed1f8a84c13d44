/* SPDX-License-Identifier: MIT */
#include "token/check.h"
#include "base/datetime.h"

#include <stdio.h>
#include <string.h>

static void
show(char out[static 160], struct view text)
{
	size_t n = text.n < 160 ? text.n : 159;

	memcpy(out, n == 0 ? "" : text.p, n);
	out[n] = '\0';
}

enum rjwt_err
check_judge(struct verification *w, bool good, const char *expected, struct view found)
{
	if (!good || w->trace) {
		show(w->check.expected, view_of(expected));
		show(w->check.found, found);
	}
	return good ? RJWT_OK : w->check.code;
}

enum rjwt_err
check_judge_time(struct verification *w, bool good, const char *expected, int64_t limit_s, int64_t found_s)
{
	char limit[32];

	if (good && !w->trace)
		return RJWT_OK;
	time_format(limit, limit_s);
	snprintf(w->check.expected, sizeof(w->check.expected), "%s %s", expected, limit);
	time_format(w->check.found, found_s);
	return good ? RJWT_OK : w->check.code;
}

enum rjwt_err
check_not_checked(struct verification *w, const char *why)
{
	w->check.outcome = RJWT_NOT_CHECKED;
	return check_judge(w, true, why, (struct view){ NULL, 0 });
}

/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: how many break-glass codes are left, and for whom. */
#include "check.h"
#include "base/datetime.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ENOUGH_S (7 * 86400) /* within which new ones can be made and brought where they are kept */
#define GROUPS 8	     /* that are named */

struct group {
	char name[80]; /* USER SCOPE */
	size_t n;
};

struct codes {
	int64_t now_s, last_s; /* the end of the one that works longest */
	size_t n, lasting;     /* those that work for ENOUGH_S more */
	struct group groups[GROUPS];
	size_t ngroups; /* all, also those that are not named */
};

static bool
count_code(void *context, const struct rjwt_issued *token)
{
	struct codes *c = context;
	struct group *group = c->groups;
	char name[sizeof(group->name)];

	if (!token->code || !token->live)
		return true;
	c->n++;
	c->lasting += token->exp_s - c->now_s >= ENOUGH_S;
	c->last_s = token->exp_s > c->last_s ? token->exp_s : c->last_s;
	snprintf(name, sizeof(name), "%.32s %.32s", token->user,
	    token->scope == NULL || token->scope[0] == NULL ? "" : token->scope[0]);
	while (group < c->groups + c->ngroups && strcmp(group->name, name) != 0)
		group++;
	if (group == c->groups + GROUPS)
		return true;
	if (group == c->groups + c->ngroups) {
		snprintf(group->name, sizeof(group->name), "%s", name);
		c->ngroups++;
	}
	group->n++;
	return true;
}

static void
describe(const struct codes *c, char *text, size_t size)
{
	size_t named = 0;

	text[0] = '\0';
	for (size_t i = 0; i < c->ngroups; i++) {
		text_append(text, size, ", ", "%s %zu", c->groups[i].name, c->groups[i].n);
		named += c->groups[i].n;
	}
	if (named < c->n)
		text_append(text, size, ", ", "others %zu", c->n - named);
}

void
check_codes(struct check *check, const struct rjwt_status *status)
{
	struct codes codes = { .now_s = (int64_t)time(NULL) };
	struct rjwt *handle;
	char text[480], until[32];
	enum rjwt_err err;

	if (!status->codes || rjwt_open(check->options, &handle, NULL) != RJWT_OK)
		return;
	err = rjwt_list(handle, count_code, &codes, NULL);
	rjwt_close(handle);
	if (err != RJWT_OK)
		return; /* who is not root may not look, and a keyset that cannot be read is a finding of its own */
	describe(&codes, text, sizeof(text));
	time_format(until, codes.last_s);
	if (codes.n == 0)
		finding_add(&check->found, "codes.none", "no break-glass code is left");
	else if (codes.lasting == 0)
		finding_add(&check->found, "codes.ending", "all %zu break-glass codes end by %s: %s", codes.n, until,
		    text);
	else
		finding_ok(&check->found, "codes", "%zu left, the last until %s: %s", codes.n, until, text);
}

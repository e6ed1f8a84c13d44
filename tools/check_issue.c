/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: whether the users and groups exist whom the rules for rjwt-grant name. */
#include "caller.h"
#include "check.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <string.h>

struct rules {
	struct check *check;
	size_t n;
	bool unknown; /* one names somebody whom this host does not know */
};

/* What cannot be looked up now is not reported: it may exist. */
static bool
is_missing(const char *entry)
{
	int64_t uid = -1;

	if (entry[0] == '%') {
		errno = 0;
		return getgrnam(entry + 1) == NULL && (errno == 0 || errno == ENOENT || errno == ESRCH);
	}
	return caller_accounts.uid(caller_accounts.context, entry, &uid, NULL) == RJWT_OK && uid < 0;
}

static void
check_names(struct rules *r, const struct rjwt_rule *rule, const char *const *names, bool users)
{
	for (; *names != NULL; names++) {
		const char *name = *names;
		bool group = name[0] == '%';

		if (strcmp(name, "*") == 0 || (users && strcmp(name, "self") == 0) || !is_missing(name))
			continue;
		finding_add(&r->check->found, "issue.unknown", "rule %" PRId64 ": no %s %s on this host", rule->number,
		    group ? "group" : "user", name + group);
		finding_at(&r->check->found, rule->path, rule->line);
		r->unknown = true;
	}
}

static bool
check_rule(void *context, const struct rjwt_rule *rule)
{
	struct rules *r = context;

	r->n++;
	check_names(r, rule, rule->who, false);
	check_names(r, rule, rule->users, true);
	return true;
}

void
check_issue(struct check *check)
{
	struct rules r = { .check = check };

	if (rjwt_rules(check->options, NULL, check_rule, &r, NULL) != RJWT_OK)
		return; /* the findings of the configuration say so */
	if (r.n == 0)
		finding_ok(&check->found, "issue", "no rules: only root mints");
	else if (!r.unknown)
		finding_ok(&check->found, "issue", "%zu rule%s for rjwt-grant; the users and groups exist", r.n,
		    r.n == 1 ? "" : "s");
}

/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: which PAM services tokens open, by the key services, and whether the scopes in rules open one. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

struct scopes {
	struct check *check;
	const struct rjwt *handle;
	struct string_list services; /* of this host */
};

/* Two services of one program, of which the configuration closes one: whoever is refused there uses the other. */
static bool
check_twins(const struct scopes *s, const char *path)
{
	static const char *const twins[][2] = { { "sudo", "sudo-i" }, { "su", "su-l" }, { "login", "remote" } };
	bool well = true;

	for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
		bool first = rjwt_scope(s->handle, twins[i][0]) == NULL,
		     second = rjwt_scope(s->handle, twins[i][1]) == NULL;
		const char *closed = twins[i][first ? 0 : 1], *open = twins[i][first ? 1 : 0];

		if (first == second)
			continue;
		well = false;
		finding_add(&s->check->found, "services.twin", "services closes %s to tokens, and opens %s", closed,
		    open);
		finding_at(&s->check->found, path, 0);
		finding_fix(&s->check->found, "close both: leave %s out of services, or write %s: \"\"", open, open);
	}
	return well;
}

static void
tell_closed(const struct scopes *s)
{
	RJWT_CLEAN(buf_clear) struct buf text = { 0 };

	for (size_t i = 0; i < s->services.n; i++)
		if ((i == 0 || strcmp(s->services.list[i], s->services.list[i - 1]) != 0) &&
		    rjwt_scope(s->handle, s->services.list[i]) == NULL)
			buf_addf(&text, "%s%s", text.n == 0 ? "" : ", ", s->services.list[i]);
	if (text.n == 0)
		finding_ok(&s->check->found, "services", "none of this host is closed to tokens");
	else
		finding_ok(&s->check->found, "services", "closed to tokens: %s", text.p == NULL ? "" : text.p);
}

static bool
opens_any(const struct scopes *s, const char *scope)
{
	for (size_t i = 0; i < s->services.n; i++) {
		const char *needed = rjwt_scope(s->handle, s->services.list[i]);

		if (needed != NULL && strcmp(needed, scope) == 0)
			return true;
	}
	return false;
}

/* Whether all that the rule allows is for this host. What other hosts have is not known here. */
static bool
is_for_us(const struct rjwt_rule *rule)
{
	for (const char *const *name = rule->audience; name != NULL && *name != NULL; name++)
		if (strcmp(*name, "self") != 0)
			return false;
	return true;
}

static bool
check_rule(void *context, const struct rjwt_rule *rule)
{
	const struct scopes *s = context;

	for (const char *const *scope = rule->scopes; is_for_us(rule) && scope != NULL && *scope != NULL; scope++) {
		if (strcmp(*scope, "*") == 0 || opens_any(s, *scope))
			continue;
		finding_add(&s->check->found, "issue.scope",
		    "rule %" PRId64 ": scope %s opens no PAM service of this host", rule->number, *scope);
		finding_at(&s->check->found, rule->path, rule->line);
	}
	return true;
}

void
check_scopes(struct check *check, const struct rjwt_status *status)
{
	struct scopes s = { .check = check };
	struct rjwt *handle;

	if (rjwt_open(check->options, &handle, NULL) != RJWT_OK)
		return; /* the findings of configuration and keyset say why */
	s.handle = handle;
	check_list_services(check, &s.services);
	if (check_twins(&s, status->config))
		tell_closed(&s);
	(void)rjwt_rules(check->options, NULL, check_rule, &s, NULL);
	string_list_clear(&s.services);
	rjwt_close(handle);
}

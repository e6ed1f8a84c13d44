/* SPDX-License-Identifier: MIT */
#include "token/rules.h"
#include "base/datetime.h"
#include "base/host.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- users and groups ------------------------------------------------------------------------- */

static enum rjwt_err
find_uid(const struct rjwt_caller *caller, const char *user, int64_t *uid, struct rjwt_diag *diag)
{
	*uid = -1;
	return caller->accounts->uid(caller->accounts->context, user, uid, diag);
}

static enum rjwt_err
find_member(const struct rjwt_caller *caller, const char *user, const char *group, bool *is, struct rjwt_diag *diag)
{
	*is = false;
	return caller->accounts->member(caller->accounts->context, user, group, is, diag);
}

enum rjwt_err
rule_is_for(const struct issue_rule *rule, const struct rjwt_caller *caller, bool *is, struct rjwt_diag *diag)
{
	bool found = false;

	*is = false;
	for (size_t i = 0; i < rule->who.n && !found; i++) {
		const char *who = rule->who.list[i];

		if (who[0] == '%')
			RJWT_TRY(find_member(caller, caller->name, who + 1, &found, diag));
		else
			found = strcmp(who, "*") == 0 || strcmp(who, caller->name) == 0;
	}
	*is = found;
	return RJWT_OK;
}

/* Whether an entry of users is for the user. A name counts as it is: the user may be of another host. */
static enum rjwt_err
names_user(const struct rule_case *c, const char *entry, bool *is, struct rjwt_diag *diag)
{
	const char *user = c->request->user;
	int64_t uid;

	*is = false;
	if (entry[0] == '%')
		return find_member(c->caller, user, entry + 1, is, diag);
	if (strcmp(entry, "*") == 0) {
		RJWT_TRY(find_uid(c->caller, user, &uid, diag));
		*is = uid >= 0;
	} else {
		*is = strcmp(strcmp(entry, "self") == 0 ? c->caller->name : entry, user) == 0;
	}
	return RJWT_OK;
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* Label by label: a * matches one whole label, which is not empty. */
static bool
matches_pattern(const char *pattern, const char *name)
{
	for (;;) {
		size_t n = strcspn(pattern, "."), m = strcspn(name, ".");
		bool any = n == 1 && pattern[0] == '*' && m > 0;

		if (!any && (n != m || memcmp(pattern, name, n) != 0))
			return false;
		if (pattern[n] == '\0' || name[m] == '\0')
			return pattern[n] == name[m];
		pattern += n + 1;
		name += m + 1;
	}
}

/* A token for a group opens every host of it: no pattern means one, nor does self on a host of the group. */
static bool
names_host(const struct rule_case *c, const char *entry, const char *name)
{
	if (host_is_group(name))
		return strcmp(entry, name) == 0;
	if (strcmp(entry, "*") == 0)
		return true;
	if (strcmp(entry, "self") == 0)
		return config_has_audience(c->config, c->recorded, view_of(name));
	return matches_pattern(entry, name);
}

/* --- the parts of a rule ---------------------------------------------------------------------- */

static void
add_word(char *text, size_t size, const char *word)
{
	text_append(text, size, " ", "%s", word);
}

static void
expect_list(struct rjwt_failed_part *part, const struct string_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_word(part->expected, sizeof(part->expected), list->list[i]);
}

/* RJWT_OK: this part of the rule allows the request; RJWT_RULE: it does not, and found and expected say why. */
typedef enum rjwt_err check_part(const struct rule_case *c, const struct issue_rule *rule,
    struct rjwt_failed_part *part, struct rjwt_diag *diag);

static enum rjwt_err
judge_users(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	bool found = false;

	for (size_t i = 0; i < rule->users.n && !found; i++)
		RJWT_TRY(names_user(c, rule->users.list[i], &found, diag));
	if (found)
		return RJWT_OK;
	snprintf(part->found, sizeof(part->found), "%s", c->request->user);
	expect_list(part, &rule->users);
	return RJWT_RULE;
}

static enum rjwt_err
judge_scopes(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	bool all = true;

	(void)diag;
	for (const char *const *scope = c->request->scope; *scope != NULL; scope++) {
		bool found = false;

		for (size_t i = 0; i < rule->scopes.n; i++)
			found = found || strcmp(rule->scopes.list[i], *scope) == 0;
		if (!found)
			add_word(part->found, sizeof(part->found), *scope);
		all = all && found;
	}
	expect_list(part, &rule->scopes);
	return all ? RJWT_OK : RJWT_RULE;
}

static enum rjwt_err
judge_audience(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	bool all = true;

	(void)diag;
	for (const char *const *name = c->request->audience; *name != NULL; name++) {
		bool found = false;

		for (size_t i = 0; i < rule->audience.n; i++)
			found = found || names_host(c, rule->audience.list[i], *name);
		if (!found)
			add_word(part->found, sizeof(part->found), *name);
		all = all && found;
	}
	expect_list(part, &rule->audience);
	return all ? RJWT_OK : RJWT_RULE;
}

int64_t
rule_lifetime(const struct config *config, const struct issue_rule *rule)
{
	int64_t most = config->rotation.max_lifetime_s;

	return rule->max_lifetime_s < most ? rule->max_lifetime_s : most;
}

/* As for the key max_lifetime, the time from now until the token expires. */
static enum rjwt_err
judge_lifetime(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	int64_t begins_s = c->request->not_before_s > c->now_s ? c->request->not_before_s - c->now_s : 0;
	int64_t most = rule_lifetime(c->config, rule), asked;
	char limit[32], value[32];

	(void)diag;
	if (__builtin_add_overflow(begins_s, c->lifetime_s, &asked))
		asked = INT64_MAX;
	if (asked <= most)
		return RJWT_OK;
	duration_format(value, asked);
	duration_format(limit, most);
	snprintf(part->found, sizeof(part->found), "%s", value);
	snprintf(part->expected, sizeof(part->expected), "at most %s", limit);
	return RJWT_RULE;
}

static enum rjwt_err
judge_reusable(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	(void)diag;
	if (!c->request->reusable || rule->reusable)
		return RJWT_OK;
	snprintf(part->found, sizeof(part->found), "a reusable token");
	snprintf(part->expected, sizeof(part->expected), "a one-time token");
	return RJWT_RULE;
}

static enum rjwt_err
judge_uses(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	(void)diag;
	if (c->request->uses <= rule->uses || rule->reusable)
		return RJWT_OK;
	snprintf(part->found, sizeof(part->found), "%" PRId64 " uses", c->request->uses);
	if (rule->uses == 1)
		snprintf(part->expected, sizeof(part->expected), "a one-time token");
	else
		snprintf(part->expected, sizeof(part->expected), "at most %" PRId64, rule->uses);
	return RJWT_RULE;
}

/* Blanks alone give no reason. */
static enum rjwt_err
judge_reason(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	const char *why = c->request->why;

	(void)diag;
	if (!rule->reason_required || (why != NULL && why[strspn(why, " \t\r\n")] != '\0'))
		return RJWT_OK;
	snprintf(part->found, sizeof(part->found), "none");
	snprintf(part->expected, sizeof(part->expected), "a reason");
	return RJWT_RULE;
}

/* Whether a scope is what the program su requires. */
static bool
opens_su(const struct config *config, const char *scope)
{
	static const char *const services[] = { "su", "su-l" };

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		const char *needed = config_scope(config, services[i]);

		if (needed != NULL && strcmp(needed, scope) == 0)
			return true;
	}
	return strcmp(scope, "su") == 0;
}

/* A lookup may know root by another spelling, and may not know it at all. */
static enum rjwt_err
judge_root(const struct rule_case *c, const struct issue_rule *rule, struct rjwt_failed_part *part,
    struct rjwt_diag *diag)
{
	const char *user = c->request->user;
	int64_t uid;

	if (rule->root)
		return RJWT_OK;
	RJWT_TRY(find_uid(c->caller, user, &uid, diag));
	if (uid == 0 || strcmp(user, "root") == 0)
		add_word(part->found, sizeof(part->found), "a user with uid 0");
	for (const char *const *scope = c->request->scope; *scope != NULL; scope++)
		if (opens_su(c->config, *scope))
			text_append(part->found, sizeof(part->found), ", ", "scope %s", *scope);
	snprintf(part->expected, sizeof(part->expected), "neither a user with uid 0 nor a scope of su");
	return part->found[0] == '\0' ? RJWT_OK : RJWT_RULE;
}

static const struct {
	const char *name;
	check_part *check;
} parts[] = { { "users", judge_users }, { "scopes", judge_scopes }, { "audience", judge_audience },
	{ "max_lifetime", judge_lifetime }, { "reusable", judge_reusable }, { "uses", judge_uses },
	{ "reason", judge_reason }, { "root", judge_root } };

/* --- rules ------------------------------------------------------------------------------------ */

static enum rjwt_err
add_part(struct rjwt_decision *decision, const struct rjwt_failed_part *part)
{
	struct rjwt_failed_part *grown = reallocarray(decision->parts, decision->nparts + 1, sizeof(*grown));

	if (grown == NULL)
		return RJWT_MEMORY;
	decision->parts = grown;
	grown[decision->nparts++] = *part;
	return RJWT_OK;
}

static enum rjwt_err
judge_rule(const struct rule_case *c, size_t i, struct rjwt_decision *decision, struct rjwt_diag *diag)
{
	bool allowed = true;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		struct rjwt_failed_part part = { .rule = (int64_t)i + 1, .part = parts[k].name };
		enum rjwt_err err = parts[k].check(c, &c->config->rules[i], &part, diag);

		if (err == RJWT_RULE) {
			allowed = false;
			err = add_part(decision, &part);
		}
		RJWT_TRY(err);
	}
	return allowed ? RJWT_OK : RJWT_RULE;
}

enum rjwt_err
rules_judge(const struct rule_case *c, struct rjwt_decision *decision, struct rjwt_diag *diag)
{
	*decision = (struct rjwt_decision){ .nrules = c->config->nrules };
	for (size_t i = 0; i < c->config->nrules; i++) {
		enum rjwt_err err;
		bool mine;

		RJWT_TRY(rule_is_for(&c->config->rules[i], c->caller, &mine, diag));
		if (!mine)
			continue;
		decision->nmine++;
		err = judge_rule(c, i, decision, diag);
		if (err == RJWT_RULE)
			continue;
		RJWT_TRY(err);
		decision->rule = (int64_t)i + 1;
		return RJWT_OK;
	}
	return diag_fail(diag, RJWT_RULE, "", "no rule allows the request");
}

void
rjwt_decision_clear(struct rjwt_decision *decision)
{
	free(decision->parts);
	*decision = (struct rjwt_decision){ 0 };
}

/* SPDX-License-Identifier: MIT */
/* rjwt_grant() and rjwt_rules(): minting by the rules of the configuration. pam_rjwt.so does not contain this file. */
#include "handle.h"
#include "base/string_list.h"
#include "config/config.h"
#include "keyset/store.h"
#include "token/mint.h"
#include "token/mint_request.h"
#include "token/rules.h"

#include <stdio.h>

static enum rjwt_err
check_caller(const struct rjwt_caller *caller, struct rjwt_diag *diag)
{
	if (caller->name != NULL && caller->name[0] != '\0' && caller->accounts != NULL)
		return RJWT_OK;
	return diag_fail(diag, RJWT_USAGE, "", "nobody calls");
}

/* What is root's alone. */
static enum rjwt_err
check_request(const struct rjwt_request *r, struct rjwt_diag *diag)
{
	if (r->user == NULL)
		return diag_fail(diag, RJWT_USER, "", "no user was named (a token is for one user)");
	if (r->issuer == NULL && r->alg == NULL && r->kid == NULL && r->key_version == 0 && r->claims == NULL &&
	    r->header == NULL && r->actor == NULL && r->code_until_s == 0 && r->flags == 0)
		return RJWT_OK;
	return diag_fail(diag, RJWT_USAGE, "",
	    "a request that rules are to allow has no issuer, alg, kid, key version, claims, header, actor and flags");
}

/* The judge gets what is minted: no default is filled in after this. */
static enum rjwt_err
grant(struct rjwt *h, const struct rjwt_caller *caller, struct rjwt_request *full, struct rjwt_decision *decision,
    struct rjwt_token *token, struct rjwt_diag *diag)
{
	const struct minter m = { &h->config, h->store, &h->clock, NULL, NULL, false }; /* for the defaults */
	const char *default_audience[2];
	char host[RJWT_NAME_MAX + 1];
	int64_t lifetime_s;
	struct rule_case c = { .config = &h->config, .caller = caller, .request = full };
	struct rjwt_time now;

	RJWT_TRY(store_load(h->store, diag));
	mint_request_fill(&m, full, default_audience, &lifetime_s);
	if (full->audience == default_audience) { /* minting reads the keyset again, over the name that was judged */
		snprintf(host, sizeof(host), "%s", default_audience[0]);
		default_audience[0] = host;
	}
	full->issuer = NULL; /* the default, which no rule is about */
	full->actor = caller->name;
	full->lifetime_s = &lifetime_s;
	clock_now(&h->clock, &now);
	c.recorded = store_keyset(h->store)->audience;
	c.lifetime_s = lifetime_s;
	c.now_s = now.wall_s;
	RJWT_TRY(rules_judge(&c, decision, diag));
	full->rule = decision->rule;
	return rjwt_mint(h, full, token, diag);
}

enum rjwt_err
rjwt_grant(struct rjwt *h, const struct rjwt_caller *caller, const struct rjwt_request *request,
    struct rjwt_decision *decision, struct rjwt_token *token, struct rjwt_diag *diag)
{
	struct rjwt_request full = *request;

	*decision = (struct rjwt_decision){ 0 };
	RJWT_TRY(handle_need_store(h, diag));
	RJWT_TRY(check_caller(caller, diag));
	RJWT_TRY(check_request(request, diag));
	return grant(h, caller, &full, decision, token, diag);
}

static struct rjwt_rule
rule_view(const struct config *config, size_t i)
{
	const struct issue_rule *rule = &config->rules[i];

	return (struct rjwt_rule){ .number = (int64_t)i + 1,
		.path = config->path,
		.line = rule->line,
		.who = string_list_view(&rule->who),
		.users = string_list_view(&rule->users),
		.scopes = string_list_view(&rule->scopes),
		.audience = string_list_view(&rule->audience),
		.max_lifetime_s = rule_lifetime(config, rule),
		.reusable = rule->reusable && !config->one_time_always,
		.uses = config->one_time_always ? 1 : rule->uses,
		.reason_required = rule->reason_required,
		.root = rule->root };
}

enum rjwt_err
rjwt_rules(const struct rjwt_options *options, const struct rjwt_caller *caller,
    bool (*each)(void *context, const struct rjwt_rule *rule), void *context, struct rjwt_diag *diag)
{
	RJWT_CLEAN(config_clear) struct config config = { 0 };

	if (diag != NULL)
		*diag = (struct rjwt_diag){ 0 };
	if (caller != NULL)
		RJWT_TRY(check_caller(caller, diag));
	RJWT_TRY(config_load(options->config, &config, diag));
	for (size_t i = 0; i < config.nrules; i++) {
		struct rjwt_rule rule = rule_view(&config, i);
		bool mine = true;

		if (caller != NULL)
			RJWT_TRY(rule_is_for(&config.rules[i], caller, &mine, diag));
		if (mine && !each(context, &rule))
			return RJWT_OK;
	}
	return RJWT_OK;
}

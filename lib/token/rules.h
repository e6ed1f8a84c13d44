/* SPDX-License-Identifier: MIT */
/*
 * rules.h - judges a request to mint by the rules of the configuration's key issue. Pure: users and groups come from the
 * caller's lookups, the time is passed in, nothing is written.
 */
#ifndef RJWT_RULES_H
#define RJWT_RULES_H

#include "base/err.h"
#include "config/config.h"
#include "rjwt.h"

/* Borrows all. */
struct rule_case {
	const struct config *config;
	const char *recorded; /* the audience that the keyset recorded */
	const struct rjwt_caller *caller;
	const struct rjwt_request *request; /* without defaults: audience and scope are not empty */
	int64_t lifetime_s, now_s;
};

/*
 * The first rule that allows the request, or why each of the caller's rules does not. decision gives, after any result;
 * rjwt_decision_clear(). RJWT_RULE, RJWT_MEMORY, or the error of a lookup: nothing is allowed then.
 */
RJWT_MUST enum rjwt_err rules_judge(const struct rule_case *c, struct rjwt_decision *decision, struct rjwt_diag *diag);

/* Whether a rule is for a caller. */
RJWT_MUST enum rjwt_err
rule_is_for(const struct issue_rule *rule, const struct rjwt_caller *caller, bool *is, struct rjwt_diag *diag);

/* The longest lifetime that a rule allows. */
int64_t rule_lifetime(const struct config *config, const struct issue_rule *rule);

#endif

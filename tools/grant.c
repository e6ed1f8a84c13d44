/* SPDX-License-Identifier: MIT */
#include "grant.h"
#include "audit.h"
#include "issue_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Who calls, and nothing more of the environment: OPENSSL_CONF, TZ and others name files, and whoever starts this through
 * doas with keepenv, or sudo without env_reset, chooses them.
 */
static enum rjwt_err
find_caller(struct grant *g, struct rjwt_diag *diag)
{
	struct issue *is = &g->issue;
	enum rjwt_err err;

	caller_read(&is->caller);
	err = clearenv() == 0 ? caller_require(&is->caller, diag) : RJWT_MEMORY;
	tool_choose_tpm();
	g->caller = (struct rjwt_caller){ is->caller.name, &caller_accounts };
	is->request.by = is->caller.name;
	is->request.login = is->caller.login[0] == '\0' ? NULL : is->caller.login;
	return err;
}

static int
end_token(struct grant *g, struct rjwt_token *token)
{
	struct issue *is = &g->issue;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err;

	is->request.rule = g->decision.rule;
	err = issue_tell(is, &is->request, token, &diag);
	if (err != RJWT_OK)
		return tool_fail(&is->tool, err, &diag);
	issue_say_uses(is, token);
	if (isatty(STDERR_FILENO))
		grant_summarize(g, token);
	return issue_put(is, token);
}

static int
grant_token(struct grant *g)
{
	struct issue *is = &g->issue;
	struct rjwt_diag diag = { 0 };
	struct rjwt_token token;
	enum rjwt_err err;
	int status = issue_read_key(is);

	if (status != EXIT_DONE)
		return status;
	err = rjwt_open(&is->tool.options, &is->handle, &diag);
	if (err != RJWT_OK)
		return grant_refuse(g, err, &diag);
	err = issue_check_log(is, &diag);
	if (err != RJWT_OK)
		return tool_fail(&is->tool, err, &diag);
	err = rjwt_grant(is->handle, &g->caller, &is->request, &g->decision, &token, &diag);
	if (err != RJWT_OK)
		return grant_refuse(g, err, &diag);
	status = end_token(g, &token);
	rjwt_token_clear(&token);
	return status;
}

static int
run(struct grant *g, int argc, char **argv)
{
	struct rjwt_diag diag = { 0 };
	int status = grant_arguments(g, argc, argv);
	enum rjwt_err err;

	if (status != -1)
		return status;
	err = find_caller(g, &diag);
	if (err != RJWT_OK)
		return grant_refuse(g, err, &diag);
	return g->rules ? grant_rules(g) : grant_token(g);
}

int
grant_run(const struct rjwt_options *options, int argc, char **argv)
{
	struct grant g = { .issue = { .file = { DIR_NONE, NULL, -1 } } };
	int status;

	tool_begin(&g.issue.tool, &grant_program);
	g.issue.tool.options = *options;
	g.issue.tool.options.event = audit_event;
	status = run(&g, argc, argv);
	rjwt_decision_clear(&g.decision);
	issue_clear(&g.issue);
	return status;
}

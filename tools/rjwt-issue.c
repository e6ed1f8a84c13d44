/* SPDX-License-Identifier: MIT */
/* rjwt-issue: mint a login token. */
#include "issue.h"
#include "audit.h"
#include "options.h"

#include <stdio.h>
#include <unistd.h>

static enum rjwt_err
mint(struct issue *is, struct rjwt_token *token, struct rjwt_diag *diag)
{
	enum rjwt_err err;

	issue_name_caller(is);
	RJWT_TRY(issue_reserve(is, diag));
	err = rjwt_open(&is->tool.options, &is->handle, diag);
	if (err == RJWT_OK)
		err = issue_check_log(is, diag);
	if (err == RJWT_OK)
		err = rjwt_mint(is->handle, &is->request, token, diag);
	if (err != RJWT_OK)
		issue_release(is);
	return err;
}

static int
issue(struct issue *is)
{
	struct rjwt_token token;
	struct rjwt_diag diag = { 0 };
	enum rjwt_err err = mint(is, &token, &diag);
	int status;

	if (err != RJWT_OK) {
		issue_log_refused(is, &is->request, NULL, err, &diag);
		return tool_fail(&is->tool, err, &diag);
	}
	err = issue_tell(is, &is->request, &token, &diag);
	if (err != RJWT_OK) {
		rjwt_token_clear(&token);
		issue_release(is);
		return tool_fail(&is->tool, err, &diag);
	}
	issue_say_uses(is, &token);
	if (is->request.bind_key != NULL)
		issue_warn_sshd(is);
	if (isatty(STDERR_FILENO))
		issue_summarize(is, &token);
	status = issue_put(is, &token);
	rjwt_token_clear(&token);
	return status;
}

int
main(int argc, char **argv)
{
	struct issue is = { .file = { DIR_NONE, NULL, -1 } };
	int status;

	tool_begin(&is.tool, &issue_program);
	tool_choose_tpm();
	is.tool.options.event = audit_event;
	status = issue_arguments(&is, argc, argv);
	if (status == -1 && is.algorithms) {
		for (const char *const *name = rjwt_algorithms(); *name != NULL; name++)
			puts(*name);
		status = tool_end(&is.tool, EXIT_DONE);
	} else if (status == -1 && is.batch) {
		status = issue_batch(&is);
	} else if (status == -1) {
		status = issue(&is);
	}
	issue_clear(&is);
	return status;
}

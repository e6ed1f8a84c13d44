/* SPDX-License-Identifier: MIT */
/* rjwt-keyd codes: break-glass codes, to be printed and sealed. */
#include "issue.h"
#include "keyd.h"
#include "options.h"
#include "base/datetime.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define CODES_MAX 100

/* A code is logged before it is printed, and each is durable before the next is made. made: those that are. */
static enum rjwt_err
make_code(struct issue *is, int64_t *made, struct rjwt_diag *diag)
{
	struct rjwt_token token;
	enum rjwt_err err = issue_check_log(is, diag);

	RJWT_TRY(err);
	RJWT_TRY(rjwt_mint(is->handle, &is->request, &token, diag));
	++*made;
	err = issue_tell(is, &is->request, &token, diag);
	if (err == RJWT_OK && (puts(token.code) < 0 || fflush(stdout) != 0)) {
		err = diag_fail(diag, RJWT_IO, "standard output", "cannot write");
		clearerr(stdout); /* it is told once */
	}
	rjwt_token_clear(&token);
	return err;
}

/* What is there, and opens the door, whether or not somebody has read it. */
static int
fail_codes(const struct issue *is, int64_t made, int64_t n, enum rjwt_err err, const struct rjwt_diag *diag)
{
	int status = tool_fail(&is->tool, err, diag);

	issue_log_refused(is, &is->request, NULL, err, diag);
	if (made > 0)
		tool_say(&is->tool,
		    "%" PRId64 " of %" PRId64
		    " codes made (rjwt-keyd list shows them; revoke --jti takes back what nobody could read)",
		    made, n);
	return status;
}

static int
make_codes(struct issue *is, int64_t n)
{
	struct rjwt_diag diag = { 0 };
	char until[32];
	int64_t made = 0;
	enum rjwt_err err = rjwt_open(&is->tool.options, &is->handle, &diag);

	while (err == RJWT_OK && made < n)
		err = make_code(is, &made, &diag);
	if (err != RJWT_OK)
		return fail_codes(is, made, n, err, &diag);
	time_format(until, is->request.code_until_s);
	if (isatty(STDERR_FILENO))
		tool_say(&is->tool, "%" PRId64 " codes: each lets %s use %s on this host once, until %s", made,
		    is->request.user, is->request.scope[0], until);
	return EXIT_DONE;
}

int
keyd_codes(struct keyd *keyd)
{
	struct issue is = { .tool = keyd->tool, .file = { DIR_NONE, NULL, -1 } };
	const char *scope[] = { keyd->scope, NULL };
	int64_t n, lifetime_s;
	int status;

	if (keyd->users.n != 2)
		return tool_wrong(&keyd->tool, "codes: expected N and USER");
	if (number_parse(view_of(keyd->users.list[0]), CODES_MAX, &n) != RJWT_OK || n == 0)
		return tool_wrong(&keyd->tool, "codes %s: expected a number from 1 to %d", keyd->users.list[0],
		    CODES_MAX);
	if (keyd->scope == NULL || keyd->lifetime == NULL)
		return tool_wrong(&keyd->tool, "codes: --%s is missing", keyd->scope == NULL ? "scope" : "lifetime");
	status = option_duration(&keyd->tool, "--lifetime", keyd->lifetime, 1, RJWT_CODE_MAX, &lifetime_s);
	if (status != EXIT_DONE)
		return status;
	is.request = (struct rjwt_request){ .user = keyd->users.list[1],
		.scope = scope,
		.code_until_s = (int64_t)time(NULL) + lifetime_s,
		.flags = RJWT_PARK };
	issue_name_caller(&is);
	status = make_codes(&is, n);
	rjwt_close(is.handle);
	buf_clear(&is.by);
	return status;
}

/* SPDX-License-Identifier: MIT */
/* Whether a token that is bound to an ssh key can be used here: sshd must have asked for the key before the token. */
#include "check.h"
#include "issue.h"
#include "sshd_config.h"

#include <unistd.h>

void
issue_warn_sshd(struct issue *is)
{
	RJWT_CLEAN(buf_clear) struct buf all = { 0 };
	const char *path = sshd_path();
	const char *methods;
	char error[256];

	/* Another configuration, keyset or audience is another host's business. */
	if (is->tool.options.config != NULL || is->tool.options.state_dir != NULL || is->request.audience != NULL)
		return;
	if (path == NULL || geteuid() != 0 || !sshd_ask(path, &all, error))
		return;
	methods = check_value(&all, "authenticationmethods", ' ');
	if (methods == NULL || !sshd_asks_after_key(methods))
		tool_say(&is->tool,
		    "warning: nobody can use this token here, unless a Match block of sshd_config has what is missing: "
		    "AuthenticationMethods publickey,keyboard-interactive");
}

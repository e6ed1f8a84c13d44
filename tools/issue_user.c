/* SPDX-License-Identifier: MIT */
/* What this host knows of the user of a token, which the PAM stack will ask when the token is used. */
#include "issue.h"
#include "base/datetime.h"

#include <pwd.h>
#include <shadow.h>
#include <time.h>

#define DAY_S 86400

/* passwd -l and usermod -L put a ! before the hash. "!" alone is how a user without a password is made. */
static bool
is_locked(const struct spwd *shadow)
{
	return shadow->sp_pwdp != NULL && shadow->sp_pwdp[0] == '!' && shadow->sp_pwdp[1] == '$';
}

void
issue_warn_user(const struct issue *is, const struct rjwt_request *request)
{
	const char *user = request->user;
	const struct spwd *shadow;
	char ago[32];

	/* Another configuration, keyset or audience is another host's business. */
	if (is->tool.options.config != NULL || is->tool.options.state_dir != NULL || request->audience != NULL)
		return;
	if (getpwnam(user) == NULL) {
		tool_say(&is->tool, "warning: no user %s on this host", user);
		return;
	}
	if (request->rule != 0)
		return; /* what /etc/shadow says is not for who is not root */
	shadow = getspnam(user);
	if (shadow == NULL)
		return;
	if (shadow->sp_expire > 0 && shadow->sp_expire * DAY_S <= time(NULL)) {
		duration_format(ago, time(NULL) - shadow->sp_expire * DAY_S);
		tool_say(&is->tool, "warning: the account of %s expired %s ago: this host rejects it", user, ago);
	} else if (is_locked(shadow)) {
		tool_say(&is->tool,
		    "warning: the password of %s is locked, but tokens still work (usermod -L -e 1 locks the account)",
		    user);
	}
}

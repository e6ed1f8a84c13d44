/* SPDX-License-Identifier: MIT */
/* rjwt-keyd check: users who have no password that they could change, and who have to change it all the same. */
#include "check.h"

#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

/* As many names are shown; an age of so many days is none, as for passwd(1). */
enum { NAMES_MAX = 5, DAYS_MAX = 10000 };

static bool
must_change(const struct spwd *user)
{
	bool none = user->sp_pwdp != NULL && (user->sp_pwdp[0] == '!' || user->sp_pwdp[0] == '*');

	return none && (user->sp_lstchg == 0 || (user->sp_lstchg > 0 && user->sp_max >= 0 && user->sp_max < DAYS_MAX));
}

/* No shell of those that end at once. */
static bool
can_log_in(const char *name)
{
	const struct passwd *user = getpwnam(name);
	const char *slash = user == NULL ? NULL : strrchr(user->pw_shell, '/');

	return slash != NULL && strcmp(slash, "/nologin") != 0 && strcmp(slash, "/false") != 0;
}

void
check_ages(struct check *check)
{
	RJWT_CLEAN(buf_clear) struct buf names = { 0 };
	const struct spwd *user;
	size_t n = 0;

	if (!check->ages)
		return;
	setspent();
	while ((user = getspent()) != NULL)
		if (must_change(user) && can_log_in(user->sp_namp) && ++n <= NAMES_MAX)
			buf_addf(&names, "%s%s", n == 1 ? "" : ", ", user->sp_namp);
	endspent();
	if (n > NAMES_MAX)
		buf_addf(&names, " and %zu more", n - NAMES_MAX);
	if (buf_done(&names) != RJWT_OK)
		check->found.failed = true;
	else if (n > 0)
		finding_add(&check->found, "pam.password_age",
		    "%s: no password, and it expires: who logs in with a token is then asked to change it", names.p);
}

/* SPDX-License-Identifier: MIT */
/* The entry points of pam_rjwt.so. */
#include "args.h"
#include "login.h"
#include "phases.h"

#include <time.h>

#define ENTRY __attribute__((visibility("default")))

ENTRY int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct args args;
	bool good = args_parse(pamh, argc, argv, &args);

	(void)flags;
	return login_authenticate(pamh, good ? &args : NULL, NULL);
}

ENTRY int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct args args;

	if (!args_parse(pamh, argc, argv, &args))
		return PAM_CRED_ERR;
	return phase_setcred(pamh, flags);
}

ENTRY int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct args args;

	(void)flags;
	if (!args_parse(pamh, argc, argv, &args))
		return PAM_SERVICE_ERR;
	return phase_account(pamh, time(NULL));
}

ENTRY int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct args args;

	(void)flags;
	if (!args_parse(pamh, argc, argv, &args))
		return PAM_SESSION_ERR;
	return phase_session(pamh, time(NULL));
}

ENTRY int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct args args;

	(void)flags;
	return args_parse(pamh, argc, argv, &args) ? PAM_SUCCESS : PAM_SESSION_ERR;
}

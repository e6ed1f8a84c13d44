/* SPDX-License-Identifier: MIT */
/*
 * pam_rjwt.so with a witness: its entry points as they are, and each one's answer told to exhaust.c, as the
 * module gave it and before libpam makes something of it.
 */
#define pam_sm_authenticate rjwt_sm_authenticate
#define pam_sm_setcred rjwt_sm_setcred
#define pam_sm_acct_mgmt rjwt_sm_acct_mgmt
#define pam_sm_open_session rjwt_sm_open_session
#define pam_sm_close_session rjwt_sm_close_session
#include "pam_rjwt.c"
#undef pam_sm_authenticate
#undef pam_sm_setcred
#undef pam_sm_acct_mgmt
#undef pam_sm_open_session
#undef pam_sm_close_session

#include "fault.h"

#define ENTRY_POINT(name, heard)                                                             \
	ENTRY int pam_sm_##name(pam_handle_t *pamh, int flags, int argc, const char **argv); \
	ENTRY int pam_sm_##name(pam_handle_t *pamh, int flags, int argc, const char **argv)  \
	{                                                                                    \
		int ret = rjwt_sm_##name(pamh, flags, argc, argv);                           \
                                                                                             \
		heard;                                                                       \
		return ret;                                                                  \
	}                                                                                    \
	struct name##_needs_a_semicolon

/* What starts as a token does. */
static void
look_at_authtok(const pam_handle_t *pamh)
{
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_AUTHTOK, &item) == PAM_SUCCESS && item != NULL)
		witness.token_left = ((const char *)item)[0] == 'e';
}

ENTRY_POINT(authenticate, (witness.auth = ret, look_at_authtok(pamh)));
ENTRY_POINT(setcred, witness.setcred = ret);
ENTRY_POINT(acct_mgmt, witness.account = ret);
ENTRY_POINT(open_session, witness.session = ret);
ENTRY_POINT(close_session, (void)0);

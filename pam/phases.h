/* SPDX-License-Identifier: MIT */
/*
 * phases.h - the phases after authenticate, and what authenticate leaves for them.
 *
 * In sshd, setcred and session run in another process, which has the PAM environment but no PAM data. setcred copies
 * the environment into data, before the user's own files can change the environment. account and session use only
 * the data.
 */
#ifndef RJWT_PAM_PHASES_H
#define RJWT_PAM_PHASES_H

#include "rjwt.h"
#include "base/err.h"

#include <security/pam_modules.h>

RJWT_MUST int phase_forget(pam_handle_t *pamh); /* what an earlier authenticate left in this handle */
RJWT_MUST int phase_remember(pam_handle_t *pamh, const struct rjwt_verdict *verdict);
RJWT_MUST int phase_setcred(pam_handle_t *pamh, int flags);
RJWT_MUST int phase_account(pam_handle_t *pamh, int64_t now_s);
RJWT_MUST int phase_session(pam_handle_t *pamh, int64_t now_s);

#endif

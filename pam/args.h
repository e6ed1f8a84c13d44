/* SPDX-License-Identifier: MIT */
/*
 * args.h - the arguments of the module's line in pam.d.
 */
#ifndef RJWT_PAM_ARGS_H
#define RJWT_PAM_ARGS_H

#include "base/err.h"

#include <security/pam_modules.h>

struct args {
	const char *config; /* conf=FILE, absolute; NULL: the default */
	const char *prompt; /* prompt=TEXT */
	bool debug, try_first_pass, use_first_pass;
};

/* false: an argument is unknown or malformed; this was logged, and the login must be rejected. */
RJWT_MUST bool args_parse(pam_handle_t *pamh, int argc, const char **argv, struct args *args);

#endif

/* SPDX-License-Identifier: MIT */
/* origin.h - where a login comes from, as the application says. */
#ifndef RJWT_PAM_ORIGIN_H
#define RJWT_PAM_ORIGIN_H

#include "rjwt.h"

#include <security/pam_modules.h>

struct origin {
	const char *auth_info; /* sshd's SSH_AUTH_INFO_0, of the PAM environment: a view of the handle; NULL: none */
	char source[64];       /* "": none, or longer than any address */
};

/*
 * The address is the first field of SSH_CONNECTION in the PAM environment. Only where that is missing, it is PAM_RHOST, which
 * with UseDNS is a name: whether it is an address, rjwt_verify() decides.
 */
void origin_find(pam_handle_t *pamh, const char *rhost, struct origin *origin);

#endif

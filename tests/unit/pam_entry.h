/* SPDX-License-Identifier: MIT */
/*
 * pam_entry.h - functions that libpam calls, of modules that tests load: PAM_ENTRY(pam_sm_setcred) { ... }. They need not
 * use all that they are given.
 */
#ifndef RJWT_PAM_ENTRY_H
#define RJWT_PAM_ENTRY_H

#include <security/pam_modules.h>

#define PAM_UNUSED __attribute__((unused))
#define PAM_ENTRY(name)                                                                                      \
	__attribute__((visibility("default"))) int name(pam_handle_t *pamh PAM_UNUSED, int flags PAM_UNUSED, \
	    int argc PAM_UNUSED, const char **argv PAM_UNUSED)

#endif

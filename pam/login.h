/* SPDX-License-Identifier: MIT */
/*
 * login.h - the whole of pam_sm_authenticate.
 *
 * The module is a guest in sshd and sudo: no network, fork, thread, signal, umask, chdir, setenv, openlog or lock, and
 * no descriptor stays open. authenticate never answers a failure with PAM_SUCCESS or PAM_IGNORE.
 * tests/unit/test_host_process.c checks this.
 */
#ifndef RJWT_PAM_LOGIN_H
#define RJWT_PAM_LOGIN_H

#include "args.h"
#include "rjwt.h"

#include <security/pam_modules.h>

/* args NULL: they were invalid, and the login is rejected. now NULL: the system clocks. */
RJWT_MUST int
login_authenticate(pam_handle_t *pamh, const struct args *args, void (*now)(void *context, struct rjwt_time *now));

/* The PAM code for one of ours. */
int login_code(enum rjwt_err err);

#endif

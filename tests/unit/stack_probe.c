/* SPDX-License-Identifier: MIT */
/*
 * stack_probe.so - a module that tells the application that it was called, with which arguments, and returns the number
 * that its first argument is.
 */
#include <security/pam_modules.h>

#include <stdlib.h>

#define ENTRY __attribute__((visibility("default")))

void stack_probe_called(int argc, const char **argv); /* the application's */

static int
answer(int argc, const char **argv)
{
	stack_probe_called(argc, argv);
	return argc == 0 ? PAM_SUCCESS : atoi(argv[0]);
}

ENTRY int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	return answer(argc, argv);
}

ENTRY int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

ENTRY int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	return answer(argc, argv);
}

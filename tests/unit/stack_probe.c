/* SPDX-License-Identifier: MIT */
/*
 * stack_probe.so - a module that tells the application that it was called, with which arguments, and returns the number
 * that its first argument is.
 */
#include "pam_entry.h"

#include <stdlib.h>

void stack_probe_called(int argc, const char **argv); /* the application's */

static int
answer(int argc, const char **argv)
{
	stack_probe_called(argc, argv);
	return argc == 0 ? PAM_SUCCESS : atoi(argv[0]);
}

PAM_ENTRY(pam_sm_authenticate)
{
	return answer(argc, argv);
}

PAM_ENTRY(pam_sm_setcred)
{
	return PAM_SUCCESS;
}

PAM_ENTRY(pam_sm_acct_mgmt)
{
	return answer(argc, argv);
}

/* SPDX-License-Identifier: MIT */
/*
 * pam_length.so FILE - asks as pam_rjwt.so does, and appends the length of the reply to FILE, never the reply itself.
 * Accepts everybody: for tests/limits/run alone, which loads it nowhere but in its sandbox.
 */
#include "../unit/pam_entry.h"

#include <fcntl.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PAM_ENTRY(pam_sm_authenticate)
{
	char *reply = NULL;
	int ret, fd;

	ret = pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &reply, "Token: ");
	if (ret != PAM_SUCCESS || reply == NULL)
		return PAM_CONV_ERR;
	fd = argc > 0 ? open(argv[0], O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd < 0)
		return PAM_SYSTEM_ERR;
	dprintf(fd, "%zu\n", strlen(reply));
	close(fd);
	free(reply);
	return PAM_SUCCESS;
}

PAM_ENTRY(pam_sm_setcred)
{
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/* A session module for pam.bats: logs the item by which pam_systemd is told how long a session may last. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>
#include <syslog.h>

int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *value = NULL;

	(void)flags;
	(void)argc;
	(void)argv;
	if (pam_get_data(pamh, "systemd.runtime_max_sec", &value) != PAM_SUCCESS || value == NULL)
		value = "none";
	pam_syslog(pamh, LOG_INFO, "runtime_max_sec=%s", (const char *)value);
	return PAM_SUCCESS;
}

int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/* A session module for pam.bats: logs the item by which pam_systemd is told how long a session may last. */
#include "../unit/pam_entry.h"

#include <security/pam_ext.h>
#include <stddef.h>
#include <syslog.h>

PAM_ENTRY(pam_sm_open_session)
{
	const void *value = NULL;

	if (pam_get_data(pamh, "systemd.runtime_max_sec", &value) != PAM_SUCCESS || value == NULL)
		value = "none";
	pam_syslog(pamh, LOG_INFO, "runtime_max_sec=%s", (const char *)value);
	return PAM_SUCCESS;
}

PAM_ENTRY(pam_sm_close_session)
{
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <stdio.h>
#include <string.h>

void
origin_find(pam_handle_t *pamh, const char *rhost, struct origin *origin)
{
	const char *connection = pam_getenv(pamh, "SSH_CONNECTION");
	const char *source = connection != NULL ? connection : rhost;
	size_t n = 0;

	if (connection != NULL)
		n = strcspn(connection, " ");
	else if (rhost != NULL)
		n = strlen(rhost);
	origin->auth_info = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	origin->source[0] = '\0';
	/* Cut off, a longer text could become an address. */
	if (n < sizeof(origin->source))
		snprintf(origin->source, sizeof(origin->source), "%.*s", (int)n, source == NULL ? "" : source);
}

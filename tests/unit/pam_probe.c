/* SPDX-License-Identifier: MIT */
/*
 * pam_probe.so - a module for tests, to stand beside or in place of pam_rjwt.so:
 *
 *	now=SECONDS conf=FILE	pam_rjwt's own work, by this clock
 *	set=TEXT		auth: PAM_AUTHTOK becomes TEXT
 *	name=TEXT		auth: PAM_USER becomes TEXT
 *	only=TEXT		auth: refused unless PAM_USER is TEXT
 *	(nothing)		success; PAM_AUTHTOK goes to the variable PROBE_AUTHTOK, pam_systemd's item to
 *				PROBE_CAP, "-" where there is none
 */
#include "args.h"
#include "login.h"
#include "pam_entry.h"
#include "phases.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t clock_s;

static void
clock_of_argument(void *context, struct rjwt_time *now)
{
	(void)context;
	*now = (struct rjwt_time){ clock_s, 100000, "11111111-1111-1111-1111-111111111111" };
}

static const char *
value_of(int argc, const char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0)
			return argv[i] + n;
	return NULL;
}

static int
put(pam_handle_t *pamh, const char *name, const char *value)
{
	char text[4096 + 32];

	snprintf(text, sizeof(text), "%s=%s", name, value == NULL ? "-" : value);
	return pam_putenv(pamh, text);
}

/* now=; PAM_IGNORE: it is not there. */
static bool
set_clock(int argc, const char **argv)
{
	const char *now = value_of(argc, argv, "now=");

	if (now != NULL)
		clock_s = strtoll(now, NULL, 10);
	return now != NULL;
}

PAM_ENTRY(pam_sm_authenticate)
{
	struct args args = { .config = value_of(argc, argv, "conf="), .prompt = "Token: " };
	const char *set = value_of(argc, argv, "set="), *name = value_of(argc, argv, "name=");
	const char *only = value_of(argc, argv, "only=");
	const void *item = NULL;

	if (set_clock(argc, argv))
		return login_authenticate(pamh, &args, clock_of_argument);
	if (set != NULL)
		return pam_set_item(pamh, PAM_AUTHTOK, set);
	if (name != NULL)
		return pam_set_item(pamh, PAM_USER, name);
	if (only != NULL && pam_get_item(pamh, PAM_USER, &item) == PAM_SUCCESS && item != NULL)
		return strcmp(item, only) == 0 ? PAM_SUCCESS : PAM_PERM_DENIED;
	if (pam_get_item(pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS)
		return PAM_SERVICE_ERR;
	return put(pamh, "PROBE_AUTHTOK", item);
}

PAM_ENTRY(pam_sm_setcred)
{
	return set_clock(argc, argv) ? phase_setcred(pamh, flags) : PAM_SUCCESS;
}

PAM_ENTRY(pam_sm_acct_mgmt)
{
	return set_clock(argc, argv) ? phase_account(pamh, clock_s) : PAM_SUCCESS;
}

PAM_ENTRY(pam_sm_open_session)
{
	const void *cap = NULL;

	if (set_clock(argc, argv))
		return phase_session(pamh, clock_s);
	if (pam_get_data(pamh, "systemd.runtime_max_sec", &cap) != PAM_SUCCESS)
		cap = NULL;
	return put(pamh, "PROBE_CAP", cap);
}

PAM_ENTRY(pam_sm_close_session)
{
	return PAM_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/* issue_request.h - the options that describe a token: rjwt-issue and rjwt-grant read them alike. */
#ifndef RJWT_ISSUE_REQUEST_H
#define RJWT_ISSUE_REQUEST_H

#include "issue.h"
#include "options.h"

/* Beside the letters a, s and t. A program's own options begin at ISSUE_OPTIONS_END. */
enum {
	OPT_NOT_BEFORE = OPTION_LETTERS + 1,
	OPT_REUSABLE,
	OPT_USES,
	OPT_REASON,
	OPT_FROM,
	OPT_BIND_KEY,
	OPT_JSON,
	ISSUE_OPTIONS_END
};

/* The rows that both tables begin with. */
/* clang-format off */
#define ISSUE_ROWS \
	{ 'a', "audience", "NAME", "host that the token is for; repeatable (default: this host)", "Token:" }, \
	{ 's', "scope", "WORD", "purpose: ssh, sudo, su, login, ...; repeatable (default: ssh)", NULL }, \
	{ 't', "lifetime", "DURATION", "lifetime, for example 5m (default: from the configuration)", NULL }, \
	{ OPT_NOT_BEFORE, "not-before", "TIME", \
	    "valid from: RFC 3339, seconds since the epoch, or +10m\n(default: now)", NULL }, \
	{ OPT_REUSABLE, "reusable", NULL, "works any number of times until it expires", NULL }, \
	{ OPT_USES, "uses", "N", "works N times for each scope, 2 to 100", NULL }, \
	{ OPT_FROM, "from", "CIDR", "works only from this address range, and only for ssh;\nrepeatable", NULL }, \
	{ OPT_REASON, "reason", "TEXT", "note for the log", NULL }
/* clang-format on */

/* After all options: those that contradict each other. -1: continue; otherwise the exit status. */
int issue_check(const struct issue *is);

/* Read one of them; *known is false for any other option. The exit status, as an option_taker's. */
int issue_take(struct issue *is, int option, bool *known);

/* Read the file of --bind-key into the request, if it was given. EXIT_DONE, or the exit status after a message. */
int issue_read_key(struct issue *is);

#endif

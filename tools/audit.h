/* SPDX-License-Identifier: MIT */
/*
 * audit.h - the lines that programs leave in the log, facility authpriv: a word, and key=value. rjwt(7) has the table of all
 * of them. Tokens that were issued and refused: issue_log.c; logins: pam/log.c.
 */
#ifndef RJWT_TOOL_AUDIT_H
#define RJWT_TOOL_AUDIT_H

#include "base/buf.h"
#include "base/err.h"
#include "rjwt.h"

/* published, promoted, retired, erased, removed, clock, warning: what happened to the keyset. As rjwt_options.event. */
void audit_event(void *context, const struct rjwt_event *event);

/* revoked: what is "jti", "sub", "kid" or "all"; live: how many tokens it hit, -1: unknown. */
void audit_revoked(const char *what, const char *value, int64_t live);

/* failed: what was asked for was not done. */
void audit_failed(enum rjwt_err err, const struct rjwt_diag *diag);

/* warning: it was done, and something is not as it should be. */
void audit_warning(const char *text);

/* sent: a fleet's issuer has published its keyset. joined, followed: a host of the fleet. */
void audit_sent(const struct rjwt_fleet *fleet);
void audit_joined(const struct rjwt_fleet *fleet);
void audit_followed(const char *text);

/* path=, line= and error= of such a line. */
void audit_put_error(struct buf *line, const struct rjwt_diag *diag);

#endif

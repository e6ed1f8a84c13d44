/* SPDX-License-Identifier: MIT */
/*
 * caller.h - who calls a program that runs as root: what sudo, doas and pkexec say, and the login uid, which is the
 * kernel's.
 *
 * The variables are only as good as what set them: sudo, doas and pkexec always set their own. Who may run a program as root
 * with an environment of his choice (su, SETENV in sudoers) can choose them too.
 */
#ifndef RJWT_TOOL_CALLER_H
#define RJWT_TOOL_CALLER_H

#include "base/buf.h"
#include "base/err.h"

#define CALLERS 3

struct caller {
	struct {
		const char *variable, *via, *value;
	} said[CALLERS]; /* what the environment says */
	size_t n;
	char login[16];		      /* the login uid; "": there is none */
	char name[RJWT_NAME_MAX + 1]; /* after caller_require(): the one caller */
};

/* Read the environment. */
void caller_read(struct caller *caller);

/* Exactly one caller, who is a user of this host other than root: sets name. RJWT_RULE, RJWT_IO. */
RJWT_MUST enum rjwt_err caller_require(struct caller *caller, struct rjwt_diag *diag);

/* by= caller= via= loginuid= for a log line. */
void caller_log(const struct caller *caller, struct buf *line);

/* "root", "bob (sudo)": for the record of minted tokens. */
void caller_by(const struct caller *caller, struct buf *by);

/* What the host knows of users and groups. */
extern const struct rjwt_accounts caller_accounts;

#endif

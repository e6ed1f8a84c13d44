/* SPDX-License-Identifier: MIT */
/*
 * log.h - the log: one line for each decision. All values are escaped; a line never contains a token, nor any part
 * of a reply that is not a token.
 */
#ifndef RJWT_PAM_LOG_H
#define RJWT_PAM_LOG_H

#include "args.h"
#include "rjwt.h"
#include "base/buf.h"

#include <security/pam_modules.h>

/*
 * The login that a line is about: views of the handle's items, NULL where there is none. typed: the name was typed
 * at a prompt, where people answer the wrong question: it may be a password, and is logged only where a genuine
 * token names it.
 */
struct login_id {
	const char *user, *service, *rhost;
	bool typed;
};

/* typed: whether the name comes from a prompt of this conversation, or of a program that asks for names. */
void login_id_find(const pam_handle_t *pamh, struct login_id *who);

/* A token was verified. phase NULL: authenticate. */
void log_verdict(const pam_handle_t *pamh, const struct login_id *who, const char *phase,
    const struct rjwt_verdict *verdict);

/*
 * No verdict was possible; log_refusal() where no file is the cause. verdict: of the token, as far as it was judged;
 * NULL: none was. text "": the text of the code.
 */
void log_failure(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err,
    const struct rjwt_verdict *verdict, const struct rjwt_diag *diag);
void log_refusal(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err, const char *text);

/* A line that is made already, escaped. */
void log_line(const pam_handle_t *pamh, int priority, const struct buf *line);

/* For debug: the configuration that was read, and the active key of the keyset that was opened. */
void log_opened(const pam_handle_t *pamh, const struct args *args, struct rjwt *handle);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * module.h - the work behind the entry points of pam_rjwt.so, in a library that tests link.
 *
 * A guest in sshd and sudo: no network, fork, thread, signal, umask, chdir, setenv, openlog or lock, and no
 * descriptor stays open. PAM_SUCCESS and PAM_IGNORE are never a failure's answer in authenticate.
 */
#ifndef RJWT_MODULE_H
#define RJWT_MODULE_H

#include "rjwt.h"
#include "base/text.h"
#include "base/err.h"

#include <security/pam_modules.h>

/* Arguments of the module's line in pam.d. */
struct args {
	const char *config; /* conf=FILE, absolute; NULL: the default */
	const char *prompt; /* prompt=TEXT */
	bool debug, try_first_pass, use_first_pass;
};

/* false: an argument is unknown or malformed, which was logged and refuses. */
RJWT_MUST bool args_parse(pam_handle_t *pamh, int argc, const char **argv, struct args *args);

/* What somebody typed. Wiped by reply_clear(). */
struct reply {
	char *p; /* NUL-terminated; NULL: none */
};

/* Ask, with echo off. PAM_SUCCESS, or what the conversation says. reply gives; reply_clear(). */
RJWT_MUST int prompt_ask(pam_handle_t *pamh, const char *text, struct reply *reply);

/*
 * Take a reply that is shaped like a token away from PAM_AUTHTOK, where no later module shall find it. A long
 * one of another shape is copied and stays there. Without one reply stays empty.
 */
RJWT_MUST int prompt_take_stacked(pam_handle_t *pamh, struct reply *reply);

/* A reply that is not long becomes PAM_AUTHTOK, for pam_unix try_first_pass below. */
RJWT_MUST int prompt_pass_on(pam_handle_t *pamh, const struct reply *reply);

/*
 * sshd gives junk of the same length in place of what is typed for a user who may not log in. So length alone may
 * decide who asks next, or the prompts would tell who is there: a long reply is never handed on as a password, and
 * a shorter one always is. No token is as short as that.
 */
#define REPLY_LONG 128
bool reply_is_long(const struct reply *reply);

/*
 * Long, begins with eyJ ('{"' in base64url), and has two dots or more, or is of exactly the length at which a
 * prompt cuts: what was cut in its payload is no password either.
 */
bool reply_is_token(const struct reply *reply);
bool reply_same(const struct reply *a, const struct reply *b);
void reply_clear(struct reply *reply);

/*
 * The log: one line for each decision, all values escaped, never the token, and nothing of a reply that is
 * none. Who it is about: views of the handle's items, NULL where there is none.
 */
struct login_id {
	const char *user, *service, *rhost;
};

void login_id_find(const pam_handle_t *pamh, struct login_id *who);

/* Judged. phase NULL: authenticate. */
void log_verdict(const pam_handle_t *pamh, const struct login_id *who, const char *phase,
    const struct rjwt_verdict *verdict);

/* No verdict was possible; log_refusal() where no file is to blame. text "": the code's own sentence. */
void log_failure(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err, const struct rjwt_diag *diag);
void log_refusal(const pam_handle_t *pamh, const struct login_id *who, enum rjwt_err err, const char *text);

/* For debug: the configuration that was asked for, and by its key that signs the keyset that was opened. */
void log_opened(const pam_handle_t *pamh, const struct args *args, struct rjwt *handle);

/*
 * The whole of pam_sm_authenticate. args NULL: they were refused, and so is the login. now NULL: the
 * system's clocks.
 */
RJWT_MUST int login_authenticate(pam_handle_t *pamh, const struct args *args,
    void (*now)(void *context, struct rjwt_time *now));

/* Our codes to PAM's. */
int login_code(enum rjwt_err err);

/*
 * What passes from authenticate to the later phases. In sshd setcred and session run in another process,
 * which sees the PAM environment and no data: setcred copies the one into the other, before the user's own
 * files can change the environment. account and session believe the data alone.
 */
RJWT_MUST int phase_forget(pam_handle_t *pamh); /* what an earlier authenticate left in this handle */
RJWT_MUST int phase_remember(pam_handle_t *pamh, const struct rjwt_verdict *verdict);
RJWT_MUST int phase_setcred(pam_handle_t *pamh, int flags);
RJWT_MUST int phase_account(pam_handle_t *pamh, int64_t now_s);
RJWT_MUST int phase_session(pam_handle_t *pamh, int64_t now_s);

#endif

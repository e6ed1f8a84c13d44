/* SPDX-License-Identifier: MIT */
/*
 * prompt.h - what the user types: asking for it, telling a token from a password, and passing a password on to the
 * next module.
 */
#ifndef RJWT_PAM_PROMPT_H
#define RJWT_PAM_PROMPT_H

#include "base/err.h"

#include <security/pam_modules.h>

/*
 * What the user typed. Wiped by reply_clear(). A long one is without the blanks around it, and without the marks that
 * a terminal puts around what is pasted: neither a token nor a password of that length has them.
 */
struct reply {
	char *p;  /* NUL-terminated; NULL: none */
	size_t n; /* bytes, as they were typed */
};

/* Ask, with echo off. PAM_SUCCESS, or the conversation's code. reply gives; reply_clear(). */
RJWT_MUST int prompt_ask(pam_handle_t *pamh, const char *text, struct reply *reply);

/*
 * Move a reply that is shaped like a token out of PAM_AUTHTOK, so that no later module finds it. If there is none,
 * reply stays empty.
 */
RJWT_MUST int prompt_take_stacked(pam_handle_t *pamh, struct reply *reply);

/* Make a reply that is not long PAM_AUTHTOK, for pam_unix try_first_pass in the next line. */
RJWT_MUST int prompt_pass_on(pam_handle_t *pamh, const struct reply *reply);

/*
 * For a user who may not log in, sshd replaces the reply by junk of the same length. So only the length may decide
 * whether the next module asks again, or the prompts would show which users exist: a long reply is never passed on
 * as a password, and a shorter one always is. No token is shorter than this.
 */
#define REPLY_LONG 128
bool reply_is_long(const struct reply *reply);

/*
 * Long, begins with eyJ ('{"' in base64url), and either has two or more dots, or has exactly the length at which a
 * prompt cuts a reply: a token that was cut in its payload is not a password either.
 */
bool reply_is_token(const struct reply *reply);

/* Whether a text could be a token, whole or in part: too long for a name, and begun like one. */
bool text_may_be_token(const char *text);

bool reply_same(const struct reply *a, const struct reply *b);
void reply_clear(struct reply *reply);

#endif

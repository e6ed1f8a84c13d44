/* SPDX-License-Identifier: MIT */
/*
 * tell.h - the second prompt: why a token was rejected, then the prompt as it is configured. It is a prompt because
 * sshd drops messages and sudo shows none.
 *
 *	Token expired 40s ago. Token:
 *	Token opens ssh, not sudo. Token:
 *
 * Only for a verdict whose reason may be told (struct rjwt_verdict, tell): the token's hosts and scopes are shown.
 */
#ifndef RJWT_PAM_TELL_H
#define RJWT_PAM_TELL_H

#include "rjwt.h"

/* What comes before the prompt has at most so many bytes. Names that are longer than that are left out. */
#define TELL_MAX 120
#define TELL_SIZE 256

void
tell_rejected(char out[static TELL_SIZE], const struct rjwt_verdict *verdict, const char *service, const char *prompt);

/* The conversation failed: sudo does that for a reply of more than 511 bytes. */
void tell_nothing_arrived(char out[static TELL_SIZE], const char *prompt);

#endif

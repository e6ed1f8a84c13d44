/* SPDX-License-Identifier: MIT */
/* sshd_config.h - what sshd says about its configuration (sshd -T), outside of Match blocks. */
#ifndef RJWT_SSHD_CONFIG_H
#define RJWT_SSHD_CONFIG_H

#include "base/buf.h"

/* The path of sshd; NULL: it is not installed; static. */
const char *sshd_path(void);

/* Ask it, as root; check_value() finds a keyword, in lower case, before a blank. False: error says why not. */
bool sshd_ask(const char *path, struct buf *all, char error[static 256]);

/* Whether one of the lists of authenticationmethods asks for a key and then, by PAM, for the rest: "password" shows PAM no key. */
bool sshd_asks_after_key(const char *methods);

#endif

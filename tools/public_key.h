/* SPDX-License-Identifier: MIT */
/* public_key.h - reads the ssh key that an option names. Nothing of what it reads is printed: it may be any file. */
#ifndef RJWT_PUBLIC_KEY_H
#define RJWT_PUBLIC_KEY_H

#include "tool.h"
#include "base/buf.h"
#include "base/ssh_key.h"

struct public_key {
	struct buf line; /* "TYPE BASE64 COMMENT" */
	char fingerprint[SSH_FINGERPRINT_SIZE];
};

/* What is wrong with the text of a .pub file, and what to do; NULL: key->line is filled, and its fingerprint. Static. */
const char *public_key_parse(struct view text, struct public_key *key);

/* Read a regular file, or with "-" standard input. EXIT_DONE, or the exit status after a message. */
int public_key_read(const struct tool *tool, const char *path, struct public_key *key);

void public_key_clear(struct public_key *key);

#endif

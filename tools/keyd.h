/* SPDX-License-Identifier: MIT */
/*
 * keyd.h - rjwt-keyd: the keyset's keeper. Each command is a function in a table; those that are more
 * than a call of the library have a file of their own.
 */
#ifndef RJWT_KEYD_H
#define RJWT_KEYD_H

#include "tool.h"
#include "base/string_list.h"

struct keyd {
	struct tool tool;
	int given; /* the options on the command line, a sum of bits */
	bool dry_run, if_missing, json;
	const char *jti, *kid;
	struct string_list users;
};

/* Rotate on a timer until SIGTERM or SIGINT. */
int keyd_run(struct keyd *keyd);

/* Report a change and its warnings on stderr and in the log. */
void keyd_tell(const struct keyd *keyd, const struct rjwt_change *change);

/* Report a failure on stderr and in the log. The exit status, as tool_fail(). */
int keyd_fail(const struct keyd *keyd, enum rjwt_err err, const struct rjwt_diag *diag);

int keyd_status(struct keyd *keyd);
int keyd_check(struct keyd *keyd);

#endif

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
	int given; /* which of the options below stood on the command line */
	bool dry_run, if_missing, json;
	const char *jti, *kid;
	struct string_list users;
};

/* Rotate on a timer until SIGTERM or SIGINT. */
int keyd_run(struct keyd *keyd);

/* What a change was, on stderr and into the log; warnings too. */
void keyd_tell(const struct keyd *keyd, const struct rjwt_change *change);

/* What failed, on stderr and into the log. The exit status, as tool_fail(). */
int keyd_fail(const struct keyd *keyd, enum rjwt_err err, const struct rjwt_diag *diag);

int keyd_status(struct keyd *keyd);
int keyd_check(struct keyd *keyd);

#endif
